//! Many values at once: lists, tables and text in, a row a value out, keyed by the value as typed.
//!
//! ```text
//! JSON, NDJSON, CSV, text ─► Batch of values ─► chunks ─► threads, each with a judge ─► rows in the order of the values
//! ```

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::indicator::{Indicator, Kind, extract};
use crate::lookup::{Context, LookupError, Request, report_in};
use crate::store::{Snapshot, StoreError};
use crate::value::{ThreatScore, Zone};
use crate::verdict::{Confidence, Judge};

/// The most values of a question.
pub const VALUES_MAX: usize = 100_000;
/// The longest value that is looked at, in bytes.
const VALUE_BYTES_MAX: usize = 8192;
/// Values that a thread answers at a time, where zones are asked for; of reports one.
const CHUNK: usize = 256;
/// Rows of a table by which the column is found.
const ROWS_LOOKED_AT: usize = 100;

/// How values come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON array of texts, or an object with `values`.
    Json,
    /// A JSON text, or an object with `value`, a line.
    Ndjson,
    /// A table; answered as the same table with columns added.
    Csv,
    /// Anything: what is found in it.
    Text,
}

impl Form {
    /// The form of a media type.
    pub fn of_media_type(media_type: &str) -> Option<Form> {
        match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Form::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Form::Ndjson),
            "text/csv" => Some(Form::Csv),
            "text/plain" => Some(Form::Text),
            _ => None,
        }
    }

    /// The form that content looks like: a table where its first line has columns of which one holds indicators.
    pub fn of_content(content: &[u8]) -> Form {
        match content.trim_ascii_start().first() {
            Some(b'[') => Form::Json,
            Some(b'{') if content.trim_ascii_start().starts_with(b"{\"values\"") => Form::Json,
            Some(b'{' | b'"') => Form::Ndjson,
            _ => Form::Text,
        }
    }
}

/// Values to be asked about.
pub struct Batch {
    values: Vec<String>,
    table: Option<Table>,
}

/// The table that values come from.
struct Table {
    delimiter: u8,
    head: Option<csv::StringRecord>,
    rows: Vec<csv::StringRecord>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    Values(Vec<String>),
    Object { values: Vec<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Value(String),
    Object { value: String },
}

impl Batch {
    /// Reads values. `column` names the column of a table, or numbers it from 1; absent: the first in which most cells
    /// are indicators.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn read(content: &[u8], form: Form, column: Option<&str>) -> Result<Batch, String> {
        let text = std::str::from_utf8(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content))
            .map_err(|error| format!("byte {} is not UTF-8: send UTF-8", error.valid_up_to() + 1))?;
        let batch = match form {
            Form::Json => {
                let json = serde_json::from_str(text).map_err(|error| {
                    format!("{error}: send a JSON array of texts, or an object with \"values\"")
                })?;
                let (Json::Values(values) | Json::Object { values }) = json;
                Batch { values, table: None }
            }
            Form::Ndjson => Batch { values: ndjson(text)?, table: None },
            Form::Csv => table(text, column)?,
            Form::Text => Batch { values: found(text), table: None },
        };
        if batch.values.len() > VALUES_MAX {
            let count = batch.values.len();
            return Err(format!("there are {count} values: send at most {VALUES_MAX} at a time"));
        }
        Ok(batch)
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The values, as typed.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values to be answered as a table: the one that they came in, else one of a single column.
    pub fn into_table(self) -> Batch {
        let Batch { values, table } = self;
        let table = table.unwrap_or_else(|| Table {
            delimiter: b',',
            head: Some(csv::StringRecord::from(vec!["value"])),
            // These cells are ours, not those of somebody's table.
            rows: values.iter().map(|value| csv::StringRecord::from(vec![defused(value)])).collect(),
        });
        Batch { values, table: Some(table) }
    }

    /// The values to be answered as lines of JSON.
    pub fn into_lines(self) -> Batch {
        Batch { table: None, ..self }
    }

