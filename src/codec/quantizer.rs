//! Residual vector quantizer with exponentially averaged codebooks
//! (van den Oord et al. 2017, arXiv:1711.00937; SoundStream, arXiv:2107.03312).
//!
//! Level `k` codes what levels `0..k` left over, so any prefix of the levels is a valid, coarser code.

use tch::{Kind, Tensor, nn, no_grad};

/// `n_q` codebooks of `codebook_size` vectors of `dim` channels.
#[derive(Debug)]
pub struct ResidualQuantizer {
    codebooks: Vec<Tensor>, // each [codebook_size, dim], no gradient
    codebook_size: i64,
}

/// What quantizing gives: the sum of the chosen vectors, and which they were.
pub struct Quantized {
    /// `[B, D, T]`; the gradient passes straight through to the input.
    pub latent: Tensor,
    /// `[B, K, T]`, for the levels used.
    pub codes: Tensor,
    /// Mean over the levels of the squared distance between residual and chosen vector.
    pub commitment: Tensor,
    /// What each level saw, `[M, D]`, for the codebook update.
    pub residuals: Vec<Tensor>,
}

impl ResidualQuantizer {
    pub fn new(vs: nn::Path, n_q: i64, codebook_size: i64, dim: i64) -> Self {
        let codebooks = (0..n_q).map(|k| (&vs / k).zeros_no_train("codebook", &[codebook_size, dim])).collect();
        Self { codebooks, codebook_size }
    }

    /// The vectors of level `k`, `[codebook_size, D]`.
    pub fn codebook(&self, k: usize) -> &Tensor {
        &self.codebooks[k]
    }

    pub fn codebooks(&self) -> &[Tensor] {
        &self.codebooks
    }

    pub fn codebook_size(&self) -> i64 {
        self.codebook_size
    }

    /// FNV-1a hash of the codebooks' numbers: codes mean nothing with other codebooks.
    pub fn fingerprint(&self) -> u64 {
        let values = self.codebooks.iter().flat_map(|c| Vec::<f32>::try_from(c.view([-1])).unwrap_or_default());
        values.fold(0xcbf2_9ce4_8422_2325, |hash, x| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3))
    }

    /// Quantizes `[B, D, T]` with the first `levels` codebooks.
    pub fn forward(&self, latent: &Tensor, levels: usize) -> Quantized {
        let (batch, dim, frames) = latent.size3().unwrap_or_default();
        let flat = latent.transpose(1, 2).reshape([-1, dim]); // [M, D]
        let mut residual = flat.shallow_clone();
        let (mut codes, mut residuals, mut losses) = (Vec::new(), Vec::new(), Vec::new());
        for codebook in &self.codebooks[..levels] {
            let seen = residual.detach();
            let code = nearest(&seen, codebook);
            let chosen = codebook.index_select(0, &code);
            losses.push((&residual - &chosen).square().mean(Kind::Float));
            residual = &residual - chosen; // not in place: it may still be the input
            codes.push(code.view([batch, frames]));
            residuals.push(seen);
        }
        let sum = (&flat - residual).detach();
        let straight_through = &flat + (sum - &flat).detach();
        Quantized {
            latent: straight_through.view([batch, frames, dim]).transpose(1, 2),
            codes: Tensor::stack(&codes, 1),
            commitment: Tensor::stack(&losses, 0).mean(Kind::Float),
            residuals,
        }
    }

    /// Codes `[B, end, T]` of latents `[B, T, D]`, those of the first levels, `[B, K, T]`, being given.
    pub fn complete(&self, codes: &Tensor, latent: &Tensor, end: i64) -> Tensor {
        let (batch, frames, dim) = latent.size3().unwrap_or_default();
        let mut codes = vec![codes.shallow_clone()];
        let mut residual = latent.reshape([-1, dim]) - self.decode(&codes[0]).transpose(1, 2).reshape([-1, dim]);
        for codebook in &self.codebooks[codes[0].size()[1] as usize..end as usize] {
            let code = nearest(&residual, codebook);
            residual -= codebook.index_select(0, &code);
            codes.push(code.view([batch, 1, frames]));
        }
        Tensor::cat(&codes, 1)
    }

    /// Codes `[B, K, T]`, of any number of levels up to `n_q`, to the sum of their vectors `[B, D, T]`.
    pub fn decode(&self, codes: &Tensor) -> Tensor {
        let (batch, levels, frames) = codes.size3().unwrap_or_default();
        let sum = self.codebooks[..levels as usize]
            .iter()
            .enumerate()
            .map(|(k, codebook)| codebook.index_select(0, &codes.select(1, k as i64).reshape([-1])))
            .reduce(|a, b| a + b)
            .unwrap_or_else(Tensor::new);
        sum.view([batch, frames, -1]).transpose(1, 2)
    }
}

