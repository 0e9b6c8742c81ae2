//! The modules depend on each other downwards only, as the layout in the README says.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first; modules of one line know nothing of each other.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["shim", "atomic_file"],
    &["checkpoint"],
    &["adapter", "audio", "text", "book", "nn"],
    &["sampling", "codec", "coarse", "fine", "ear", "recordings"],
    &["parallel", "depth", "speculative"],
    &["codes"],
    &["voice"],
    &["strategies"],
    &["synthesizer"],
    &["train", "bench", "timing"],
    &["inspect"],
    &["compare"],
];

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries
        .flat_map(|p| if p.is_dir() { rust_files(&p) } else { vec![p] })
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&module))
}

#[test]
fn every_module_uses_only_what_lies_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in rust_files(&src) {
        let module = file.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        let Some(own) = layer(module) else {
            assert!(["lib", "main", "commands"].contains(&module), "{module} stands in no layer: add it to LAYERS");
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for used in text.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = layer(&used) else { continue };
            let below = other < own || used == module;
            assert!(below, "{} uses {used}, which does not lie below {module}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "found only {seen} uses of other modules: is this test still looking in the right place?");
}

#[test]
fn libraries_for_sound_and_the_command_line_stay_where_they_belong() {
    let homes: &[(&str, &[&str])] = &[
        ("hound", &["audio"]),
        ("rubato", &["audio"]),
        ("cpal", &["audio"]),
        ("alsa", &["audio"]),
        ("pulseaudio", &["audio"]),
        ("ebur128", &["audio"]),
        ("rtrb", &["audio"]),
        ("flacenc", &["audio"]),
        ("ogg", &["audio"]),
        ("opusic_c", &["audio"]),
        ("symphonia", &["audio"]),
        ("mp3lame_encoder", &["audio"]),
        ("signal_hook", &["commands"]),
        ("clap", &["commands", "main"]),
        ("anyhow", &["commands", "main"]),
        ("indicatif", &["commands"]),
        ("misaki_rs", &["text"]),
        ("rbook", &["book"]),
        ("html2text", &["book"]),
        ("pulldown_cmark", &["book"]),
        ("roxmltree", &["text"]),
        ("png", &["inspect"]),
        ("plotters", &["compare"]),
        ("tracing_subscriber", &["commands"]),
    ];
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&src) {
        let text = fs::read_to_string(&file).unwrap();
        let place = file.strip_prefix(&src).unwrap().to_str().unwrap();
        for (library, allowed) in homes {
            let uses = text.contains(&format!("use {library}::")) || text.contains(&format!(" {library}::"));
            let at_home = allowed.iter().any(|home| place.starts_with(home));
            assert!(!uses || at_home, "{place} uses {library}, which belongs in {allowed:?}");
        }
    }
}
