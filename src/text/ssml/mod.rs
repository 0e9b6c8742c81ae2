//! SSML: the elements of the W3C recommendation Speech Synthesis Markup Language 1.1
//! (<https://www.w3.org/TR/speech-synthesis11/>) that this program speaks.
//!
//! Whatever it does not know is refused by name, at its line and column. Knows nothing of how words sound.

mod values;

use roxmltree::{Attribute, Document, Error as XmlError, Node, ParsingOptions};

use super::markup::{End, Part, Prosody, Script, markup_error};
use super::normalize::say_as;
use super::vocab::Vocab;
use crate::error::{Error, Result};

/// Elements and their attributes.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("speak", &["version", "xml:lang", "xsi:schemaLocation"]),
    ("p", &["xml:lang"]),
    ("s", &["xml:lang"]),
    ("break", &["time", "strength"]),
    ("say-as", &["interpret-as", "format"]),
    ("sub", &["alias"]),
    ("phoneme", &["alphabet", "ph"]),
    ("prosody", &["rate", "pitch", "volume"]),
    ("mark", &["name"]),
];

const NAMESPACE: &str = "http://www.w3.org/2001/10/synthesis";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Elements may lie in one another this deep.
const DEEPEST: usize = 100;

/// Whether a text is meant as SSML: it opens with `<speak` or an XML declaration, or is XML in `<speak>` anyway.
pub fn is_ssml(text: &str) -> bool {
    let ends_name = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
    let opens = |tag: &str| text.trim_start().strip_prefix(tag).is_some_and(|rest| rest.starts_with(ends_name));
    let is_speak = |tree: Document| tree.root_element().tag_name().name() == "speak";
    opens("<speak") || opens("<?xml") || text.trim_start().starts_with('<') && parse(text).is_ok_and(is_speak)
}

/// The parts of an SSML document.
pub fn parts(document: &str) -> Result<Vec<Part>> {
    let tree = parse(document).map_err(|error| malformed(document, &error))?;
    let root = tree.root_element();
    let mut reader = Reader { document, script: Script::default() };
    if root.tag_name().name() != "speak" {
        let found = root.tag_name().name();
        return Err(reader.error(root, format!("expected an SSML document in <speak>, found <{found}>")));
    }
    reader.element(root, 0)?;
    Ok(reader.script.finish())
}

fn parse(document: &str) -> std::result::Result<Document<'_>, XmlError> {
    Document::parse_with_options(document, ParsingOptions { allow_dtd: true, ..Default::default() })
}

fn malformed(document: &str, error: &XmlError) -> Error {
    let at_end = matches!(error, XmlError::UnclosedRootNode | XmlError::UnexpectedEndOfStream | XmlError::NoRootNode);
    let (position, message) = (error.pos(), error.to_string());
    let message = message.strip_suffix(&format!(" at {position}")).unwrap_or(&message);
    let reason = format!("expected well-formed XML: {message}");
    if at_end {
        return markup_error(document, document.len(), reason);
    }
    Error::Markup { line: position.row as usize, column: position.col as usize, reason }
}

/// Walks over a document.
struct Reader<'a> {
    document: &'a str,
    script: Script,
}

