//! Training runs: they learn, go on exactly where they stopped, and refuse a corpus with a fault before they start.
#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard};

use serde::de::DeserializeOwned;
use serde_json::json;
use tch::Device;
use tempfile::TempDir;
use tts::adapter;
use tts::audio::wav::{Audio, read, write};
use tts::checkpoint::Checkpoint;
use tts::synthesizer::Synthesizer;
use tts::train::coarse::{self, CoarseRecipe};
use tts::train::codec::{self, CodecRecipe};
use tts::train::corpus::Corpus;
use tts::train::decoder::{self, DecoderRecipe};
use tts::train::drafters::{index, train_heads, train_small};
use tts::train::export::{About, Runs, export};
use tts::train::tokens::TokenCorpus;
use tts::train::{Job, Progress, Start, depth, fine, parallel, stages};
use tts::voice::{Voice, VoiceConfig};

const CODEC: &str = "
[model]
sample_rate = 8000
hop_length = 64
frame_stride = 2
n_fft = 256
n_mels = 20
encoder_dim = 16
encoder_fast_layers = 1
encoder_slow_layers = 1
latent_dim = 6
n_q = 3
codebook_size = 8
decoder_slow_dim = 16
decoder_slow_layers = 1
decoder_fast_dim = 16
decoder_fast_layers = 1
[training]
seed = 1
steps = 10
adversarial_steps = 4
quantize_from = 3
batch = 2
segment_frames = 16
warmup = 2
learning_rate = 2e-3
adversarial_learning_rate = 1e-3
weight_decay = 0.01
codebook_decay = 0.9
discriminator_channels = 4
checkpoint_seconds = 240
evaluate_every = 2
bf16 = false
";

/// A recipe of a small model with this description.
fn language<R: DeserializeOwned>(model: &str) -> R {
    toml::from_str(&format!("[model]\n{model}\n{LANGUAGE}")).unwrap()
}

const COARSE: &str = "
symbols = 64
codebook_size = 8
window = 8
max_stay = 5
encoder = { dim = 16, layers = 1, heads = 2, hidden = 16 }
decoder = { dim = 16, layers = 1, heads = 2, hidden = 16 }
";

const FINE: &str = "
n_q = 3
latent_dim = 6
";

const PARALLEL: &str = "
codebook_size = 8
latent_dim = 6
utterance_dim = 2
frames_per_phoneme = 3.0
";

const TRUNK: &str = "
[model.trunk]
symbols = 64
window_left = 4
window_right = 2
max_stay = 5
encoder = { dim = 16, layers = 1, heads = 2, hidden = 16 }
decoder = { dim = 16, layers = 1, heads = 2, hidden = 16 }
";

const DEPTH: &str = "
n_q = 3
codebook_size = 8
latent_dim = 6
state_dim = 16
decoder = { dim = 16, layers = 1, heads = 2, hidden = 16 }
";

const HEADS: &str = "
heads = 2
codebook_size = 8
state_dim = 16
hidden = 16
phonemes = 2
max_stay = 5
";

const LANGUAGE: &str = "
[training]
seed = 1
steps = 40
batch_frames = 200
warmup = 2
learning_rate = 5e-3
weight_decay = 0.01
nudge = 0.05
checkpoint_seconds = 240
evaluate_every = 2
bf16 = false
";

const DECODER: &str = "
[training]
seed = 1
steps = 12
batch = 2
segment_frames = 16
predicted = 0.5
warmup = 2
learning_rate = 2e-3
weight_decay = 0.01
checkpoint_seconds = 0
evaluate_every = 2
bf16 = false
";

/// Tones of a pitch that depends on the phoneme, as a corpus of 100 utterances.
fn corpus() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut rows = String::new();
    for i in 0..100 {
        let pitch = 150.0 + (i % 4) as f32 * 60.0;
        let samples: Vec<f32> = (0..4000).map(|n| 0.3 * (TAU * pitch * n as f32 / 8000.0).sin()).collect();
        let audio = format!("{i}.wav");
        write(&dir.path().join(&audio), &Audio { samples, sample_rate: 8000 }).unwrap();
        let phonemes = ["æm", "in", "sO", "tu"][i % 4];
        let row = json!({
            "id": i.to_string(), "audio": audio, "text": "a", "phonemes": phonemes, "samples": 4000,
            "durations": [0.2, 0.2], "lead": 0.05, "tail": 0.05, "f0": vec![pitch; 40],
        });
        rows += &format!("{row}\n");
    }
    fs::write(dir.path().join("corpus.jsonl"), rows).unwrap();
    dir
}

