//! Weights are written whole and read strictly.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tch::nn::{self, VarStore};
use tch::{Device, Kind, Tensor, no_grad};
use tempfile::TempDir;
use tts::checkpoint::{Checkpoint, load_variables, save_half};
use tts::nn::linear::{linear, without_weights};
use tts::shim::PackedLinear;

fn store(out: i64) -> (VarStore, nn::Linear) {
    let vs = VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root() / "layer", 4, out, Default::default());
    (vs, layer)
}

fn saved() -> (TempDir, PathBuf, VarStore) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("w.safetensors");
    let (vs, _) = store(3);
    save_half(&path, &vs, |_| true).unwrap();
    (dir, path, vs)
}

fn refusal(path: &Path, vs: &VarStore) -> String {
    load_variables(path, vs).unwrap_err().to_string()
}

#[test]
fn saved_weights_come_back_in_half_precision() {
    let (_dir, path, vs) = saved();
    let (other, _) = store(3);
    load_variables(&path, &other).unwrap();
    for (name, tensor) in vs.variables() {
        let rounded = tensor.to_kind(Kind::Half).to_kind(Kind::Float);
        assert!(other.variables()[&name].equal(&rounded), "{name}");
    }
}

#[test]
fn quantized_weights_come_back_within_half_a_step_of_their_row() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("w.safetensors");
    let weight = Tensor::randn([6, 4, 3], (Kind::Float, Device::Cpu));
    let codebook = Tensor::randn([5, 2], (Kind::Float, Device::Cpu));
    let mut checkpoint = Checkpoint::default();
    checkpoint.tensors.insert("weight".into(), weight.shallow_clone());
    checkpoint.tensors.insert("codebook".into(), codebook.shallow_clone());
    checkpoint.quantized().save(&path, None).unwrap();

    let vs = VarStore::new(Device::Cpu);
    let (back, same) = (vs.root().zeros("weight", &[6, 4, 3]), vs.root().zeros("codebook", &[5, 2]));
    load_variables(&path, &vs).unwrap();
    let largest = weight.abs().amax([1i64, 2].as_slice(), true);
    let within = (&back - &weight).abs().le_tensor(&(largest / 253.0));
    assert!(bool::try_from(within.all()).unwrap());
    assert!(same.equal(&codebook));

    let mut without = checkpoint.quantized();
    without.tensors.remove("weight.row_scale");
    without.save(&path, None).unwrap();
    assert!(Checkpoint::load(&path).unwrap_err().to_string().contains("scales of weight"));
}

#[test]
fn a_layer_without_weights_takes_those_of_the_file_as_they_are() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("w.safetensors");
    let (vs, x) = (VarStore::new(Device::Cpu), Tensor::randn([5, 32], (Kind::Float, Device::Cpu)));
    let _ = linear(vs.root() / "layer", 32, 48);
    let mut checkpoint = Checkpoint::default();
    checkpoint.insert_variables("", &vs);
    for file in [checkpoint.quantized(), checkpoint] {
        file.save(&path, None).unwrap();
        no_grad(|| {
            load_variables(&path, &vs).unwrap();
            let weight = vs.variables()["layer.weight"].shallow_clone();
            let bias = vs.variables()["layer.bias"].shallow_clone();

            let bare = VarStore::new(Device::Cpu);
            let mut layer = without_weights(|| linear(bare.root() / "layer", 32, 48));
            load_variables(&path, &bare).unwrap();
            assert!(x.apply(&layer).equal(&x.linear(&weight, Some(&bias))));
            layer.pack().unwrap();
            assert!(x.apply(&layer).equal(&PackedLinear::new(&weight, &bias).unwrap().forward(&x)));

            let other = VarStore::new(Device::Cpu);
            let _ = without_weights(|| linear(other.root() / "layer", 16, 48));
            assert!(refusal(&path, &other).contains("expected [48, 16]"));
        });
    }
}

#[test]
fn other_shapes_and_names_are_refused_by_name() {
    let (_dir, path, _) = saved();
    let message = refusal(&path, &store(5).0);
    assert!(message.contains("layer.") && message.contains("[5"), "{message}");

    let more = VarStore::new(Device::Cpu);
    let _ = nn::linear(more.root() / "layer", 4, 3, Default::default());
    let _ = more.root().zeros_no_train("extra", &[1]);
    assert!(refusal(&path, &more).contains("lacks the tensor extra"));

    let fewer = VarStore::new(Device::Cpu);
    let _ = fewer.root().zeros_no_train("extra", &[1]);
    assert!(refusal(&path, &fewer).contains("layer."));
}

#[test]
fn damaged_files_are_refused() {
    let (_dir, path, vs) = saved();
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 5, 40, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        let message = refusal(&path, &vs);
        assert!(message.contains("w.safetensors"), "{message}");
    }
    fs::write(&path, String::from_utf8_lossy(&bytes).replace("\"format\":\"1\"", "\"format\":\"9\"").as_bytes())
        .unwrap();
    refusal(&path, &vs);
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("missing").join("w.safetensors");
    let mut checkpoint = Checkpoint::default();
    checkpoint.tensors.insert("x".into(), Tensor::from_slice(&[1.0f32]));
    assert!(checkpoint.save(&path, None).unwrap_err().to_string().contains("w.safetensors"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
