//! Residual quantization: every level brings the sum closer, and codes stand for the vectors that they were chosen for.
#![allow(clippy::unwrap_used)]

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};
use tts::codec::quantizer::{CodebookUpdate, ResidualQuantizer, nearest};

const LEVELS: i64 = 4;
const SIZE: i64 = 16;
const DIM: i64 = 5;

struct Bench {
    _stores: (VarStore, VarStore),
    quantizer: ResidualQuantizer,
    update: CodebookUpdate,
    latents: Tensor, // [M, D]
}

fn trained() -> Bench {
    tch::manual_seed(3);
    let stores = (VarStore::new(Device::Cpu), VarStore::new(Device::Cpu));
    let quantizer = ResidualQuantizer::new(stores.0.root(), LEVELS, SIZE, DIM);
    let mut update = CodebookUpdate::new(stores.1.root(), &quantizer, 0.9);
    let latents = Tensor::randn([600, DIM], (Kind::Float, Device::Cpu));
    update.initialize(&quantizer, &latents, 10);
    Bench { _stores: stores, quantizer, update, latents }
}

fn frames(latents: &Tensor) -> Tensor {
    latents.tr().unsqueeze(0) // [1, D, M]
}

#[test]
fn each_level_brings_the_sum_closer() {
    let bench = trained();
    let x = frames(&bench.latents);
    let codes = bench.quantizer.forward(&x, LEVELS as usize).codes;
    let error = |levels: i64| {
        let sum = bench.quantizer.decode(&codes.narrow(1, 0, levels));
        (sum - &x).square().mean(Kind::Float).double_value(&[])
    };
    let errors: Vec<f64> = (1..=LEVELS).map(error).collect();
    assert!(errors.windows(2).all(|pair| pair[1] < pair[0] * 0.9), "{errors:?}");
}

#[test]
fn decoding_the_codes_gives_the_quantized_latent() {
    let bench = trained();
    let quantized = bench.quantizer.forward(&frames(&bench.latents), LEVELS as usize);
    let decoded = bench.quantizer.decode(&quantized.codes);
    assert!((decoded - quantized.latent).abs().max().double_value(&[]) < 1e-5);
}

#[test]
fn the_gradient_passes_straight_through() {
    let bench = trained();
    let x = frames(&bench.latents).set_requires_grad(true);
    bench.quantizer.forward(&x, 2).latent.sum(Kind::Float).backward();
    assert!((x.grad() - 1.0).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn nearest_agrees_with_distances_computed_one_by_one() {
    let bench = trained();
    let book = bench.quantizer.codebook(0);
    let codes = nearest(&bench.latents, book);
    for row in [0, 7, 99] {
        let distances = (book - bench.latents.get(row)).square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        assert_eq!(codes.int64_value(&[row]), distances.argmin(0, false).int64_value(&[]));
    }
}

#[test]
fn entries_that_nothing_chooses_are_placed_anew_on_the_data() {
    let mut bench = trained();
    let _ = no_grad(|| bench.quantizer.codebook(0).get(2).fill_(100.0));
    let x = frames(&bench.latents);
    for _ in 0..60 {
        let quantized = bench.quantizer.forward(&x, LEVELS as usize);
        bench.update.step(&bench.quantizer, &quantized);
    }
    let largest = bench.quantizer.codebook(0).abs().max().double_value(&[]);
    assert!(largest < 10.0, "an entry still lies at {largest}");
}
