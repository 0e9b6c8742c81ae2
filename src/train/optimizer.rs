//! AdamW over the trainable variables of a store, or over an adapter of them, with state that is saved and restored exactly.

use std::path::Path;

use tch::nn::VarStore;
use tch::{Kind, Tensor, no_grad};

use crate::adapter::{DOWN, UP};
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
    factored: Vec<Factored>,
    options: AdamW,
}

/// A variable that is what it was at the start plus a product of two parameters; see [`crate::adapter`].
#[derive(Debug)]
struct Factored {
    name: String,
    variable: Tensor,
    start: Tensor,
    /// Index of the left factor `[R, r]`; the right one, `[r, C]`, comes after it.
    up: usize,
}

impl Factored {
    /// Gradients of the two factors.
    fn gradients(&self, up: &Tensor, down: &Tensor) -> [Tensor; 2] {
        let gradient = gradient(&self.variable);
        if !gradient.defined() {
            return [gradient.shallow_clone(), gradient];
        }
        let gradient = gradient.flatten(1, -1);
        [gradient.matmul(&down.tr()), up.tr().matmul(&gradient)]
    }
}

impl Optimizer {
    /// Over the variables whose names begin with `prefix`.
    pub fn new(vs: &VarStore, prefix: &str, options: AdamW) -> Self {
        Self::with_rank(vs, prefix, options, None)
    }

