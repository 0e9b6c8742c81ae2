use std::process::ExitCode;

use clap::Parser;

mod commands;

fn main() -> ExitCode {
    commands::Cli::parse().run()
}
