//! What stands below the options in the help and in the manual pages.

use super::config::KEYS;

/// Below the help of `tts` itself.
pub const TTS: &str = "\
Examples:
  tts \"Good morning.\" --out morning.wav
  tts --file chapter.txt --out chapter.wav --speed 1.1
  echo \"The kettle boils.\" | tts - --out kettle.wav

`tts help COMMAND` tells more of each command, `tts --help` of exit codes, files and the environment.";

pub const SPEAK: &str = "\
Examples:
  tts speak \"Good morning.\" --out morning.wav
  tts speak --file chapter.txt --out chapter.wav --speed 1.1 --sample-rate 16000
  tts speak \"Say [[təmˈɑTO]].\" --out tomato.wav --seed 7";

pub const BATCH: &str = "\
Examples:
  tts batch list.tsv --out-dir wavs
  tts batch list.tsv --out-dir wavs --resume --jobs 4
  cut -f 1,3 table.tsv | tts batch - --out-dir wavs --quiet";

pub const BOOK: &str = "\
Examples:
  tts book novel.epub --out-dir novel --format mp3
  tts book notes.md --out-dir notes --resume

A Markdown file is divided at its headings. Files are called after the chapters: 03-the-river.wav.";

pub const INSPECT: &str = "\
Examples:
  tts inspect \"Good morning.\" --out morning.html
  tts inspect --file verse.txt --out verse.html --temperature 0.6";

pub const ENCODE: &str = "\
Examples:
  tts encode in.wav --out in.codes
  tts encode in.wav --out in.codes --voice ./my-voice";

pub const DECODE: &str = "\
Examples:
  tts decode in.codes --out again.wav
  tts decode in.codes --out again.wav --sample-rate 48000";

pub const PHONEMIZE: &str = "\
Examples:
  tts phonemize \"Dr. Smith comes at 9:30.\"
  tts phonemize --words \"Room 404 is free on 12/3.\"
  tts phonemize --file lines.txt --lines
  tts phonemize \"Our gnocchi\" --lexicon words.tsv";

pub const VOICES: &str = "\
Examples:
  tts voices
  tts speak \"Good morning.\" --voice heart --out morning.wav
  TTS_VOICES=~/voices tts voices";

pub const DEVICES: &str = "\
Examples:
  tts devices
  tts \"Good morning.\" --device pulse";

pub const BENCH: &str = "\
Examples:
  tts bench
  tts bench --text \"Good morning.\" --runs 20 --json figures.json
  tts bench --growth --compare figures.json";

pub const EVAL: &str = "\
Examples:
  tts eval list.tsv --wavs wavs
  tts eval list.tsv --wavs wavs --json";

pub const COMPARE: &str = "\
Examples:
  tts compare --file texts.txt --out comparison
  tts compare --file texts.txt --out comparison --only masked,heads --runs 15";

pub const TRAIN: &str = "\
Examples:
  tts train voice --from heart --recordings wavs --list texts.tsv --out voices/mine --name mine --licence CC0-1.0
  tts train align --recordings wavs --list texts.tsv --out corpus
  tts train codec --config codec.toml --corpus corpus --run runs/codec
  tts train coarse --config coarse.toml --corpus corpus --run runs/coarse --codec runs/codec
  tts train fine --config fine.toml --corpus corpus --run runs/fine --codec runs/codec --resume";

/// Below the long help of `tts`, and in its manual page.
pub fn long() -> String {
    let options = KEYS.join(", ");
    format!(
        "{TTS}

Exit codes:
  0  all went well
  1  something could not be done; the last line on standard error says what was expected
  2  the arguments are wrong

Files:
  $XDG_CONFIG_HOME/tts/config.toml (~/.config/tts/config.toml) holds defaults, `--config FILE` names another file.
  Lines are `name = value`, such as `voice = \"heart\"` or `speed = 1.1`; options on the command line win.
  Names: {options}.
  Paths in it start from its folder.

  Voices are looked for in the folders of TTS_VOICES, in $XDG_DATA_HOME/tts/voices (~/.local/share/tts/voices), in
  ../share/tts/voices beside the program's folder, and in ./models.

Environment:
  TTS_VOICES  folders with voices, separated by colons
  NO_COLOR    if set, no colours"
    )
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::commands::Cli;

    /// The words of a command line as a shell would cut them.
    fn words(line: &str) -> Vec<String> {
        let pieces = line.split('"').enumerate();
        let words = pieces.flat_map(|(i, piece)| match i % 2 {
            0 => piece.split_whitespace().map(str::to_string).collect(),
            _ => vec![piece.to_string()],
        });
        words.collect()
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        let command = Cli::command();
        for place in command.get_subcommands().filter(|command| !command.is_hide_set()).chain([&command]) {
            let help = place.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<_> = help.lines().filter(|line| line.starts_with("  ")).collect();
            assert!(examples.len() > 1, "{} has no examples", place.get_name());
            for example in examples {
                let start = example.find("tts ").unwrap_or_default();
                if let Err(error) = Cli::try_parse_from(words(&example[start..])) {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}
