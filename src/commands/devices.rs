//! `tts devices`: what can be played on.

use std::io::{Write, stdout};

use anyhow::bail;

use tts::audio::devices::list;

/// List the sound devices that `--device` takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> anyhow::Result<()> {
    let devices = list();
    if devices.is_empty() {
        bail!("this machine has no sound device");
    }
    let width = devices.iter().map(|device| device.name.chars().count()).max().unwrap_or(0);
    for device in devices {
        let mark = if device.is_default { '*' } else { ' ' };
        let (name, details) = (device.name, device.details);
        writeln!(stdout(), "{mark} {name:width$}  {} ({}, {details})", device.description, device.host)?;
    }
    Ok(())
}