    /// Over the variables whose names begin with `prefix`. With a `rank`, over factors of that rank of what is added to each
    /// large matrix from now on, and over the other variables whole: what [`Optimizer::adapter`] gives.
    pub fn with_rank(vs: &VarStore, prefix: &str, options: AdamW, rank: Option<i64>) -> Self {
        let mut named: Vec<_> =
            vs.variables().into_iter().filter(|(n, t)| n.starts_with(prefix) && t.requires_grad()).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut names, mut params, mut factored) = (Vec::new(), Vec::new(), Vec::new());
        for (name, variable) in named {
            match rank.filter(|&rank| pays(&variable, rank)) {
                Some(rank) => {
                    let matrix = variable.detach().flatten(1, -1);
                    let (rows, columns) = matrix.size2().unwrap_or_default();
                    let options = (Kind::Float, variable.device());
                    // The product is zero at first; its steps are about as large as those of a whole matrix would be.
                    let factors = [
                        (UP, Tensor::zeros([rows, rank], options)),
                        (DOWN, Tensor::randn([rank, columns], options) / (rank as f64).sqrt()),
                    ];
                    let start = variable.detach().copy();
                    factored.push(Factored { name: name.clone(), variable, start, up: params.len() });
                    for (suffix, factor) in factors {
                        names.push(format!("{name}.{suffix}"));
                        params.push(factor);
                    }
                }
                None => {
                    names.push(name);
                    params.push(variable);
                }
            }
        }
        let zeros = || params.iter().map(Tensor::zeros_like).collect::<Vec<_>>();
        let step = |t: &Tensor| Tensor::zeros([], (Kind::Float, t.device()));
        let (exp_avgs, exp_avg_sqs, steps) = (zeros(), zeros(), params.iter().map(step).collect());
        Self { names, params, exp_avgs, exp_avg_sqs, steps, factored, options }
    }

    /// Back-propagates `loss`, updates those of the variables that it reaches and that require gradients, at rate `lr`, and returns the gradients' norm.
    pub fn backward_step(&mut self, loss: &Tensor, lr: f64) -> Result<f64> {
        for leaf in self.params.iter_mut().chain(self.factored.iter_mut().map(|f| &mut f.variable)) {
            leaf.zero_grad();
        }
        loss.f_backward()?;
        let mut grads: Vec<Tensor> = self.params.iter().map(gradient).collect();
        for f in &self.factored {
            let [up, down] = f.gradients(&self.params[f.up], &self.params[f.up + 1]);
            (grads[f.up], grads[f.up + 1]) = (up, down);
        }
        let reached: Vec<usize> = (0..grads.len()).filter(|&i| grads[i].defined()).collect();
        let pick = |tensors: &[Tensor]| reached.iter().map(|&i| tensors[i].shallow_clone()).collect::<Vec<_>>();
        let norm = fused_adamw(
            &pick(&self.params),
            &pick(&grads),
            &pick(&self.exp_avgs),
            &pick(&self.exp_avg_sqs),
            &pick(&self.steps),
            AdamW { lr, ..self.options },
        )?;
        no_grad(|| {
            for f in &mut self.factored {
                let difference = self.params[f.up].matmul(&self.params[f.up + 1]);
                f.variable.copy_(&(&f.start + difference.view_as(&f.start)));
            }
        });
        if norm.is_finite() { Ok(norm) } else { Err(Error::Training(format!("the gradient's norm is {norm}"))) }
    }

    /// What has been learnt, to be added to the weights at the start.
    pub fn adapter(&self) -> Checkpoint {
        let tensors = self.names.iter().cloned().zip(self.params.iter().map(Tensor::detach)).collect();
        Checkpoint { tensors, ..Checkpoint::default() }
    }

    /// The variables of `vs` and its own state, for [`Optimizer::resume`].
    pub fn checkpoint(&self, vs: &VarStore) -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.insert_variables("model.", vs);
        self.save("optimizer.", &mut checkpoint);
        checkpoint
    }

    /// Takes back what [`Optimizer::checkpoint`] gave, which was read from `path`.
    pub fn resume(&mut self, vs: &VarStore, checkpoint: &Checkpoint, path: &Path) -> Result<()> {
        checkpoint.restore("model.", vs, path)?;
        self.restore("optimizer.", checkpoint, path)
    }

    /// Adds the state under `prefix`.
    pub fn save(&self, prefix: &str, checkpoint: &mut Checkpoint) {
        for (name, tensor) in self.state() {
            checkpoint.tensors.insert(format!("{prefix}{name}"), tensor.shallow_clone());
        }
    }

    /// Takes back what [`Optimizer::save`] wrote.
    pub fn restore(&mut self, prefix: &str, checkpoint: &Checkpoint, path: &Path) -> Result<()> {
        no_grad(|| {
            self.state().try_for_each(|(name, tensor)| {
                let name = format!("{prefix}{name}");
                match checkpoint.tensors.get(&name) {
                    Some(saved) if saved.size() == tensor.size() => tensor.shallow_clone().copy_(saved),
                    _ => return Err(Error::weights(path, format!("lacks the optimizer's {name}"))),
                }
                Ok(())
            })
        })
    }

    /// All tensors that its next steps depend on, apart from the variables.
    fn state(&self) -> impl Iterator<Item = (String, &Tensor)> {
        let slots = [("exp_avg", &self.exp_avgs), ("exp_avg_sq", &self.exp_avg_sqs), ("step", &self.steps)];
        let named = |slot: &'static str| move |(name, tensor)| (format!("{slot}.{name}"), tensor);
        let slots = slots.into_iter().flat_map(move |(slot, tensors)| self.names.iter().zip(tensors).map(named(slot)));
        let factors = self.factored.iter().flat_map(|f| [f.up, f.up + 1]);
        let factors = factors.map(|i| (&self.names[i], &self.params[i])).map(named("factor"));
        slots.chain(factors).chain(self.factored.iter().map(|f| (&f.name, &f.start)).map(named("start")))
    }
}

/// The gradient of a variable; not defined where nothing reached it, or where it is not to be trained (any more).
fn gradient(variable: &Tensor) -> Tensor {
    if variable.requires_grad() { variable.grad() } else { Tensor::new() }
}

/// Whether factors of this rank have at most half as many numbers as the tensor that their product is added to.
fn pays(tensor: &Tensor, rank: i64) -> bool {
    let size = tensor.size();
    let columns: i64 = size.iter().skip(1).product();
    size.len() > 1 && 2 * rank * (size[0] + columns) <= size[0] * columns
}