/// Index of the nearest row of `codebook` `[V, D]` for each row of `x` `[M, D]`.
pub fn nearest(x: &Tensor, codebook: &Tensor) -> Tensor {
    let norm = codebook.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
    (norm - x.matmul(&codebook.tr()) * 2.0).argmin(1, false)
}

/// Follows the encoder's output with the codebooks: running counts and sums of what each entry was chosen for.
#[derive(Debug)]
pub struct CodebookUpdate {
    counts: Vec<Tensor>, // [V]
    sums: Vec<Tensor>,   // [V, D]
    decay: f64,
}

impl CodebookUpdate {
    /// Entries used less than this share of the mean are re-seeded.
    const DEAD: f64 = 0.1;

    /// The state lives in `vs`, so that it is saved with the run.
    pub fn new(vs: nn::Path, quantizer: &ResidualQuantizer, decay: f64) -> Self {
        let state = |name: &str, shape: &dyn Fn(&Tensor) -> Vec<i64>| {
            let tensors = quantizer.codebooks.iter().enumerate();
            tensors.map(|(k, c)| (&vs / k as i64).zeros_no_train(name, &shape(c))).collect::<Vec<_>>()
        };
        Self { counts: state("counts", &|c| vec![c.size()[0]]), sums: state("sums", &|c| c.size()), decay }
    }

    /// Whether no codebook has been placed yet.
    pub fn are_empty(&self) -> bool {
        self.counts.iter().all(|counts| counts.max().double_value(&[]) == 0.0)
    }

    /// Takes the codebooks as they are, every entry used as often.
    pub fn adopt(&mut self, quantizer: &ResidualQuantizer) {
        no_grad(|| {
            for ((counts, sums), codebook) in self.counts.iter_mut().zip(&mut self.sums).zip(&quantizer.codebooks) {
                let _ = counts.fill_(1.0);
                sums.copy_(codebook);
            }
        });
    }

    /// Places the codebooks by k-means over `latents` `[M, D]`, level by level.
    pub fn initialize(&mut self, quantizer: &ResidualQuantizer, latents: &Tensor, iterations: usize) {
        no_grad(|| {
            let mut residual = latents.shallow_clone();
            let (rows, size) = (latents.size()[0], quantizer.codebook_size);
            for (k, codebook) in quantizer.codebooks.iter().enumerate() {
                let mut codebook = codebook.shallow_clone();
                let pick = Tensor::randperm(rows, (Kind::Int64, latents.device())).remainder(rows).narrow(0, 0, size);
                codebook.copy_(&residual.index_select(0, &pick));
                for _ in 0..iterations {
                    let (count, sum) = tally(&residual, &nearest(&residual, &codebook), size);
                    let mean = sum / count.clamp_min(1.0).unsqueeze(1);
                    codebook.copy_(&mean.where_self(&count.unsqueeze(1).gt(0.0), &codebook));
                }
                let code = nearest(&residual, &codebook);
                let _ = self.counts[k].fill_(1.0);
                self.sums[k].copy_(&codebook);
                residual = &residual - codebook.index_select(0, &code);
            }
        });
    }

    /// One averaged step towards the means of what each entry was chosen for in this batch.
    pub fn step(&mut self, quantizer: &ResidualQuantizer, quantized: &Quantized) {
        no_grad(|| {
            for (k, seen) in quantized.residuals.iter().enumerate() {
                let code = quantized.codes.select(1, k as i64).reshape([-1]);
                self.step_level(k, &mut quantizer.codebooks[k].shallow_clone(), seen, &code);
            }
        });
    }

    fn step_level(&mut self, k: usize, codebook: &mut Tensor, seen: &Tensor, code: &Tensor) {
        let (size, rows) = (codebook.size()[0], seen.size()[0]);
        let (count, sum) = tally(seen, code, size);
        // Counts are kept relative to the batch: their mean over the codebook stays near one.
        let scale = size as f64 / rows as f64 * (1.0 - self.decay);
        let mut counts = &self.counts[k] * self.decay + count * scale;
        let mut sums = &self.sums[k] * self.decay + sum * scale;
        let dead = counts.lt(Self::DEAD);
        let replacement = seen.index_select(0, &Tensor::randint(rows, [size], (Kind::Int64, seen.device())));
        counts = counts.masked_fill(&dead, 1.0);
        sums = replacement.where_self(&dead.unsqueeze(1), &sums);
        codebook.copy_(&(&sums / counts.unsqueeze(1)));
        self.counts[k].copy_(&counts);
        self.sums[k].copy_(&sums);
    }
}

/// How often each of `size` codes occurs `[V]`, and the sum of the rows it was chosen for `[V, D]`.
fn tally(rows: &Tensor, code: &Tensor, size: i64) -> (Tensor, Tensor) {
    let options = (Kind::Float, rows.device());
    let count = Tensor::zeros([size], options).index_add_(0, code, &Tensor::ones([rows.size()[0]], options));
    let sum = Tensor::zeros([size, rows.size()[1]], options).index_add_(0, code, rows);
    (count, sum)
}
