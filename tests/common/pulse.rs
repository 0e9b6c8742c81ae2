//! A PulseAudio server of its own, whose sinks write what they play into pipes.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Sinks: name, format, rate, channels. The first is the default.
const SINKS: [(&str, &str, u32, usize); 2] = [("floats", "float32le", 16000, 2), ("shorts", "s16le", 44100, 1)];

/// Ends when dropped.
pub struct PulseServer {
    dir: TempDir,
    server: Child,
}

impl PulseServer {
    pub fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let mut script =
            format!("load-module module-native-protocol-unix auth-anonymous=1 socket={}\n", path("native"));
        for (name, format, rate, channels) in SINKS {
            script += &format!(
                "load-module module-pipe-sink sink_name={name} file={} format={format} rate={rate} channels={channels} \
                 use_system_clock_for_timing=yes\n",
                path(name)
            );
        }
        script += &format!("set-default-sink {}\n", SINKS[0].0);
        fs::write(path("script"), script).unwrap();
        let mut command = Command::new("pulseaudio");
        command.args(["--system=false", "--daemonize=no", "--use-pid-file=no", "--disable-shm", "--exit-idle-time=-1"]);
        command.args(["-n", "-F", &path("script")]).env("HOME", dir.path()).env("XDG_RUNTIME_DIR", dir.path());
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { server: server.expect("needs Debian's package pulseaudio"), dir };
        patiently("PulseAudio starts", || {
            server.pipe(SINKS[1].0).exists() && server.dir.path().join("native").exists()
        });
        server
    }

    /// Variables that make a program play here. The server lets everybody in, but a client must show some cookie: it has to
    /// make one, as on a machine that never ran a server.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        [("PULSE_SERVER", format!("unix:{}", path("native"))), ("PULSE_COOKIE", path("cookie"))]
    }

    fn pipe(&self, sink: &str) -> PathBuf {
        self.dir.path().join(sink)
    }

    /// What the sink plays from now on.
    pub fn record(&self, sink: &str) -> Recording {
        let (_, format, _, channels) = *SINKS.iter().find(|s| s.0 == sink).unwrap();
        let mut pipe = File::open(self.pipe(sink)).unwrap();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let heard = bytes.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                heard.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Recording { bytes, is_float: format == "float32le", channels }
    }
}

impl Drop for PulseServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

pub struct Recording {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_float: bool,
    channels: usize,
}

impl Recording {
    /// The first channel, after the check that all are the same; samples of 16 bits as whole numbers.
    fn samples(&self) -> Vec<f32> {
        let bytes = self.bytes.lock().unwrap();
        let samples: Vec<f32> = if self.is_float {
            bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
        } else {
            bytes.as_chunks().0.iter().map(|b| f32::from(i16::from_le_bytes(*b))).collect()
        };
        let frames = samples.chunks_exact(self.channels);
        frames.inspect(|frame| assert!(frame.iter().all(|s| *s == frame[0]))).map(|frame| frame[0]).collect()
    }

    pub fn wait_for_sound(&self) {
        patiently("sound arrives", || self.samples().iter().any(|s| *s != 0.0));
    }

    /// All sound without the silence around it, once a long silence has followed.
    pub fn sound(&self) -> Vec<f32> {
        let silence = 4000;
        patiently("silence follows the sound", || {
            let samples = self.samples();
            samples.iter().rposition(|s| *s != 0.0).is_some_and(|last| samples.len() - last > silence)
        });
        trimmed(&self.samples()).to_vec()
    }
}

/// The samples without the silence around them.
pub fn trimmed(samples: &[f32]) -> &[f32] {
    let start = samples.iter().position(|s| *s != 0.0).unwrap_or(samples.len());
    let end = samples.iter().rposition(|s| *s != 0.0).map_or(start, |last| last + 1);
    &samples[start..end]
}

/// Waits for something that is sure to come, even on a busy machine.
fn patiently(what: &str, mut has_come: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if has_come() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain: {what}");
}
