//! A book to a folder with a file for each chapter.

use std::fs;

use crate::{Desk, fails, stderr, succeeds};

#[test]
fn a_book_becomes_a_file_for_each_chapter_and_only_what_changed_is_spoken_again() {
    let desk = Desk::new();
    desk.write("book.md", "# One\n\nHello there.\n\n# Two\n\nGood night.\n");
    succeeds(&desk.tts(&["book", "book.md", "--out-dir", "out", "--quiet"]));
    succeeds(&desk.tts(&["One\n\nHello there.", "--out", "one.wav"]));
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    assert!(read("out/01-one.wav") == read("one.wav"));

    let before = read("out/02-two.wav");
    desk.write("out/01-one.wav", "kept, as its text has not changed");
    desk.write("book.md", "# One\n\nHello there.\n\n# Two\n\nGood morning.\n");
    let output = desk.tts(&["book", "book.md", "--out-dir", "out", "--resume"]);
    assert!(stderr(&output).starts_with("1 of 2 texts were spoken before\n"), "{}", stderr(&output));
    assert_eq!(read("out/01-one.wav"), b"kept, as its text has not changed");
    assert_ne!(read("out/02-two.wav"), before);
    fails(&desk.tts(&["book", "one.wav", "--out-dir", "none"]), &["one.wav", ".epub"]);
    assert_eq!(desk.files(), ["book.md", "one.wav", "out"]);
}
