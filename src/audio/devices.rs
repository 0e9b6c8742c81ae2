//! The sound devices of this machine.

use cpal::Device;
use cpal::traits::{DeviceTrait, HostTrait};

use crate::error::{Error, Result};

/// A device that plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputDevice {
    /// What [`super::playback::Speakers::open`] takes.
    pub name: String,
    pub description: String,
    /// Sound server or driver.
    pub host: String,
    pub is_default: bool,
    /// Its own rate, channels and format in words, or why it has none.
    pub details: String,
}

/// All devices that can play, those of the default sound server first.
pub fn list() -> Vec<OutputDevice> {
    hush();
    let default = cpal::default_host().default_output_device();
    outputs().iter().map(|device| describe(device, default.as_ref() == Some(device))).collect()
}

/// The device of that name, or else the default one.
pub fn find(name: Option<&str>) -> Result<Device> {
    hush();
    let Some(name) = name else {
        let none = || Error::Playback("this machine has no sound device".into());
        return cpal::default_host().default_output_device().ok_or_else(none);
    };
    let devices = outputs();
    let found = devices.iter().position(|device| id(device) == name || device.to_string() == name);
    found.and_then(|at| devices.into_iter().nth(at)).ok_or_else(|| {
        Error::Playback(format!("there is no sound device {name}: expected one of those that `tts devices` lists"))
    })
}

/// Keeps ALSA from writing to standard error on its own, in this thread: errors are reported by who asked.
fn hush() {
    #[cfg(target_os = "linux")]
    drop(alsa::Output::local_error_handler());
}

fn outputs() -> Vec<Device> {
    let hosts = cpal::available_hosts().into_iter().filter_map(|id| cpal::host_from_id(id).ok());
    hosts.filter_map(|host| host.output_devices().ok()).flatten().collect()
}

fn id(device: &Device) -> String {
    device.id().map_or_else(|_| device.to_string(), |id| id.id().to_string())
}

fn describe(device: &Device, is_default: bool) -> OutputDevice {
    let details = device.default_output_config().map_or_else(
        |error| error.to_string(),
        |c| format!("{} Hz, channels: {}, {}", c.sample_rate(), c.channels(), c.sample_format()),
    );
    let host = device.id().map_or_else(|_| String::new(), |id| id.host().name().to_string());
    OutputDevice { name: id(device), description: device.to_string(), host, is_default, details }
}
