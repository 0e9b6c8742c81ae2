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
    /// Its own rate, channels and format in words.
    pub details: String,
}

/// All devices that can play now: those of the sound server, or of ALSA where none runs.
pub fn list() -> Vec<OutputDevice> {
    prepare();
    let default = cpal::default_host().default_output_device();
    outputs().iter().filter_map(|device| describe(device, default.as_ref() == Some(device))).collect()
}

/// The device of that name, or else the default one.
pub fn find(name: Option<&str>) -> Result<Device> {
    prepare();
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

/// Has a cookie for PulseAudio, and keeps ALSA from writing to standard error on its own, in this thread: errors are
/// reported by who asked.
fn prepare() {
    #[cfg(target_os = "linux")]
    {
        super::pulse::ensure_cookie();
        drop(alsa::Output::local_error_handler());
    }
}

fn outputs() -> Vec<Device> {
    // No other hosts: ALSA's plugins would write to standard error about servers that are not there.
    cpal::default_host().output_devices().map_or_else(|_| Vec::new(), Iterator::collect)
}

fn id(device: &Device) -> String {
    device.id().map_or_else(|_| device.to_string(), |id| id.id().to_string())
}

/// None for a device that is only configured, not there.
fn describe(device: &Device, is_default: bool) -> Option<OutputDevice> {
    let config = device.default_output_config().ok()?;
    let (rate, channels, format) = (config.sample_rate(), config.channels(), config.sample_format());
    Some(OutputDevice {
        name: id(device),
        description: device.to_string(),
        host: device.id().ok()?.host().name().to_string(),
        is_default,
        details: format!("{rate} Hz, channels: {channels}, {format}"),
    })
}
