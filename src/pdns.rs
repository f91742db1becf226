//! Passive DNS as others ask for it: records by the name that has them, or by what they hold.
//!
//! Answers are written in the Common Output Format of passive DNS servers (draft-dulaunoy-dnsop-passive-dns-cof), or as
//! DNSDB's streaming answers (<https://docs.dnsdb.info/>): a line of JSON a record. They leave the house, so they have
//! only what may.

use std::io::Write;
use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::fact::RecordType;
use crate::indicator::{AddressRange, DomainName};
use crate::store::observed::Observed;
use crate::store::walk::Range;
use crate::store::{Edge, ObjectKey, Part, StoreError, Table, View, read_part};

/// The most records of an answer.
pub const RECORDS_MAX: usize = 100_000;

/// How many records are answered where the question does not say.
pub const RECORDS: usize = 10_000;

/// Objects that are found at a time.
const OBJECTS: usize = 1_000;

/// The most registrable domains of one label.
const LABEL_NAMES_MAX: usize = 10_000;

/// Which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// This one.
    One(DomainName),
    /// All below it: `*.example.com`. It is one of them in DNSDB's reading.
    Below(DomainName),
    /// All whose registrable domain begins with the label, without what is below them: `example.*`.
    Label(String),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The records that names have.
    Owner(Names),
    /// The records that hold names.
    Holds(Names),
    /// The records that hold addresses.
    Addresses(AddressRange),
    /// A name's records and those that hold it; what the Common Output Format's one question means.
    Either(DomainName),
}

/// When records were seen, Unix seconds. All four hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fences {
    /// First seen at or before.
    pub first_before: Option<i64>,
    /// First seen at or after.
    pub first_after: Option<i64>,
    /// Last seen at or before.
    pub last_before: Option<i64>,
    /// Last seen at or after.
    pub last_after: Option<i64>,
}

impl Fences {
    fn hold(&self, observed: &Observed) -> bool {
        let (first, last) = (i64::from(observed.first), i64::from(observed.last));
        self.first_before.is_none_or(|at| first <= at)
            && self.first_after.is_none_or(|at| first >= at)
            && self.last_before.is_none_or(|at| last <= at)
            && self.last_after.is_none_or(|at| last >= at)
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What is asked.
    pub ask: Ask,
    /// Records of this type only.
    pub rrtype: Option<RecordType>,
    /// When they were seen.
    pub fences: Fences,
    /// Records passed over.
    pub offset: usize,
    /// The most records, up to [`RECORDS_MAX`].
    pub limit: usize,
}

/// A record that was answered, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name that has it.
    pub rrname: String,
    /// Its type.
    pub rrtype: RecordType,
    /// What it holds.
    pub rdata: String,
    /// Whether that is a name.
    pub is_name: bool,
    /// First seen, Unix seconds.
    pub first: u32,
    /// Last seen.
    pub last: u32,
    /// How often.
    pub count: u64,
}

/// Records, and whether there are more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// In order of keys: names by their labels from the right, addresses by number.
    pub records: Vec<Record>,
    /// There are more than the question's limit.
    pub is_limited: bool,
}

/// Answers a question.
///
/// # Errors
///
/// Damage in the store.
pub fn query(view: &View, query: &Query) -> Result<Answer, StoreError> {
    let mut gather = Gather { query, skipped: 0, answer: Answer::default() };
    match &query.ask {
        Ask::Owner(names) => gather.names(view, names, &OWNED)?,
        Ask::Holds(names) => gather.names(view, names, &[Table::RecordOf])?,
        Ask::Addresses(range) => gather.range(view, Range::addresses(range), &[Table::ResolvedBy])?,
        Ask::Either(name) => {
            gather.object(view, &ObjectKey::domain(name.as_str()), &[Table::Resolves, Table::Record])?;
            gather.object(view, &ObjectKey::domain(name.as_str()), &[Table::RecordOf])?;
        }
    }
    Ok(gather.answer)
}

/// The tables with the records that a name has.
const OWNED: [Table; 2] = [Table::Resolves, Table::Record];

struct Gather<'a> {
    query: &'a Query,
    skipped: usize,
    answer: Answer,
}

