//! Abbreviations, and what other rules for words share.

use super::rule::{Found, Rule};
use crate::error::Result;

/// Abbreviations read in full wherever they stand, with their full stop.
#[rustfmt::skip]
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("e.g.", "for example"), ("i.e.", "that is"), ("E.g.", "For example"), ("I.e.", "That is"),
    ("vs.", "versus"), ("vs", "versus"), ("approx.", "approximately"), ("cf.", "compare"),
    ("Approx.", "Approximately"), ("Esq.", "Esquire"), ("ea.", "each"), ("Qty", "Quantity"),
    ("qty", "quantity"), ("add'l", "additional"), ("Add'l", "Additional"),
    ("viz.", "namely"), ("et al.", "et al"), ("ca.", "circa"), ("Jr.", "Junior"), ("Sr.", "Senior"),
    ("Inc.", "Incorporated"), ("Ltd.", "Limited"), ("Corp.", "Corporation"), ("Co.", "Company"),
    ("Bros.", "Brothers"), ("Dept.", "Department"), ("dept.", "department"),
    ("govt.", "government"), ("Univ.", "University"), ("Assn.", "Association"), ("Ave.", "Avenue"),
    ("Blvd.", "Boulevard"), ("Blvd", "Boulevard"), ("Rd.", "Road"), ("Hwy.", "Highway"),
    ("Hwy", "Highway"), ("Pkwy.", "Parkway"), ("Apt.", "Apartment"), ("Ste.", "Suite"),
    ("Bldg.", "Building"), ("Ln.", "Lane"), ("est.", "established"), ("Est.", "Established"),
    ("min.", "minutes"), ("hrs.", "hours"), ("secs.", "seconds"), ("max.", "maximum"),
    ("avg.", "average"), ("Tel.", "Telephone"), ("tel.", "telephone"), ("ext.", "extension"),
    ("incl.", "including"), ("excl.", "excluding"), ("misc.", "miscellaneous"), ("Mon.", "Monday"),
    ("Tue.", "Tuesday"), ("Tues.", "Tuesday"), ("Wed.", "Wednesday"), ("Thu.", "Thursday"),
    ("Thurs.", "Thursday"), ("Fri.", "Friday"), ("Jan.", "January"), ("Feb.", "February"),
    ("Apr.", "April"), ("Aug.", "August"), ("Sept.", "September"), ("Sep.", "September"),
    ("Oct.", "October"), ("Nov.", "November"), ("Dec.", "December"), ("w/o", "without"),
    ("w/", "with "), ("b/c", "because"), ("and/or", "and or"), ("c/o", "care of"), ("n/a", "N.A"),
    ("N/A", "N.A"), ("aka", "A.K.A"), ("Mx.", "Mix"), ("Ms.", "Miz"), ("Ms", "Miz"),
    ("WWII", "World War Two"), ("WWI", "World War One"), ("Ph.D.", "P.H.D"), ("PhDs", "PHDs"),
    ("PhD", "P.H.D"), ("a.k.a.", "A.K.A"), ("Ctrl", "Control"), ("the WHO", "the W.H.O"), ("The WHO", "The W.H.O"), ("No.", "Number"),
];

/// Abbreviations that only a number follows.
#[rustfmt::skip]
const BEFORE_NUMBER: &[(&str, &str)] = &[
    ("No", "number"), ("no", "number"), ("Nos", "numbers"), ("nos", "numbers"), ("Fig", "figure"),
    ("fig", "figure"), ("Figs", "figures"), ("Vol", "volume"), ("vol", "volume"), ("Ch", "chapter"),
    ("ch", "chapter"), ("Sec", "section"), ("sec", "section"), ("Art", "article"),
    ("Eq", "equation"), ("p", "page"), ("pp", "pages"), ("c", "circa"), ("Op", "opus"),
    ("op", "opus"), ("Pt", "part"), ("Rm", "room"), ("rm", "room"),
];

/// Days of the week, cut short.
#[rustfmt::skip]
const DAYS: &[(&str, &str)] = &[
    ("Mon", "Monday"), ("Tue", "Tuesday"), ("Tues", "Tuesday"), ("Wed", "Wednesday"), ("Thu", "Thursday"),
    ("Thur", "Thursday"), ("Thurs", "Thursday"), ("Fri", "Friday"), ("Sat", "Saturday"), ("Sun", "Sunday"),
];

