//! The command line: arguments to checked options to calls of the library, one file a subcommand.

mod batch;
mod bench;
mod decode;
mod encode;
mod options;
mod phonemize;
mod speak;
mod timing;
mod train;
mod voices;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Text to speech on an ordinary CPU.
///
/// `tts TEXT --out FILE` is short for `tts speak TEXT --out FILE`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    speak: speak::Args,
    /// Tell more about errors.
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Speak(speak::Args),
    Batch(batch::Args),
    Encode(encode::Args),
    Decode(decode::Args),
    Phonemize(phonemize::Args),
    Voices(voices::Args),
    Bench(bench::Args),
    Train(train::Args),
}

impl Cli {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => speak::run(self.speak),
            Some(Command::Speak(args)) => speak::run(args),
            Some(Command::Batch(args)) => batch::run(args),
            Some(Command::Encode(args)) => encode::run(args),
            Some(Command::Decode(args)) => decode::run(args),
            Some(Command::Phonemize(args)) => phonemize::run(args),
            Some(Command::Voices(args)) => voices::run(args),
            Some(Command::Bench(args)) => bench::run(args),
            Some(Command::Train(args)) => train::run(args),
        }
    }
}

/// Tells of a failure on standard error, in one line unless `verbose`.
pub fn report(error: &anyhow::Error, verbose: bool) -> ExitCode {
    if error.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)) {
        return ExitCode::SUCCESS; // whoever read the output has enough of it
    }
    let text = if verbose { format!("{error:?}") } else { one_line(error) };
    // A closed standard error leaves no way to tell.
    let _ = writeln!(io::stderr(), "error: {text}");
    ExitCode::FAILURE
}

/// The error and its causes, those left out that a message before already tells.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line on standard error that is not yet the end.
fn warn(line: &str) {
    // A closed standard error leaves no way to tell.
    let _ = writeln!(io::stderr(), "{line}");
}
