//! Arguments that several commands share, and what they become.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use tts::sampling::SamplingOptions;
use tts::shim;
use tts::speculative::{Draft, DraftOptions};
use tts::strategies::{Draw, Length, Strategy, StrategyOptions};
use tts::synthesizer::{SpeechOptions, Synthesizer};
use tts::text::{FrontEnd, Lexicon, ssml};
use tts::voice::{self, Precision, Voice};

/// Where the text comes from.
#[derive(Debug, Args)]
pub struct TextArgs {
    /// Text; `-` reads it from standard input.
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<OsString>,
    /// File with the text, in UTF-8; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The text is SSML; one that starts with <speak is taken for it anyway.
    #[arg(long)]
    ssml: bool,
}

impl TextArgs {
    /// The text of the one source that was given.
    pub fn read(&self) -> anyhow::Result<String> {
        let text = self.source()?;
        if self.ssml {
            ssml::parts(&text)?; // what passes is taken for SSML from here on
        }
        Ok(text)
    }

    fn source(&self) -> anyhow::Result<String> {
        match (&self.text, &self.file) {
            (Some(text), _) if text == "-" => read_file(Path::new("-")),
            (Some(text), _) => from_argument(text),
            (None, Some(path)) => read_file(path),
            (None, None) => bail!("no text to speak: give it as an argument, `-` for standard input, or --file FILE"),
        }
    }
}

fn from_argument(text: &OsStr) -> anyhow::Result<String> {
    std::str::from_utf8(text.as_encoded_bytes())
        .map(str::to_string)
        .context("the text given as an argument is not UTF-8")
}

/// The bytes of a file, or of standard input for `-`, and how to name it.
pub fn read_bytes(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("standard input")?;
        return Ok(("standard input".into(), bytes));
    }
    let name = path.display().to_string();
    let bytes = fs::read(path).with_context(|| name.clone())?;
    Ok((name, bytes))
}

/// The text of a file, or of standard input for `-`.
pub fn read_file(path: &Path) -> anyhow::Result<String> {
    let (name, bytes) = read_bytes(path)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name}: the text is not UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_string))
}

/// The voice, and what computing may use.
#[derive(Debug, Args)]
pub struct VoiceArgs {
    /// Name of a voice (see `tts voices`) or folder of one.
    #[arg(long, value_name = "NAME|DIR", default_value = "heart")]
    voice: String,
    /// Threads for matrix products.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1024))]
    threads: i32,
    /// What matrix products are computed in: for judging what 8 bits cost.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = PrecisionName::EightBit, hide = true)]
    precision: PrecisionName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrecisionName {
    #[value(name = "8-bit")]
    EightBit,
    Float,
}

impl VoiceArgs {
    /// Loads the voice, after setting the threads.
    pub fn load(&self) -> anyhow::Result<Voice> {
        self.load_on(tch::Device::Cpu)
    }

    fn load_on(&self, device: tch::Device) -> anyhow::Result<Voice> {
        tch::set_num_threads(self.threads);
        let dir = voice::find(&self.voice, &voice::search_path())?;
        let precision = match self.precision {
            PrecisionName::EightBit => Precision::EightBit,
            PrecisionName::Float => Precision::Float,
        };
        Ok(Voice::load_with(&dir, device, precision)?)
    }
}

/// What computes.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// What computes: the processor, or a GPU through a CUDA libtorch of the same version.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceName {
    Cpu,
    Cuda,
}

impl DeviceArgs {
    /// The device, if it is there.
    pub fn device(&self) -> anyhow::Result<tch::Device> {
        match self.device {
            DeviceName::Cpu => Ok(tch::Device::Cpu),
            DeviceName::Cuda => shim::cuda().context("--device cuda: expected a GPU and a libtorch for CUDA"),
        }
    }
}

/// Words that are read as the user wants.
#[derive(Debug, Args)]
pub struct LexiconArgs {
    /// Pronunciations of words: `word<TAB>/phonemes/` or `word<TAB>other words` a line.
    #[arg(long, value_name = "FILE")]
    lexicon: Option<PathBuf>,
}

