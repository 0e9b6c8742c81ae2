//! What stands around names: titles, initials, streets, states.

use super::numbers::digits;
use super::rule::{Found, Rule};
use super::words::{alternatives, closing, letter, lookup};
use crate::error::Result;

/// Titles that a name follows.
#[rustfmt::skip]
const TITLES: &[(&str, &str)] = &[
    ("Prof", "Professor"), ("Gen", "General"), ("Gov", "Governor"), ("Sen", "Senator"),
    ("Rep", "Representative"), ("Capt", "Captain"), ("Lt", "Lieutenant"), ("Col", "Colonel"),
    ("Sgt", "Sergeant"), ("Cpl", "Corporal"), ("Maj", "Major"), ("Cmdr", "Commander"),
    ("Adm", "Admiral"), ("Rev", "Reverend"), ("Hon", "Honorable"), ("Pres", "President"),
    ("Supt", "Superintendent"), ("Mt", "Mount"), ("Ft", "Fort"), ("Fr", "Father"),
    ("Msgr", "Monsignor"), ("Messrs", "Messieurs"),
];

#[rustfmt::skip]
const STATES: &[(&str, &str)] = &[
    ("AL", "Alabama"), ("AK", "Alaska"), ("AZ", "Arizona"), ("AR", "Arkansas"),
    ("CA", "California"), ("CO", "Colorado"), ("CT", "Connecticut"), ("DE", "Delaware"),
    ("FL", "Florida"), ("GA", "Georgia"), ("HI", "Hawaii"), ("ID", "Idaho"), ("IL", "Illinois"),
    ("IN", "Indiana"), ("IA", "Iowa"), ("KS", "Kansas"), ("KY", "Kentucky"), ("LA", "Louisiana"),
    ("ME", "Maine"), ("MD", "Maryland"), ("MA", "Massachusetts"), ("MI", "Michigan"),
    ("MN", "Minnesota"), ("MS", "Mississippi"), ("MO", "Missouri"), ("MT", "Montana"),
    ("NE", "Nebraska"), ("NV", "Nevada"), ("NH", "New Hampshire"), ("NJ", "New Jersey"),
    ("NM", "New Mexico"), ("NY", "New York"), ("NC", "North Carolina"), ("ND", "North Dakota"),
    ("OH", "Ohio"), ("OK", "Oklahoma"), ("OR", "Oregon"), ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"), ("SC", "South Carolina"), ("SD", "South Dakota"), ("TN", "Tennessee"),
    ("TX", "Texas"), ("UT", "Utah"), ("VT", "Vermont"), ("VA", "Virginia"), ("WA", "Washington"),
    ("WV", "West Virginia"), ("WI", "Wisconsin"), ("WY", "Wyoming"), ("DC", "D.C"),
];

/// The rules, in the order they apply; they come before other abbreviations.
pub fn rules() -> Result<Vec<Rule>> {
    let titles = format!(r"\b({})\b(\.?)", alternatives(TITLES));
    let states = format!(r", ({})\b(?: (\d{{5}})(?:-(\d{{4}}))?)?", alternatives(STATES));
    Rule::table(&[
        (&states, state),
        (r"\b(St)\b\.?", saint_or_street),
        (r"\b(Dr)\b\.?", |f| is_address(f).then(|| closing("Drive", f))),
        (&titles, title),
        (r"\b([A-Z])\. ([A-Z])\. ([A-Z][a-z])", initials),
        (r"\b([A-Z])\. ([A-Z][a-z])", initials),
    ])
}

/// `J. K. Rowling` without full stops.
fn initials(f: &Found) -> Option<String> {
    let names: Vec<&str> = [1, 2, 3].map(|i| letter(f.group(i))).into_iter().filter(|n| !n.is_empty()).collect();
    (!ends_clause(f)).then(|| names.join(" "))
}

fn ends_clause(f: &Found) -> bool {
    f.before.trim_end().is_empty() && f.group(1) == "I"
        || f.before.ends_with(['.', '-', '&'])
        || f.before.ends_with(char::is_alphanumeric)
}

/// A title before a name; those that are words or names too need their full stop.
fn title(f: &Found) -> Option<String> {
    let certain =
        f.group(2) == "." || matches!(f.group(1), "Prof" | "Capt" | "Lt" | "Sgt" | "Cmdr" | "Mt" | "Cpl" | "Supt");
    let named = f.after.starts_with(' ') && f.word_after().starts_with(char::is_uppercase);
    (certain && named).then(|| lookup(TITLES, f.group(1)))?.map(str::to_string)
}

/// "St." before a name is a saint, after one a street.
fn saint_or_street(f: &Found) -> Option<String> {
    let follows_name = f.word_before().starts_with(char::is_uppercase)
        && f.before.ends_with(' ')
        && !f.before.trim_end().ends_with(['.', ',']);
    let numbered =
        f.word_before().ends_with(['t', 'd', 'h']) && f.word_before().starts_with(|c: char| c.is_ascii_digit());
    let before_name = f.after.starts_with(' ') && f.word_after().starts_with(char::is_uppercase);
    let street = numbered || follows_name && (!before_name || is_address(f));
    let common = matches!(f.word_before(), "The" | "In" | "At" | "On" | "From" | "And" | "But" | "Of" | "To" | "Near");
    match (street && !common, before_name) {
        (true, _) => Some(closing("Street", f)),
        (false, true) => Some("Saint".to_string()),
        _ => None,
    }
}

/// Whether "Dr." or "St." stands after a name with a house number before it.
fn is_address(f: &Found) -> bool {
    let mut words = f.before.split_whitespace().rev();
    let name = words
        .next()
        .is_some_and(|word| word.starts_with(char::is_uppercase) || word.starts_with(|c: char| c.is_ascii_digit()));
    name && words.take(3).any(|word| word.chars().all(|c| c.is_ascii_digit()))
}

fn state(f: &Found) -> Option<String> {
    let ends =
        f.after.trim_start().starts_with([',', '.', ')', '!', '?', ';']) || f.after.trim().is_empty() || f.has(2);
    if !ends && matches!(f.group(1), "IN" | "OR" | "ME" | "OK" | "HI" | "OH" | "LA" | "MA" | "PA" | "ID" | "AL" | "DE")
    {
        return None;
    }
    let zip = if f.has(2) { format!(", {}", digits(f.group(2))) } else { String::new() };
    let rest = if f.has(3) { format!(", {}", digits(f.group(3))) } else { String::new() };
    f.before
        .ends_with(char::is_alphabetic)
        .then(|| lookup(STATES, f.group(1)))?
        .map(|name| format!(", {name}{zip}{rest}"))
}
