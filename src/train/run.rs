//! A training run in a folder: its configuration, its metrics, and a checkpoint from which it goes on exactly.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tch::Device;

use crate::atomic_file::write_atomically;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};

/// Where a run stands, for whoever watches it.
#[derive(Debug)]
pub struct Progress<'a> {
    pub step: u64,
    pub steps: u64,
    /// Names and values of this step's figures.
    pub metrics: &'a [(&'static str, f64)],
    /// Seconds of speech trained on per second of time, since the run started or resumed.
    pub speech_rate: f64,
    pub remaining: Duration,
}

/// Called after every step.
pub type Observer<'a> = &'a mut dyn FnMut(&Progress);

/// Where a run works, and how it begins.
pub struct Job<'a> {
    /// Folder for metrics, checkpoints and the trained weights.
    pub dir: &'a Path,
    pub start: &'a Start,
    pub device: Device,
    pub observer: Observer<'a>,
}

/// What a run is to do.
#[derive(Debug, Clone, Copy)]
pub struct RunPlan {
    pub seed: u64,
    pub steps: u64,
    /// Longest time between two checkpoints.
    pub checkpoint_seconds: u64,
    /// Rank of the adapter that is learnt, if it is one.
    pub rank: Option<i64>,
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With random weights.
    Fresh,
    /// Where the run in its folder was left.
    Resume,
    /// With the weights in the folder of a voice, or of another run.
    From(PathBuf),
}

impl Start {
    /// Refuses an adapter of nothing, or one without a rank.
    fn check_rank(&self, rank: Option<i64>) -> Result<()> {
        match rank {
            Some(rank) if rank < 1 => Err(Error::Training(format!("rank is {rank}, expected at least 1"))),
            Some(_) if *self == Self::Fresh => {
                Err(Error::Training("an adapter (rank in the recipe) is learnt on weights: expected --from".into()))
            }
            _ => Ok(()),
        }
    }
}

/// The folder of one run, and how far it has come.
pub struct Run<'a> {
    dir: PathBuf,
    seed: u64,
    steps: u64,
    step: u64,
    metrics: File,
    observer: Observer<'a>,
    started: Instant,
    first_step: u64,
    speech: f64,
    saved: Instant,
    checkpoint_every: Duration,
}

impl<'a> Run<'a> {
    /// Starts a run in the job's folder, or goes on with the one there; random numbers are drawn as its seed says from now on.
    ///
    /// `recipe` is kept in the folder as `config.toml`; a run resumes only under the recipe it began with.
    /// The checkpoint to go on from is returned with it.
    pub fn open(job: Job<'a>, recipe: &impl Serialize, plan: RunPlan) -> Result<(Self, Option<Checkpoint>)> {
        let Job { dir, start, observer, .. } = job;
        start.check_rank(plan.rank)?;
        let config = toml::to_string(recipe).map_err(|e| Error::Training(e.to_string()))?;
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let (kept, path) = (dir.join("config.toml"), dir.join("checkpoint.safetensors"));
        let checkpoint = if *start == Start::Resume {
            let before = fs::read_to_string(&kept).map_err(Error::io(&kept))?;
            if before != config {
                let reason = "the run there began with another configuration; give that one, or another --run".into();
                return Err(Error::Config { path: kept, reason });
            }
            if path.exists() { Some(Checkpoint::load(&path)?) } else { None }
        } else if path.exists() {
            return Err(Error::Training(format!(
                "{} holds a run already: add --resume to go on with it",
                dir.display()
            )));
        } else {
            write_atomically(&kept, config.as_bytes())?;
            None
        };
        let step = match &checkpoint {
            Some(c) => {
                c.metadata.get("step").and_then(|s| s.parse().ok()).ok_or_else(|| Error::weights(&path, "no step"))?
            }
            None => 0,
        };
        let metrics = open_metrics(&dir.join("metrics.jsonl"), step)?;
        tch::manual_seed(plan.seed as i64);
        let now = Instant::now();
        let (dir, first_step) = (dir.to_path_buf(), step);
        let run = Self {
            dir,
            seed: plan.seed,
            steps: plan.steps,
            step,
            metrics,
            observer,
            started: now,
            first_step,
            speech: 0.0,
            saved: now,
            checkpoint_every: Duration::from_secs(plan.checkpoint_seconds),
        };
        Ok((run, checkpoint))
    }

    pub fn checkpoint_path(&self) -> PathBuf {
        self.dir.join("checkpoint.safetensors")
    }

    /// Steps done so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    pub fn is_finished(&self) -> bool {
        self.step >= self.steps
    }

    /// The random numbers of the current step, and libtorch's generator with them: a resumed run draws the same.
    pub fn rng(&self) -> ChaCha8Rng {
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.step;
        tch::manual_seed(seed as i64);
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Ends a step that trained on `speech` seconds; its figures go to the observer, and to the file if `keep` is set.
    pub fn finish_step(&mut self, speech: f64, metrics: &[(&'static str, f64)], keep: bool) -> Result<()> {
        self.step += 1;
        self.speech += speech;
        let elapsed = self.started.elapsed();
        let per_step = elapsed.as_secs_f64() / (self.step - self.first_step) as f64;
        if keep {
            let mut row: Map<String, Value> = metrics.iter().map(|&(k, v)| (k.to_string(), json!(v))).collect();
            row.insert("step".into(), json!(self.step));
            row.insert("elapsed_s".into(), json!(elapsed.as_secs_f64()));
            writeln!(self.metrics, "{}", Value::Object(row)).map_err(Error::io(&self.dir))?;
        }
        (self.observer)(&Progress {
            step: self.step,
            steps: self.steps,
            metrics,
            speech_rate: self.speech / elapsed.as_secs_f64(),
            remaining: Duration::from_secs_f64(per_step * self.steps.saturating_sub(self.step) as f64),
        });
        Ok(())
    }

    /// Whether it is time for a checkpoint.
    pub fn is_due(&self) -> bool {
        self.is_finished() || self.saved.elapsed() >= self.checkpoint_every
    }

    /// Writes the checkpoint; the one before stays until this one is whole.
    pub fn save(&mut self, mut checkpoint: Checkpoint) -> Result<()> {
        checkpoint.metadata.insert("step".into(), self.step.to_string());
        checkpoint.save(&self.checkpoint_path(), None)?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// Opens the metrics for appending, without the rows after `step` that a killed run left.
fn open_metrics(path: &Path, step: u64) -> Result<File> {
    if let Ok(text) = fs::read_to_string(path) {
        let row_step = |line: &str| serde_json::from_str::<Value>(line).ok().and_then(|v| v["step"].as_u64());
        let kept = text.lines().filter(|line| row_step(line).is_some_and(|s| s <= step));
        write_atomically(path, kept.map(|line| format!("{line}\n")).collect::<String>().as_bytes())?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(Error::io(path))
}
