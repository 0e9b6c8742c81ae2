//! Books become chapters of plain text.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;
use tts::book::{Chapter, chapters};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn written(dir: &TempDir, name: &str, content: impl AsRef<[u8]>) -> Vec<Chapter> {
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    chapters(&path).unwrap()
}

/// Title and text of each, on one line.
fn told(chapters: &[Chapter]) -> Vec<(&str, String)> {
    let line = |text: &str| text.split("\n\n").map(str::trim).collect::<Vec<_>>().join(" | ");
    chapters.iter().map(|chapter| (chapter.title.as_deref().unwrap_or_default(), line(&chapter.text))).collect()
}

const MARKDOWN: &str = "---
title: left out
---
# The River

A preface.

## The Source

It *begins* in the [hills](https://example.com).
It goes on.

- one
- [x] two

```
let code = 1;
```

## The Sea[^1]

<div>not this</div>

![nor this](a.png)

| it | ends |
|----|------|
| in | salt |

[^1]: Nor this.
";

#[test]
fn markdown_is_divided_at_the_headings_that_divide_it() {
    let dir = TempDir::new().unwrap();
    let expected = [
        ("The River", "The River | A preface.".to_string()),
        ("The Source", "The Source | It begins in the hills.\nIt goes on. | one | two".to_string()),
        ("The Sea", "The Sea | it, ends | in, salt".to_string()),
    ];
    assert_eq!(told(&written(&dir, "a.md", MARKDOWN)), expected);
    let expected = [("One", "Book | One | a [ [b]]".to_string()), ("Two", "Two | c".to_string())];
    assert_eq!(told(&written(&dir, "b.markdown", "# Book\n## One\na [[b]]\n## Two\nc")), expected);
    assert_eq!(told(&written(&dir, "c.md", "No heading.\n\nNone.")), [("", "No heading. | None.".to_string())]);
}

fn document(body: &str) -> String {
    format!(
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body>{body}</body></html>"
    )
}

fn epub(path: &Path) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let mut add = |name: &str, content: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    };
    add("mimetype", "application/epub+zip");
    add(
        "META-INF/container.xml",
        "<?xml version='1.0'?><container version='1.0' xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>\
         <rootfile full-path='book/book.opf' media-type='application/oebps-package+xml'/></rootfiles></container>",
    );
    add(
        "book/book.opf",
        "<?xml version='1.0'?><package version='3.0' unique-identifier='id' xmlns='http://www.idpf.org/2007/opf'>\
         <metadata xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:identifier id='id'>x</dc:identifier>\
         <dc:title>Two Stories</dc:title><dc:language>en</dc:language>\
         <meta property='dcterms:modified'>2020-01-01T00:00:00Z</meta></metadata><manifest>\
         <item id='nav' href='nav.xhtml' media-type='application/xhtml+xml' properties='nav'/>\
         <item id='cover' href='cover.xhtml' media-type='application/xhtml+xml'/>\
         <item id='b' href='b.xhtml' media-type='application/xhtml+xml'/>\
         <item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest>\
         <spine><itemref idref='cover'/><itemref idref='nav'/><itemref idref='a'/><itemref idref='b'/></spine></package>",
    );
    add(
        "book/nav.xhtml",
        &document(
            "<nav xmlns:epub='http://www.idpf.org/2007/ops' epub:type='toc'><ol><li><a href='a.xhtml'>The Well</a></li></ol></nav>",
        ),
    );
    add("book/cover.xhtml", &document("<div><img src='x.png' alt=''/></div>"));
    add("book/a.xhtml", &document("<h1>I</h1><p>It was <i>deep</i>&#160;&amp; dark.</p><p>Very.</p>"));
    add("book/b.xhtml", &document("<h2>The Wall</h2><ul><li>High</li></ul>"));
    zip.finish().unwrap();
}

#[test]
fn an_epub_is_read_in_its_order_without_cover_and_contents() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("book.epub");
    epub(&path);
    let chapters = chapters(&path).unwrap();
    let expected =
        [("The Well", "I | It was deep\u{a0}& dark. | Very.".to_string()), ("The Wall", "The Wall\nHigh".to_string())];
    assert_eq!(told(&chapters), expected);
}

#[test]
fn a_chapter_gets_a_file_name_that_sorts_and_is_safe() {
    let name = |title: Option<&str>, number, count| {
        Chapter { title: title.map(str::to_string), text: String::new() }.file_name(number, count)
    };
    assert_eq!(name(Some("The Miller's Tale: Part 1/2"), 3, 20), "03-the-millers-tale-part-1-2");
    assert_eq!(name(Some("../é?"), 7, 120), "007-é");
    assert_eq!(name(None, 1, 1), "01");
    assert!(name(Some(&"long ".repeat(100)), 1, 1).len() < 80);
}

#[test]
fn what_is_no_book_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let refused = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        chapters(&path).unwrap_err().to_string()
    };
    for (name, content, part) in [
        ("a.epub", &b"not a zip"[..], "expected an EPUB"),
        ("a.md", b"***\n\n---", "at least one word"),
        ("a.txt", b"caf\xe9", "UTF-8"),
        ("a.pdf", b"x", ".epub, .md"),
    ] {
        let message = refused(name, content);
        assert!(message.contains(name) && message.contains(part), "{message}");
    }
    assert!(chapters(&dir.path().join("none.epub")).unwrap_err().to_string().contains("none.epub"));
}