    /// Whether they came in a table and are answered as one.
    pub fn is_table(&self) -> bool {
        self.table.is_some()
    }
}

fn ndjson(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match serde_json::from_str(line) {
            Ok(Line::Value(value) | Line::Object { value }) => Ok(value),
            Err(_) => Err(format!("line {}: send a JSON text or an object with \"value\"", index + 1)),
        })
        .collect()
}

/// What is found in a text, each spelling once. A text of nothing but indicators is a list of them, also of names under
/// endings of one's own; of any other text names are what ends as public ones do.
fn found<'t>(text: &'t str) -> Vec<String> {
    let (mut values, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut take = |spelled: &'t str| {
        if seen.insert(spelled) {
            values.push(spelled.to_owned());
        }
    };
    let words =
        || text.split(|c: char| c.is_whitespace() || ",;".contains(c)).filter(|word| !word.is_empty());
    if words().all(|word| Indicator::parse(word).is_ok_and(is_likely)) {
        words().for_each(take);
    } else {
        extract(text, |spelled, _| take(spelled));
    }
    values
}

fn table(text: &str, column: Option<&str>) -> Result<Batch, String> {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| first.bytes().filter(|byte| byte == delimiter).count();
    // The last of equal ones is taken: the comma.
    let delimiter = [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for row in reader.records() {
        rows.push(row.map_err(|error| format!("{error}: send a table as RFC 4180 has it"))?);
        if rows.len() > VALUES_MAX + 1 {
            return Err(format!("the table has more than {VALUES_MAX} rows: send fewer at a time"));
        }
    }
    let is_head =
        |row: &csv::StringRecord| !row.iter().any(|cell| Indicator::parse(cell).is_ok_and(is_likely));
    let head = (rows.len() > 1 && is_head(&rows[0])).then(|| rows.remove(0));
    let at = match column {
        Some(column) => named(column, head.as_ref())?,
        None => most_likely(&rows).ok_or_else(|| {
            "no column of the table holds indicators: name it by column=, as its heading or its number"
                .to_owned()
        })?,
    };
    let values = rows.iter().map(|row| row.get(at).unwrap_or_default().to_owned()).collect();
    Ok(Batch { values, table: Some(Table { delimiter, head, rows }) })
}

/// Whether a cell that reads as an indicator is meant as one: any word reads as a name.
fn is_likely(indicator: Indicator) -> bool {
    match &indicator {
        Indicator::Domain(name) => name.as_str().contains('.'),
        _ => true,
    }
}

fn named(column: &str, head: Option<&csv::StringRecord>) -> Result<usize, String> {
    let by_name = head.and_then(|head| head.iter().position(|name| name.trim() == column));
    let by_number = column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    by_name.or(by_number).ok_or_else(|| {
        let names = head.map(|head| head.iter().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        format!("there is no column {column:?}: use a number from 1, or one of: {names}")
    })
}

fn most_likely(rows: &[csv::StringRecord]) -> Option<usize> {
    let rows = &rows[..rows.len().min(ROWS_LOOKED_AT)];
    let columns = rows.iter().map(csv::StringRecord::len).max()?;
    (0..columns).find(|column| {
        let cells = rows.iter().filter_map(|row| row.get(*column));
        let likely = cells.filter(|cell| Indicator::parse(cell).is_ok_and(is_likely)).count();
        likely * 2 > rows.len()
    })
}

//------------ Answers -------------------------------------------------------

/// What is said of a value.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRow)]
pub(crate) struct Row<'a> {
    /// As typed.
    value: &'a str,
    #[serde(flatten)]
    said: Said,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BulkSaid)]
pub(crate) enum Said {
    /// It is no indicator.
    Wrong { error: String },
    /// What it is, and how it is judged.
    Judged(Judged),
}

