//! `tts voices`: what can be spoken with.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::bail;

use tts::adapter;
use tts::voice::{VoiceConfig, installed, search_path, weights};

use super::warn;

/// List the installed voices.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> anyhow::Result<()> {
    let folders = search_path();
    let voices = installed(&folders);
    if voices.is_empty() {
        let folders: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        bail!("no voice is installed in {}", folders.join(", "));
    }
    let header = ["voice", "language", "licence", "rate", "weights", "card"].map(str::to_string);
    let mut rows = vec![header];
    for dir in voices {
        match VoiceConfig::load(&dir) {
            Ok(config) => rows.push(row(&dir, &config)),
            Err(error) => warn(&format!("left out: {error}")),
        }
    }
    print(&rows)
}

fn row(dir: &Path, config: &VoiceConfig) -> [String; 6] {
    // A voice is found by the name of its folder.
    let name = dir.file_name().map_or_else(|| config.name.clone(), |name| name.to_string_lossy().into_owned());
    let rate = format!("{} Hz", config.codec.sample_rate);
    let base = config.base.as_ref().map(|base| format!(" + {base}")).unwrap_or_default();
    let size = format!("{:.1} MB{base}", bytes(dir) as f64 / 1e6);
    let folder = fs::canonicalize(dir).unwrap_or_else(|_| PathBuf::from(dir));
    let card = folder.join("CARD.md");
    let card = if card.is_file() { card.display().to_string() } else { format!("no card in {}", folder.display()) };
    [name, config.language.clone(), config.licence.clone(), rate, size, card]
}

/// Size of the weights of its own.
fn bytes(dir: &Path) -> u64 {
    let files = ["codec", "encoder", "coarse", "fine"].map(|model| [weights::file(model), adapter::file(model)]);
    files.iter().flatten().filter_map(|file| fs::metadata(dir.join(file)).ok()).map(|m| m.len()).sum()
}

fn print(rows: &[[String; 6]]) -> anyhow::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        writeln!(stdout(), "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
