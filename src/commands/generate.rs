//! `tts generate`: the manual pages and completions that `make install` puts in their places.

use std::path::PathBuf;

use anyhow::Context;
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

use super::Cli;

/// Write manual pages or a shell's completions.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A manual page for each command.
    Man {
        /// Folder for them.
        #[arg(long, value_name = "DIR")]
        out_dir: PathBuf,
    },
    /// The completions of a shell.
    Completions {
        #[arg(value_name = "SHELL")]
        shell: Shell,
        /// Folder for the file.
        #[arg(long, value_name = "DIR")]
        out_dir: PathBuf,
    },
}

pub fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Man { out_dir } => {
            clap_mangen::generate_to(Cli::command(), &out_dir).with_context(|| out_dir.display().to_string())
        }
        What::Completions { shell, out_dir } => {
            let written = clap_complete::generate_to(shell, &mut Cli::command(), "tts", &out_dir);
            written.map(drop).with_context(|| out_dir.display().to_string())
        }
    }
}
