//! Files that appear under their name whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file being written. Until [`AtomicFile::commit`] its content has no name, so that a program that is stopped leaves
/// nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    content: File,
}

impl AtomicFile {
    /// Fails at once where nothing can be written at `path`.
    pub fn create(path: &Path) -> Result<Self> {
        let fail = |kind, reason: String| Error::io(path)(io::Error::new(kind, reason));
        let folder = folder(path);
        if path.as_os_str().is_empty() {
            return Err(Error::Option("expected the name of a file to write, found an empty one".into()));
        }
        if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(fail(io::ErrorKind::IsADirectory, "expected the name of a file, found a folder".into()));
        }
        if !folder.is_dir() {
            return Err(fail(io::ErrorKind::NotFound, format!("there is no folder {}", folder.display())));
        }
        let content = if is_special(path) { tempfile::tempfile() } else { tempfile::tempfile_in(folder) };
        let content = content.map_err(|e| fail(e.kind(), format!("cannot be written: {}", e.kind())))?;
        Ok(Self { path: path.to_path_buf(), content })
    }

    /// The content, without its name.
    pub fn file(&self) -> &File {
        &self.content
    }

    /// Gives the content its name, in place of what had it.
    pub fn commit(self) -> Result<()> {
        self.publish().map_err(Error::io(&self.path))
    }

    fn publish(&self) -> io::Result<()> {
        let mut content = &self.content;
        content.rewind()?;
        // A link is followed, and a device or pipe is written to: neither is replaced.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        if is_special(&path) {
            io::copy(&mut content, &mut File::options().write(true).open(&path)?)?;
            return Ok(());
        }
        let everyone = Permissions::from_mode(0o666); // less what the umask takes away
        let mut named = tempfile::Builder::new().permissions(everyone).tempfile_in(folder(&path))?;
        io::copy(&mut content, named.as_file_mut())?;
        named.as_file().sync_all()?;
        named.persist(&path)?;
        Ok(())
    }
}

/// Writes `bytes` as the whole file `path`.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = AtomicFile::create(path)?;
    file.file().write_all(bytes).map_err(Error::io(path))?;
    file.commit()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether something other than a file, such as a device or a pipe, has that name.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}
