//! Layers do the same whole and step by step, padded and alone.
#![allow(clippy::unwrap_used)]

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};
use tts::nn::attention::Window;
use tts::nn::stft::{Stft, magnitude, mel_filters};
use tts::nn::transformer::{Transformer, TransformerConfig};
use tts::shim::{PackedLinear, depthwise, mlp};

const SMALL: TransformerConfig = TransformerConfig { dim: 16, layers: 2, heads: 2, hidden: 24 };

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

fn noise(shape: &[i64]) -> Tensor {
    tch::manual_seed(1);
    Tensor::randn(shape, (Kind::Float, Device::Cpu))
}

#[test]
fn an_inverse_stft_restores_the_samples() {
    let stft = Stft::new(64, 16, Device::Cpu);
    let x = noise(&[2, 160]);
    let spectrum = stft.forward(&x);
    assert_eq!(spectrum.size(), [2, 10, 33]);
    assert!(distance(&stft.inverse(&spectrum), &x) < 1e-5);
}

#[test]
fn a_steady_tone_peaks_in_its_own_bin() {
    let stft = Stft::new(64, 16, Device::Cpu);
    let angle = Tensor::arange(320, (Kind::Float, Device::Cpu)) * (std::f64::consts::TAU * 5.0 / 64.0);
    let spectrum = magnitude(&stft.forward(&angle.cos().unsqueeze(0)));
    let middle = spectrum.select(1, 10).argmax(-1, false).int64_value(&[0]);
    assert_eq!(middle, 5);
}

#[test]
fn every_mel_filter_hears_something() {
    let filters = mel_filters(22050, 1024, 80, Device::Cpu);
    assert_eq!(filters.size(), [513, 80]);
    let weakest = filters.sum_dim_intlist([0i64].as_slice(), false, Kind::Float).min().double_value(&[]);
    assert!(weakest > 0.0);
}

#[test]
fn stepping_a_causal_transformer_gives_what_the_whole_sequence_gives() {
    let vs = VarStore::new(Device::Cpu);
    let model = Transformer::new(vs.root(), &SMALL, Window::Around { left: 4, right: 0 });
    let x = noise(&[1, 15, 16]);
    no_grad(|| {
        let whole = model.forward(&x, None);
        let mut state = model.state(Device::Cpu);
        for t in 0..15 {
            let step = model.step(&x.narrow(1, t, 1), &mut state);
            assert!(distance(&step, &whole.narrow(1, t, 1)) < 1e-5, "position {t} differs");
        }
    });
}

#[test]
fn a_packed_position_becomes_the_same_to_the_last_bit_alone_and_among_others() {
    let vs = VarStore::new(Device::Cpu);
    // Multiples of the processor's vectors: what is left over is computed by other instructions.
    let sizes = TransformerConfig { dim: 32, layers: 2, heads: 2, hidden: 64 };
    let mut model = Transformer::new(vs.root(), &sizes, Window::Around { left: 4, right: 0 });
    no_grad(|| {
        model.pack().unwrap();
        let x = noise(&[1, 9, 32]);
        let row = |t: i64| x.narrow(1, t, 1);
        let mut alone = model.state(Device::Cpu);
        let expected: Vec<Tensor> = (0..9).map(|t| model.step(&row(t), &mut alone)).collect();

        // The first three one by one, then a tree: 3, 4, 5 are the truth; rows 2 and 3 are branches that are not taken.
        let mut state = model.state(Device::Cpu);
        (0..3).for_each(|t| drop(model.step(&row(t), &mut state)));
        let tree = Tensor::cat(&[row(3), row(4), noise(&[1, 2, 32]), row(5)], 1);
        let (y, extension) = model.extend(&tree, &[-1, 0, 0, 2, 1], &state);
        for (at, t) in [(0, 3), (1, 4), (4, 5)] {
            assert!(y.narrow(1, at, 1).equal(&expected[t]), "position {t} differs");
        }
        assert!(!y.narrow(1, 2, 1).equal(&expected[4]));
        state.keep(&extension, &[0, 1, 4]);
        for t in 6..9 {
            assert!(model.step(&row(t), &mut state).equal(&expected[t as usize]), "position {t} differs");
        }
    });
}

