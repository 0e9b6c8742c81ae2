use clap::Parser;

mod commands;

fn main() -> ! {
    commands::leave(commands::Cli::parse().run())
}
