//! The command line: arguments to checked options to calls of the library, one file a subcommand.

mod batch;
mod bench;
mod book;
mod compare;
mod config;
mod decode;
mod devices;
mod encode;
mod eval;
mod generate;
mod help;
mod hints;
mod inspect;
mod logging;
mod options;
mod output;
mod phonemize;
mod progress;
mod record;
mod speak;
mod timing;
mod train;
mod voices;
mod work;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use config::Config;

/// Text to speech on an ordinary CPU.
///
/// `tts TEXT` is short for `tts speak TEXT`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = help::TTS, after_long_help = help::long())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    speak: speak::Args,
    /// File with defaults for the options; the user's own if not given.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Tell on standard error what is done, and more about errors.
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(after_help = help::SPEAK)]
    Speak(speak::Args),
    #[command(after_help = help::BATCH)]
    Batch(batch::Args),
    #[command(after_help = help::BOOK)]
    Book(book::Args),
    #[command(after_help = help::INSPECT)]
    Inspect(inspect::Args),
    #[command(after_help = help::ENCODE)]
    Encode(encode::Args),
    #[command(after_help = help::DECODE)]
    Decode(decode::Args),
    #[command(after_help = help::PHONEMIZE)]
    Phonemize(phonemize::Args),
    #[command(after_help = help::VOICES)]
    Voices(voices::Args),
    #[command(after_help = help::DEVICES)]
    Devices(devices::Args),
    #[command(after_help = help::BENCH)]
    Bench(bench::Args),
    #[command(after_help = help::EVAL)]
    Eval(eval::Args),
    #[command(after_help = help::COMPARE)]
    Compare(compare::Args),
    #[command(after_help = help::TRAIN)]
    Train(train::Args),
    #[command(hide = true)]
    Generate(generate::Args),
}

impl Cli {
    /// Does what the arguments ask for; gives the exit code.
    pub fn run(self) -> i32 {
        let verbose = self.verbose;
        if verbose {
            logging::start();
        }
        match self.configured().and_then(Self::dispatch) {
            Ok(()) => 0,
            Err(error) => report(&error, verbose),
        }
    }

    /// The same arguments with the defaults of the configuration file.
    fn configured(self) -> anyhow::Result<Self> {
        if matches!(self.command, Some(Command::Train(_) | Command::Generate(_))) {
            return Ok(self); // a recipe says all of one, and what the other writes is for everyone
        }
        match Config::load(self.config.as_deref(), &Self::command())? {
            Some(config) => Ok(Self::from_arg_matches(&config.set_defaults(Self::command()).get_matches())?),
            None => Ok(self),
        }
    }

    fn dispatch(self) -> anyhow::Result<()> {
        match self.command {
            None => speak::run(self.speak),
            Some(Command::Speak(args)) => speak::run(args),
            Some(Command::Batch(args)) => batch::run(args),
            Some(Command::Book(args)) => book::run(args),
            Some(Command::Inspect(args)) => inspect::run(args),
            Some(Command::Encode(args)) => encode::run(args),
            Some(Command::Decode(args)) => decode::run(args),
            Some(Command::Phonemize(args)) => phonemize::run(args),
            Some(Command::Voices(args)) => voices::run(args),
            Some(Command::Devices(args)) => devices::run(args),
            Some(Command::Bench(args)) => bench::run(args),
            Some(Command::Eval(args)) => eval::run(args),
            Some(Command::Compare(args)) => compare::run(args),
            Some(Command::Train(args)) => train::run(args),
            Some(Command::Generate(args)) => generate::run(args),
        }
    }
}

/// Tells of a failure on standard error, in one line unless `verbose`.
fn report(error: &anyhow::Error, verbose: bool) -> i32 {
    if error.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)) {
        return 0; // whoever read the output has enough of it
    }
    let text = if verbose { format!("{error:?}") } else { one_line(error) };
    let text = hints::hint(error).map_or(text.clone(), |hint| format!("{text} (hint: {hint})"));
    // A closed standard error leaves no way to tell.
    let _ = writeln!(io::stderr(), "error: {text}");
    1
}

/// Ends the process at once. An ordinary end would let libtorch take itself apart, which takes a tenth of a second.
pub fn leave(code: i32) -> ! {
    let _ = io::stdout().flush(); // nobody is left to tell of a failure
    // SAFETY: nothing is left to run: files are complete or gone, and no destructor holds anything that outlives the process.
    unsafe { libc::_exit(code) }
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
