//! Pauses, marks and manners of speaking, in plain text and in SSML.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::{SAMPLE_RATE, TinyVoice};
use tts::synthesizer::{SpeechOptions, Synthesizer};
use tts::text::markup::Prosody;
use tts::text::{FrontEnd, Item, Utterance};

static FRONT_END: LazyLock<FrontEnd> = LazyLock::new(|| FrontEnd::new().unwrap());

fn items(text: &str) -> Vec<Item> {
    FRONT_END.items(text).unwrap_or_else(|e| panic!("{text}: {e}")).map(Result::unwrap).collect()
}

fn utterances(text: &str) -> Vec<Utterance> {
    FRONT_END.read(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// All that is to be heard: words, `(0.5 s)` for a pause, `{name}` for a mark.
fn heard(text: &str) -> String {
    let told = |item: &Item| match item {
        Item::Utterance(utterance) => with_manner(utterance),
        Item::Pause(seconds) => format!("({seconds} s)"),
        Item::Mark(name) => format!("{{{name}}}"),
    };
    items(text).iter().map(told).collect::<Vec<_>>().join(" | ")
}

fn with_manner(utterance: &Utterance) -> String {
    let mut words: Vec<String> = utterance.words.iter().map(|word| word.text.clone()).collect();
    for mark in utterance.marks.iter().rev() {
        words.insert(mark.word, format!("{{{}}}", mark.name));
    }
    let Prosody { rate, pitch, volume_db } = utterance.prosody;
    match utterance.prosody == Prosody::default() {
        true => words.join(" "),
        false if pitch == 0.0 => format!("{} at {rate:.2} and {volume_db} dB", words.join(" ")),
        false => format!("{} at {rate:.2}, {pitch:.2} st and {volume_db} dB", words.join(" ")),
    }
}

fn assert_heard(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter(|(text, expected)| heard(text) != *expected)
        .map(|(text, expected)| format!("{text}\n  expected {expected}\n  found    {}", heard(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In one `<speak>`.
fn assert_spoken(table: &[(&str, &str)]) {
    let documents: Vec<String> = table.iter().map(|(text, _)| format!("<speak>{text}</speak>")).collect();
    assert_heard(&documents.iter().map(String::as_str).zip(table.iter().map(|row| row.1)).collect::<Vec<_>>());
}

fn refusal(text: &str) -> String {
    FRONT_END.read(text).err().unwrap_or_else(|| panic!("{text} is not refused")).to_string()
}

fn assert_refused(table: &[(&str, &[&str])]) {
    for (text, parts) in table {
        let error = refusal(text);
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: expected {parts:?} in {error}");
    }
}

#[test]
fn a_pause_parts_the_text_where_it_stands() {
    assert_heard(&[
        ("Wait [pause 500ms] for it. [pause 1.2s] Now.", "Wait | (0.5 s) | for it | (1.2 s) | Now"),
        ("[pause 2s]Well,[pause .25 s]hello[pause 60s]", "(2 s) | Well | (0.25 s) | hello | (60 s)"),
        ("No [pause 0s] pause.", "No pause"),
    ]);
}

#[test]
fn other_words_in_brackets_are_text() {
    assert_heard(&[("He waits [pause for effect].", "He waits pause for effect"), ("[pauses] Go.", "pauses Go")]);
    assert_eq!(utterances("[[pˈɔz]]")[0].phonemes, "pˈɔz");
}

#[test]
fn a_pause_that_cannot_be_kept_is_refused_at_its_line_and_column() {
    assert_refused(&[
        ("One.\nTwo [pause 61s] three.", &["line 2, column 5", "0 to 60 seconds", "61s"]),
        ("[pause 500]", &["line 1, column 1", "500"]),
        ("é [pause -1s]", &["column 3", "-1s"]),
        ("[pause 1.2.3s]", &["1.2.3s"]),
        ("[pause 1e3ms]", &["1e3ms"]),
        ("<speak><break time='2 min'/></speak>", &["break", "2 min"]),
    ]);
}

#[test]
fn a_pause_keeps_sentences_and_paragraphs_as_they_are() {
    let ends = |text: &str| utterances(text).iter().map(|u| (u.ends_sentence, u.ends_paragraph)).collect::<Vec<_>>();
    let (open, sentence, paragraph) = ((false, false), (true, false), (true, true));
    assert_eq!(ends("So [pause 1s] it is. Yes."), [open, sentence, paragraph]);
    assert_eq!(
        ends("One. [pause 1s] Two.\n\n[pause 1s] Three.[pause 1s]\n\nFour."),
        [sentence, paragraph, paragraph, paragraph]
    );
    assert_eq!(
        ends("<speak><s>One</s> <s>Two</s><p>Three. Four.</p>Five</speak>"),
        [sentence, paragraph, sentence, paragraph, paragraph]
    );
}

#[test]
fn given_phonemes_may_name_their_word() {
    let utterance = &utterances("A [[tomato|təmˈɑTO]], please.")[0];
    assert_eq!(utterance.phonemes, "ɐ təmˈɑTO, plˈiz.");
    assert_eq!((utterance.words[1].text.as_str(), utterance.text.as_str()), ("tomato", "A tomato, please."));
}

#[test]
fn a_text_is_ssml_if_it_opens_with_speak() {
    let namespace = "xmlns='http://www.w3.org/2001/10/synthesis'";
    let declared = format!("<?xml version='1.0'?><speak version='1.1' {namespace} xml:lang='en-US'>Hello</speak>");
    let typed = "<!-- a --><!DOCTYPE speak [<!ENTITY who 'you'>]><speak>Hello &who;</speak>";
    assert_heard(&[
        ("\n <speak>Hello</speak>", "Hello"),
        (&declared, "Hello"),
        (typed, "Hello you"),
        ("a <speak>", "a speak"),
        ("<speaker> hello", "speaker hello"),
    ]);
}

#[test]
fn elements_of_ssml_are_spoken_as_the_recommendation_says() {
    assert_spoken(&[
        ("<p>One two.\n\n Three</p><p>four</p>", "One two | Three | four"),
        ("<s>Mr. A. Go</s>", "Mr. ay Go"),
        ("Wait <break time='300ms'/> for <break/> it", "Wait | (0.3 s) | for | (0.5 s) | it"),
        ("a <break strength='x-strong'/> b <break strength='none'/> c", "a | (1.2 s) | b c"),
        ("<break time='1s' strength='weak'/>one [pause 2s] two", "(1 s) | one | (2 s) | two"),
        ("the <sub alias='World Wide Web'>WWW</sub>.", "the World Wide Web"),
        (
            "<prosody rate='slow'>One <prosody rate='+50%' volume='-6dB'>two</prosody></prosody> three",
            "One at 0.80 and 0 dB | two at 1.20 and -6 dB | three",
        ),
        (
            "<prosody volume='loud'>a <prosody volume='+1.5dB' rate='90%'>b</prosody></prosody>",
            "a at 1.00 and 3 dB | b at 0.90 and 4.5 dB",
        ),
        (
            "<prosody pitch='high'>a <prosody pitch='-3st'>b</prosody> <prosody pitch='-50%'>c</prosody></prosody>",
            "a at 1.00, 2.00 st and 0 dB | b at 1.00, -1.00 st and 0 dB | c at 1.00, -10.00 st and 0 dB",
        ),
        ("all <prosody volume='silent'>gone</prosody>", "all | gone at 1.00 and -inf dB"),
        ("<prosody rate='medium'>It is</prosody> one.", "It is one"),
        ("b &amp; <![CDATA[i]]> &#233;t&#xe9;", "b and i été"),
        ("kept <!-- a note --> together", "kept together"),
    ]);
}

#[test]
fn phonemes_of_ssml_are_spoken_in_place_of_the_word() {
    let utterance = &utterances("<speak>A <phoneme alphabet='ipa' ph='təˈmɑːtoʊ'>tomato</phoneme>.</speak>")[0];
    assert_eq!(utterance.phonemes, "ɐ təmˈɑtO.");
    assert_eq!((utterance.words[1].text.as_str(), utterance.text.as_str()), ("tomato", "A tomato."));
}

#[test]
fn say_as_reads_text_as_what_it_is() {
    let table = [
        ("cardinal", "1,234.5", "one thousand two hundred thirty four point five"),
        ("cardinal", "-12", "minus twelve"),
        ("cardinal", "XIV", "fourteen"),
        ("ordinal", "22", "twenty second"),
        ("ordinal", "3rd", "third"),
        ("ordinal", "IV", "fourth"),
        ("digits", "1905", "one nine zero five"),
        ("telephone", "+1 (555) 123-4567", "plus one five five five one two three four five six seven"),
        ("characters", "aB3-", "ay B three dash"),
        ("spell-out", "tts", "T T S"),
        ("date", "12/3/2019", "December third twenty nineteen"),
        ("date:dmy", "3/12/19", "December third twenty nineteen"),
        ("date:ymd", "2019-12-03", "December third twenty nineteen"),
        ("date:my", "12.2019", "December twenty nineteen"),
        ("date:md", "2/29", "February twenty ninth"),
        ("date:y", "1905", "nineteen oh five"),
        ("time", "10:30pm", "ten thirty P.M."),
        ("time:hms24", "17:05", "seventeen oh five"),
        ("currency", "$5.20", "five dollars and twenty cents"),
        ("currency", "USD 20", "twenty dollars"),
    ];
    for (kind, text, expected) in table {
        let (kind, format) = kind.split_once(':').map_or((kind, String::new()), |(k, f)| (k, format!(" format='{f}'")));
        let document = format!("<speak>It is <say-as interpret-as='{kind}'{format}>{text}</say-as>, so</speak>");
        assert_eq!(heard(&document), format!("It is {expected} so"), "{document}");
    }
    assert_spoken(&[("goal<say-as interpret-as='digits'>12</say-as>times.", "goal one two times")]);
}

#[test]
fn marks_stand_before_the_next_word_and_change_nothing_else() {
    assert_spoken(&[
        ("<mark name='a'/>Go <mark name='b'/>there <mark name='c'/>", "{a} Go {b} there {c}"),
        (
            "It cost $5.20<mark name='a'/> then. <mark name='b'/>Now.",
            "It cost five dollars and twenty cents {a} then | {b} Now",
        ),
        ("One.<mark name='a'/><break time='1s'/><mark name='b'/> Two", "One {a} | (1 s) | {b} Two"),
        ("<mark name='a'/><break time='1s'/>.<mark name='b'/>", "{a} | (1 s) | {b}"),
    ]);
    let with = "<speak>They <mark name='a'/>record a <mark name='b'/>record. The <mark name='c'/>apple.</speak>";
    let without = "They record a record. The apple.";
    let sounds = |text: &str| utterances(text).into_iter().map(|u| u.phonemes).collect::<Vec<_>>();
    assert_eq!(sounds(with), sounds(without));
}

#[test]
fn what_ssml_does_not_know_is_refused_with_what_it_knows() {
    assert_refused(&[
        ("<speak>\n <emphasis>x</emphasis></speak>", &["line 2, column 2", "<emphasis>", "speak, p, s, break"]),
        ("<speak>a<break tiem='1s'/></speak>", &["column 9", "tiem", "time, strength"]),
        ("<speak><prosody range='high'>x</prosody></speak>", &["range", "rate, pitch, volume"]),
        ("<speak><prosody pitch='200Hz'>x</prosody></speak>", &["200Hz", "+2st", "x-high"]),
        ("<speak><prosody pitch='+13st'>x</prosody></speak>", &["+13st", "at most 12 semitones"]),
        ("<speak><prosody rate='quick'>x</prosody></speak>", &["quick", "x-slow"]),
        ("<speak><prosody rate='-100%'>x</prosody></speak>", &["-100%", "80%"]),
        ("<speak><prosody volume='50'>x</prosody></speak>", &["50", "-6dB", "x-loud"]),
        ("<speak><break strength='huge'/></speak>", &["huge", "x-strong"]),
        ("<speak><say-as interpret-as='words'>x</say-as></speak>", &["words", "cardinal, ordinal"]),
        ("<speak><say-as interpret-as='cardinal'>x</say-as></speak>", &["a number", "`x`"]),
        ("<speak><say-as interpret-as='date' format='qq'>1</say-as></speak>", &["qq", "mdy"]),
        ("<speak><say-as interpret-as='date' format='mdy'>13/32/2000</say-as></speak>", &["13/32/2000"]),
        ("<speak><say-as>5</say-as></speak>", &["interpret-as"]),
        ("<speak><sub>x</sub></speak>", &["alias"]),
        ("<speak><mark/>x</speak>", &["name"]),
        ("<speak><phoneme alphabet='x-sampa' ph='@'>x</phoneme></speak>", &["ipa", "x-sampa"]),
        ("<speak><phoneme ph='tʘ'>x</phoneme></speak>", &["ʘ"]),
        ("<speak><sub alias='x'><p>y</p></sub></speak>", &["<sub>", "<p>"]),
        ("<speak><break>x</break></speak>", &["<break>", "nothing inside"]),
        ("<speak xml:lang='de-DE'>x</speak>", &["xml:lang", "de-DE", "en-US"]),
        ("<speak><speak>x</speak></speak>", &["<speak>"]),
        ("<speak xmlns:o='urn:o'><o:p>x</o:p></speak>", &["<p>"]),
        (&format!("<speak>{}x{}</speak>", "<p>".repeat(5000), "</p>".repeat(5000)), &["inside of 101"]),
    ]);
}

#[test]
fn malformed_xml_is_refused_at_its_line_and_column() {
    assert_refused(&[
        ("<speak>\n<p>x</s></speak>", &["line 2, column 5", "well-formed XML"]),
        ("<speak>\n  a & b</speak>", &["line 2, column", "well-formed XML"]),
        ("<speak>\nx", &["line 2, column 2", "well-formed XML"]),
        ("<speak a='1' a='2'/>", &["line 1, column 14", "well-formed XML"]),
        ("<speak>&unknown;</speak>", &["line 1, column 8", "unknown"]),
        ("<speak>x</speak>y", &["line 1, column"]),
    ]);
}

#[test]
fn documents_with_nothing_to_speak_are_refused() {
    for text in ["<speak/>", "<speak><break time='1s'/><mark name='a'/></speak>", "[pause 1s]", "<speak>...</speak>"] {
        assert!(refusal(text).contains("at least one word"), "{text}");
    }
}

#[test]
fn a_document_is_read_sentence_by_sentence() {
    let mut items = FRONT_END.items("<speak><p>One.</p><p>[[tʘ]]</p></speak>").unwrap();
    assert!(matches!(items.next(), Some(Ok(Item::Utterance(u))) if u.text == "One."));
    assert!(items.next().unwrap().unwrap_err().to_string().contains('ʘ'));
}

#[test]
fn damaged_documents_never_panic() {
    let document = "<speak><p>One <break time='1s'/><mark name='ä'/>two $5.</p><s><prosody rate='80%'>x [pause 1s]</prosody></s></speak>";
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..500 {
        let mut chars: Vec<char> = document.chars().collect();
        for _ in 0..=random(3) {
            let at = random(chars.len());
            let pieces = ['<', '>', '/', '&', ';', ']', '[', 'x', '\'', 'é', '\n'];
            match random(3) {
                0 => drop(chars.remove(at)),
                1 => chars[at] = pieces[random(pieces.len())],
                _ => chars.insert(at, pieces[random(pieces.len())]),
            }
        }
        let damaged: String = chars.into_iter().collect();
        if let Ok(items) = FRONT_END.items(&damaged) {
            items.filter_map(Result::ok).for_each(drop);
        }
    }
}

fn synthesizer() -> Synthesizer {
    Synthesizer::open(TinyVoice::new().path()).unwrap()
}

/// Without the pause after the text.
fn plain() -> SpeechOptions {
    SpeechOptions { paragraph_pause: 0.0, ..Default::default() }
}

#[test]
fn pauses_are_as_long_as_asked_nearly_silent_and_change_no_other_sample() {
    let synthesizer = synthesizer();
    let samples = |text: &str, options: &SpeechOptions| synthesizer.samples(text, options).unwrap();
    let (one, both) = (samples("One.", &plain()), samples("One. Two.", &plain()));
    let (first, second) = both.split_at(one.len());
    assert_eq!(first, one);
    let paused = SpeechOptions { sentence_pause: 0.25, paragraph_pause: 0.4, ..Default::default() };
    let cases = [
        ("One. [pause 500ms] Two.", &plain(), vec![Ok(first), Err(0.5), Ok(second)]),
        ("<speak><break time='3ms'/>One.</speak>", &plain(), vec![Err(0.003), Ok(first)]),
        ("One. Two.", &paused, vec![Ok(first), Err(0.25), Ok(second), Err(0.65)]),
    ];
    for (text, options, expected) in cases {
        let heard = samples(text, options);
        let mut rest = heard.as_slice();
        for part in expected {
            let seconds =
                part.map_or_else(|seconds: f64| seconds, |speech| speech.len() as f64 / f64::from(SAMPLE_RATE));
            let (here, after) = rest.split_at((seconds * f64::from(SAMPLE_RATE)).round() as usize);
            match part {
                Ok(speech) => assert_eq!(here, speech, "{text}"),
                // Room tone: below -75 dB, and no hole either.
                Err(_) => assert!(here.iter().all(|s| s.abs() < 1.8e-4) && here.iter().any(|&s| s != 0.0), "{text}"),
            }
            rest = after;
        }
        assert!(rest.is_empty(), "{text}");
    }
}

#[test]
fn prosody_changes_rate_pitch_and_volume() {
    let synthesizer = synthesizer();
    let samples = |text: &str, speed: f64| synthesizer.samples(text, &SpeechOptions { speed, ..plain() }).unwrap();
    let manner = |attribute: &str| format!("<speak><prosody {attribute}>Good morning.</prosody></speak>");
    let usual = samples("Good morning.", 1.0);
    let quiet: Vec<f32> = usual.iter().map(|s| s * 0.1).collect();
    assert_eq!(samples(&manner("volume='-20dB'"), 1.0), quiet);
    assert_eq!(samples(&manner("volume='silent'"), 1.0), vec![0.0; usual.len()]);
    assert_ne!(samples("Good morning.", 1.25), usual);
    assert_eq!(samples(&manner("rate='fast'"), 1.0), samples("Good morning.", 1.25));
    assert_eq!(samples(&manner("rate='80%'"), 1.5), samples("Good morning.", 1.5 * 0.8));
    assert_eq!(samples(&manner("rate='300%'"), 1.5), samples("Good morning.", 2.0));
    assert_eq!(samples(&manner("rate='x-slow'"), 0.6), samples("Good morning.", 0.5));
    let pitched = |text: &str, pitch: f64| synthesizer.samples(text, &SpeechOptions { pitch, ..plain() }).unwrap();
    let higher = pitched("Good morning.", 2.0);
    assert!(higher != usual && higher.len() == usual.len());
    assert_eq!(pitched(&manner("pitch='high'"), 0.0), higher);
    assert_eq!(pitched(&manner("pitch='+5st'"), 9.0), pitched("Good morning.", 12.0));
}
