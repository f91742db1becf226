//! OpenIOC documents as XML.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::fact::{Publication, ReportType};
use crate::feeds::entry::{Fault, shown};
use crate::value::Timestamp;

/// How deep elements may stand in each other; the specification has about ten.
const DEPTH_MAX: usize = 64;

/// How much is kept of a title, a description, a term or a value.
const TEXT_BYTES_MAX: usize = 8192;

/// An indicator of compromise.
#[derive(Default)]
pub(super) struct Document {
    pub(super) line: u64,
    pub(super) id: String,
    title: String,
    description: Option<String>,
    url: Option<String>,
    tags: Vec<String>,
    actors: Vec<String>,
    is_apt: bool,
    pub(super) created: Option<Timestamp>,
    modified: Option<Timestamp>,
    pub(super) criteria: Vec<Child>,
}

/// A part of what is looked for.
pub(super) enum Child {
    Item(Item),
    /// One of these.
    Any(Vec<Child>),
    /// All of these together.
    All(Vec<Child>),
}

impl Child {
    /// The item, where it is one.
    pub(super) fn item(&self) -> Option<Item> {
        match self {
            Child::Item(item) => Some(item.clone()),
            Child::Any(_) | Child::All(_) => None,
        }
    }
}

/// One condition.
#[derive(Clone, Default)]
pub(super) struct Item {
    pub(super) line: u64,
    /// `Network/DNS`.
    pub(super) term: String,
    /// `is`, `contains`, …, lower case, without `not`.
    pub(super) condition: String,
    pub(super) negated: bool,
    pub(super) content: String,
}

impl Item {
    /// It as a person reads it.
    pub(super) fn text(&self) -> String {
        let not = if self.negated { "not " } else { "" };
        format!("{} {not}{} {}", self.term, self.condition, self.content)
    }
}

impl Document {
    fn of(line: u64, element: &BytesStart<'_>) -> Result<Document, Fault> {
        let id = attribute(element, "id")?.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| ("id", "an ioc without its id cannot be referred to".to_owned()))?;
        let modified = attribute(element, "last-modified")?.and_then(|text| time(&text));
        Ok(Document { line, id, modified, ..Document::default() })
    }

    /// When it was changed last, else written.
    pub(super) fn changed(&self) -> Option<Timestamp> {
        self.modified.or(self.created)
    }

    pub(super) fn reference(&self) -> String {
        if self.title.is_empty() { self.id.clone() } else { format!("{} {}", self.id, self.title) }
    }

    pub(super) fn publication(&self) -> Publication {
        Publication {
            id: self.id.clone(),
            report_type: if self.is_apt || !self.actors.is_empty() {
                ReportType::Apt
            } else {
                ReportType::Crimeware
            },
            title: if self.title.is_empty() { self.id.clone() } else { self.title.clone() },
            published: self.created.or(self.modified),
            updated: self.modified,
            description: self.description.clone(),
            url: self.url.clone(),
            tags: self.tags.clone(),
            industries: Vec::new(),
            geography: Vec::new(),
            actors: self.actors.clone(),
        }
    }

    /// Takes the text of an element beside the criteria.
    fn take(&mut self, element: &str, text: &str, link: &Link) {
        if text.is_empty() && link.href.is_none() {
            return;
        }
        match element {
            "short_description" if self.title.is_empty() => self.title = text.to_owned(),
            "description" if self.description.is_none() => self.description = Some(text.to_owned()),
            "keywords" => self.tags.extend(text.split_whitespace().map(str::to_owned)),
            "authored_date" => self.created = self.created.or_else(|| time(text)),
            "link" => match &*link.rel {
                "threatgroup" if !text.is_empty() => self.actors.push(text.to_owned()),
                "threatcategory" | "category" => self.is_apt |= text.eq_ignore_ascii_case("APT"),
                _ => self.url = self.url.take().or_else(|| link.href.clone()),
            },
            _ => {}
        }
    }
}

/// A moment; writers that know none write the year 1.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok().filter(|at| *at >= Timestamp::OBSERVED_MIN)
}

