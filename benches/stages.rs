//! The stages one by one: `cargo bench`. One thread, the voice of this repository.

use std::path::Path;

use divan::{Bencher, black_box};
use tch::{Device, Kind, Tensor, no_grad};
use tts::nn::aligned::FramePath;
use tts::synthesizer::SpeechOptions;
use tts::text::{FrontEnd, Vocab};
use tts::voice::Voice;

/// Token frames that the parallel stages are given: the longest piece made at once by default, 4 s.
const FRAMES: i64 = 80;
const SENTENCE: &str = "Your train leaves from platform four in ten minutes.";

fn main() {
    divan::main();
}

fn voice() -> Voice {
    tch::set_num_threads(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart");
    Voice::load(&folder, Device::Cpu).expect("the voice of this repository")
}

fn phonemes() -> Tensor {
    let read = FrontEnd::new().and_then(|front_end| front_end.read(SENTENCE)).expect("a sentence");
    let ids = Vocab::encode_utterance(&read[0].phonemes).expect("known phonemes");
    Tensor::from_slice(&ids).unsqueeze(0)
}

fn codes(voice: &Voice) -> Tensor {
    tch::manual_seed(1);
    let config = &voice.config.codec;
    Tensor::randint(config.codebook_size, [1, config.n_q, FRAMES], (Kind::Int64, Device::Cpu))
}

#[divan::bench]
fn front_end_sentence(bencher: Bencher) {
    let front_end = FrontEnd::new().expect("a front end");
    bencher.bench(|| front_end.read(black_box(SENTENCE)));
}

#[divan::bench]
fn load_voice() -> Voice {
    voice()
}

/// One frame with a full memory, up to the logits of its token.
#[divan::bench]
fn coarse_step(bencher: Bencher) {
    let (voice, phonemes) = (voice(), phonemes());
    let mut state = no_grad(|| voice.coarse.start(&phonemes, 0.0));
    for _ in 0..voice.config.coarse.window {
        let (_, extension) = no_grad(|| voice.coarse.extend(&[state.place()], &[-1], &state));
        state.keep(&extension, &[0], state.place());
    }
    bencher
        .bench_local(|| no_grad(|| voice.coarse.token_logits(&voice.coarse.extend(&[state.place()], &[-1], &state).0)));
}

#[divan::bench]
fn draw_token(bencher: Bencher) {
    tch::manual_seed(1);
    let logits = Tensor::randn([1024], (Kind::Float, Device::Cpu)) * 3.0;
    let logits = Vec::<f32>::try_from(logits).expect("a row of logits");
    let sampling = SpeechOptions::default().sampling;
    let mut position = 0;
    bencher.bench_local(|| {
        position += 1;
        sampling.draw(black_box(&logits), 0, position)
    });
}

#[divan::bench]
fn fine_pass(bencher: Bencher) {
    let (voice, ids) = (voice(), phonemes());
    let path: Vec<i64> = (0..FRAMES).map(|t| t * (ids.size()[1] - 1) / FRAMES).collect();
    let (aligned, known) = no_grad(|| {
        let path = FramePath::new(&path, Device::Cpu);
        let known = voice.codec.quantizer.decode(&codes(&voice).narrow(1, 0, 1)).transpose(1, 2);
        (voice.fine.aligned(&voice.fine.phonemes(&ids, None), &path), known)
    });
    bencher.bench_local(|| no_grad(|| voice.fine.forward(&aligned, &known, 1, None)));
}

#[divan::bench]
fn decoder_pass(bencher: Bencher) {
    let voice = voice();
    let codes = codes(&voice);
    bencher.bench_local(|| no_grad(|| voice.codec.decode(&codes, 0)));
}
