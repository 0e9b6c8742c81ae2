//! When words are heard: timelines of known pointer paths, properties of any, and the files read back.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tts::synthesizer::Chunk;
use tts::text::{FrontEnd, Mark, Utterance, Word};
use tts::timing::format::Format;
use tts::timing::{Interval, Timeline, TimelineBuilder};

/// Samples of a second and of a token frame: a frame lasts 0.1 s.
const RATE: u32 = 100;
const FRAME: usize = 10;

fn interval(text: &str, start: f64, end: f64) -> Interval {
    Interval { text: text.to_string(), start, end }
}

/// `Hi, you.` with a mark before `you`.
fn hi() -> Utterance {
    let word = |text: &str, phonemes| Word { text: text.to_string(), phonemes };
    Utterance {
        text: "Hi, you.".into(),
        phonemes: "hˈI, ju.".into(),
        words: vec![word("Hi", 0..3), word("you", 5..7)],
        marks: vec![Mark { name: "here".into(), word: 1 }],
        ..Default::default()
    }
}

fn spoken(utterance: Utterance, pointer: &[i64]) -> Chunk {
    let samples = vec![0.1; pointer.len() * FRAME];
    Chunk { utterance: utterance.into(), samples, pointer: pointer.to_vec(), is_last: true, ..Default::default() }
}

fn silence(samples: usize) -> Chunk {
    Chunk { samples: vec![0.0; samples], is_last: true, ..Default::default() }
}

fn timeline(chunks: &[Chunk]) -> Timeline {
    let mut builder = TimelineBuilder::new(RATE, FRAME);
    chunks.iter().for_each(|chunk| builder.push(chunk));
    builder.finish()
}

#[test]
fn words_and_phonemes_last_as_long_as_the_pointer_stays_at_them() {
    let timeline = timeline(&[spoken(hi(), &[0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9])]);
    assert_eq!(timeline.words, [interval("Hi", 0.2, 0.6), interval("you", 0.8, 1.1)]);
    let sounds = [("h", 0.2, 0.3), ("ˈI", 0.3, 0.6), ("j", 0.8, 0.9), ("u", 0.9, 1.1)];
    assert_eq!(timeline.phonemes, sounds.map(|(text, start, end)| interval(text, start, end)));
    assert_eq!(timeline.sentences[0].interval, interval("Hi, you.", 0.2, 1.1));
    assert_eq!((timeline.marks[0].name.as_str(), timeline.marks[0].time), ("here", 0.8));
    assert_eq!(timeline.duration, 1.3);
}

#[test]
fn phonemes_that_the_pointer_skips_share_the_frame_evenly() {
    // BEGIN and h share frame 0; the stress mark has frame 1, I frame 2; `, j` share frame 3 with the comma.
    let timeline = timeline(&[spoken(hi(), &[0, 2, 3, 4, 7, 7])]);
    assert_eq!(timeline.words[0], interval("Hi", 0.05, 0.3));
    assert_eq!(timeline.phonemes[0], interval("h", 0.05, 0.1));
    assert_eq!(timeline.phonemes[2], interval("j", 0.366667, 0.4));
    // u has frame 4; the last frame is shared with the full stop and END, which the pointer never reaches.
    assert_eq!(timeline.phonemes[3], interval("u", 0.4, 0.533333));
    assert_eq!(timeline.duration, 0.6);
}

#[test]
fn pauses_and_earlier_utterances_count() {
    let path = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    let timeline = timeline(&[silence(50), spoken(hi(), &path), silence(25), spoken(hi(), &path), silence(40)]);
    let starts: Vec<f64> = timeline.words.iter().map(|word| word.start).collect();
    assert_eq!(starts, [0.6, 1.1, 1.85, 2.35]);
    assert_eq!(timeline.duration, 3.15);
}

#[test]
fn marks_without_a_word_are_where_the_sound_has_come_to() {
    let mark = |word| vec![Mark { name: "m".into(), word }];
    let alone = Chunk {
        utterance: Utterance { marks: mark(0), ..Default::default() }.into(),
        is_last: true,
        ..Default::default()
    };
    let at_end = Utterance { marks: mark(2), ..hi() };
    let timeline = timeline(&[silence(30), alone, spoken(at_end, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), silence(10)]);
    assert_eq!(timeline.marks.iter().map(|mark| mark.time).collect::<Vec<_>>(), [0.3, 1.3]);
}

#[test]
fn an_utterance_in_pieces_has_the_same_timeline() {
    let whole = spoken(hi(), &[0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9]);
    // The sound may come later than the frames that it belongs to.
    let piece = |samples: std::ops::Range<usize>, frames: std::ops::Range<usize>, is_last| Chunk {
        samples: whole.samples[samples].to_vec(),
        pointer: whole.pointer[frames].to_vec(),
        is_last,
        ..whole.clone()
    };
    let pieces = [piece(0..0, 0..4, false), piece(0..35, 4..9, false), piece(35..130, 9..13, true)];
    let pause = silence(7);
    assert_eq!(
        timeline(&[pause.clone(), pieces[0].clone(), pieces[1].clone(), pieces[2].clone(), pause.clone()]),
        timeline(&[pause.clone(), whole.clone(), pause])
    );
}