/// The attributes of a link.
#[derive(Default)]
struct Link {
    rel: String,
    href: Option<String>,
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    let bad = |error: String| ("xml", error);
    let mut found = None;
    // All are gone through: one that stands twice is an error.
    for read in element.attributes() {
        let read = read.map_err(|error| bad(error.to_string()))?;
        if read.key.local_name().as_ref() == name {
            let value =
                read.normalized_value(XmlVersion::Explicit1_0).map_err(|error| bad(error.to_string()))?;
            found = Some(cut(value.trim()).to_owned());
        }
    }
    Ok(found)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// The documents of a text; and, with its line, why not all of it could be read.
pub(super) fn read(text: &str) -> (Vec<Document>, Option<(u64, Fault)>) {
    let mut reader = Reader::from_str(text);
    let mut walk = Walk::default();
    let (mut line, mut counted) = (1, 0);
    let fault = loop {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).min(text.len());
        let next = line + text.as_bytes()[counted..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        let taken = event.map_err(|error| ("xml", error.to_string()));
        match taken.and_then(|event| walk.take(line, event)) {
            Ok(true) => {}
            Ok(false) => break None,
            Err(fault) => break Some((line, fault)),
        }
        (line, counted) = (next, at);
    };
    walk.close();
    (walk.documents, fault)
}

/// A group that is open.
struct Open {
    is_all: bool,
    children: Vec<Child>,
}

/// Where a text is being read.
#[derive(Default)]
struct Walk {
    documents: Vec<Document>,
    document: Option<Document>,
    groups: Vec<Open>,
    item: Option<Item>,
    link: Link,
    text: String,
    depth: usize,
}

impl Walk {
    /// Takes an event; whether more may come.
    fn take(&mut self, line: u64, event: Event<'_>) -> Result<bool, Fault> {
        match event {
            Event::Start(element) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(("nesting", format!("more than {DEPTH_MAX} elements in each other")));
                }
                self.start(line, &element)?;
            }
            Event::Empty(element) => {
                self.start(line, &element)?;
                self.end(element.local_name().as_ref());
            }
            Event::End(element) => {
                self.depth -= 1;
                self.end(element.local_name().as_ref());
            }
            Event::Text(text) => self.push(&text.xml10_content()),
            Event::CData(text) => self.push(&text.xml10_content()),
            Event::GeneralRef(entity) => self.resolve(&entity)?,
            Event::DocType(_) => {
                return Err((
                    "dtd",
                    "a document with a DTD is not read: entities are never expanded".to_owned(),
                ));
            }
            Event::Eof if self.depth > 0 => {
                return Err(("cut", "the document ends within an element".to_owned()));
            }
            Event::Eof => return Ok(false),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(true)
    }

    fn push(&mut self, text: &str) {
        if self.text.len() < TEXT_BYTES_MAX {
            self.text.push_str(cut(text));
        }
    }

    /// `&amp;` and its four siblings, and characters by their number.
    fn resolve(&mut self, entity: &quick_xml::events::BytesRef<'_>) -> Result<(), Fault> {
        let bad = |detail: String| ("xml", detail);
        if let Some(char) = entity.resolve_char_ref().map_err(|error| bad(error.to_string()))? {
            self.push(char.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        let name = entity.xml10_content();
        let text = resolve_predefined_entity(&name);
        self.push(text.ok_or_else(|| bad(format!("the entity {} is not one of XML", shown(&name))))?);
        Ok(())
    }

    fn start(&mut self, line: u64, element: &BytesStart<'_>) -> Result<(), Fault> {
        self.text.clear();
        match element.local_name().as_ref() {
            "ioc" | "OpenIOC" => {
                self.close();
                self.document = Some(Document::of(line, element)?);
            }
            "Indicator" => {
                let operator = attribute(element, "operator")?.unwrap_or_default();
                // What is neither is narrower than either.
                let is_all = !operator.eq_ignore_ascii_case("OR");
                self.groups.push(Open { is_all, children: Vec::new() });
            }
            "IndicatorItem" => {
                let condition = attribute(element, "condition")?.unwrap_or_default().to_ascii_lowercase();
                let negated = attribute(element, "negate")?.is_some_and(|text| text == "true" || text == "1");
                // Of 1.0: isnot, containsnot.
                let plain = condition.strip_suffix("not");
                let negated = negated || plain.is_some();
                let condition = plain.unwrap_or(&condition).to_owned();
                self.item = Some(Item { line, condition, negated, ..Item::default() });
            }
            "Context" => {
                let term = attribute(element, "search")?.unwrap_or_default();
                self.item.iter_mut().for_each(|item| item.term.clone_from(&term));
            }
            "link" => {
                let rel = attribute(element, "rel")?.unwrap_or_default().to_ascii_lowercase();
                self.link = Link { rel, href: attribute(element, "href")?.filter(|href| !href.is_empty()) };
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, element: &str) {
        let text = std::mem::take(&mut self.text);
        let text = cut(text.trim());
        match element {
            "ioc" | "OpenIOC" => self.close(),
            "Indicator" => self.close_group(),
            "IndicatorItem" => {
                let item = self.item.take().map(Child::Item);
                item.into_iter().for_each(|item| self.add(item));
            }
            "Content" => self.item.iter_mut().for_each(|item| text.clone_into(&mut item.content)),
            _ if self.groups.is_empty() => {
                self.document.iter_mut().for_each(|document| document.take(element, text, &self.link));
            }
            _ => {}
        }
    }

    /// The group ends, and is a part of the one around it or of the document.
    fn close_group(&mut self) {
        let Some(Open { is_all, children }) = self.groups.pop() else { return };
        self.add(if is_all { Child::All(children) } else { Child::Any(children) });
    }

    fn add(&mut self, child: Child) {
        match (self.groups.last_mut(), &mut self.document) {
            (Some(group), _) => group.children.push(child),
            (None, Some(document)) => document.criteria.push(child),
            (None, None) => {}
        }
    }

    /// The document ends. Where it was cut, what must hold together is not known to be whole: an empty part stands for
    /// the rest.
    fn close(&mut self) {
        self.item = None;
        while !self.groups.is_empty() {
            let group = self.groups.last_mut().filter(|group| group.is_all);
            group.into_iter().for_each(|group| group.children.push(Child::Any(Vec::new())));
            self.close_group();
        }
        self.documents.extend(self.document.take());
    }
}
