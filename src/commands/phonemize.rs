//! `tts phonemize`: text to the phonemes that the models read.

use std::io::{BufWriter, Write};

use tts::text::{FrontEnd, Item, nothing_to_speak};

use super::options::{LexiconArgs, TextArgs};
use super::warn;

/// Show how a text is pronounced.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    text: TextArgs,
    /// Print `text<TAB>phonemes` for each line that is exactly one utterance, nothing for the others.
    #[arg(long)]
    lines: bool,
    /// Print the words that are read instead of their phonemes: numbers, dates, abbreviations and the rest in full.
    #[arg(long, conflicts_with = "lines")]
    words: bool,
    #[command(flatten)]
    lexicon: LexiconArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let text = args.text.read()?;
    let front_end = args.lexicon.front_end()?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    if args.lines {
        print_lines(&front_end, &text, &mut output)?;
    } else {
        print_utterances(&front_end, &text, args.words, &mut output)?;
    }
    output.flush()?;
    Ok(())
}

/// Each utterance as soon as it is read.
fn print_utterances(front_end: &FrontEnd, text: &str, words: bool, output: &mut impl Write) -> anyhow::Result<()> {
    let mut is_empty = true;
    for item in front_end.items(text)? {
        if let Item::Utterance(utterance) = item? {
            writeln!(output, "{}", if words { utterance.spoken } else { utterance.phonemes })?;
            is_empty = false;
        }
    }
    if is_empty { Err(nothing_to_speak(text).into()) } else { Ok(()) }
}

fn print_lines(front_end: &FrontEnd, text: &str, output: &mut impl Write) -> anyhow::Result<()> {
    let (mut lines, mut printed) = (0, 0);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines += 1;
        let utterances = if line.contains('\t') { Vec::new() } else { front_end.read(line).unwrap_or_default() };
        if let [utterance] = utterances.as_slice() {
            writeln!(output, "{line}\t{}", utterance.phonemes)?;
            printed += 1;
        }
    }
    if printed < lines {
        warn(&format!("{} of {lines} lines are not exactly one utterance and were left out", lines - printed));
    }
    Ok(())
}
