//! Measures: a number and its unit.

use super::numbers::{is_one, number};
use super::rule::{Found, Rule};
use crate::error::Result;

/// Unit as written, one, many. Case matters.
#[rustfmt::skip]
const UNITS: &[(&str, &str, &str)] = &[
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("kmh", "kilometer per hour", "kilometers per hour"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("km/s", "kilometer per second", "kilometers per second"),
    ("m/s²", "meter per second squared", "meters per second squared"),
    ("m/s", "meter per second", "meters per second"), ("mph", "mile per hour", "miles per hour"),
    ("mpg", "mile per gallon", "miles per gallon"),
    ("mg/dL", "milligram per deciliter", "milligrams per deciliter"),
    ("g/cm³", "gram per cubic centimeter", "grams per cubic centimeter"),
    ("kg/m³", "kilogram per cubic meter", "kilograms per cubic meter"),
    ("km²", "square kilometer", "square kilometers"), ("m²", "square meter", "square meters"),
    ("cm²", "square centimeter", "square centimeters"), ("m³", "cubic meter", "cubic meters"),
    ("cm³", "cubic centimeter", "cubic centimeters"), ("sq ft", "square foot", "square feet"),
    ("sq. ft.", "square foot", "square feet"), ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"), ("mm", "millimeter", "millimeters"),
    ("nm", "nanometer", "nanometers"), ("µm", "micrometer", "micrometers"),
    ("μm", "micrometer", "micrometers"), ("m", "meter", "meters"), ("mi", "mile", "miles"),
    ("yd", "yard", "yards"), ("ft", "foot", "feet"), ("ft.", "foot", "feet"),
    ("in.", "inch", "inches"), ("kg", "kilogram", "kilograms"), ("mg", "milligram", "milligrams"),
    ("µg", "microgram", "micrograms"), ("μg", "microgram", "micrograms"), ("g", "gram", "grams"),
    ("lbs.", "pound", "pounds"), ("lbs", "pound", "pounds"), ("lb", "pound", "pounds"),
    ("oz", "ounce", "ounces"), ("oz.", "ounce", "ounces"), ("L", "liter", "liters"),
    ("l", "liter", "liters"), ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"), ("cl", "centiliter", "centiliters"),
    ("gal", "gallon", "gallons"), ("tsp", "teaspoon", "teaspoons"),
    ("tbsp", "tablespoon", "tablespoons"), ("ha", "hectare", "hectares"),
    ("ms", "millisecond", "milliseconds"), ("µs", "microsecond", "microseconds"),
    ("ns", "nanosecond", "nanoseconds"), ("s", "second", "seconds"), ("sec", "second", "seconds"),
    ("secs", "second", "seconds"), ("min", "minute", "minutes"), ("mins", "minute", "minutes"),
    ("h", "hour", "hours"), ("hr", "hour", "hours"), ("hrs", "hour", "hours"),
    ("yrs", "year", "years"), ("Hz", "hertz", "hertz"), ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"), ("GHz", "gigahertz", "gigahertz"),
    ("dB", "decibel", "decibels"), ("V", "volt", "volts"), ("kV", "kilovolt", "kilovolts"),
    ("mAh", "milliamp hour", "milliamp hours"), ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"), ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"), ("kWh", "kilowatt hour", "kilowatt hours"),
    ("MWh", "megawatt hour", "megawatt hours"), ("kJ", "kilojoule", "kilojoules"),
    ("kcal", "kilocalorie", "kilocalories"), ("cal", "calorie", "calories"),
    ("hp", "horsepower", "horsepower"), ("kPa", "kilopascal", "kilopascals"),
    ("psi", "P.S.I", "P.S.I"), ("ppm", "part per million", "parts per million"),
    ("bpm", "beat per minute", "beats per minute"), ("rpm", "R.P.M", "R.P.M"),
    ("fps", "frame per second", "frames per second"), ("kB", "kilobyte", "kilobytes"),
    ("KB", "kilobyte", "kilobytes"), ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"), ("TB", "terabyte", "terabytes"),
    ("PB", "petabyte", "petabytes"), ("KiB", "kibibyte", "kibibytes"),
    ("MiB", "mebibyte", "mebibytes"), ("GiB", "gibibyte", "gibibytes"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("Gbps", "gigabit per second", "gigabits per second"),
    ("MB/s", "megabyte per second", "megabytes per second"),
    ("GB/s", "gigabyte per second", "gigabytes per second"), ("px", "pixel", "pixels"),
    ("pt", "point", "points"), ("pts", "point", "points"), ("°C", "degree Celsius", "degrees Celsius"),
    ("℃", "degree Celsius", "degrees Celsius"), ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
    ("℉", "degree Fahrenheit", "degrees Fahrenheit"), ("°", "degree", "degrees"),
    ("qt", "quart", "quarts"), ("qts", "quart", "quarts"), ("atm", "atmosphere", "atmospheres"),
    ("mol", "mole", "moles"), ("W/m²", "watt per square meter", "watts per square meter"),
    ("µL", "microliter", "microliters"), ("%", "percent", "percent"), ("‰", "per mille", "per mille"),
];

/// Units that are words or letters of their own: only right after the number.
const ADJACENT_ONLY: [&str; 6] = ["s", "h", "l", "V", "in.", "cal"];

/// Words after a measure that it does not describe.
#[rustfmt::skip]
const NOT_NOUNS: [&str; 36] = [
    "long", "wide", "tall", "high", "deep", "thick", "of", "in", "and", "or", "is", "by", "x", "per", "apart", "to",
    "from", "at", "on", "for", "with", "was", "are", "away", "above", "below", "but", "than", "the", "across", "more",
    "less", "longer", "each", "were", "when",
];

/// Words after `/` that mean "per".
const PER: &str =
    "month|mo|year|yr|day|hour|hr|week|wk|night|person|kg|lb|unit|user|item|mile|game|page|minute|min|second|sec|sqm";

/// The rules, in the order they apply.
pub fn rules() -> Result<Vec<Rule>> {
    let mut units: Vec<&str> = UNITS.iter().map(|(unit, ..)| *unit).collect();
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    let unit = units.iter().map(|unit| regex::escape(unit)).collect::<Vec<_>>().join("|");
    let measure = format!(r"([-−–+])?({{N}})( ?|-)({unit})(\.)?");
    let per = format!(r"(\d ?[A-Za-z%°]{{0,4}}|dollars?|cents?|pounds?|euros?)/({PER})\b");
    let part = "(half|thirds?|quarters?|fifths?|sixths?|eighths?|sixteenths?)";
    let part_of_unit = format!(r"\b{part} ({unit})(\.)?");
    let part_of_inch = format!(r#"\b{part}(?:″|"|”)"#);
    Rule::table(&[
        (r"\b(\d+) ?(?:h|hrs?)\.? ?(\d+) ?(?:m|mins?)\b(?:\.? ?(\d+) ?(?:s|secs?)\b)?", |f| {
            Some(length(&[(f.group(1), "hour"), (f.group(2), "minute"), (f.group(3), "second")]))
        }),
        (r"\b(\d+) ?(?:m|mins?)\.? ?(\d+) ?(?:s|secs?)\b", |f| {
            Some(length(&[(f.group(1), "minute"), (f.group(2), "second")]))
        }),
        (r"\b(\d+) ?(?:ft|feet|foot)\.? (\d+) ?in\b\.?", |f| {
            Some(format!(
                "{} {}",
                measure_words("", f.group(1), "foot", "feet"),
                measure_words("", f.group(2), "inch", "inches")
            ))
        }),
        (r"(\d ?(?:[cmk]?m|in|ft|px)) ?[x×] ?", |f| {
            f.after.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{} by ", f.group(1)))
        }),
        (&part_of_unit, part_of),
        (&per, |f| Some(format!("{} per {}", f.group(1), full(f.group(2))))),
        (r#"\b(\d{1,2})['′’] ?(\d{1,2})(?:"|″|”|''|’’|\b)"#, feet_and_inches),
        (r"({N})[′']", |f| {
            (f.stands_alone() && !f.after.starts_with(char::is_alphabetic))
                .then(|| measure_words("", f.group(1), "foot", "feet"))
        }),
        (r#"({N})(?:″|"|”)"#, inches),
        (&part_of_inch, |f| (!in_quotation(f)).then(|| part_words(f, "inch", "inches"))),
        (r"\b([Aa]n? )?({N})[- ](inch|foot|mile|meter|pound|gallon)\b", |f| {
            f.has(1).then(|| format!("{}{} {}", f.group(1), number(f.group(2)), f.group(3)))
        }),
        (&measure, measured),
    ])
}

fn full(per: &str) -> &str {
    match per {
        "mo" => "month",
        "yr" => "year",
        "hr" => "hour",
        "wk" => "week",
        "lb" => "pound",
        "kg" => "kilogram",
        "min" => "minute",
        "sec" => "second",
        "sqm" => "square meter",
        word => word,
    }
}

fn measured(f: &Found) -> Option<String> {
    let unit = f.group(4);
    let (_, one, many) = UNITS.iter().find(|(written, ..)| *written == unit)?;
    let lettered = unit.ends_with(char::is_alphabetic);
    let goes_on = f.after.starts_with(|c: char| lettered && (c.is_alphanumeric() || matches!(c, '\'' | '’')));
    let touched = f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | '$'));
    if goes_on || touched || f.group(3) == " " && ADJACENT_ONLY.contains(&unit) || f.group(3) == "-" && !lettered {
        return None;
    }
    let sign = match f.group(1) {
        "" => "",
        "+" => "plus ",
        _ if f.before.ends_with(|c: char| c.is_alphanumeric()) => "to ",
        _ => "minus ",
    };
    let (one, many) = if f.group(3) == "-" || describes(f) { (*one, *one) } else { (*one, *many) };
    let stop = (f.has(5) || unit.ends_with('.')) && closes(f.after);
    Some(measure_words(sign, f.group(2), one, many) + if stop { "." } else { "" })
}

/// Whether the full stop before this ends a sentence.
fn closes(after: &str) -> bool {
    let next = after.trim_start();
    next.is_empty() || next.starts_with(|c: char| c.is_uppercase() || "\"”’')".contains(c))
}

/// Whether a measure says what kind of thing follows: `a 5 kg bag`, `the 100 m dash`.
fn describes(f: &Found) -> bool {
    let is_noun = f.after.starts_with(' ') && f.word_after().starts_with(char::is_alphabetic);
    let article = matches!(f.word_before(), "a" | "an" | "A" | "An");
    let race = matches!(f.word_after(), "dash" | "sprint" | "race" | "relay" | "hurdles" | "freestyle" | "backstroke");
    is_noun && (race || article && !NOT_NOUNS.contains(&f.word_after()))
}

/// `2 hours 15 minutes`; what is not given is left out.
fn length(parts: &[(&str, &str)]) -> String {
    let given = parts.iter().filter(|(written, _)| !written.is_empty());
    given.map(|(written, unit)| measure_words("", written, unit, &format!("{unit}s"))).collect::<Vec<_>>().join(" ")
}

/// `3/4 tsp`, of which the number is words by now.
fn part_of(f: &Found) -> Option<String> {
    let unit = f.group(2);
    let (_, one, many) = UNITS.iter().find(|(written, ..)| *written == unit)?;
    let is_word = ADJACENT_ONLY.contains(&unit) || f.after.starts_with(|c: char| c.is_alphanumeric() || c == '\'');
    let stop = if f.has(3) && closes(f.after) { "." } else { "" };
    (!is_word).then(|| part_words(f, one, many) + stop)
}

/// Less than one of a unit takes the singular: `three quarters inch`, `two and a half inches`.
fn part_words(f: &Found, one: &str, many: &str) -> String {
    let mixed = f.before.split_whitespace().rev().take(2).any(|word| word == "and");
    format!("{} {}", f.group(1), if mixed { many } else { one })
}

/// Whether a quotation was opened and waits to be closed. A mark after a space opens one, one after anything else closes it,
/// unless it stands for inches itself and none is open.
fn in_quotation(f: &Found) -> bool {
    let mut open = 0u32;
    let mut last = ' ';
    for c in f.before.chars() {
        match c {
            '“' => open += 1,
            '"' if last.is_whitespace() || "([—".contains(last) => open += 1,
            '"' | '”' => open = open.saturating_sub(1),
            _ => {}
        }
        last = c;
    }
    open > 0
}

fn measure_words(sign: &str, written: &str, one: &str, many: &str) -> String {
    format!("{sign}{} {}", number(written), if is_one(written) { one } else { many })
}

/// `6'2"` as `six foot two`.
fn feet_and_inches(f: &Found) -> Option<String> {
    let inches = f.value(2).filter(|inches| *inches < 12 && !f.before.ends_with(['.', ',', ':']))?;
    Some(format!("{} foot {}", number(f.group(1)), number(&inches.to_string())))
}

/// `5"`, unless the mark closes a quotation.
fn inches(f: &Found) -> Option<String> {
    let touched = f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ','));
    let noun = f.after.starts_with(' ') && f.word_after().starts_with(char::is_alphabetic);
    let many = if noun && !NOT_NOUNS.contains(&f.word_after()) { "inch" } else { "inches" };
    (!in_quotation(f) && !touched && (f.after.is_empty() || f.after.starts_with([' ', '.', ',', ')', ';'])))
        .then(|| measure_words("", f.group(1), "inch", many))
}