impl Reader<'_> {
    fn error(&self, node: Node, reason: String) -> Error {
        markup_error(self.document, node.range().start, reason)
    }

    fn element(&mut self, node: Node, depth: usize) -> Result<()> {
        let name = node.tag_name().name();
        self.check(node, depth).map_err(|reason| self.error(node, reason))?;
        match name {
            "p" => {
                self.script.end(End::Paragraph);
                self.children(node, depth)?;
                self.script.end(End::Paragraph);
            }
            "s" => {
                self.script.set_sentence(true);
                self.children(node, depth)?;
                self.script.set_sentence(false);
            }
            "prosody" => {
                let outer = self.script.prosody();
                let inner = prosody(node, outer).map_err(|reason| self.error(node, reason))?;
                self.script.set_prosody(inner);
                self.children(node, depth)?;
                self.script.set_prosody(outer);
            }
            "speak" => self.children(node, depth)?,
            _ => self.leaf(node).map_err(|reason| self.error(node, reason))?,
        }
        Ok(())
    }

    fn children(&mut self, node: Node, depth: usize) -> Result<()> {
        for child in node.children() {
            if child.is_element() {
                self.element(child, depth + 1)?;
            } else if child.is_text() {
                let text = one_spaced(child.text().unwrap_or_default());
                self.script.text(&text).map_err(|(_, reason)| self.error(child, reason))?;
            }
        }
        Ok(())
    }

    /// An element that holds text only, or nothing.
    fn leaf(&mut self, node: Node) -> std::result::Result<(), String> {
        let text = content(node)?;
        match node.tag_name().name() {
            "break" => self.script.pause(values::pause(node.attribute("time"), node.attribute("strength"))?, End::Open),
            "mark" => self.script.mark(required(node, "name")?),
            "sub" => self.script.verbatim(&one_spaced(required(node, "alias")?)),
            "phoneme" => self.script.verbatim(&phoneme(node, &text)?),
            _ => {
                let spoken = say_as::speak(&text, required(node, "interpret-as")?, node.attribute("format"))?;
                self.script.word(&spoken);
                if node
                    .next_sibling()
                    .and_then(|next| next.text())
                    .is_some_and(|t| t.starts_with(char::is_alphanumeric))
                {
                    self.script.verbatim(" ");
                }
            }
        }
        Ok(())
    }

    /// Says what about the element is not known.
    fn check(&self, node: Node, depth: usize) -> std::result::Result<(), String> {
        let tag = node.tag_name();
        let named = ELEMENTS.iter().find(|(element, _)| *element == tag.name());
        let known = named.filter(|_| tag.namespace().is_none_or(|namespace| namespace == NAMESPACE));
        let Some((element, attributes)) = known else {
            let known: Vec<&str> = ELEMENTS.iter().map(|(element, _)| *element).collect();
            return Err(format!("expected one of the elements {}, found <{}>", known.join(", "), tag.name()));
        };
        if *element == "speak" && depth > 0 || depth > DEEPEST {
            return Err(format!("expected no <{element}> inside of {depth} other elements"));
        }
        for attribute in node.attributes() {
            let name = qualified(&attribute);
            if !attributes.contains(&name.as_str()) {
                return Err(format!(
                    "<{element}>: expected one of the attributes {}, found {name}",
                    attributes.join(", ")
                ));
            }
            let is_english = attribute.value().split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case("en"));
            if name == "xml:lang" && !is_english {
                return Err(format!(
                    "<{element}>: expected English such as en-US in xml:lang, found {}",
                    attribute.value()
                ));
            }
        }
        Ok(())
    }
}

/// The name of an attribute with the usual prefix of its namespace.
fn qualified(attribute: &Attribute) -> String {
    match attribute.namespace() {
        None => attribute.name().to_string(),
        Some(XML) => format!("xml:{}", attribute.name()),
        Some(SCHEMA) => format!("xsi:{}", attribute.name()),
        Some(other) => format!("{{{other}}}{}", attribute.name()),
    }
}

fn required<'a>(node: Node<'a, '_>, name: &str) -> std::result::Result<&'a str, String> {
    let value = node.attribute(name).filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| format!("<{}>: expected a value in the attribute {name}", node.tag_name().name()))
}

fn prosody(node: Node, outer: Prosody) -> std::result::Result<Prosody, String> {
    let rate = node.attribute("rate").map_or(Ok(outer.rate), |written| values::rate(written, outer.rate))?;
    let volume =
        node.attribute("volume").map_or(Ok(outer.volume_db), |written| values::volume(written, outer.volume_db))?;
    let pitch = node.attribute("pitch").map_or(Ok(outer.pitch), |written| values::pitch(written, outer.pitch))?;
    Ok(Prosody { rate, pitch, volume_db: volume })
}

/// `[[word|phonemes]]`, which the front end speaks as given.
fn phoneme(node: Node, text: &str) -> std::result::Result<String, String> {
    if let Some(alphabet) = node.attribute("alphabet").filter(|alphabet| *alphabet != "ipa") {
        return Err(format!("<phoneme>: expected the alphabet ipa, found {alphabet}"));
    }
    let sounds = required(node, "ph")?;
    let phonemes = Vocab::from_ipa(sounds).map_err(|error| format!("<phoneme>: {error}"))?;
    let word = text.replace(['[', ']', '|'], " ");
    Ok(if word.trim().is_empty() { format!("[[{phonemes}]]") } else { format!("[[{}|{phonemes}]]", word.trim()) })
}

/// The text in an element that holds no others.
fn content(node: Node) -> std::result::Result<String, String> {
    let name = node.tag_name().name();
    if let Some(child) = node.children().find(Node::is_element) {
        return Err(format!("<{name}>: expected no element inside, found <{}>", child.tag_name().name()));
    }
    let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
    match name {
        "break" | "mark" if !text.trim().is_empty() => Err(format!("<{name}>: expected nothing inside, found text")),
        "say-as" if text.trim().is_empty() => Err(format!("<{name}>: expected text inside, found none")),
        _ => Ok(one_spaced(&text)),
    }
}

/// The text with single spaces for white space, as XML means it.
fn one_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_whitespace() {
            true if spaced.ends_with(' ') => {}
            true => spaced.push(' '),
            false => spaced.push(c),
        }
    }
    spaced
}
