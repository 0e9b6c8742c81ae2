//! What the library says of its work, on standard error.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::fmt::time::uptime;

/// Shows it from now on.
pub fn start() {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = io::stderr().is_terminal() && !plain;
    let subscriber = tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_timer(uptime()).with_target(false);
    subscriber.with_ansi(colours).with_writer(io::stderr).init();
}
