//! Roman numerals.

use super::numbers::{cardinal, ordinal, roman};
use super::rule::{Found, Rule};
use crate::error::Result;

/// Names that kings, queens and popes share: a Roman numeral after them is an ordinal.
#[rustfmt::skip]
const RULERS: &[&str] = &[
    "Henry", "Louis", "Charles", "George", "Elizabeth", "Edward", "James", "William", "Richard",
    "John", "Paul", "Pius", "Benedict", "Francis", "Catherine", "Peter", "Nicholas", "Alexander",
    "Frederick", "Napoleon", "Philip", "Ferdinand", "Leo", "Gregory", "Innocent", "Clement",
    "Urban", "Ramses", "Rameses", "Ptolemy", "Darius", "Mary", "Ivan", "Gustav", "Christian",
    "Otto", "Wilhelm", "Joseph", "Leopold", "Maximilian", "Boniface", "Sixtus", "Julius", "Harald",
    "Olaf", "Haakon", "Carl", "Umberto", "Victor", "Emmanuel", "Edmund", "Robert", "Margrethe",
    "Juan", "Alfonso", "Felipe", "Pedro", "Mehmed", "Selim", "Murad", "Malcolm", "Kenneth", "Davis",
    "Thomas",
];

/// Words before a Roman numeral that counts.
#[rustfmt::skip]
const COUNTED: &[&str] = &[
    "Chapter", "Part", "Book", "Volume", "Act", "Scene", "Section", "Article", "Title", "Phase",
    "Stage", "Type", "Class", "Level", "Grade", "War", "Bowl", "Figure", "Table", "Appendix",
    "Canto", "Psalm", "Episode", "Season", "Mark", "Apollo", "Rocky", "Vatican", "Division",
    "chapter", "part", "book", "volume", "act", "scene", "section", "article", "phase", "stage",
    "type", "class", "level", "grade", "No",
];

/// Words before a ruler's name.
#[rustfmt::skip]
const CROWNS: &[&str] = &[
    "King", "Queen", "Pope", "Emperor", "Tsar", "Czar", "Kaiser", "Prince", "Saint",
];

/// Numerals that are seen as initials more often.
const ALSO_LETTERS: &[&str] = &["CI", "XL", "LI", "CV", "IC", "DI", "MI", "IV"];

/// The rules; they come after abbreviations with numbers and before initials.
pub fn rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        (r"\b([A-Za-z][a-z]+) ([IVXLC]{1,6})\b", roman_numeral),
        (r"\b([A-Za-z][a-z]+|pp?\.) ([ivx]{2,6}|v)\b", |f| {
            let counted = COUNTED.contains(&f.group(1)) || matches!(f.group(1), "page" | "pages" | "p." | "pp.");
            let value = roman(&f.group(2).to_uppercase()).filter(|_| counted)?;
            Some(format!("{} {}", f.group(1), cardinal(value)))
        }),
    ])
}

/// `Henry VIII` as `Henry the eighth`, `Chapter IV` as `Chapter four`. One letter may be an initial
/// or, as `I`, a word: it needs a clearer sign.
fn roman_numeral(f: &Found) -> Option<String> {
    let (name, numeral) = (f.group(1), f.group(2));
    let value = roman(numeral).filter(|_| {
        !f.after.starts_with(['\'', '’', '-', '&']) || ["'s", "’s"].iter().any(|s| f.after.starts_with(s))
    })?;
    let initial = f.after.starts_with(". ") || !"IVX".contains(numeral);
    let counted = COUNTED.contains(&name);
    let ruler = RULERS.contains(&name);
    let clear = match numeral {
        "I" if counted => name.starts_with(char::is_uppercase) && name != "No",
        "I" => CROWNS.contains(&f.word_before()),
        "X" if name == "Malcolm" => false,
        _ if numeral.len() == 1 => !initial,
        _ => counted || ruler || !ALSO_LETTERS.contains(&numeral) && value < 60,
    };
    match (clear, ruler) {
        (true, true) => Some(format!("{name} the {}", ordinal(value))),
        (true, false) if counted || numeral.len() > 1 => Some(format!("{name} {}", cardinal(value))),
        _ => None,
    }
}
