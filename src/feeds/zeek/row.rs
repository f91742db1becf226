//! One record of a log, from a line of TSV or of JSON: the same fields by the same names.

use std::borrow::Cow;
use std::net::IpAddr;

use super::Stop;
use super::json::Value;
use super::tsv::{Header, unescape};
use crate::indicator::parse_address;
use crate::value::Timestamp;

macro_rules! fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The fields that are read, of all logs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($name),* }

        /// Their names, by number.
        pub(super) const FIELDS: &[&str] = &[$($text),*];

        impl Field {
            /// Finds a field by the name that Zeek gives it.
            pub(super) fn find(name: &str) -> Option<Field> {
                match name {
                    $($text => Some(Field::$name),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    // Of most logs.
    Path = "_path", Ts = "ts", OrigH = "id.orig_h", RespH = "id.resp_h", RespP = "id.resp_p", SystemName = "_system_name",
    // conn
    Proto = "proto", ConnState = "conn_state", MissedBytes = "missed_bytes",
    // dns
    Query = "query", Qclass = "qclass", Qtype = "qtype", QtypeName = "qtype_name", Aa = "AA", Answers = "answers",
    Opcode = "opcode",
    // http
    Method = "method", Host = "host", Uri = "uri", Referrer = "referrer", RequestBodyLen = "request_body_len",
    RespFuids = "resp_fuids",
    // files
    Fuid = "fuid", TxHosts = "tx_hosts", Source = "source", MimeType = "mime_type", Filename = "filename",
    IsOrig = "is_orig", SeenBytes = "seen_bytes", TotalBytes = "total_bytes", Md5 = "md5", Sha1 = "sha1", Sha256 = "sha256",
    // ssl
    Cipher = "cipher", Resumed = "resumed", ServerName = "server_name", CertChainFps = "cert_chain_fps",
    CertChainFuids = "cert_chain_fuids", Subject = "subject", Issuer = "issuer",
    // ssl, before Bro 2.2
    IssuerSubject = "issuer_subject", CertHash = "cert_hash", NotBefore = "not_valid_before", NotAfter = "not_valid_after",
    // x509
    Id = "id", Fingerprint = "fingerprint", CertSerial = "certificate.serial", CertSubject = "certificate.subject",
    CertIssuer = "certificate.issuer", CertNotBefore = "certificate.not_valid_before",
    CertNotAfter = "certificate.not_valid_after", SanDns = "san.dns",
}

/// Times as numbers from here on are milliseconds (`LogAscii::json_timestamps = JSON::TS_MILLIS`): in seconds, the year 5138.
const MILLISECONDS_MIN: f64 = 1e11;

//------------ Row -----------------------------------------------------------

/// One record. What is unset or empty is absent.
pub(super) enum Row<'a> {
    Tsv(&'a Header, &'a str),
    Json(&'a [Value<'a>]),
}

impl<'a> Row<'a> {
    /// Whether the log has this field; of TSV whether it has the column.
    pub(super) fn has(&self, field: Field) -> bool {
        match self {
            Row::Tsv(header, _) => header.has(field),
            Row::Json(values) => !matches!(values[field as usize], Value::Absent),
        }
    }

    /// A word that has no escapes, or the text with them.
    pub(super) fn word(&self, field: Field) -> Option<&'a str> {
        match *self {
            Row::Tsv(header, line) => header.cell(field, line),
            Row::Json(values) => match &values[field as usize] {
                Value::Text(text) if !text.is_empty() => Some(text),
                _ => None,
            },
        }
    }

    /// A string.
    pub(super) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        let word = self.word(field)?;
        Some(if matches!(self, Row::Tsv(..)) { unescape(word) } else { Cow::Borrowed(word) })
    }

    /// A string of its own.
    pub(super) fn string(&self, field: Field) -> Option<String> {
        self.text(field).map(Cow::into_owned)
    }

    /// The elements of a set or vector.
    pub(super) fn list(&self, field: Field) -> List<'a> {
        match *self {
            Row::Tsv(header, line) => match header.cell(field, line) {
                Some(cell) => List::Tsv { cells: header.split_set(cell), escaped: cell.contains('\\') },
                None => List::Json([].iter()),
            },
            Row::Json(values) => match &values[field as usize] {
                Value::List(list) => List::Json(list.iter()),
                _ => List::Json([].iter()),
            },
        }
    }

    /// A count or a port.
    pub(super) fn count(&self, field: Field) -> Option<u64> {
        match self {
            Row::Json(values) => match values[field as usize] {
                Value::Number(number) if (0.0..1e15).contains(&number) => Some(number as u64),
                _ => None,
            },
            Row::Tsv(..) => self.word(field)?.parse().ok(),
        }
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self, field: Field) -> bool {
        match self {
            Row::Json(values) => matches!(values[field as usize], Value::Bool(true)),
            Row::Tsv(..) => self.word(field) == Some("T"),
        }
    }

    /// A time, however the log is configured to write it.
    pub(super) fn time(&self, field: Field) -> Option<Timestamp> {
        if let Row::Json(values) = self
            && let Value::Number(number) = values[field as usize]
        {
            let seconds = if number >= MILLISECONDS_MIN { number / 1000.0 } else { number };
            return (0.0..MILLISECONDS_MIN).contains(&seconds).then_some(Timestamp(seconds as i64));
        }
        Timestamp::parse(self.word(field)?).ok()
    }

    /// An address.
    ///
    /// # Errors
    ///
    /// When the field is set to something else.
    pub(super) fn address(&self, field: Field) -> Result<Option<IpAddr>, Stop> {
        let Some(text) = self.word(field) else { return Ok(None) };
        parse_address(text).map(Some).map_err(|error| Stop::Bad("address", error.to_string()))
    }
}

/// The elements of a set or vector.
pub(super) enum List<'a> {
    Tsv { cells: std::str::Split<'a, char>, escaped: bool },
    Json(std::slice::Iter<'a, Cow<'a, str>>),
}

impl<'a> Iterator for List<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        match self {
            List::Tsv { cells, escaped: false } => cells.next().map(Cow::Borrowed),
            List::Tsv { cells, escaped: true } => cells.next().map(unescape),
            List::Json(list) => list.next().map(|text| Cow::Borrowed(&**text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for (index, name) in FIELDS.iter().enumerate() {
            assert_eq!(Field::find(name).map(|field| field as usize), Some(index), "{name}");
        }
    }
}