/// A path as a voice could take it, other than that some are far too fast.
fn random_path(symbols: i64, random: &mut impl FnMut(i64) -> i64) -> Vec<i64> {
    let (mut path, mut at, fastest) = (Vec::new(), 0, 1 + random(4));
    while at < symbols + 2 {
        path.push(at);
        at += random(fastest + 1);
    }
    path
}

const TEXT: &str = "Dr. Smith paid $5.20 — on 12/3/2019 — for a [[tomato|təmˈɑTO]], didn't he? \"Well-known!\" she said.\n\n\
    When the last ferry had gone, the harbour fell quiet, and only the gulls kept arguing above the nets: Marta locked the \
    ticket office, counted the coins twice, and wrote the sum into the green book & closed it. 3 < 5.";

fn random_timelines() -> Vec<Timeline> {
    let utterances = FrontEnd::new().unwrap().read(TEXT).unwrap();
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = |below: i64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as i64
    };
    let mut one = || {
        let mut chunks = Vec::new();
        for utterance in &utterances {
            let symbols = utterance.phonemes.chars().count() as i64;
            chunks.push(spoken(utterance.clone(), &random_path(symbols, &mut random)));
            chunks.push(silence(random(30) as usize));
        }
        timeline(&chunks)
    };
    (0..30).map(|_| one()).collect()
}

/// In order, not empty, without overlap, within the duration.
fn assert_in_order<'a>(intervals: impl IntoIterator<Item = &'a Interval>, duration: f64) {
    let mut done = 0.0;
    for interval in intervals {
        assert!(interval.start >= done && interval.end > interval.start, "{interval:?} after {done}");
        done = interval.end;
    }
    assert!(done <= duration);
}

#[test]
fn every_word_is_heard_once_in_order_and_without_overlap() {
    let utterances = FrontEnd::new().unwrap().read(TEXT).unwrap();
    let words: Vec<&str> = utterances.iter().flat_map(|u| &u.words).map(|word| word.text.as_str()).collect();
    for timeline in random_timelines() {
        assert_in_order(&timeline.words, timeline.duration);
        assert_in_order(&timeline.phonemes, timeline.duration);
        assert_in_order(timeline.sentences.iter().map(|sentence| &sentence.interval), timeline.duration);
        assert_eq!(timeline.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), words);
        for word in &timeline.words {
            let within = |p: &&Interval| p.start >= word.start && p.end <= word.end;
            assert!(timeline.phonemes.iter().filter(within).count() > 0, "{word:?} has no sound");
        }
    }
}

#[test]
fn json_holds_everything() {
    let timeline = timeline(&[spoken(hi(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])]);
    let json: Value = serde_json::from_str(&Format::Json.write(&timeline)).unwrap();
    assert_eq!(json["duration"], 1.0);
    assert_eq!(json["sentences"][0], serde_json::json!({"text": "Hi, you.", "start": 0.1, "end": 0.8}));
    assert_eq!(json["words"][1], serde_json::json!({"text": "you", "start": 0.6, "end": 0.8}));
    assert_eq!(json["phonemes"][1], serde_json::json!({"text": "ˈI", "start": 0.2, "end": 0.4}));
    assert_eq!(json["marks"][0], serde_json::json!({"name": "here", "time": 0.6}));
}

/// Milliseconds of `01:02:03,456`.
fn milliseconds(clock: &str, point: char) -> u64 {
    let (clock, milliseconds) = clock.split_once(point).unwrap();
    assert!(milliseconds.len() == 3 && clock.len() == 8, "{clock}");
    let seconds = clock.split(':').map(|part| part.parse::<u64>().unwrap()).fold(0, |sum, part| sum * 60 + part);
    seconds * 1000 + milliseconds.parse::<u64>().unwrap()
}

fn cue(lines: &[&str], point: char) -> (u64, u64, Vec<String>) {
    let (start, end) = lines[0].split_once(" --> ").unwrap();
    let text = lines[1..].iter().map(|line| line.to_string()).collect();
    (milliseconds(start, point), milliseconds(end, point), text)
}

fn srt_cues(srt: &str) -> Vec<(u64, u64, Vec<String>)> {
    let blocks = srt.trim_end().split("\n\n").enumerate();
    let numbered = blocks.map(|(i, block)| {
        let lines: Vec<&str> = block.lines().collect();
        assert_eq!(lines[0], (i + 1).to_string());
        cue(&lines[1..], ',')
    });
    numbered.collect()
}

