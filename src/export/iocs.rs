//! The indicators of intelligence reports: OpenIOC 1.0 of one report, CSV of many.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{NAMESPACE, uuid};
use crate::fact::Publication;
use crate::indicator::{FileHash, Indicator};
use crate::value::Timestamp;

/// The words of a kind of indicator.
struct Words {
    /// OpenIOC: what is searched, `Network/DNS`. The part before the slash is its document.
    search: &'static str,
    /// OpenIOC: the type of the content.
    content: &'static str,
    /// The type in CSV.
    csv: &'static str,
}

fn words(indicator: &Indicator) -> Words {
    let (search, content, csv) = match indicator {
        Indicator::Domain(_) => ("Network/DNS", "string", "networkActivity"),
        Indicator::Address(_) => ("PortItem/remoteIP", "IP", "networkActivity"),
        Indicator::Url(_) => ("Network/URI", "string", "networkActivity"),
        Indicator::File(FileHash::Md5(_)) => ("FileItem/Md5sum", "md5", "md5Hash"),
        Indicator::File(FileHash::Sha1(_)) => ("FileItem/Sha1sum", "sha1", "sha1Hash"),
        Indicator::File(FileHash::Sha256(_)) => ("FileItem/Sha256sum", "sha256", "sha256Hash"),
    };
    Words { search, content, csv }
}

/// A moment as OpenIOC has it: without a zone.
fn moment(at: Timestamp) -> String {
    at.rfc3339().trim_end_matches('Z').to_owned()
}

/// Text without what XML 1.0 has no place for.
fn xml(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).collect()
}

/// An OpenIOC 1.0 document of the indicators that a report names.
///
/// # Errors
///
/// None: it is written to memory.
pub fn openioc(report: &Publication, indicators: &[Indicator]) -> io::Result<Vec<u8>> {
    let published = report.published.unwrap_or_default();
    let id = |part: &str| uuid(&NAMESPACE, &format!("openioc\0{}\0{part}", report.id));
    let (root, group) = (id(""), id("indicator"));
    let modified = moment(report.updated.unwrap_or(published));
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer
        .create_element("ioc")
        .with_attribute(("xmlns", "http://schemas.mandiant.com/2010/ioc"))
        .with_attribute(("id", root.as_str()))
        .with_attribute(("last-modified", modified.as_str()))
        .write_inner_content(|writer| {
            for (name, text) in [
                ("short_description", xml(&report.title)),
                ("description", xml(report.description.as_deref().unwrap_or_default())),
                ("authored_date", moment(published)),
            ] {
                writer.create_element(name).write_text_content(BytesText::new(&text))?;
            }
            writer.create_element("definition").write_inner_content(|writer| {
                writer
                    .create_element("Indicator")
                    .with_attribute(("operator", "OR"))
                    .with_attribute(("id", group.as_str()))
                    .write_inner_content(|writer| {
                        indicators.iter().try_for_each(|one| item(writer, &id(&one.tagged()), one))
                    })?;
                Ok(())
            })?;
            Ok(())
        })?;
    Ok(writer.into_inner())
}

fn item(writer: &mut Writer<Vec<u8>>, id: &str, indicator: &Indicator) -> io::Result<()> {
    let words = words(indicator);
    let document = words.search.split('/').next().unwrap_or_default();
    writer
        .create_element("IndicatorItem")
        .with_attribute(("id", id))
        .with_attribute(("condition", "is"))
        .write_inner_content(|writer| {
            writer
                .create_element("Context")
                .with_attribute(("document", document))
                .with_attribute(("search", words.search))
                .with_attribute(("type", "mir"))
                .write_empty()?;
            let text = xml(&indicator.to_string());
            writer
                .create_element("Content")
                .with_attribute(("type", words.content))
                .write_text_content(BytesText::new(&text))?;
            Ok(())
        })?;
    Ok(())
}

/// CSV of what reports name, as readers of the vendor's list expect it: a heading, quotes are `'`; the columns are
/// identifier, report, indicator, day of publication, type.
pub struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Csv<W> {
    /// Begins a list.
    ///
    /// # Errors
    ///
    /// What the writer says, here and below.
    pub fn new(out: W) -> Result<Csv<W>, csv::Error> {
        let mut writer = csv::WriterBuilder::new().quote(b'\'').from_writer(out);
        writer.write_record(["UUID", "Publication", "Indicator", "DetectionDate", "IndicatorType"])?;
        Ok(Csv(writer))
    }

    /// Adds an indicator of a report.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn push(&mut self, report: &Publication, indicator: &Indicator) -> Result<(), csv::Error> {
        let id = uuid(&NAMESPACE, &format!("csv\0{}\0{}", report.id, indicator.tagged()));
        let day = report.published.unwrap_or_default().date();
        self.0.write_record([&id, &report.id, &indicator.to_string(), &day, words(indicator).csv])
    }

    /// Ends the list.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}
