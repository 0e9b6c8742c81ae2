//! The command line: arguments to checked options to calls of the library, one file a subcommand.

mod train;

use clap::{Parser, Subcommand};

/// Text to speech on an ordinary CPU.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Args),
}

impl Cli {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Train(args) => train::run(args),
        }
    }
}
