//! AdamW over the trainable variables of a store, with state that is saved and restored exactly.

use std::path::Path;

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::shim::{AdamW, fused_adamw};

/// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with clipping of the global gradient norm.
#[derive(Debug)]
pub struct Optimizer {
    names: Vec<String>,
    params: Vec<Tensor>,
    exp_avgs: Vec<Tensor>,
    exp_avg_sqs: Vec<Tensor>,
    steps: Vec<Tensor>,
    options: AdamW,
}

impl Optimizer {
    /// Over the variables whose names begin with `prefix`.
    pub fn new(vs: &VarStore, prefix: &str, options: AdamW) -> Self {
        let mut named: Vec<_> =
            vs.variables().into_iter().filter(|(n, t)| n.starts_with(prefix) && t.requires_grad()).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let (names, params): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        let zeros = || params.iter().map(Tensor::zeros_like).collect::<Vec<_>>();
        let step = |t: &Tensor| Tensor::zeros([], (Kind::Float, t.device()));
        let (exp_avgs, exp_avg_sqs, steps) = (zeros(), zeros(), params.iter().map(step).collect());
        Self { names, params, exp_avgs, exp_avg_sqs, steps, options }
    }

    /// Back-propagates `loss`, updates the variables that it reaches at rate `lr`, and returns the gradients' norm.
    pub fn backward_step(&mut self, loss: &Tensor, lr: f64) -> Result<f64> {
        for param in &mut self.params {
            param.zero_grad();
        }
        loss.f_backward()?;
        let reached: Vec<usize> = (0..self.params.len()).filter(|&i| self.params[i].grad().defined()).collect();
        let pick = |tensors: &[Tensor]| reached.iter().map(|&i| tensors[i].shallow_clone()).collect::<Vec<_>>();
        let grads: Vec<Tensor> = reached.iter().map(|&i| self.params[i].grad()).collect();
        let norm = fused_adamw(
            &pick(&self.params),
            &grads,
            &pick(&self.exp_avgs),
            &pick(&self.exp_avg_sqs),
            &pick(&self.steps),
            AdamW { lr, ..self.options },
        )?;
        if norm.is_finite() { Ok(norm) } else { Err(Error::Training(format!("the gradient's norm is {norm}"))) }
    }

    /// Adds the state under `prefix`.
    pub fn save(&self, prefix: &str, checkpoint: &mut Checkpoint) {
        for (slot, tensors) in self.slots() {
            for (name, tensor) in self.names.iter().zip(tensors) {
                checkpoint.tensors.insert(format!("{prefix}{slot}.{name}"), tensor.shallow_clone());
            }
        }
    }

    /// Takes back what [`Optimizer::save`] wrote.
    pub fn restore(&mut self, prefix: &str, checkpoint: &Checkpoint, path: &Path) -> Result<()> {
        for (slot, tensors) in self.slots() {
            for (name, tensor) in self.names.iter().zip(tensors) {
                let name = format!("{prefix}{slot}.{name}");
                match checkpoint.tensors.get(&name) {
                    Some(saved) if saved.size() == tensor.size() => tensor.shallow_clone().copy_(saved),
                    _ => return Err(Error::weights(path, format!("lacks the optimizer's {name}"))),
                }
            }
        }
        Ok(())
    }

    fn slots(&self) -> [(&'static str, &[Tensor]); 3] {
        [("exp_avg", &self.exp_avgs), ("exp_avg_sq", &self.exp_avg_sqs), ("step", &self.steps)]
    }
}