impl LexiconArgs {
    /// The front end that reads them so.
    pub fn front_end(&self) -> anyhow::Result<FrontEnd> {
        let lexicon = match &self.lexicon {
            Some(path) => {
                fs::metadata(path).with_context(|| path.display().to_string())?;
                Lexicon::load(path)?
            }
            None => Lexicon::default(),
        };
        Ok(FrontEnd::new()?.with_lexicon(lexicon)?)
    }
}

/// How codes are generated.
#[derive(Debug, Args)]
pub struct StrategyArgs {
    /// How codes are generated: autoregressively, at once, or in several passes.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = StrategyName::ArNar)]
    strategy: StrategyName,
    /// Passes of the strategies masked, flow (8 each) and cascade (3).
    #[arg(long, value_name = "N")]
    steps: Option<i64>,
    /// How frames that are drawn at once agree (nar, masked, cascade).
    #[arg(long, value_enum, value_name = "HOW", default_value_t = DrawName::Greedy)]
    draw: DrawName,
    /// What fixes the length of the strategy nar.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = LengthName::Durations)]
    length: LengthName,
    /// Who guesses the coarse model's next frames, which it then checks in one pass; what is spoken stays the same.
    #[arg(long, value_enum, value_name = "WHO", default_value_t = DraftName::None)]
    draft: DraftName,
    /// Frames that are guessed at once.
    #[arg(long, value_name = "N", default_value_t = defaults().draft.len)]
    draft_len: usize,
    /// Which guesses are taken.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = AcceptName::Exact)]
    accept: AcceptName,
    /// Distance up to which a guessed code stands for the drawn one, of 0 to 2 (about 1.4 between two codes at random).
    #[arg(long, value_name = "DISTANCE", default_value_t = 0.5)]
    tolerance: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DraftName {
    /// Nobody.
    None,
    /// Heads on the coarse model.
    Heads,
    /// A smaller coarse model.
    Small,
    /// A search in the codes of the training speech.
    Retrieval,
    /// All of them, their guesses checked together.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AcceptName {
    /// Those that are what would have been drawn.
    Exact,
    /// Those that sound like it, too.
    Tolerant,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StrategyName {
    /// Coarse codes autoregressively, fine codes in parallel.
    ArNar,
    /// Every codebook autoregressively.
    Ar,
    /// All frames in one pass.
    Nar,
    /// Masked tokens filled in, the surest first.
    Masked,
    /// From noise to latents.
    Flow,
    /// Every fourth frame, every second, all.
    Cascade,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DrawName {
    /// Each takes its likeliest token.
    Greedy,
    /// Each draws by itself.
    Independent,
    /// All read one latent variable, which is drawn.
    Latent,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LengthName {
    /// Predicted durations of the phonemes.
    Durations,
    /// A fixed long output, cut where it says that speech has ended.
    End,
}

impl StrategyArgs {
    fn options(&self) -> StrategyOptions {
        StrategyOptions {
            strategy: match self.strategy {
                StrategyName::ArNar => Strategy::ArNar,
                StrategyName::Ar => Strategy::Ar,
                StrategyName::Nar => Strategy::Nar,
                StrategyName::Masked => Strategy::Masked,
                StrategyName::Flow => Strategy::Flow,
                StrategyName::Cascade => Strategy::Cascade,
            },
            steps: self.steps,
            draw: match self.draw {
                DrawName::Greedy => Draw::Greedy,
                DrawName::Independent => Draw::Independent,
                DrawName::Latent => Draw::Latent,
            },
            length: match self.length {
                LengthName::Durations => Length::Durations,
                LengthName::End => Length::End,
            },
        }
    }

    fn draft(&self) -> DraftOptions {
        DraftOptions {
            draft: match self.draft {
                DraftName::None => Draft::None,
                DraftName::Heads => Draft::Heads,
                DraftName::Small => Draft::Small,
                DraftName::Retrieval => Draft::Retrieval,
                DraftName::All => Draft::All,
            },
            len: self.draft_len,
            tolerance: if self.accept == AcceptName::Tolerant { self.tolerance } else { 0.0 },
        }
    }
}

/// How to speak.
#[derive(Debug, Args)]
pub struct SpeechArgs {
    #[command(flatten)]
    voice: VoiceArgs,
    #[command(flatten)]
    lexicon: LexiconArgs,
    #[command(flatten)]
    strategy: StrategyArgs,
    /// The same seed speaks the same way.
    #[arg(long, value_name = "N", default_value_t = defaults().sampling.seed)]
    seed: u64,
    /// Speaking rate, 0.5 to 2.
    #[arg(long, value_name = "X", default_value_t = defaults().speed)]
    speed: f64,
    /// Semitones by which the voice is higher (or, below 0, lower) than its own, -12 to 12.
    #[arg(long, value_name = "ST", default_value_t = defaults().pitch, allow_negative_numbers = true)]
    pitch: f64,
    /// Silence after a sentence, besides what the voice leaves, in seconds.
    #[arg(long, value_name = "S", default_value_t = defaults().sentence_pause)]
    sentence_pause: f64,
    /// Silence after a paragraph, besides that after a sentence, in seconds.
    #[arg(long, value_name = "S", default_value_t = defaults().paragraph_pause)]
    paragraph_pause: f64,
    /// Variation from one seed to the next; 0 always speaks the likeliest way.
    #[arg(long, value_name = "X", default_value_t = defaults().sampling.temperature)]
    temperature: f64,
    /// Draw from the N likeliest tokens only; 0 for all.
    #[arg(long, value_name = "N", default_value_t = defaults().sampling.top_k)]
    top_k: usize,
    /// Draw from the likeliest tokens that together reach this probability.
    #[arg(long, value_name = "P", default_value_t = defaults().sampling.top_p)]
    top_p: f64,
    /// Passes of the parallel model.
    #[arg(long, value_name = "N", default_value_t = defaults().nar_steps)]
    nar_steps: i64,
    /// Longest piece of speech that is made at once, in milliseconds (100 to 10000).
    #[arg(long, value_name = "MS", default_value_t = defaults().chunk_ms)]
    chunk_ms: u32,
}

fn defaults() -> SpeechOptions {
    SpeechOptions::default()
}

impl SpeechArgs {
    /// The options, checked.
    pub fn options(&self) -> anyhow::Result<SpeechOptions> {
        let options = SpeechOptions {
            sampling: SamplingOptions {
                temperature: self.temperature,
                top_k: self.top_k,
                top_p: self.top_p,
                seed: self.seed,
            },
            strategy: self.strategy.options(),
            draft: self.strategy.draft(),
            speed: self.speed,
            pitch: self.pitch,
            nar_steps: self.nar_steps,
            chunk_ms: self.chunk_ms,
            sentence_pause: self.sentence_pause,
            paragraph_pause: self.paragraph_pause,
        };
        options.validate()?;
        Ok(options)
    }

    /// Loads what is needed to speak: the front end on a thread of its own, beside the voice.
    pub fn synthesizer(&self) -> anyhow::Result<Synthesizer> {
        self.synthesizer_on(tch::Device::Cpu)
    }

    /// The same, to compute on `device`.
    pub fn synthesizer_on(&self, device: tch::Device) -> anyhow::Result<Synthesizer> {
        thread::scope(|scope| {
            let front_end = scope.spawn(|| self.front_end());
            let voice = self.voice(device)?;
            let front_end = front_end.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Ok(Synthesizer::new(voice, front_end))
        })
    }

    /// Loads the voice for the thread that asks, after setting its threads.
    pub fn voice(&self, device: tch::Device) -> anyhow::Result<Voice> {
        self.voice.load_on(device)
    }

    pub fn front_end(&self) -> anyhow::Result<FrontEnd> {
        self.lexicon.front_end()
    }
}
