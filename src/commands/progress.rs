//! How far a long command has come: a bar on a terminal, plain lines elsewhere, nothing when quiet.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::warn;

/// Between two plain lines at most so much is done, and so much time goes by.
const MOST_UNTOLD: u64 = 100;
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// Whether to tell of progress.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct QuietArgs {
    /// Tell of errors only, not of progress.
    #[arg(long, short)]
    quiet: bool,
}

impl QuietArgs {
    /// Progress towards `all` of what `unit` names, such as "texts spoken".
    pub fn progress(self, all: u64, unit: &'static str) -> Progress {
        let show = match (self.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Bar(bar(all)),
            (false, false) => Show::Lines,
        };
        Progress { show, unit, all, done: 0, started: Instant::now(), told: (0, Instant::now()) }
    }
}

/// Work that goes on.
pub struct Progress {
    show: Show,
    unit: &'static str,
    all: u64,
    done: u64,
    started: Instant,
    /// How much was done in the last line, and when it was written.
    told: (u64, Instant),
}

enum Show {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// So much is done by now, of so much.
    pub fn set(&mut self, done: u64, all: u64) {
        let due = done.saturating_sub(self.told.0) >= MOST_UNTOLD || self.told.1.elapsed() >= LONGEST_SILENCE;
        let rest = all.saturating_sub(done) as f64 / done.max(1) as f64;
        let left = HumanDuration(self.started.elapsed().mul_f64(rest));
        self.set_with(done, all, &format!("{}, {left} left", self.unit), due && done < all);
    }

    /// The same with a text of one's own, which gets a plain line only where `keep` is set.
    pub fn set_with(&mut self, done: u64, all: u64, text: &str, keep: bool) {
        (self.done, self.all) = (done, all);
        if let Show::Bar(bar) = &self.show {
            bar.set_length(all);
            bar.set_position(done);
            bar.set_message(text.to_string());
        } else if keep {
            self.tell(text);
        }
    }

    /// A line that stays, quiet or not.
    pub fn warn(&self, line: &str) {
        match &self.show {
            Show::Bar(bar) => bar.suspend(|| warn(line)),
            Show::Lines | Show::Nothing => warn(line),
        }
    }

    /// A line that stays, unless quiet.
    pub fn note(&self, line: &str) {
        if !matches!(self.show, Show::Nothing) {
            self.warn(line);
        }
    }

    /// Ends with a plain line, or without the bar.
    pub fn finish(mut self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        } else if self.told.0 < self.done {
            self.tell(self.unit);
        }
    }

    fn tell(&mut self, what: &str) {
        self.told = (self.done, Instant::now());
        if let Show::Lines = self.show {
            warn(&format!("{} of {} {what}", self.done, self.all));
        }
    }
}

fn bar(all: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
    ProgressBar::new(all).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
