//! Speech as it is heard in other rooms and in noise, for models that must not depend on either.

use rand::{Rng, RngExt};
use tch::{Kind, Tensor};

/// Frames over which a room's reverberation is heard.
const ECHO: i64 = 24;

/// Magnitudes `[B, T, F]` of speech in rooms and in noise, others for each row.
pub fn disturb(magnitudes: &Tensor, rng: &mut (impl Rng + ?Sized)) -> Tensor {
    let (rows, _, bins) = magnitudes.size3().unwrap_or_default();
    let device = magnitudes.device();
    let mut uniform = |low: f64, high: f64| {
        let values: Vec<f32> = (0..rows).map(|_| rng.random_range(low..high) as f32).collect();
        Tensor::from_slice(&values).view([-1, 1, 1]).to_device(device)
    };
    let (noise, slope) = (uniform(-9.0, -1.0).exp(), uniform(0.0, 1.2));
    let bin = Tensor::arange(bins, (Kind::Float, device)).view([1, 1, -1]) + 5.0;
    let shape = (-bin.log() * slope).exp(); // [B, 1, F]
    let shape = &shape / shape.square().mean_dim([2i64].as_slice(), true, Kind::Float).sqrt();
    let level = magnitudes.square().mean_dim([1i64, 2].as_slice(), true, Kind::Float).sqrt() * noise;
    let power = Tensor::empty_like(magnitudes).exponential(1.0) * (shape * level).square();
    (reverberant(&magnitudes.square(), rng) + power).sqrt()
}

/// Power `[B, T, F]` of speech in a room, another for each row: what was spoken before dies away by the frame.
fn reverberant(power: &Tensor, rng: &mut (impl Rng + ?Sized)) -> Tensor {
    let rows = power.size()[0];
    let mut rooms = Vec::new();
    for _ in 0..rows {
        let (share, kept) = (rng.random_range(-7.0f32..-1.0).exp(), rng.random_range(0.5f32..0.9));
        rooms.extend((0..ECHO).rev().map(|t| if t == 0 { 1.0 } else { share * kept.powi(t as i32) }));
    }
    let rooms = Tensor::from_slice(&rooms).view([rows, 1, ECHO]).to_device(power.device());
    let bins = power.permute([2, 0, 1]).constant_pad_nd([ECHO - 1, 0]); // [F, B, T]
    bins.conv1d(&rooms, None::<Tensor>, 1, 0, 1, rows).permute([1, 2, 0])
}
