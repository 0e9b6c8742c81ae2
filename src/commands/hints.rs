//! What can be done about an error, where that is known.

use std::io::ErrorKind;

use tts::error::Error;

/// A few words for the end of the message.
pub fn hint(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::Voice(_)) => Some("`tts voices` lists voices and the folders they are in; TTS_VOICES adds folders"),
        Some(Error::Weights { .. }) => Some("copy or export the voice again: its files must come from one export"),
        Some(Error::Codes { .. }) => Some("name the voice that encoded the recording with --voice"),
        Some(Error::Io { source, .. }) => io_hint(source.kind()),
        Some(_) => None,
        None => cause.downcast_ref::<std::io::Error>().and_then(|e| io_hint(e.kind())),
    })
}

fn io_hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("make room, or write elsewhere"),
        _ => None,
    }
}
