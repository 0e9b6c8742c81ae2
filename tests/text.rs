//! How text is read: written to spoken, words to phonemes, sentences, given pronunciations, odd input.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use tts::error::Error;
use tts::text::split::sentences;
use tts::text::{FrontEnd, Item, Lexicon, Utterance, Vocab};

static FRONT_END: LazyLock<FrontEnd> = LazyLock::new(|| FrontEnd::new().unwrap());

fn read(text: &str) -> Vec<Utterance> {
    FRONT_END.read(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn spoken(text: &str) -> String {
    read(text).iter().map(|u| u.spoken.as_str()).collect::<Vec<_>>().join(" | ")
}

fn phonemes(text: &str) -> String {
    read(text).iter().map(|u| u.phonemes.as_str()).collect::<Vec<_>>().join(" | ")
}

fn assert_spoken(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter(|(written, expected)| spoken(written) != *expected)
        .map(|(written, expected)| format!("{written}\n  expected {expected}\n  found    {}", spoken(written)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_spoken_in_words() {
    assert_spoken(&[
        ("12,345 pears", "twelve thousand three hundred forty five pears"),
        ("a million is 1000000", "a million is one million"),
        ("3.14 and .5", "three point one four and point five"),
        ("agent 007", "agent zero zero seven"),
        ("-5 and +7", "minus five and plus seven"),
        ("the 1st, 2nd, 3rd, 21st and 100th", "the first, second, third, twenty first and one hundredth"),
        ("½, 2½, 1 1/2 and 3/4", "one half, two and a half, one and a half and three quarters"),
        ("9/10, 50/50 and 120/80", "nine out of ten, fifty fifty and one hundred twenty over eighty"),
        ("3–5 people, 10-12 days", "three to five people, ten to twelve days"),
        ("we won 3-2", "we won three to two"),
        ("6.022e23", "six point zero two two times ten to the twenty three"),
        ("7.9bn people, 5M users", "seven point nine billion people, five million users"),
    ]);
}

#[test]
fn years_differ_from_amounts() {
    assert_spoken(&[
        ("In 1905 there were 1905 apples", "In nineteen oh five there were one thousand nine hundred five apples"),
        ("2000, 2005, 2010", "two thousand, two thousand five, twenty ten"),
        ("from 1990-1995", "from nineteen ninety to nineteen ninety five"),
        ("the 1990s, the '80s, the 1800s", "the nineteen nineties, the eighties, the eighteen hundreds"),
        ("in 44 BC", "in forty four BC"),
    ]);
}

#[test]
fn dates_are_spoken_month_first() {
    assert_spoken(&[
        ("on 12/3/2019", "on December third, twenty nineteen"),
        ("on 25/12/2019", "on December twenty fifth, twenty nineteen"),
        ("2019-12-03", "December third, twenty nineteen"),
        ("March 3rd and Dec. 3", "March third and December third"),
        ("Jan. 6, 2025, was cold", "January sixth, twenty twenty five, was cold"),
        ("3 December 2019", "the third of December, twenty nineteen"),
        ("the 5th of May", "the fifth of May"),
        ("May 5-7", "May fifth to seventh"),
    ]);
}

#[test]
fn clock_times_are_spoken_as_times() {
    assert_spoken(&[
        ("at 10:30", "at ten thirty"),
        ("at 5pm", "at five P.M."),
        ("at 5 p.m. sharp", "at five P.M. sharp"),
        ("at 17:05", "at seventeen oh five"),
        ("at 5:00", "at five o'clock"),
        ("10am–5pm", "ten A.M. to five P.M."),
        ("in 2:01:09", "in two oh one oh nine"),
        ("the ratio 3:1", "the ratio three to one"),
    ]);
}

#[test]
fn money_is_spoken_with_its_unit_last() {
    assert_spoken(&[
        ("$5.20", "five dollars and twenty cents"),
        ("$1 and $0.50", "one dollar and fifty cents"),
        ("£3m", "three million pounds"),
        ("€1.5 billion", "one point five billion euros"),
        ("$5-10", "five to ten dollars"),
        ("a $20 bill", "a twenty dollar bill"),
        ("the $64,000 question", "the sixty four thousand dollar question"),
        ("5€ or USD 20", "five euros or twenty dollars"),
        ("$5/month", "five dollars per month"),
        ("99¢ each", "ninety nine cents each"),
    ]);
}

#[test]
fn measures_are_spoken_with_their_units() {
    assert_spoken(&[
        ("3kg and 1 kg", "three kilograms and one kilogram"),
        ("5 km/h", "five kilometers per hour"),
        ("20°C, -5 °F, 90°", "twenty degrees Celsius, minus five degrees Fahrenheit, ninety degrees"),
        ("6'2\" tall", "six foot two tall"),
        ("a 5\" screen", "a five inch screen"),
        ("he said \"5\" twice", "he said \"five\" twice"),
        ("5GB at 60Hz", "five gigabytes at sixty hertz"),
        ("50% of 3-5%", "fifty percent of three to five percent"),
        ("10 m² of land", "ten square meters of land"),
        ("Add 1 tsp. salt", "Add one teaspoon salt"),
        ("1920x1080", "nineteen twenty by ten eighty"),
        ("3x faster", "three times faster"),
    ]);
}

#[test]
fn sums_are_spoken() {
    assert_spoken(&[
        ("2+2=4", "two plus two equals four"),
        ("5 × 3 = 15", "five times three equals fifteen"),
        ("10 - 3 = 7", "ten minus three equals seven"),
        ("x² + y² = z²", "x squared plus y squared equals z squared"),
        ("3 < 5", "three is less than five"),
        ("~5 and >10", "about five and more than ten"),
    ]);
}

#[test]
fn telephone_numbers_are_spoken_digit_by_digit() {
    assert_spoken(&[
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("1-800-555-1234", "one, eight hundred, five five five, one two three four"),
        ("(020) 7946-0958", "zero two zero, seven nine four six, zero nine five eight"),
        ("call 911", "call nine one one"),
    ]);
}

#[test]
fn addresses_files_and_code_are_spoken_sign_by_sign() {
    assert_spoken(&[
        ("see https://www.example.com/a-b.", "see example dot com slash ay dash b."),
        ("example.co.uk", "example dot co dot U.K"),
        ("jo.doe@example.org", "jo dot doe at example dot org"),
        ("#MachineLearning by @john_doe", "hashtag Machine Learning by at john doe"),
        ("v2.11.0", "version two point eleven point zero"),
        ("main.rs and README.md", "main dot R.S and README dot M.D"),
        ("/usr/local/bin", "slash usr slash local slash bin"),
        ("192.168.0.1", "one nine two dot one six eight dot zero dot one"),
        ("snake_case and foo()", "snake case and foo"),
        ("C++ and C#", "C plus plus and C sharp"),
        ("GPT-4, MP3 and H2O", "GPT four, MP three and H two O"),
        ("room 404", "room four oh four"),
    ]);
}

#[test]
fn abbreviations_are_spoken_in_full() {
    assert_spoken(&[
        ("Prof. Lee, Sen. Smith and Sgt. Pepper", "Professor Lee, Senator Smith and Sergeant Pepper"),
        ("St. Paul is at 12 Main St. today", "Saint Paul is at twelve Main Street today"),
        ("cats vs. dogs, e.g. Rex, i.e. a dog", "cats versus dogs, for example Rex, that is a dog"),
        ("No. 5, #6 and pp. 3-5", "number five, number six and pages three to five"),
        ("Portland, OR 97201", "Portland, Oregon, nine seven two zero one"),
        ("w/ milk, w/o sugar, and/or tea", "with milk, without sugar, and or tea"),
        ("R&B, Tom & Jerry", "R and B, Tom and Jerry"),
        ("J. K. Rowling", "J K Rowling"),
    ]);
}

#[test]
fn roman_numerals_are_ordinals_after_rulers_and_cardinals_elsewhere() {
    assert_spoken(&[
        ("Henry VIII and Louis XIV", "Henry the eighth and Louis the fourteenth"),
        ("Queen Elizabeth I died", "Queen Elizabeth the first died"),
        ("Chapter IV of World War II", "Chapter four of World War two"),
        ("so Henry I think", "so Henry I think"),
        ("Malcolm X and the CIA", "Malcolm X and the CIA"),
    ]);
}

#[test]
fn marks_without_sound_are_left_out() {
    assert_spoken(&[
        ("*very* **bold** `code`", "very bold code"),
        ("cool!!! :)", "cool!!!"),
        ("proven [3] twice", "proven twice"),
        ("- First item", "First item"),
        ("zero\u{200b}width\u{7} bell", "zerowidth bell"),
    ]);
}

#[test]
fn emoji_and_other_scripts_are_read_in_english_letters() {
    assert_spoken(&[
        ("I ❤️ you", "I heart you"),
        ("Привет, Мир", "Privet, Mir"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
    ]);
}

#[test]
fn what_people_type_into_boxes_and_files_is_read_as_they_mean_it() {
    assert_spoken(&[
        ("in Rm. 12B", "in room twelve B"),
        ("the port is :8080", "the port is colon eight thousand eighty"),
        ("by 31.12.2025.", "by December thirty first, twenty twenty five."),
        (
            "Population: 9,817 (2023 est.)",
            "Population: nine thousand eight hundred seventeen (twenty twenty three estimated)",
        ),
        ("Apt. 4C, 221B Baker St.", "Apartment four C, two twenty one B Baker Street."),
        ("Mon-Fri 9am-5pm, Sat 10-2", "Monday to Friday nine A.M. to five P.M., Saturday ten to two"),
        ("Q3 2023 earnings", "Q three twenty twenty three earnings"),
        ("He sat 3 days", "He sat three days"),
        ("Flight BA287", "Flight BA two eighty seven"),
        ("2cm x 3cm x 4cm", "two centimeters by three centimeters by four centimeters"),
        ("rated 4.5/5", "rated four point five out of five"),
        ("In 2019/20 they won", "In twenty nineteen twenty they won"),
        ("the year 1066", "the year ten sixty six"),
        ("Act II, scene iv", "Act two, scene four"),
        ("Elizabeth II's reign; Henry V's wars", "Elizabeth the second's reign; Henry the fifth's wars"),
        ("a.k.a. \"The Boss\"", "A.K.A \"The Boss\""),
        ("192.168.1.0/24", "one nine two dot one six eight dot one dot zero slash twenty four"),
        ("+44 (0)20 7946 0958", "plus four four, zero, two zero, seven nine four six, zero nine five eight"),
        ("either/or, his/her, he/she/they", "either or, his or her, he or she or they"),
        ("Flight UA 2045 departs", "Flight UA twenty forty five departs"),
        ("an A+ and a B- in P.E.", "an A plus and a B minus in P.E."),
        ("ls -l and cargo build --release", "ls dash l and cargo build dash dash release"),
        ("well :-) ;) <3 :D", "well"),
    ]);
}

#[test]
fn markdown_and_html_inside_a_text_leave_its_words() {
    assert_spoken(&[
        ("- [x] see [the page](https://example.com), please", "see the page, please"),
        ("<b>bold</b> &amp; <br/>Tom&nbsp;&quot;Jr&quot;", "bold and Tom \"Jr\""),
        ("x^2 + y^2 = r^2", "x squared plus y squared equals r squared"),
        ("2⁻¹ and 2^10", "two to the minus one and two to the power of ten"),
        ("3 + 4 × 5 − 6 ÷ 2 = 20", "three plus four times five minus six divided by two equals twenty"),
    ]);
}

#[test]
fn measures_are_one_thing_before_what_they_describe_and_many_alone() {
    assert_spoken(&[
        ("a 16GB phone, 16GB of it", "a sixteen gigabyte phone, sixteen gigabytes of it"),
        ("a 5 km walk, 5 km long", "a five kilometer walk, five kilometers long"),
        ("the 100m dash, a 4x100m relay", "the one hundred meter dash, a four by one hundred meter relay"),
        ("12\" vinyl, 3½\" wide, 5/8\"", "twelve inch vinyl, three and a half inches wide, five eighths inch"),
        ("3/4 tsp salt and 2 1/2 tbsp. oil", "three quarters teaspoon salt and two and a half tablespoons oil"),
        ("5 min 30 s; 2h 15m", "five minutes thirty seconds; two hours fifteen minutes"),
        ("3 oz., 2 qts. and 60 W/m²", "three ounces, two quarts and sixty watts per square meter"),
        ("5 hrs. & 30 mins.", "five hours and thirty minutes."),
        ("He is 5 ft 6 in. tall", "He is five feet six inches tall"),
    ]);
}

#[test]
fn plain_sentences_stay_as_they_are() {
    for text in [
        "“Don’t!” she said — and left.",
        "It's a well-known rock 'n' roll song, isn't it?",
        "Mr. and Mrs. Dursley didn't hold with such nonsense.",
    ] {
        assert_eq!(spoken(text), text);
    }
}

#[test]
fn plain_words_have_misaki_phonemes() {
    assert_eq!(
        phonemes("The birch canoe slid on the smooth planks, didn't it?"),
        "ðə bˈɜɹʧ kənˈu slˈɪd ˌɔn ðə smˈuð plˈæŋks, dˈɪdᵊnt ɪt?"
    );
    assert_eq!(phonemes("“There you are, you see!” he said."), "“ðˌɛɹ ju ɑɹ, ju sˈi!” hi sˈɛd.");
}

#[test]
fn words_with_two_readings_follow_their_part_of_speech() {
    assert_eq!(phonemes("They record a record."), "ðˌA ɹəkˈɔɹd ɐ ɹˈɛkəɹd.");
    assert!(phonemes("I read it yesterday.").contains("ɹˈɛd"));
    assert!(phonemes("Please read it.").contains("ɹˈid"));
}

#[test]
fn the_article_follows_the_sound_after_it() {
    assert!(phonemes("the apple").starts_with("ði "));
    assert!(phonemes("the pear").starts_with("ðə "));
    assert!(phonemes("the FBI").starts_with("ði "));
}

#[test]
fn acronyms_are_words_and_initialisms_are_letters() {
    assert_eq!(phonemes("NASA"), "nˈæsə");
    assert_eq!(phonemes("FBI"), "ˌɛfbˌiˈI");
    assert_eq!(phonemes("HTML"), "ˌAʧtˌiˌɛmˈɛl");
    assert_eq!(phonemes("STOP SHOUTING"), "stˈɑp ʃˈWTɪŋ");
    assert_eq!(phonemes("qzxwv"), "kjˌuzˌiˌɛksdˌʌbᵊljuvˈi");
}

#[test]
fn names_and_unknown_words_are_read_and_inflected() {
    assert_eq!(phonemes("Anthony's"), "ˈænθəniz");
    assert_eq!(phonemes("Paul"), "pˈɔl");
    assert_eq!(phonemes("café"), "kæfˈA");
    assert_eq!(phonemes("résumés"), "ɹˈɛzəmˌAz");
    // Names, not an angel, something jarred, and pens for cattle.
    assert_eq!(phonemes("Los Angeles"), "lˈɔs ˈænʤələs");
    assert_eq!(phonemes("Jared's"), "ʤˈɛɹədz");
    assert_eq!(phonemes("We met Corrales."), "wˌi mˈɛt kəɹˈɑlɛs.");
    assert_eq!(phonemes("the corrals"), "ðə kəɹˈælz");
    assert_eq!(phonemes("Jemma"), "ʤˈɛmə");
    // Said, not spelled, though no English word begins so.
    assert_eq!(phonemes("Zdravko"), "zdɹˈɑvkO");
    assert_eq!(phonemes("Nkrumah"), "ŋkɹˈumə");
    for word in ["Tulkinghorn", "blorptastic", "verandahs", "Wojciechowski", "Łukasz", "x"] {
        assert!(!phonemes(word).is_empty(), "{word}");
    }
}

#[test]
fn words_around_a_homograph_say_how_it_sounds() {
    assert!(phonemes("He plays the bass.").ends_with("bˈAs."));
    assert!(phonemes("We caught a bass.").ends_with("bˈæs."));
    assert!(phonemes("She took the lead.").ends_with("lˈid."));
    assert!(phonemes("an old lead pipe").contains("lˈɛd"));
    assert!(phonemes("St. Louis").ends_with("lˈuəs"));
    assert!(phonemes("a minute amount").contains("mInˈut"));
}

#[test]
fn contractions_are_read_without_their_apostrophe() {
    for contraction in ["don't", "isn't", "couldn't", "you're", "they'll", "I've", "o'clock"] {
        let plain = contraction.to_lowercase().replace('\'', "");
        assert_eq!(phonemes(&format!("so {plain} it")), phonemes(&format!("so {contraction} it")));
    }
}

#[test]
fn words_point_into_the_phonemes() {
    let utterance = &read("Dr. Smith, come here!")[0];
    let symbols: Vec<char> = utterance.phonemes.chars().collect();
    let sounds: Vec<(String, String)> =
        utterance.words.iter().map(|w| (w.text.clone(), symbols[w.phonemes.clone()].iter().collect())).collect();
    let expected = [("Dr.", "dˈɑktəɹ"), ("Smith", "smˈɪθ"), ("come", "kˈʌm"), ("here", "hˈɪɹ")];
    assert_eq!(sounds, expected.map(|(a, b)| (a.to_string(), b.to_string())));
}

#[test]
fn inline_phonemes_are_spoken_as_given() {
    let utterance = &read("Say [[təmˈɑTO]], please.")[0];
    assert_eq!(utterance.phonemes, "sˈA təmˈɑTO, plˈiz.");
    assert_eq!(phonemes("[[ˈpɹeɪzd]]"), "pɹˈAzd");
    let error = FRONT_END.read("Say [[tʘ]]").unwrap_err().to_string();
    assert!(error.contains('ʘ'), "{error}");
}

#[test]
fn a_lexicon_overrules_the_dictionary() {
    let file = lexicon_file("good", "# names\nSiobhan\t/ʃɪˈvɔːn/\ngif\tjiff\nGPT-4\tgee pea tea four\n");
    let front_end = FrontEnd::new().unwrap().with_lexicon(Lexicon::load(&file).unwrap()).unwrap();
    let phonemes = |text: &str| front_end.read(text).unwrap()[0].phonemes.clone();
    assert_eq!(phonemes("(Siobhan's GIF)"), "(ʃɪvˈɔnz ʤˈɪf)");
    assert_eq!(phonemes("GPT-4!"), "ʤˈi pˈi tˈi fˈɔɹ!");
}

#[test]
fn a_bad_line_of_a_lexicon_is_named() {
    for (name, text, expected) in
        [("tab", "# c\n\nword without tab\n", 3), ("symbol", "word\t/ʘ/\n", 1), ("two", "ok\tokay\ntwo words\tx\n", 2)]
    {
        match Lexicon::load(lexicon_file(name, text)) {
            Err(Error::Lexicon { line, .. }) => assert_eq!(line, expected),
            other => panic!("{other:?}"),
        }
    }
    assert!(Lexicon::load("no/such/file").is_err());
}

fn lexicon_file(name: &str, text: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("tts-lexicon-{name}-{}.tsv", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn sentences_end_where_a_reader_would_pause() {
    let table: &[(&str, &[&str])] = &[
        ("Hello there. How are you?", &["Hello there.", "How are you?"]),
        ("Dr. Smith met Mr. J. K. Jones. They left.", &["Dr. Smith met Mr. J. K. Jones.", "They left."]),
        ("It cost 3.5 million. See No. 5.", &["It cost 3.5 million.", "See No. 5."]),
        ("Wait... what? No… never.", &["Wait... what?", "No… never."]),
        ("“Why?” he asked. “Go!” she said.", &["“Why?” he asked.", "“Go!” she said."]),
        ("“Why?” Paul asked her.", &["“Why?” Paul asked her."]),
        ("Stop!Look out. Dr. J. R. R. Tolkien did.", &["Stop!", "Look out.", "Dr. J. R. R. Tolkien did."]),
        ("Apt. 4C, 5 hrs. & 3 mins. a.k.a. “B”", &["Apt. 4C, 5 hrs. & 3 mins. a.k.a. “B”"]),
        ("(He left.) She stayed.", &["(He left.)", "She stayed."]),
        ("At 5 p.m. EST we met. At 6 p.m. We left.", &["At 5 p.m. EST we met.", "At 6 p.m.", "We left."]),
        ("The U.S. Army came. In the U.S. They stayed.", &["The U.S. Army came.", "In the U.S.", "They stayed."]),
        ("Apples, pears, etc. Then more.", &["Apples, pears, etc.", "Then more."]),
        ("To buy:\n- milk\n- eggs", &["To buy:", "- milk", "- eggs"]),
        ("A heading\nThe text goes\non here.", &["A heading", "The text goes\non here."]),
        ("hey. how are you? fine", &["hey.", "how are you?", "fine"]),
    ];
    for (text, expected) in table {
        assert_eq!(sentences(text).iter().map(|s| s.text).collect::<Vec<_>>(), *expected, "{text}");
    }
}

#[test]
fn a_blank_line_ends_a_paragraph() {
    let ends: Vec<bool> = read("One. Two. ***\n\nThree.").iter().map(|u| u.ends_paragraph).collect();
    assert_eq!(ends, [false, true, true]);
}

#[test]
fn a_book_is_read_sentence_by_sentence() {
    let book = "It was a dark night. ".repeat(20_000);
    match FRONT_END.items(&book).unwrap().next() {
        Some(Ok(Item::Utterance(first))) => assert_eq!(first.text, "It was a dark night."),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_front_end_serves_many_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&*FRONT_END);
}

#[test]
fn long_sentences_are_cut_between_clauses_and_nothing_is_lost() {
    let text = "The old man, who had come a long way over the hills, sat down by the fire, and he told us of the sea; \
                he told us of the storms that he had seen, of the ships that were lost, and of the friends that he had left behind him, \
                but he never spoke of his home, and none of us asked him, because we thought that we knew what he would say.";
    let utterances = read(text);
    assert!(utterances.len() > 1);
    assert!(utterances.iter().all(|u| u.phonemes.chars().count() <= 250));
    let rejoined = utterances.iter().map(|u| u.text.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(rejoined, text);
    assert!(utterances[0].text.ends_with(';'));
}

#[test]
fn text_with_nothing_to_speak_is_refused() {
    for text in ["", "  \n", "...", "?!", "***", "\u{1}\u{2}"] {
        let error = FRONT_END.read(text).unwrap_err().to_string();
        assert!(error.contains("expected text with at least one word"), "{error}");
    }
}

#[test]
fn very_long_words_are_read_in_pieces() {
    for text in ["a".repeat(5000), "é".repeat(5000), "Z".repeat(5000), "(".repeat(5000) + "so"] {
        assert!(read(&text).iter().all(|u| !u.words.is_empty()));
    }
}

#[test]
fn phonemes_survive_the_vocabulary() {
    let text: String = Vocab::symbols().collect();
    let ids = Vocab::encode(&text).unwrap();
    assert_eq!(ids, (3..Vocab::len()).collect::<Vec<_>>());
    assert_eq!(Vocab::decode(&ids).unwrap(), text);
    assert_eq!(Vocab::decode(&[Vocab::BEGIN, ids[5], Vocab::END, Vocab::PAD]).unwrap(), "!");
    assert!(Vocab::encode("ʘ").unwrap_err().to_string().contains('ʘ'));
    assert!(Vocab::decode(&[Vocab::len()]).is_err());
}

/// Pieces that rules look at, to be thrown together.
const ODD_PIECES: &[&str] = &[
    "a",
    "the ",
    "ééing ",
    "'s",
    "12",
    ".",
    ",",
    "-",
    "–",
    "/",
    ":",
    "$",
    "%",
    "°",
    "[[",
    "]]",
    "@",
    "#",
    "(",
    "\"",
    "’",
    "\n",
    "\0",
    "😀",
    "👩‍👩‍👧",
    "中",
    "İ",
    "ﬁ",
    "\u{301}",
    "\u{e000}",
    "Dr. ",
    "St.",
    " p.m.",
    "1/2",
    "½",
    "XIV",
    "http://",
    ".com",
    "&",
    "\\",
    "_",
    "*",
    "=",
    "<",
    "9,999",
    "1e9",
    "[x](/a/)",
    "…",
    "٣",
    "１",
    "Ⅷ",
];

#[test]
fn odd_text_never_panics_and_always_fits_the_vocabulary() {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..300 {
        let pieces = random(20);
        let text: String = (0..pieces)
            .map(|_| match random(3) {
                0 => char::from_u32(random(0x11_0000) as u32).unwrap_or('x').to_string(),
                1 => char::from_u32(random(0x250) as u32).unwrap_or('x').to_string(),
                _ => ODD_PIECES[random(ODD_PIECES.len() as u64) as usize].to_string(),
            })
            .collect();
        for utterance in FRONT_END.read(&text).unwrap_or_default() {
            let length = Vocab::encode(&utterance.phonemes).unwrap().len();
            assert!(
                utterance.words.iter().all(|w| w.phonemes.start < w.phonemes.end && w.phonemes.end <= length),
                "{text:?}"
            );
            assert!(!utterance.spoken.contains(|c: char| c.is_ascii_digit()), "{text:?}: {}", utterance.spoken);
        }
    }
}
