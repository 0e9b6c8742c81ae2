//! Speaking out loud, on a real sound server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::pulse::{PulseServer, trimmed};
use crate::{Desk, fails, stderr, stdout, succeeds};

/// Runs `tts` where that server is.
fn tts(desk: &Desk, server: &PulseServer, args: &[&str]) -> Command {
    let mut command = desk.command(args);
    command.arg("--voice").arg(desk.voice.path()).envs(server.environment());
    command
}

#[test]
fn what_is_heard_is_what_a_file_holds_sample_for_sample_to_the_last() {
    let (desk, server) = (Desk::new(), PulseServer::start());
    let recording = server.record("floats");
    succeeds(&tts(&desk, &server, &["The kettle boils. The cat looks up."]).output().unwrap());
    let options = ["--bits", "float", "--sample-rate", "16000"];
    succeeds(&desk.tts(&[&["The kettle boils. The cat looks up.", "--out", "a.wav"], &options[..]].concat()));
    let (heard, written) = (recording.sound(), desk.read("a.wav").samples);
    assert!(written.len() > 1000);
    assert!(heard == trimmed(&written), "{} samples were heard, {} written", heard.len(), trimmed(&written).len());
}

#[test]
fn a_device_of_that_name_gets_its_own_rate_channels_and_format() {
    let (desk, server) = (Desk::new(), PulseServer::start());
    let recording = server.record("shorts");
    let args = ["A good day to you.", "--play", "--device", "shorts", "--volume", "-6"];
    succeeds(&tts(&desk, &server, &args).output().unwrap());
    let options = ["--bits", "float", "--sample-rate", "44100", "--volume", "-6", "--out", "a.wav"];
    succeeds(&desk.tts(&[&["A good day to you."], &options[..]].concat()));
    let heard = recording.sound();
    let written: Vec<f32> = desk.read("a.wav").samples.iter().map(|s| (s * 32768.0).trunc()).collect();
    assert!(heard == trimmed(&written), "{} samples were heard, {} written", heard.len(), trimmed(&written).len());
}

#[test]
fn ctrl_c_ends_it_at_once_with_code_130() {
    let (desk, server) = (Desk::new(), PulseServer::start());
    let recording = server.record("floats");
    let text = "This is a long story about nothing at all. ".repeat(30);
    let mut command = tts(&desk, &server, &[&text]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    recording.wait_for_sound();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(stderr(&output), "");
    let heard = recording.sound().len();
    succeeds(&desk.tts(&[&text, "--out", "a.wav", "--sample-rate", "16000"]));
    let all = desk.read("a.wav").samples.len();
    assert!(heard < all / 2, "{heard} of {all} samples were heard");
}

#[test]
fn a_machine_without_a_cookie_gets_one_that_only_its_user_can_read_and_keeps_it() {
    let (desk, server) = (Desk::new(), PulseServer::start());
    let devices = || {
        let mut command = desk.command(&["devices"]);
        command.envs(server.environment()).env_remove("PULSE_COOKIE").env("HOME", desk.path("home"));
        let output = command.output().unwrap();
        succeeds(&output);
        stdout(&output)
    };
    assert!(devices().contains("* floats"));
    let path = desk.path("home/.config/pulse/cookie");
    let cookie = fs::read(&path).unwrap();
    assert!(cookie.len() == 256 && cookie.iter().any(|&byte| byte != cookie[0]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(devices().contains("* floats"));
    assert!(fs::read(&path).unwrap() == cookie);
    // Where no server runs, none is made.
    fs::remove_dir_all(desk.path("home")).unwrap();
    desk.command(&["devices"]).env("HOME", desk.path("home")).output().unwrap();
    assert!(!path.exists());
}

#[test]
fn devices_are_listed_with_the_default_one_marked() {
    let (desk, server) = (Desk::new(), PulseServer::start());
    let output = desk.command(&["devices"]).envs(server.environment()).output().unwrap();
    succeeds(&output);
    let list = stdout(&output);
    let line = |start: &str| list.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{start} in {list}"));
    assert!(line("* floats").contains("16000 Hz, channels: 2, f32"), "{list}");
    assert!(line("  shorts").contains("44100 Hz, channels: 1, i16"), "{list}");
}

#[test]
fn without_the_device_there_is_one_line_that_says_what_else_can_be_done() {
    let desk = Desk::new();
    fails(&desk.tts(&["hello"]), &["nowhere to speak to", "--out FILE", "sound device"]);
    fails(&desk.tts(&["hello", "--play"]), &["sound device"]);
    fails(&desk.tts(&["hello", "--format", "mp3"]), &["--format", "--out FILE"]);
    let server = PulseServer::start();
    let output = tts(&desk, &server, &["hello", "--device", "none"]).output().unwrap();
    fails(&output, &["no sound device none", "tts devices"]);
    assert_eq!(desk.plain(&["hello", "--play", "--out", "a.wav"]).status.code(), Some(2));
    assert!(desk.files().is_empty());
}