/// Rules for abbreviations that numbers follow; they come before names.
pub fn numbered_rules() -> Result<Vec<Rule>> {
    let numbered = format!(r"\b({})\. ?(\d|[IVXLC]+\b)", alternatives(BEFORE_NUMBER));
    Rule::table(&[
        (&numbered, numbered_abbreviation),
        (r"#(\d)", |f| begins_word(f).then(|| f.expand("number $1"))?),
        (r"№ ?", |f| f.expand("number ")),
        (r"§+ ?(\d)", |f| f.expand("section $1")),
    ])
}

/// Rules for other abbreviations; they come after names.
pub fn rules() -> Result<Vec<Rule>> {
    let abbreviations = format!(r"({})", alternatives(ABBREVIATIONS));
    let day = alternatives(DAYS);
    let days = format!(r"\b({day})\.? ?[-–—] ?({day})\b");
    let day_and_time = format!(r"\b({day})\.? (\d{{1,2}}(?::\d{{2}}| ?[ap]\.?m\b| ?[-–]))");
    Rule::table(&[
        (&days, |f| Some(format!("{} to {}", lookup(DAYS, f.group(1))?, lookup(DAYS, f.group(2))?))),
        (&day_and_time, |f| Some(format!("{} {}", lookup(DAYS, f.group(1))?, f.group(2)))),
        (&abbreviations, abbreviation),
        (r"\b([A-Z]{1,3})&([A-Z]{1,3})\b", |f| Some(format!("{} and {}", dotted(f.group(1)), dotted(f.group(2))))),
    ])
}

fn numbered_abbreviation(f: &Found) -> Option<String> {
    let full = lookup(BEFORE_NUMBER, f.group(1)).filter(|_| begins_word(f))?;
    Some(format!("{full} {}", f.group(2)))
}

fn abbreviation(f: &Found) -> Option<String> {
    let short = f.group(1);
    let full = lookup(ABBREVIATIONS, short)?;
    let goes_on = !short.ends_with(['.', '/'])
        && f.after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '\'' | '’' | '-'));
    if short == "est."
        && f.before.ends_with(|c: char| c.is_ascii_digit() || c == ' ')
        && f.word_before().ends_with(|c: char| c.is_ascii_digit())
    {
        return Some("estimated".into());
    }
    let unlikely = match short {
        "No." => !f.after.trim_start().starts_with(|c: char| c.is_ascii_digit()),
        "min." | "Co." | "max." | "est." | "ext." | "ca." => f.before.trim_end().is_empty(),
        "w/" => !f.after.starts_with(|c: char| c.is_alphabetic() || c == ' '),
        _ => false,
    };
    (begins_word(f) && !goes_on && !unlikely).then(|| closing(full, f))
}

/// Whether nothing but white space or an opening mark stands before.
fn begins_word(f: &Found) -> bool {
    !f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '&'))
}

/// Words for an abbreviation, with the full stop that it lends to the sentence's end.
pub fn closing(full: &str, f: &Found) -> String {
    let last = f.after.trim_matches(['"', '”', '’', '\'', ')', ' ']).is_empty();
    format!("{full}{}", if last && f.group(0).ends_with('.') { "." } else { "" })
}

/// A letter that is named, `A` so that it is not taken for the article.
pub fn letter(name: &str) -> &str {
    if matches!(name, "A" | "a") { "ay" } else { name }
}

/// `AT` as `A.T`, which is spelled.
fn dotted(letters: &str) -> String {
    letters.chars().map(String::from).collect::<Vec<_>>().join(".")
}

/// A pattern for any of the table's abbreviations, the longest first.
pub fn alternatives(table: &[(&str, &str)]) -> String {
    let mut written: Vec<&str> = table.iter().map(|(short, _)| *short).collect();
    written.sort_by_key(|short| std::cmp::Reverse(short.len()));
    written.into_iter().map(regex::escape).collect::<Vec<_>>().join("|")
}

/// What an abbreviation stands for.
pub fn lookup(table: &[(&'static str, &'static str)], short: &str) -> Option<&'static str> {
    table.iter().find(|(written, _)| *written == short).map(|(_, full)| *full)
}
