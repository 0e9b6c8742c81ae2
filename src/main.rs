use std::process::ExitCode;

use clap::Parser;

mod commands;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    let verbose = cli.verbose;
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::report(&error, verbose),
    }
}
