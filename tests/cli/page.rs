//! The page that shows how a text was spoken.

use std::fs;

use crate::{Desk, fails, succeeds};

#[test]
fn a_page_holds_sound_figures_words_and_times_and_needs_nothing_from_elsewhere() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["inspect", "Good morning. A <b>bold</b> day!", "--out", "page.html"]));
    assert_eq!(desk.files(), ["page.html"]);
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    assert_eq!(page.matches("class=figure").count(), 2, "one figure for each sentence");
    for part in
        ["data:audio/wav;base64,UklGR", "data:image/png;base64,iVBOR", "class=pitch", "class=pointer", "Good morning."]
    {
        assert!(page.contains(part), "{part}");
    }
    for part in [">morning<", ">bold<", "front end", "coarse", "decoder", "real-time factor"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>"), "the text is no markup");
    assert!(!page.contains("http"), "nothing is fetched");
}

#[test]
fn a_page_that_cannot_be_written_is_refused() {
    let desk = Desk::new();
    fails(&desk.tts(&["inspect", "hello", "--out", "none/page.html"]), &["no folder none"]);
    fails(&desk.tts(&["inspect", "...", "--out", "page.html"]), &["at least one word"]);
    assert!(desk.files().is_empty());
}
