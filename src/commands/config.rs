//! Defaults of options out of a file: `tts/config.toml` in the user's configuration folder, or the one that `--config` names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, Command, ValueHint};
use etcetera::BaseStrategy;
use toml::{Table, Value};

/// Options that may be set, as they are called in the file.
pub const KEYS: &[&str] = &[
    "voice",
    "threads",
    "lexicon",
    "seed",
    "speed",
    "pitch",
    "volume",
    "sentence_pause",
    "paragraph_pause",
    "temperature",
    "top_k",
    "top_p",
    "nar_steps",
    "sample_rate",
    "jobs",
];

/// Commands with options that are called like those above and mean something else.
const LEFT_ALONE: &[&str] = &["train", "generate"];

/// Options and their values, those of paths complete.
pub struct Config(Vec<(String, String)>);

impl Config {
    /// Reads `path` or, if none is named, the user's own file where there is one.
    pub fn load(path: Option<&Path>, command: &Command) -> anyhow::Result<Option<Self>> {
        let own = || user_file().filter(|path| path.is_file());
        let Some(path) = path.map(Path::to_path_buf).or_else(own) else { return Ok(None) };
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).with_context(|| name.clone())?;
        let table: Table = toml::from_str(&text).with_context(|| format!("{name}: not valid TOML"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let values = table.iter().map(|(key, value)| {
            let value = check(key, value, folder, command).with_context(|| format!("{name}: {key}"))?;
            Ok((key.clone(), value))
        });
        Ok(Some(Self(values.collect::<anyhow::Result<_>>()?)))
    }

    /// The command with these values as the defaults of its options and of those of its subcommands.
    pub fn set_defaults(&self, command: Command) -> Command {
        let known = |command: &Command, key: &str| command.get_arguments().any(|arg| arg.get_id() == key);
        let set = |command: Command, (key, value): &(String, String)| match known(&command, key) {
            true => command.mut_arg(key, |arg| arg.default_value(value.clone())),
            false => command,
        };
        let command = self.0.iter().fold(command, set);
        command.mut_subcommands(|sub| if LEFT_ALONE.contains(&sub.get_name()) { sub } else { self.set_defaults(sub) })
    }
}

/// The user's own configuration file, whether there is one or not.
fn user_file() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|user| user.config_dir().join("tts/config.toml"))
}

/// The value of an option as it would be written on the command line, if it can be written there.
fn check(key: &str, value: &Value, folder: &Path, command: &Command) -> anyhow::Result<String> {
    let mut places = std::iter::once(command).chain(command.get_subcommands());
    let arg = places.find_map(|place| place.get_arguments().find(|arg| arg.get_id() == key));
    let Some(arg) = arg.filter(|_| KEYS.contains(&key)) else {
        bail!("unknown, expected one of {}", KEYS.join(", "));
    };
    let is_path = |text: &str| arg.get_value_hint() == ValueHint::AnyPath || key == "voice" && text.contains('/');
    let text = match value {
        Value::String(text) if is_path(text) => folder.join(text).display().to_string(),
        Value::String(text) => text.clone(),
        Value::Integer(_) | Value::Float(_) => value.to_string(),
        other => bail!("expected a text or a number, found {}", other.type_str()),
    };
    parse(arg, &text)?;
    Ok(text)
}

/// Lets the command line's own parser say what is wrong with a value.
fn parse(arg: &Arg, text: &str) -> anyhow::Result<()> {
    let name = arg.get_long().unwrap_or_default();
    let command = Command::new("config").no_binary_name(true).arg(arg.clone());
    match command.try_get_matches_from([format!("--{name}={text}")]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let message = error.to_string();
            let reason = message.split("\n\n").next().unwrap_or(&message);
            bail!("{}", reason.trim_start_matches("error: "))
        }
    }
}