impl Gather<'_> {
    fn names(&mut self, view: &View, names: &Names, tables: &[Table]) -> Result<(), StoreError> {
        match names {
            Names::One(name) => self.object(view, &ObjectKey::domain(name.as_str()), tables),
            Names::Below(name) => {
                self.object(view, &ObjectKey::domain(name.as_str()), tables)?;
                self.range(view, Range::below(name.as_str()), tables)
            }
            Names::Label(label) => {
                for name in view.names_with_label(label, LABEL_NAMES_MAX)? {
                    self.object(view, &ObjectKey::domain(&name), tables)?;
                }
                Ok(())
            }
        }
    }

    fn range(&mut self, view: &View, mut range: Range, tables: &[Table]) -> Result<(), StoreError> {
        while !self.answer.is_limited {
            let objects = view.objects(&range, tables, OBJECTS)?;
            for object in &objects {
                self.object(view, object, tables)?;
            }
            match objects.last() {
                Some(last) if objects.len() == OBJECTS => range = range.after(last),
                _ => break,
            }
        }
        Ok(())
    }

    fn object(&mut self, view: &View, object: &ObjectKey, tables: &[Table]) -> Result<(), StoreError> {
        let Some((part, _)) = read_part(&object.0) else { return Ok(()) };
        for table in tables {
            if self.answer.is_limited {
                return Ok(());
            }
            for edge in view.table(object, *table)?.edges {
                if let Some(record) = record(&part, &edge)
                    && !self.take(record, &edge.observed)
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes a record that was asked for; says whether more are wanted.
    fn take(&mut self, record: Record, observed: &Observed) -> bool {
        if self.query.rrtype.is_some_and(|rrtype| rrtype != record.rrtype)
            || !self.query.fences.hold(observed)
        {
            return true;
        }
        if self.skipped < self.query.offset {
            self.skipped += 1;
            return true;
        }
        self.answer.is_limited = self.answer.records.len() >= self.query.limit.min(RECORDS_MAX);
        if !self.answer.is_limited {
            self.answer.records.push(record);
        }
        !self.answer.is_limited
    }
}

/// The record that an edge is.
fn record(object: &Part<'_>, edge: &Edge) -> Option<Record> {
    let (rrname, rrtype, rdata, is_name) = match (edge.table, object) {
        (Table::Resolves, Part::Domain(name)) => {
            let (Part::Address(address), _) = read_part(&edge.counterpart)? else { return None };
            (name.clone(), type_of(address), address.to_string(), false)
        }
        (Table::ResolvedBy, Part::Address(address)) => {
            let (Part::Domain(name), _) = read_part(&edge.counterpart)? else { return None };
            (name, type_of(*address), address.to_string(), false)
        }
        (Table::Record, Part::Domain(name)) => {
            let (rrtype, text) = typed(&edge.counterpart)?;
            (name.clone(), rrtype, text.to_owned(), DomainName::parse(text).is_ok())
        }
        (Table::RecordOf, Part::Domain(target)) => {
            let (rrtype, name) = typed(&edge.counterpart)?;
            (name.to_owned(), rrtype, target.clone(), true)
        }
        _ => return None,
    };
    let Observed { first, last, .. } = edge.observed;
    Some(Record { rrname, rrtype, rdata, is_name, first, last, count: edge.observed.hits() })
}

fn type_of(address: IpAddr) -> RecordType {
    if address.is_ipv4() { RecordType::A } else { RecordType::AAAA }
}

/// A record type and the text after it.
fn typed(counterpart: &[u8]) -> Option<(RecordType, &str)> {
    let (number, text) = counterpart.split_first_chunk::<2>()?;
    Some((RecordType(u16::from_be_bytes(*number)), std::str::from_utf8(text).ok()?))
}

//------------ Writing -------------------------------------------------------

#[derive(Serialize, ToSchema)]
#[schema(as = PassiveDnsRecord)]
pub(crate) struct Common<'a> {
    rrname: &'a str,
    rrtype: RecordType,
    rdata: &'a str,
    time_first: u32,
    time_last: u32,
    count: u64,
}

/// An answer in the Common Output Format: an object a line.
pub fn common_output(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    for record in &answer.records {
        let Record { rrname, rrtype, rdata, first, last, count, .. } = record;
        let line =
            Common { rrname, rrtype: *rrtype, rdata, time_first: *first, time_last: *last, count: *count };
        push_line(&mut out, &line);
    }
    out
}

#[derive(Serialize)]
struct Framed<T> {
    obj: T,
}

#[derive(Serialize)]
struct Condition<'a> {
    cond: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    /// Of a question by name: a set.
    Set([String; 1]),
    /// Of a question by data.
    One(String),
}

#[derive(Serialize)]
struct Set {
    count: u64,
    time_first: u32,
    time_last: u32,
    rrname: String,
    rrtype: RecordType,
    #[serde(skip_serializing_if = "Option::is_none")]
    bailiwick: Option<String>,
    rdata: Data,
}

/// An answer as DNSDB streams it: a line that begins, a line a record, a line that ends. Names end with a dot. `by_name`:
/// the question was by the name that has the records.
pub fn streaming(answer: &Answer, by_name: bool) -> Vec<u8> {
    let mut out = Vec::new();
    push_line(&mut out, &Condition { cond: "begin", msg: None });
    for record in &answer.records {
        let rdata = if record.is_name { absolute(&record.rdata) } else { record.rdata.clone() };
        let registrable = psl::domain_str(&record.rrname).unwrap_or(&record.rrname);
        let set = Set {
            count: record.count,
            time_first: record.first,
            time_last: record.last,
            bailiwick: by_name.then(|| absolute(registrable)),
            rrname: absolute(&record.rrname),
            rrtype: record.rrtype,
            rdata: if by_name { Data::Set([rdata]) } else { Data::One(rdata) },
        };
        push_line(&mut out, &Framed { obj: set });
    }
    let end = match answer.is_limited {
        true => Condition { cond: "limited", msg: Some("Result limit reached") },
        false => Condition { cond: "succeeded", msg: None },
    };
    push_line(&mut out, &end);
    out
}

#[derive(Serialize)]
struct Summary {
    count: u64,
    num_results: u64,
    time_first: u32,
    time_last: u32,
}

/// What the records of an answer come to, as DNSDB's `summarize` streams it.
pub fn summary(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    push_line(&mut out, &Condition { cond: "begin", msg: None });
    let records = &answer.records;
    if let (Some(first), Some(last)) =
        (records.iter().map(|one| one.first).min(), records.iter().map(|one| one.last).max())
    {
        let count = records.iter().fold(0_u64, |sum, one| sum.saturating_add(one.count));
        let num_results = records.len() as u64;
        push_line(
            &mut out,
            &Framed { obj: Summary { count, num_results, time_first: first, time_last: last } },
        );
    }
    let cond = if answer.is_limited { "limited" } else { "succeeded" };
    push_line(&mut out, &Condition { cond, msg: None });
    out
}

fn absolute(name: &str) -> String {
    format!("{name}.")
}

fn push_line(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *out, value).expect("texts and numbers into memory");
    out.write_all(b"\n").expect("memory takes everything");
}
