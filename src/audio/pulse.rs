//! The cookie that a client shows to a PulseAudio server, which refuses one that has none.
//!
//! libpulse makes one where there is none, as on a fresh machine or in a container; cpal's client leaves that to others.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Bytes of a cookie.
const LENGTH: usize = 256;

/// Makes the user's cookie, of random bytes that only the user may read, if a server runs and there is none. Where that
/// fails, the server is left to say so.
pub fn ensure_cookie() {
    if pulseaudio::socket_path_from_env().is_some()
        && pulseaudio::cookie_path_from_env().is_none()
        && let Some(path) = place()
    {
        let _ = make(&path);
    }
}

/// Where libpulse would make it.
fn place() -> Option<PathBuf> {
    let named = std::env::var_os("PULSE_COOKIE").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(std::env::home_dir()?.join(".config/pulse/cookie")))
}

fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?; // which is the user's alone
    file.write_all(&rand::random::<[u8; LENGTH]>())?;
    file.persist_noclobber(path)?;
    Ok(())
}