fn vtt_cues(vtt: &str) -> Vec<(u64, u64, Vec<String>)> {
    let unescaped = |line: String| line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let (header, cues) = vtt.split_once("\n\n").unwrap();
    assert_eq!(header, "WEBVTT");
    assert!(!cues.contains('<') && cues.replace("-->", "").chars().all(|c| c != '>'), "{cues}");
    let cues = cues.trim_end().split("\n\n").map(|block| cue(&block.lines().collect::<Vec<_>>(), '.'));
    cues.map(|(start, end, text)| (start, end, text.into_iter().map(unescaped).collect())).collect()
}

#[test]
fn captions_are_short_enough_to_read_and_hold_the_text_as_written() {
    let written = TEXT.replace("[[tomato|təmˈɑTO]]", "tomato");
    for timeline in random_timelines() {
        let cues = srt_cues(&Format::Srt.write(&timeline));
        assert_eq!(vtt_cues(&Format::Vtt.write(&timeline)), cues);
        assert!(cues.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{cues:?}");
        for (start, end, lines) in &cues {
            assert!(start < end && lines.len() <= 2, "{lines:?}");
            let few_words = lines.join(" ").split(' ').count() == 1;
            assert!(end - start <= 6001 || few_words, "{lines:?} for {} ms", end - start);
            assert!(lines.iter().all(|line| line.chars().count() <= 42), "{lines:?}");
        }
        let shown: Vec<&str> = cues.iter().flat_map(|cue| &cue.2).flat_map(|line| line.split(' ')).collect();
        assert_eq!(shown, written.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn a_word_that_is_spoken_as_it_is_written_is_captioned_when_it_is_heard() {
    let utterance = FrontEnd::new()
        .unwrap()
        .read("He had 1,234 things for Anna, Ben, Carl and Dora, but she never found a moment.");
    let utterance = utterance.unwrap().remove(0);
    let symbols = utterance.phonemes.chars().count() as i64;
    let path: Vec<i64> = (0..symbols + 2).collect();
    let timeline = timeline(&[spoken(utterance, &path)]);
    let heard = |word: &str| timeline.words.iter().find(|w| w.text == word).unwrap();
    let cues = srt_cues(&Format::Srt.write(&timeline));
    assert_eq!(cues.len(), 2, "{cues:?}");
    let first = cues[1].2[0].split([' ', ',']).next().unwrap();
    assert_eq!(cues[1].0, (heard(first).start * 1000.0).round() as u64);
    assert_eq!(cues[0].0, (heard("He").start * 1000.0).round() as u64);
    assert_eq!(cues[1].1, (heard("moment").end * 1000.0).round() as u64);
}

/// The tiers of a TextGrid, each with its name and its intervals.
fn tiers(grid: &str) -> (f64, Vec<(String, Vec<Interval>)>) {
    let mut lines = grid.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut value =
        |key: &str| lines.next().unwrap().strip_prefix(key).unwrap_or_else(|| panic!("expected {key}")).to_string();
    let number = |text: String| text.parse::<f64>().unwrap();
    let unquoted = |text: String| text.strip_prefix('"').unwrap().strip_suffix('"').unwrap().replace("\"\"", "\"");
    value("File type = \"ooTextFile\"");
    value("Object class = \"TextGrid\"");
    assert_eq!(number(value("xmin = ")), 0.0);
    let duration = number(value("xmax = "));
    value("tiers? <exists>");
    let size = number(value("size = ")) as usize;
    value("item []:");
    let mut tiers = Vec::new();
    for i in 1..=size {
        value(&format!("item [{i}]:"));
        value("class = \"IntervalTier\"");
        let name = unquoted(value("name = "));
        assert_eq!((number(value("xmin = ")), number(value("xmax = "))), (0.0, duration));
        let count = number(value("intervals: size = ")) as usize;
        let mut one = |j: usize| {
            value(&format!("intervals [{j}]:"));
            let (start, end) = (number(value("xmin = ")), number(value("xmax = ")));
            Interval { text: unquoted(value("text = ")), start, end }
        };
        tiers.push((name, (1..=count).map(&mut one).collect()));
    }
    assert_eq!(lines.next(), None);
    (duration, tiers)
}

#[test]
fn text_grids_have_two_tiers_without_gaps() {
    for timeline in random_timelines() {
        let (duration, tiers) = tiers(&Format::TextGrid.write(&timeline));
        assert_eq!(duration, timeline.duration);
        assert_eq!(tiers.iter().map(|tier| tier.0.as_str()).collect::<Vec<_>>(), ["words", "phonemes"]);
        for ((_, tier), heard) in tiers.iter().zip([&timeline.words, &timeline.phonemes]) {
            assert_in_order(tier, duration);
            assert!(tier.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!((tier[0].start, tier[tier.len() - 1].end), (0.0, duration));
            let filled: Vec<&Interval> = tier.iter().filter(|interval| !interval.text.is_empty()).collect();
            assert_eq!(filled, heard.iter().collect::<Vec<_>>());
        }
    }
}
