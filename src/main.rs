use clap::Parser;

mod commands;

fn main() -> anyhow::Result<()> {
    commands::Cli::parse().run()
}
