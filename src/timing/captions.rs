//! Captions: the text as written, cut into pieces that can be read while they are heard.

use super::{Interval, Sentence, Timeline};

/// Characters in a line, and lines in a caption.
const LINE: usize = 42;
const LINES: usize = 2;
/// Longest caption, in seconds.
const LONGEST: f64 = 6.0;

/// The captions of all sentences: one each or, if it is long, several. Lines are separated by `\n`.
pub fn captions(timeline: &Timeline) -> Vec<Interval> {
    timeline
        .sentences
        .iter()
        .flat_map(|sentence| of_sentence(sentence, &timeline.words[sentence.words.clone()]))
        .collect()
}

/// As few captions as possible, of about the same length.
fn of_sentence(sentence: &Sentence, spoken: &[Interval]) -> Vec<Interval> {
    let words = written(&sentence.interval.text, spoken);
    let fewest = pack(&words, LINE).len();
    let even = (1..LINE).map(|width| pack(&words, width)).find(|captions| captions.len() == fewest);
    let captions = even.unwrap_or_else(|| pack(&words, LINE)).into_iter();
    captions
        .map(|words| Interval { text: broken(words), start: words[0].start, end: words[words.len() - 1].end })
        .collect()
}

/// Runs of words that fit into a caption with lines of `width` characters.
fn pack(words: &[Interval], width: usize) -> Vec<&[Interval]> {
    let (mut runs, mut start) = (Vec::new(), 0);
    for end in 1..=words.len() {
        let run = &words[start..end];
        let fits = lines(run, width).len() <= LINES && run[run.len() - 1].end - run[0].start <= LONGEST;
        if !fits && run.len() > 1 {
            runs.push(&words[start..end - 1]);
            start = end - 1;
        }
    }
    runs.extend(words.get(start..).filter(|run| !run.is_empty()));
    runs
}

/// The words of a caption in lines of about the same length.
fn broken(words: &[Interval]) -> String {
    let fewest = lines(words, LINE).len();
    let even = (1..LINE).map(|width| lines(words, width)).find(|lines| lines.len() == fewest);
    even.unwrap_or_else(|| lines(words, LINE)).join("\n")
}

fn lines(words: &[Interval], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.text.chars().count() <= width) {
            Some(line) => line.extend([" ", &word.text]),
            None => lines.push(word.text.clone()),
        }
    }
    lines
}

/// The words as written, with the times of the spoken ones. Words that are spoken otherwise than they are written, as
/// `$5` is, share the time between the nearest ones that are not.
fn written(text: &str, spoken: &[Interval]) -> Vec<Interval> {
    let texts: Vec<&str> = text.split_whitespace().collect();
    let mut words: Vec<Interval> = Vec::with_capacity(texts.len());
    let (mut next_text, mut next_spoken) = (0, 0);
    for (i, j) in common(&texts, spoken).into_iter().chain([(texts.len(), spoken.len())]) {
        let between = i - next_text;
        for k in 0..between {
            let share = |k: usize| next_spoken + (j - next_spoken) * k / between;
            push(&mut words, timed(texts[next_text + k], spoken, share(k), share(k + 1)));
        }
        if i < texts.len() {
            push(&mut words, timed(texts[i], spoken, j, j + 1));
        }
        (next_text, next_spoken) = (i + 1, j + 1);
    }
    words
}

/// Adds a word; one without a time of its own, such as a dash, stays with its neighbour.
fn push(words: &mut Vec<Interval>, word: Interval) {
    match words.last_mut() {
        Some(last) if last.start >= last.end || word.start >= word.end => {
            last.text.extend([" ", &word.text]);
            last.end = last.end.max(word.end);
        }
        _ => words.push(word),
    }
}

/// A word that sounds like the spoken words `start..end`; like none, it is where they meet.
fn timed(text: &str, spoken: &[Interval], start: usize, end: usize) -> Interval {
    let last = spoken.len() - 1;
    let (start, end) = match end > start {
        true => (spoken[start].start, spoken[end - 1].end),
        false if start > last => (spoken[last].end, spoken[last].end),
        false => (spoken[start].start, spoken[start].start),
    };
    Interval { text: text.to_string(), start, end }
}

/// Places of words that are spoken as they are written: the longest common subsequence.
fn common(texts: &[&str], spoken: &[Interval]) -> Vec<(usize, usize)> {
    let key =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let texts: Vec<String> = texts.iter().map(|text| key(text)).collect();
    let spoken: Vec<String> = spoken.iter().map(|word| key(&word.text)).collect();
    let same = |i: usize, j: usize| !texts[i].is_empty() && texts[i] == spoken[j];
    let mut longest = vec![vec![0; spoken.len() + 1]; texts.len() + 1];
    for i in (0..texts.len()).rev() {
        for j in (0..spoken.len()).rev() {
            let skip = longest[i + 1][j].max(longest[i][j + 1]);
            longest[i][j] = if same(i, j) { longest[i + 1][j + 1] + 1 } else { skip };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < texts.len() && j < spoken.len() {
        if same(i, j) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
