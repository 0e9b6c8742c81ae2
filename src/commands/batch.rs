//! `tts batch`: a list of texts to a folder of files.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;

use super::options::read_bytes;
use super::work::{Task, WorkArgs};

/// Bytes of an id: a file name has at most 255, and the longest ending five.
const MOST_ID_BYTES: usize = 250;

/// Speak a list of texts into files, `id.wav` or as --format says.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List with a line `id<TAB>text` for each file; `-` for standard input.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    #[command(flatten)]
    work: WorkArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let (name, bytes) = read_bytes(&args.list)?;
    let tasks = tasks(&bytes);
    if tasks.is_empty() {
        bail!("{name}: expected lines `id<TAB>text`, found none");
    }
    args.work.speak(&name, "line", tasks)
}

/// The lines of a list that are not blank, by their numbers.
fn tasks(bytes: &[u8]) -> Vec<(usize, Task)> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut seen = HashSet::new();
    let lines = bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).enumerate();
    lines.filter(|(_, line)| !line.is_empty()).map(|(i, line)| (i + 1, task(line, &mut seen))).collect()
}

fn task(line: &[u8], seen: &mut HashSet<String>) -> Task {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_string())?;
    let (id, text) = line.split_once('\t').ok_or("expected `id<TAB>text`, found no tab")?;
    let id = id.trim();
    if id.is_empty() || id.starts_with('.') || id.contains(|c: char| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(format!("expected an id that can name a file, found `{}`", id.escape_debug()));
    }
    if id.len() > MOST_ID_BYTES {
        return Err(format!("expected an id of at most {} bytes", MOST_ID_BYTES));
    }
    if !seen.insert(id.to_string()) {
        return Err(format!("the id `{id}` stands in an earlier line already"));
    }
    Ok((id.to_string(), text.to_string()))
}
