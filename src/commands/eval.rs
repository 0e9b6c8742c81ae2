//! `tts eval`: what the built-in ear hears in files, against what they should say.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use tts::audio::recording;
use tts::ear::{Ear, Errors, count_errors, sounds};
use tts::recordings::read_list;
use tts::voice;

use super::options::LexiconArgs;
use super::progress::QuietArgs;

/// Measure how many phonemes of spoken texts are heard wrong.
///
/// The ear is a small network of this program: it does without Python, and its own errors count, too. Compare its
/// figures with each other, not with those of other programs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List with a line `name<TAB>text` for each file.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    /// Folder of the files: WAV, FLAC, MP3 or Ogg Opus.
    #[arg(long, value_name = "DIR")]
    wavs: PathBuf,
    #[command(flatten)]
    ear: EarArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Threads for matrix products.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1024))]
    threads: i32,
    #[command(flatten)]
    lexicon: LexiconArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

/// Which ear listens.
#[derive(Debug, clap::Args)]
pub struct EarArgs {
    /// Folder of an ear, or of the run of one; the one that comes with the program if not given.
    #[arg(long, value_name = "DIR")]
    ear: Option<PathBuf>,
}

impl EarArgs {
    pub fn load(&self) -> anyhow::Result<Ear> {
        let dir = self.ear.clone().map_or_else(|| Ear::find(&voice::search_path()), Ok)?;
        Ok(Ear::load(&dir)?)
    }
}

/// A file, and how it was heard.
struct Row {
    id: String,
    expected: String,
    heard: String,
    errors: Errors,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    tch::set_num_threads(args.threads);
    let recordings = read_list(&args.list, &args.wavs)?;
    let (ear, front_end) = (args.ear.load()?, args.lexicon.front_end()?);
    let mut progress = args.quiet.progress(recordings.len() as u64, "files heard");
    let (mut rows, mut total) = (Vec::new(), Errors::default());
    for (index, item) in recordings.iter().enumerate() {
        let expected = sounds(&front_end.phonemes(&item.text).with_context(|| item.id.clone())?);
        let heard = ear.listen(recording::read(&item.path)?)?.phonemes()?;
        let errors = count_errors(&expected, &heard);
        total.add(&errors);
        rows.push(Row { id: item.id.clone(), expected, heard, errors });
        progress.set(index as u64 + 1, recordings.len() as u64);
    }
    progress.finish();
    let mut output = BufWriter::new(std::io::stdout().lock());
    if args.json {
        writeln!(output, "{:#}", as_json(&rows, &total))?;
    } else {
        print(&mut output, &rows, &total)?;
    }
    output.flush()?;
    Ok(())
}

fn print(output: &mut impl Write, rows: &[Row], total: &Errors) -> std::io::Result<()> {
    for row in rows {
        writeln!(output, "{:6.2} %  {}", 100.0 * row.errors.rate(), row.id)?;
        if row.expected != row.heard {
            writeln!(output, "          expected {}\n          heard    {}", row.expected, row.heard)?;
        }
    }
    writeln!(
        output,
        "{:6.2} %  of {} phonemes in {} files: {} heard as others, {} not heard, {} too many",
        100.0 * total.rate(),
        total.expected,
        rows.len(),
        total.substituted,
        total.deleted,
        total.inserted
    )
}

fn as_json(rows: &[Row], total: &Errors) -> serde_json::Value {
    let counts = |e: &Errors| {
        json!({
            "phoneme_error_rate": e.rate(), "phonemes": e.expected,
            "substituted": e.substituted, "deleted": e.deleted, "inserted": e.inserted,
        })
    };
    let files = rows.iter().map(|row| {
        let mut file = counts(&row.errors);
        file["id"] = row.id.clone().into();
        file["expected"] = row.expected.clone().into();
        file["heard"] = row.heard.clone().into();
        file
    });
    let mut all = counts(total);
    all["files"] = files.collect();
    all
}
