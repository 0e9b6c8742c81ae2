//! The program as a person at a terminal meets it, with a voice of tiny random models.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod batch;
mod book;
mod codes;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod config;
mod formats;
mod install;
mod markup;
mod page;
mod playback;
#[path = "../common/pulse.rs"]
mod pulse;
mod speak;
mod timing;
mod tools;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::TinyVoice;
use tempfile::TempDir;
use tts::audio::wav::{self, Audio};

/// An empty folder to work in, and the folder of a voice.
struct Desk {
    dir: TempDir,
    voice: TinyVoice,
}

impl Desk {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), voice: TinyVoice::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tts"));
        command.args(args).current_dir(&self.dir).env_remove("TTS_VOICES").env("RUST_BACKTRACE", "1");
        // Whoever runs the tests may have a configuration and voices of their own.
        command.env("XDG_CONFIG_HOME", self.path(".config")).env("XDG_DATA_HOME", self.path(".data"));
        // No sound device, whatever this machine has.
        command.env("PULSE_SERVER", "none").env("ALSA_CONFIG_PATH", "/dev/null");
        command.env_remove("PULSE_RUNTIME_PATH").env_remove("XDG_RUNTIME_DIR");
        command
    }

    /// Runs `tts` with these arguments, as they are.
    fn plain<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs `tts` with the tiny voice.
    fn tts(&self, args: &[&str]) -> Output {
        self.command(args).arg("--voice").arg(self.voice.path()).output().unwrap()
    }

    fn tts_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(args);
        command.arg("--voice").arg(self.voice.path());
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Names of the files that lie in the working folder.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Audio {
        wav::read(&self.path(name)).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(stderr(output), "");
}

/// The program ended with code 1 and one line that holds every one of `parts`.
#[track_caller]
fn fails(output: &Output, parts: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("error: ") && message.ends_with('\n'), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
    assert_eq!(stdout(output), "");
}
