//! Markdown (CommonMark with GitHub's additions): what lies below each heading of the highest level that divides the text is
//! a chapter. Code, images, footnotes and HTML are not read.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Chapter;

/// A paragraph or heading.
struct Block {
    /// 1 to 6 for a heading.
    level: Option<usize>,
    text: String,
}

pub fn chapters(text: &str) -> Vec<Chapter> {
    let blocks = blocks(text);
    let count = |level: usize| blocks.iter().filter(|block| block.level == Some(level)).count();
    let divides = (1..=6).find(|&level| count(level) > 1).or((1..=6).find(|&level| count(level) > 0)).unwrap_or(0);
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut only_headings = false;
    for block in blocks {
        let opens = block.level.is_some_and(|level| level <= divides);
        match chapters.last_mut() {
            Some(chapter) if !opens || only_headings => {
                if opens {
                    chapter.title = Some(block.text.clone()); // the lowest of several headings
                }
                chapter.text += &format!("\n\n{}", block.text);
            }
            _ => chapters.push(Chapter { title: opens.then(|| block.text.clone()), text: block.text }),
        }
        only_headings = opens;
    }
    chapters
}

fn blocks(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::default();
    Parser::new_ext(text, options).for_each(|event| reader.event(event));
    reader.end_block();
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    open: String,
    level: Option<usize>,
    /// Elements around this that are not read.
    unread: usize,
}

impl Reader {
    fn event(&mut self, event: Event) {
        match event {
            Event::Start(tag) if is_unread(&tag.to_end()) => self.unread += 1,
            Event::End(tag) if is_unread(&tag) => self.unread -= 1,
            _ if self.unread > 0 => {}
            Event::Start(Tag::Heading { level, .. }) => {
                self.end_block();
                self.level = Some(level as usize);
            }
            Event::Start(Tag::Paragraph | Tag::Item | Tag::TableRow | Tag::TableHead) => self.end_block(),
            Event::End(
                TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead,
            ) => {
                self.end_block();
            }
            Event::End(TagEnd::TableCell) => self.open += ", ",
            Event::Text(words) | Event::Code(words) => self.open += &words,
            Event::SoftBreak | Event::HardBreak => self.open.push('\n'),
            _ => {}
        }
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.open).trim_end_matches(", ").trim().to_string();
        let level = self.level.take();
        if !text.is_empty() {
            self.blocks.push(Block { level, text });
        }
    }
}

fn is_unread(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Image | TagEnd::FootnoteDefinition | TagEnd::MetadataBlock(_)
    )
}