#[test]
fn a_window_hides_what_lies_beyond_it() {
    let vs = VarStore::new(Device::Cpu);
    let one = TransformerConfig { layers: 1, ..SMALL };
    let model = Transformer::new(vs.root(), &one, Window::Around { left: 2, right: 1 });
    let x = noise(&[1, 9, 16]);
    let changed = x.copy();
    let _ = changed.narrow(1, 4, 1).fill_(3.0);
    no_grad(|| {
        let (a, b) = (model.forward(&x, None), model.forward(&changed, None));
        for t in 0..9 {
            let differs = distance(&a.narrow(1, t, 1), &b.narrow(1, t, 1)) > 1e-6;
            assert_eq!(differs, (3..=6).contains(&t), "position {t}");
        }
    });
}

#[test]
fn padding_does_not_change_what_is_real() {
    let vs = VarStore::new(Device::Cpu);
    let model = Transformer::new(vs.root(), &SMALL, Window::Full);
    let x = noise(&[1, 6, 16]);
    let padded = x.constant_pad_nd([0, 0, 0, 5]);
    no_grad(|| {
        let alone = model.forward(&x, None);
        let together = model.forward(&padded, Some(&Tensor::from_slice(&[6i64])));
        assert!(distance(&together.narrow(1, 0, 6), &alone) < 1e-5);
    });
}

#[test]
fn a_packed_row_becomes_the_same_to_the_last_bit_alone_and_in_a_batch() {
    let (weight, bias) = (noise(&[96, 64]), noise(&[96]));
    let (up, down) =
        (PackedLinear::new(&weight, &bias).unwrap(), PackedLinear::new(&noise(&[64, 96]), &noise(&[64])).unwrap());
    let norm = (&noise(&[64]), &noise(&[64]));
    let x = noise(&[33, 64]) * noise(&[33, 1]).exp();
    let (batch, blocks) = (up.forward(&x), mlp(&x, &x, norm, &up, &down, None));
    for t in 0..33 {
        let row = x.narrow(0, t, 1);
        assert!(up.forward(&row).equal(&batch.narrow(0, t, 1)), "row {t}");
        assert!(mlp(&row, &row, norm, &up, &down, None).equal(&blocks.narrow(0, t, 1)), "row {t} of the MLP");
    }
}

#[test]
fn a_packed_mlp_is_its_layers_one_after_the_other() {
    let (up, down) = (noise(&[128, 64]) * 0.1, noise(&[64, 128]) * 0.1);
    let (wide, narrow) = (noise(&[128]), noise(&[64]));
    let packed = [(&up, &wide), (&down, &narrow)].map(|(weight, bias)| PackedLinear::new(weight, bias).unwrap());
    let (x, residual, gain) = (noise(&[2, 5, 64]), noise(&[2, 5, 64]) * 3.0, noise(&[64]));
    let normal = x.layer_norm([64], Some(&gain), Some(&narrow), 1e-5, false);
    let inner = packed[1].forward(&packed[0].forward(&normal).gelu("tanh"));
    let expected = &residual + inner * &gain;
    let y = mlp(&x, &residual, (&gain, &narrow), &packed[0], &packed[1], Some(&gain));
    // A rounding may fall on the other side of an 8-bit step.
    assert!(distance(&y, &expected) < 0.02 * f64::try_from(expected.abs().max()).unwrap());
}

#[test]
fn each_channel_is_convolved_as_libtorch_does() {
    let (x, weight, bias) = (noise(&[2, 11, 20]), noise(&[20, 1, 7]), noise(&[20]));
    let expected = x.transpose(1, 2).conv1d(&weight, Some(&bias), 1, 3, 1, 20).transpose(1, 2);
    assert!(distance(&depthwise(&x, &weight, &bias), &expected) < 1e-5);
}
