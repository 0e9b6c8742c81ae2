//! The page: one HTML file that needs no other, in light and in dark, with sound and figures.

use std::fmt::Write;
use std::time::Duration;

use super::figure::figure;
use super::image::data_uri;
use super::{Inspection, Scene};
use crate::audio::wav::{self, Audio};
use crate::error::Result;
use crate::synthesizer::StageTimes;

const LONGEST_TITLE: usize = 70;
const STYLE: &str = include_str!("page.css");
/// Moves a line over the figures as the sound goes on, and plays from where a figure is clicked.
const SCRIPT: &str = include_str!("page.js");

impl Inspection {
    /// The whole page.
    pub fn page(&self) -> Result<String> {
        let sample_rate = self.voice.codec.sample_rate as u32;
        let sound = data_uri("audio/wav", &wav::to_bytes(&Audio { samples: self.samples(), sample_rate })?);
        let scenes: String = self.scenes.iter().map(|scene| self.scene(scene)).collect::<Result<_>>()?;
        let text = self.scenes.iter().map(|scene| scene.chunk.utterance.text.as_str()).collect::<Vec<_>>().join(" ");
        let title = escape(&shortened(&text));
        let (figures, stages) = (self.figures(), stages(&self.times(), self.length()));
        Ok(format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta name=color-scheme content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n<body>\n\
             <header><h1>{title}</h1>\n<audio controls src=\"{sound}\"></audio></header>\n\
             <main>\n<section class=summary>\n{figures}\n{stages}</section>\n{scenes}</main>\n\
             <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
        ))
    }

    /// What was spoken, by whom and how fast.
    fn figures(&self) -> String {
        let (options, sampling, length) = (&self.options, &self.options.sampling, self.length());
        let words: usize = self.scenes.iter().map(|scene| scene.chunk.utterance.words.len()).sum();
        let rows = [
            ("Voice", format!("{} ({})", self.voice.name, self.voice.language)),
            ("Speech", format!("{length:.2} s, {words} words")),
            ("Real-time factor", format!("{:.3}", self.times().total().as_secs_f64() / length)),
            (
                "Rates",
                format!("{} Hz, {:.2} token frames/s", self.voice.codec.sample_rate, self.voice.codec.frame_rate()),
            ),
            ("Seed", sampling.seed.to_string()),
            ("Temperature", format!("{}, top-k {}, top-p {}", sampling.temperature, sampling.top_k, sampling.top_p)),
            ("Speed", options.speed.to_string()),
            ("Passes of the fine model", options.nar_steps.to_string()),
        ];
        let rows = rows.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value)));
        format!("<dl>{}</dl>", rows.concat())
    }

    fn scene(&self, scene: &Scene) -> Result<String> {
        let (utterance, figure) = (&scene.chunk.utterance, figure(scene, &self.voice)?);
        let (text, spoken) = (escape(&utterance.text), escape(&utterance.spoken));
        let spoken = if spoken == text { String::new() } else { format!("<p class=muted>read as: {spoken}</p>") };
        let phonemes = escape(&utterance.phonemes);
        let times = stages_in_words(&scene.chunk.times);
        let words = words(scene);
        Ok(format!(
            "<section>\n<h2>{text}</h2>\n{spoken}<p class=phonemes>{phonemes}</p>\n{figure}\n<p class=muted>{times}</p>\n\
             {words}</section>\n"
        ))
    }
}

fn named(times: &StageTimes) -> [(&'static str, Duration); 4] {
    [("front end", times.front_end), ("coarse", times.coarse), ("fine", times.fine), ("decoder", times.decoder)]
}

fn stages_in_words(times: &StageTimes) -> String {
    let stages = named(times).map(|(name, time)| format!("{name} {:.1} ms", time.as_secs_f64() * 1e3));
    stages.join(" · ")
}

/// Time per stage as a bar and as a table.
fn stages(times: &StageTimes, length: f64) -> String {
    let total = times.total().as_secs_f64();
    let (mut bar, mut rows) = (String::new(), String::new());
    for (i, (name, time)) in named(times).into_iter().enumerate() {
        let (seconds, share) = (time.as_secs_f64(), 100.0 * time.as_secs_f64() / total);
        let _ =
            write!(bar, "<span class=stage{i} style=\"flex-grow:{share:.2}\" title=\"{name}: {share:.0} %\"></span>");
        let _ = writeln!(
            rows,
            "<tr><th><i class=stage{i}></i>{name}</th><td>{:.1}</td><td>{share:.0} %</td><td>{:.4}</td></tr>",
            seconds * 1e3,
            seconds / length
        );
    }
    let (all, factor) = (total * 1e3, total / length);
    format!(
        "<div class=stages><div class=bar>{bar}</div>\n<table><thead><tr><th>stage</th><td>ms</td><td>share</td>\
         <td>real-time factor</td></tr></thead>\n<tbody>{rows}</tbody>\n\
         <tfoot><tr><th>in all</th><td>{all:.1}</td><td></td><td>{factor:.4}</td></tr></tfoot></table></div>\n"
    )
}

/// The words' times as a table.
fn words(scene: &Scene) -> String {
    let symbols: Vec<char> = scene.chunk.utterance.phonemes.chars().collect();
    let rows = scene.chunk.utterance.words.iter().zip(&scene.timing.words).map(|(word, span)| {
        let phonemes: String = symbols.get(word.phonemes.clone()).unwrap_or_default().iter().collect();
        let time = format!("<td>{:.2}</td><td>{:.2}</td>", scene.start + span.start, scene.start + span.end);
        format!("<tr><th>{}</th>{time}<td class=phonemes>{}</td></tr>\n", escape(&word.text), escape(&phonemes))
    });
    let rows: String = rows.collect();
    format!(
        "<details><summary>Words and their times</summary><table><thead><tr><th>word</th><td>from (s)</td>\
         <td>to (s)</td><td>phonemes</td></tr></thead><tbody>\n{rows}</tbody></table></details>\n"
    )
}

/// At most the first words of a text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TITLE) {
        None => text.to_string(),
        Some((end, _)) => format!("{} …", text[..end].rsplit_once(' ').map_or(&text[..end], |(words, _)| words)),
    }
}

/// Text as it stands in HTML, between tags and in attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<b title=\"x\"> & co"), "&lt;b title=&quot;x&quot;&gt; &amp; co");
    }
}