#[derive(Serialize, ToSchema)]
#[schema(as = BulkJudged)]
pub(crate) struct Judged {
    kind: Kind,
    indicator: String,
    zone: Zone,
    threat_score: ThreatScore,
    confidence: Confidence,
    categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    report: Option<Box<RawValue>>,
}

/// What is wanted of each value.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Zone, score and categories.
    Zone {
        /// A past moment; `None`: now.
        as_of: Option<crate::value::Timestamp>,
    },
    /// The same, and the report.
    Report(Request),
}

impl Wanted {
    /// What is wanted of a report.
    pub fn into_request(self) -> Request {
        match self {
            Wanted::Zone { as_of } => Request { as_of, ..Request::default() },
            Wanted::Report(request) => request,
        }
    }
}

/// Answers every value, in order: `out` gets lines of JSON, or of the table.
///
/// # Errors
///
/// Where the store cannot answer, or what `out` says.
pub fn answer(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    batch: &Batch,
    wanted: &Wanted,
    out: &mut dyn FnMut(Vec<u8>) -> io::Result<()>,
) -> Result<(), StoreError> {
    if let Some(head) = batch.table.as_ref().and_then(|table| Some((table, table.head.as_ref()?))) {
        let (table, head) = head;
        out(line_of(table, head, ADDED.iter().map(|name| (*name).to_owned())))?;
    }
    let chunk = if matches!(wanted, Wanted::Zone { .. }) { CHUNK } else { 1 };
    let chunks: Vec<(usize, &[String])> =
        batch.values.chunks(chunk).enumerate().map(|(index, values)| (index * chunk, values)).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(chunks.len().max(1));
    std::thread::scope(|scope| {
        let mut answers = Vec::with_capacity(threads);
        for thread in 0..threads {
            // A few chunks ahead: the order of the answers is that of the values.
            let (sender, receiver) = sync_channel(4);
            answers.push(receiver);
            let mine = chunks.iter().skip(thread).step_by(threads);
            scope.spawn(move || {
                for (start, values) in mine {
                    let made = answered(snapshot, context, batch, wanted, *start, values);
                    if sender.send(made).is_err() {
                        break;
                    }
                }
            });
        }
        for index in 0..chunks.len() {
            let gone = |_| io::Error::other("a thread that answers ended");
            out(answers[index % threads].recv().map_err(gone)??)?;
        }
        Ok(())
    })
}

/// The lines of a chunk of values.
fn answered(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    batch: &Batch,
    wanted: &Wanted,
    start: usize,
    values: &[String],
) -> Result<Vec<u8>, StoreError> {
    let as_of = match wanted {
        Wanted::Zone { as_of } => *as_of,
        Wanted::Report(request) => request.as_of,
    };
    let view = snapshot.view(as_of);
    let judge = Judge::new(&view, context.policy, as_of.unwrap_or(context.now));
    let mut lines = Vec::with_capacity(values.len() * 160);
    for (index, value) in values.iter().enumerate() {
        let said = said(snapshot, context, &judge, value, wanted)?;
        match &batch.table {
            Some(table) => lines.extend(line_of(table, &table.rows[start + index], cells(said).into_iter())),
            None => {
                serde_json::to_writer(&mut lines, &Row { value, said }).map_err(io::Error::from)?;
                lines.push(b'\n');
            }
        }
    }
    Ok(lines)
}

