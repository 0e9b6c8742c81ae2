//! The page of a comparison: one HTML file that needs no other, with tables, figures and sound.

use std::fmt::Write;

use super::charts::charts;
use super::ways::Kind;
use super::{Comparison, Row};
use crate::audio::encode::file_bytes;
use crate::audio::format::Format;
use crate::error::Result;
use crate::inspect::image::{MAGMA, data_uri};
use crate::inspect::{escape, spectrogram};

/// Texts that can be listened to.
const PLAYED: usize = 2;
const STYLE: &str = include_str!("page.css");

impl Comparison {
    /// The whole page.
    pub fn page(&self, title: &str) -> Result<String> {
        let title = escape(title);
        let mut body = String::new();
        for (kind, heading, about) in [
            (
                Kind::Strategy,
                "Strategies",
                "Which frames and codebooks are made one after the other, and which at once.",
            ),
            (
                Kind::Drafter,
                "Speculative decoding, exact",
                "The same codes as ar-nar, to the last one, in fewer passes.",
            ),
            (Kind::Tolerant, "Speculative decoding, tolerant", "Guesses that sound alike are taken, too: other codes."),
        ] {
            let rows = self.rows_of(kind);
            if rows.len() > 1 {
                let _ = writeln!(body, "<section><h2>{heading}</h2><p>{about}</p>{}</section>", table(&rows));
            }
        }
        for chart in charts(self)? {
            let _ = writeln!(body, "<section><h2>{}</h2><div class=chart>{}</div></section>", chart.title, chart.svg);
        }
        for (number, text) in self.texts.iter().enumerate().take(PLAYED) {
            let _ = write!(body, "<section><h2>{}</h2><div class=readings>", escape(text));
            for (way, readings) in self.ways.iter().zip(&self.readings).filter(|(way, _)| way.kind == Kind::Strategy) {
                let audio = &readings[number].audio;
                let sound = data_uri("audio/mpeg", &file_bytes(audio, Format::Mp3)?);
                let picture = spectrogram(&self.codec, &audio.samples)?.data_uri(&MAGMA)?;
                let _ = writeln!(
                    body,
                    "<figure><figcaption>{}</figcaption><img src=\"{picture}\" alt=\"\"><audio controls preload=none src=\"{sound}\">\
                     </audio></figure>",
                    way.name
                );
            }
            body += "</div></section>\n";
        }
        Ok(format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
        ))
    }
}

fn table(rows: &[Row]) -> String {
    let percent = |share: Option<f64>| share.map_or(String::new(), |share| format!("{:.1} %", 100.0 * share));
    let cells = rows.iter().map(|row| {
        let Row { way, audio_seconds, coarse, fine, decoder, total, coarse_speed, .. } = row;
        format!(
            "<tr><th>{way}</th><td>{audio_seconds:.1}</td><td>{:.1}</td><td>{:.2}</td><td>{}</td><td>{coarse:.4}</td>\
             <td>{fine:.4}</td><td>{decoder:.4}</td><td>{total:.4}</td><td>{:.2}</td><td>{}</td></tr>\n",
            row.passes_per_second,
            row.frames_per_pass,
            percent(row.acceptance),
            coarse_speed.median,
            percent(row.phoneme_error_rate),
        )
    });
    let cells: String = cells.collect();
    format!(
        "<table><thead><tr><th>way</th><td>speech (s)</td><td>passes a second</td><td>frames a pass</td><td>guesses taken</td>\
         <td>coarse</td><td>fine</td><td>decoder</td><td>in all</td><td>coarse, × ar-nar's speed</td>\
         <td>phonemes heard wrong</td></tr></thead><tbody>\n{cells}</tbody></table>\n"
    )
}