/// Trains in `run` to the end, or until an observer that panics at step `stop` kills the run.
fn train(run: &Path, start: Start, stop: Option<u64>, train: impl FnOnce(Job) -> tts::error::Result<()>) {
    let mut observer = |progress: &Progress| assert_ne!(Some(progress.step), stop, "killed");
    let job = Job { dir: run, start: &start, device: Device::Cpu, observer: &mut observer };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| train(job)));
    match stop {
        Some(_) => assert!(outcome.is_err(), "the run should have been killed"),
        None => outcome.unwrap().unwrap(),
    }
}

/// libtorch has one random generator for the whole process: runs side by side would draw from each other's.
fn alone() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn same_tensors(a: &Path, b: &Path) {
    let (a, b) = (Checkpoint::load(a).unwrap(), Checkpoint::load(b).unwrap());
    assert!(a.tensors.keys().eq(b.tensors.keys()));
    for (name, tensor) in &a.tensors {
        assert!(tensor.equal(&b.tensors[name]), "{name} differs");
    }
}

/// The values of one figure in the rows of a run's metrics.
fn figures(run: &Path, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.map(|row| row[name].as_f64().unwrap()).collect()
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_happened() {
    let _alone = alone();
    let (dir, runs) = (corpus(), TempDir::new().unwrap());
    let corpus = Corpus::open(dir.path(), 8000).unwrap();
    let mut recipe: CodecRecipe = toml::from_str(CODEC).unwrap();
    recipe.training.checkpoint_seconds = 0;
    let [whole, pieces] = ["whole", "pieces"].map(|name| runs.path().join(name));
    let train_codec = |run: &Path, start: Start, stop: Option<u64>| {
        train(run, start, stop, |job| codec::train(&recipe, &corpus, job));
    };
    train_codec(&whole, Start::Fresh, None);
    // Killed before quantization, after it, and among the adversarial steps.
    train_codec(&pieces, Start::Fresh, Some(2));
    for stop in [Some(7), Some(12), None] {
        train_codec(&pieces, Start::Resume, stop);
    }
    same_tensors(&whole.join("checkpoint.safetensors"), &pieces.join("checkpoint.safetensors"));
    assert_eq!(figures(&whole, "step"), figures(&pieces, "step"));
    assert_eq!(figures(&whole, "loss"), figures(&pieces, "loss"));
}

#[test]
fn all_models_learn_from_a_corpus_and_become_a_voice() {
    let _alone = alone();
    let (dir, runs) = (corpus(), TempDir::new().unwrap());
    let [codec_run, coarse_run, fine_run, parallel_run, depth_run, voice] =
        ["codec", "coarse", "fine", "parallel", "depth", "voice"].map(|n| runs.path().join(n));
    let codec_recipe: CodecRecipe = toml::from_str(CODEC).unwrap();
    let corpus = Corpus::open(dir.path(), 8000).unwrap();
    train(&codec_run, Start::Fresh, None, |job| codec::train(&codec_recipe, &corpus, job));

    let tokens = TokenCorpus::open(dir.path(), &codec_run, &codec_recipe.model, Device::Cpu, &mut |_, _| {}).unwrap();
    let coarse_recipe: CoarseRecipe = language(COARSE);
    train(&coarse_run, Start::Fresh, None, |job| coarse::train(&coarse_recipe, &tokens, job));
    let recipe = language(&format!("{FINE}{TRUNK}"));
    train(&fine_run, Start::Fresh, None, |job| fine::train(&recipe, &tokens, job));
    let recipe = language(&format!("{PARALLEL}{TRUNK}"));
    train(&parallel_run, Start::Fresh, None, |job| parallel::train(&recipe, &tokens, job));
    let recipe = language(DEPTH);
    train(&depth_run, Start::Fresh, None, |job| depth::train(&recipe, &coarse_run, &tokens, job));

    for run in [&codec_run, &coarse_run, &fine_run, &parallel_run, &depth_run] {
        let losses = figures(run, "held_out");
        assert!(losses.last() < losses.first(), "{}: {losses:?}", run.display());
    }
    let about =
        About { name: Some("tones".into()), licence: Some("CC0-1.0".into()), description: Some("Four tones.".into()) };
    let three =
        Runs { codec: Some(&codec_run), coarse: Some(&coarse_run), fine: Some(&fine_run), ..Default::default() };
    let missing = export(&three, About::default(), &voice).unwrap_err().to_string();
    assert!(missing.contains("no name was given"), "{missing}");
    export(&three, about, &voice).unwrap();
    // The others come later, and leave what is there.
    let [heads_run, small_run] = ["heads", "small"].map(|n| runs.path().join(n));
    let recipe = language(HEADS);
    train(&heads_run, Start::Fresh, None, |job| train_heads(&recipe, &voice, &tokens, job));
    train(&small_run, Start::Fresh, None, |job| train_small(&coarse_recipe, &voice, &tokens, job));
    for run in [&heads_run, &small_run] {
        let losses = figures(run, "held_out");
        assert!(losses.last() < losses.first(), "{}: {losses:?}", run.display());
    }
    let more = Runs {
        parallel: Some(&parallel_run),
        depth: Some(&depth_run),
        heads: Some(&heads_run),
        small: Some(&small_run),
        ..Default::default()
    };
    export(&more, About::default(), &voice).unwrap();
    index(&tokens, 1.0, &voice).unwrap();
    let config = VoiceConfig::load(&voice).unwrap();
    assert!(config.parallel.is_some() && config.depth.is_some() && config.coarse == coarse_recipe.model);
    let loaded = Voice::load(&voice, Device::Cpu).unwrap();
    assert!(loaded.heads().is_ok() && loaded.small().is_ok() && loaded.retrieval().is_ok());
    assert_eq!(VoiceConfig::load(&voice).unwrap().name, "tones");

    // The decoder learns to make the best of what the fine model predicts; the codebooks stay.
    let recipe: DecoderRecipe = toml::from_str(DECODER).unwrap();
    let adapt = |name: &str, stop: Option<u64>, start: Start| {
        let run = runs.path().join(name);
        train(&run, start, stop, |job| decoder::train(&recipe, &voice, &corpus, &tokens, job));
        run
    };
    let whole = adapt("decoder", None, Start::Fresh);
    let losses = figures(&whole, "held_out");
    assert!(losses.last() < losses.first(), "{losses:?}");
    let pieces = adapt("decoder_pieces", Some(5), Start::Fresh);
    adapt("decoder_pieces", None, Start::Resume);
    same_tensors(&whole.join("codec.safetensors"), &pieces.join("codec.safetensors"));
    let codebook =
        |dir: &Path| Checkpoint::load(&dir.join("codec.safetensors")).unwrap().tensors["quantizer.0.codebook"].copy();
    assert!(codebook(&whole).equal(&codebook(&voice)));
    export(&Runs { decoder: Some(&whole), ..Default::default() }, About::default(), &voice).unwrap();

    let (spoken, synthesizer) = (runs.path().join("stages"), Synthesizer::open(&voice).unwrap());
    stages::speak(&synthesizer, &corpus, 3, &[0.0, 0.5], &spoken, &mut |_, _| {}).unwrap();
    let list = fs::read_to_string(spoken.join("list.tsv")).unwrap();
    assert_eq!(list.lines().count(), 3);
    for stage in ["corpus", "codec", "fine", "all-0", "all-0.5"] {
        let id = list.split('\t').next().unwrap();
        let audio = read(&spoken.join(stage).join(format!("{id}.wav"))).unwrap();
        assert!(audio.samples.iter().any(|s| s.abs() > 1e-3), "{stage} is silent");
    }

    // Learning goes on from the voice: the first loss is about the last one, not that of random weights.
    let more = runs.path().join("more");
    let from = Start::From(voice);
    let mut recipe = coarse_recipe.clone();
    (recipe.training.steps, recipe.training.evaluate_every) = (1, 1);
    train(&more, from.clone(), None, |job| coarse::train(&recipe, &tokens, job));
    let (before, after) = (figures(&coarse_run, "held_out"), figures(&more, "held_out"));
    assert!(
        (after[0] - before[before.len() - 1]).abs() < 0.2 * (before[0] - before[before.len() - 1]),
        "{before:?} {after:?}"
    );

    let (more, mut recipe) = (runs.path().join("more_codec"), codec_recipe.clone());
    recipe.training.quantize_from = 0;
    (recipe.training.steps, recipe.training.evaluate_every) = (1, 1);
    recipe.training.adversarial_steps = 0;
    train(&more, from.clone(), None, |job| codec::train(&recipe, &corpus, job));
    let (before, after) = (figures(&codec_run, "held_out"), figures(&more, "held_out"));
    assert!(after[0] < before[0], "{before:?} {after:?}");
}

#[test]
fn adapters_are_all_that_is_learnt_on_other_weights() {
    let _alone = alone();
    let (dir, runs) = (corpus(), TempDir::new().unwrap());
    let run = |name: &str| runs.path().join(name);
    let [codec_run, coarse_run, fine_run, voice] = ["codec", "coarse", "fine", "voice"].map(run);
    let corpus = Corpus::open(dir.path(), 8000).unwrap();
    let codec_recipe: CodecRecipe = toml::from_str(CODEC).unwrap();
    train(&codec_run, Start::Fresh, None, |job| codec::train(&codec_recipe, &corpus, job));
    let tokens = TokenCorpus::open(dir.path(), &codec_run, &codec_recipe.model, Device::Cpu, &mut |_, _| {}).unwrap();
    let mut recipe: CoarseRecipe = language(COARSE);
    train(&coarse_run, Start::Fresh, None, |job| coarse::train(&recipe, &tokens, job));
    let fine_recipe = language(&format!("{FINE}{TRUNK}"));
    train(&fine_run, Start::Fresh, None, |job| fine::train(&fine_recipe, &tokens, job));
    let three =
        Runs { codec: Some(&codec_run), coarse: Some(&coarse_run), fine: Some(&fine_run), ..Default::default() };
    let about = About { name: Some("x".into()), licence: Some("CC0-1.0".into()), description: Some("Tones.".into()) };
    export(&three, about, &voice).unwrap();

    let mut decoder_recipe: DecoderRecipe = toml::from_str(DECODER).unwrap();
    (recipe.training.rank, recipe.training.checkpoint_seconds) = (Some(2), 0);
    (decoder_recipe.training.rank, decoder_recipe.training.checkpoint_seconds) = (Some(2), 0);
    let job = Job { dir: &run("x"), start: &Start::Fresh, device: Device::Cpu, observer: &mut |_| {} };
    assert!(coarse::train(&recipe, &tokens, job).unwrap_err().to_string().contains("expected --from"));
    let adapt = |name: &str, start: Start, stop: Option<u64>| {
        let [coarse_run, decoder_run] = ["coarse", "decoder"].map(|model| run(&format!("{name}-{model}")));
        train(&coarse_run, start.clone(), stop, |job| coarse::train(&recipe, &tokens, job));
        train(&decoder_run, start, stop, |job| decoder::train(&decoder_recipe, &voice, &corpus, &tokens, job));
        [coarse_run, decoder_run]
    };
    let whole = adapt("whole", Start::From(voice.clone()), None);
    let pieces = adapt("pieces", Start::From(voice.clone()), Some(5));
    adapt("pieces", Start::Resume, None);
    let file = |run: &Path, name: &str| Checkpoint::load(&run.join(format!("{name}.safetensors"))).unwrap();
    let shipped = run("shipped.safetensors");
    for ((whole, pieces), name) in whole.iter().zip(&pieces).zip(["coarse", "codec"]) {
        same_tensors(&whole.join("checkpoint.safetensors"), &pieces.join("checkpoint.safetensors"));
        let losses = figures(whole, "held_out");
        assert!(losses.last() < losses.first(), "{losses:?}");
        let base = voice.join(format!("{name}.safetensors"));
        let learnt = Checkpoint::load(&whole.join(adapter::file(name))).unwrap();
        adapter::save(&learnt, &base, &shipped).unwrap();
        let (sum, full, old) = (adapter::load(&base, &shipped).unwrap(), file(whole, name), file(&voice, name));
        let mut changed = Vec::new();
        for tensor in full.tensors.keys() {
            let [sum, full, before] = [&sum, &full, &old].map(|weights| weights.float(tensor).unwrap());
            let learnt = (&full - &before).abs().max().double_value(&[]);
            let [missed, largest] = [sum - &full, full].map(|x| x.abs().max().double_value(&[]));
            assert!(missed < 0.01 * largest, "{name}: {tensor}: {missed} beside {largest}");
            if learnt > 1e-3 * largest {
                changed.push(tensor.clone());
            }
        }
        assert!(!changed.is_empty());
        if name == "codec" {
            let is_output =
                |tensor: &String| tensor.starts_with("decoder.spectra.") || tensor.starts_with("decoder.pitch.");
            assert!(changed.iter().all(is_output), "{changed:?}");
            let other = adapter::load(&voice.join("coarse.safetensors"), &shipped).unwrap_err().to_string();
            assert!(other.contains("learnt on other weights"), "{other}");
        }
    }
}

#[test]
fn a_second_run_does_not_overwrite_the_first() {
    let _alone = alone();
    let (dir, runs) = (corpus(), TempDir::new().unwrap());
    let corpus = Corpus::open(dir.path(), 8000).unwrap();
    let mut recipe: CodecRecipe = toml::from_str(CODEC).unwrap();
    recipe.training.steps = 2;
    recipe.training.adversarial_steps = 0;
    let train = |recipe: &CodecRecipe, start: Start| {
        let job = Job { dir: runs.path(), start: &start, device: Device::Cpu, observer: &mut |_| {} };
        codec::train(recipe, &corpus, job).map_err(|e| e.to_string())
    };
    train(&recipe, Start::Fresh).unwrap();
    assert!(train(&recipe, Start::Fresh).unwrap_err().contains("--resume"));
    recipe.training.batch = 3;
    assert!(train(&recipe, Start::Resume).unwrap_err().contains("another configuration"));
}

#[test]
fn a_fault_in_the_corpus_is_named_with_its_line() {
    let spoil = |line: &str, with: &str| {
        let dir = corpus();
        let path = dir.path().join("corpus.jsonl");
        let text = fs::read_to_string(&path).unwrap().replacen(line, with, 1);
        fs::write(&path, text).unwrap();
        Corpus::open(dir.path(), 8000).unwrap_err().to_string()
    };
    assert!(spoil("\"audio\":\"7.wav\"", "\"audio\":\"gone.wav\"").contains("line 8: "));
    assert!(spoil("\"audio\":\"7.wav\"", "\"audio\":\"gone.wav\"").contains("gone.wav"));
    assert!(spoil("[0.2,0.2]", "[0.2]").contains("line 1: 2 phonemes but 1 durations"));
    assert!(spoil("[0.2,0.2]", "[0.2,0.9]").contains("1.20 s, but the audio 0.50 s"));
    assert!(spoil("\"lead\"", "\"leed\"").contains("leed"));
    let other_rate = Corpus::open(corpus().path(), 16000).unwrap_err().to_string();
    assert!(other_rate.contains("but the audio 0.25 s"), "{other_rate}");
}

#[test]
fn the_program_tells_of_kept_figures_and_of_encoding_in_plain_lines_off_a_terminal_unless_quiet() {
    let (corpus, runs) = (corpus(), TempDir::new().unwrap());
    fs::write(runs.path().join("codec.toml"), CODEC).unwrap();
    let recipe = format!("[model]\n{COARSE}\n{LANGUAGE}").replace("steps = 40", "steps = 4");
    fs::write(runs.path().join("coarse.toml"), recipe).unwrap();
    let train = |args: &str| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tts"));
        command.args(["train"]).args(args.split_whitespace()).arg("--corpus").arg(corpus.path());
        let output = command.args(["--threads", "1"]).current_dir(runs.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output
    };
    let lines = |output: Output| -> Vec<String> {
        String::from_utf8(output.stderr).unwrap().lines().map(str::to_string).collect()
    };
    let codec = lines(train("codec --config codec.toml --run codec"));
    assert_eq!(codec.len(), 7, "a line for each evaluation: {codec:?}");
    for (i, line) in codec.iter().enumerate() {
        assert!(line.starts_with(&format!("{} of 14 steps: ", 2 * i + 2)) && line.contains("held_out "), "{line}");
    }
    let coarse = lines(train("coarse --config coarse.toml --run coarse --codec codec"));
    assert_eq!(coarse[0], "100 of 100 utterances encoded");
    assert!(coarse[1].starts_with("2 of 4 steps: ") && coarse.len() == 3, "{coarse:?}");
    assert_eq!(lines(train("codec --config codec.toml --run quiet --quiet")), [""; 0]);
}