fn said(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    judge: &Judge<'_>,
    value: &str,
    wanted: &Wanted,
) -> Result<Said, StoreError> {
    if value.len() > VALUE_BYTES_MAX {
        return Ok(Said::Wrong { error: format!("it is longer than {VALUE_BYTES_MAX} bytes") });
    }
    let indicator = match Indicator::parse(value) {
        Ok(indicator) => indicator,
        Err(error) => return Ok(Said::Wrong { error: error.to_string() }),
    };
    let verdict = judge.indicator(&indicator)?;
    let mut judged = Judged {
        kind: indicator.kind(),
        indicator: indicator.to_string(),
        zone: verdict.zone,
        threat_score: verdict.score,
        confidence: verdict.confidence(),
        categories: verdict.categories().iter().map(ToString::to_string).collect(),
        known: None,
        report: None,
    };
    if let Wanted::Report(request) = wanted {
        match report_in(snapshot, context, &indicator, request) {
            Ok(report) => {
                let json = String::from_utf8(report.json()).map_err(io::Error::other)?;
                judged.report = Some(RawValue::from_string(json).map_err(io::Error::from)?);
                judged.known = Some(true);
            }
            Err(LookupError::Unknown(_)) => judged.known = Some(false),
            Err(LookupError::BadRequest(error)) => return Ok(Said::Wrong { error }),
            Err(LookupError::Store(error)) => return Err(error),
        }
    }
    Ok(Said::Judged(judged))
}

/// The columns that a table gets.
const ADDED: [&str; 5] = ["zone", "threat_score", "categories", "indicator", "problem"];

fn cells(said: Said) -> [String; ADDED.len()] {
    match said {
        Said::Wrong { error } => [String::new(), String::new(), String::new(), String::new(), error],
        Said::Judged(judged) => [
            judged.zone.name().to_owned(),
            judged.threat_score.0.to_string(),
            judged.categories.join(" "),
            judged.indicator,
            String::new(),
        ],
    }
}

fn line_of(table: &Table, row: &csv::StringRecord, added: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(table.delimiter).from_writer(Vec::new());
    let cells = row.iter().map(str::to_owned).chain(added.map(|cell| defused(&cell)));
    writer.write_record(cells).expect("memory takes everything");
    writer.into_inner().expect("memory takes everything")
}

/// A cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe before it.
pub fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(content: &str, form: Form) -> Vec<String> {
        Batch::read(content.as_bytes(), form, None).unwrap().values
    }

    #[test]
    fn values_come_in_many_forms() {
        let two = ["evil[.]example", "192.0.2.1"];
        assert_eq!(values(r#"["evil[.]example", "192.0.2.1"]"#, Form::Json), two);
        assert_eq!(values(r#"{"values": ["evil[.]example", "192.0.2.1"]}"#, Form::Json), two);
        assert_eq!(values("\"evil[.]example\"\n\n{\"value\":\"192.0.2.1\"}\n", Form::Ndjson), two);
        assert_eq!(values("when;who;what\n1;ann;evil[.]example\n2;bob;192.0.2.1\n", Form::Csv), two);
        assert_eq!(values("evil[.]example,a b\n192.0.2.1,\"c,d\"\n", Form::Csv), two);
        assert_eq!(
            values("see evil[.]com, evil[.]com and 192.0.2.1", Form::Text),
            ["evil[.]com", "192.0.2.1"]
        );
        let by_name = Batch::read(b"a,b\nx.example,y.example\n", Form::Csv, Some("b")).unwrap();
        assert_eq!(by_name.values, ["y.example"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (content, form, said) in [
            ("[1]", Form::Json, "array of texts"),
            ("\"a\"\n1\n", Form::Ndjson, "line 2"),
            ("a,b\n1,2\n", Form::Csv, "no column"),
        ] {
            let problem = Batch::read(content.as_bytes(), form, None).err().unwrap();
            assert!(problem.contains(said), "{content}: {problem}");
        }
        let problem = Batch::read(b"a,b\nx.example,y\n", Form::Csv, Some("c")).err().unwrap();
        assert!(problem.contains("one of: a, b"), "{problem}");
        assert!(Batch::read(b"\xff", Form::Text, None).err().unwrap().contains("byte 1"));
    }

    #[test]
    fn cells_are_no_formulas() {
        for cell in ["=1+1", "+1", "-1", "@a", "\t=1"] {
            assert!(defused(cell).starts_with('\''), "{cell}");
        }
        assert_eq!(defused("a=1"), "a=1");
    }
}
