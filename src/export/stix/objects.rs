//! The objects of a bundle: each once, its identifier made of what it is.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{AMBER, Bundle};
use crate::export::{NAMESPACE, Uuid, uuid};
use crate::indicator::{FileHash, FileHashes};
use crate::value::Timestamp;

/// The namespace of observables, which the standard sets (section 2.9).
const OBSERVABLES: Uuid = *b"\x00\xab\xed\xb4\xaa\x42\x46\x6c\x9c\x23\xfe\xd2\x3a\x33\xc7\xd6";

/// What RFC 3986 has no place for in a URI, and a key may hold.
const NO_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Bundle {
    pub(super) fn relationship(
        &mut self,
        from: &str,
        kind: &str,
        how: Option<&str>,
        to: &str,
        (first, last): (Timestamp, Timestamp),
    ) -> String {
        let mut body = json!({
            "relationship_type": kind, "source_ref": from, "target_ref": to, "start_time": moment(first),
        });
        if last > first {
            body["stop_time"] = Value::from(moment(last));
        }
        if let Some(how) = how {
            body["description"] = Value::from(how);
        }
        let name = [from, kind, how.unwrap_or_default(), to].join(" ");
        self.add("relationship", &name, (first, last), body)
    }

    /// Adds an object that is no observable, once; its identifier follows from a name.
    pub(super) fn add(
        &mut self,
        kind: &str,
        name: &str,
        (created, modified): (Timestamp, Timestamp),
        body: Value,
    ) -> String {
        let id = format!("{kind}--{}", uuid(&NAMESPACE, &format!("{kind} {name}")));
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id, "created_by_ref": self.identity,
            "created": moment(created), "modified": moment(modified.max(created)), "object_marking_refs": [AMBER],
        });
        if let (Value::Object(object), Value::Object(body)) = (&mut object, body) {
            object.extend(body);
        }
        self.push(id, object)
    }

    fn push(&mut self, id: String, object: Value) -> String {
        if self.known.insert(id.clone()) {
            self.objects.push(object);
        }
        id
    }

    /// Adds an observable, once. Its identifier follows from some of its properties.
    fn observable(&mut self, kind: &str, identifying: &Value, properties: Map<String, Value>) -> String {
        // JSON of sorted keys without white space is canonical for texts (RFC 8785).
        let id = format!("{kind}--{}", uuid(&OBSERVABLES, &identifying.to_string()));
        let mut object =
            json!({"type": kind, "spec_version": "2.1", "id": id, "object_marking_refs": [AMBER]});
        if let Value::Object(object) = &mut object {
            object.extend(properties);
        }
        self.push(id, object)
    }

    fn of_value(&mut self, kind: &str, value: &str) -> String {
        let value = json!({"value": value});
        let properties = value.as_object().cloned().unwrap_or_default();
        self.observable(kind, &value, properties)
    }

    pub(super) fn domain_name(&mut self, name: &str) -> String {
        self.of_value("domain-name", name)
    }

    pub(super) fn ip(&mut self, address: IpAddr) -> (String, &'static str) {
        let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        (self.of_value(kind, &address.to_string()), kind)
    }

    pub(super) fn web_address(&mut self, key: &str) -> String {
        self.of_value("url", &uri("http", key))
    }

    /// A URL, or a host where no URL is known.
    pub(super) fn place(&mut self, key: &str) -> String {
        match key.parse::<IpAddr>() {
            Ok(address) => self.ip(address).0,
            Err(_) => self.web_address(key),
        }
    }

    pub(super) fn hashed(&mut self, file: &FileHashes) -> String {
        let all: Map<String, Value> =
            hashes(file).into_iter().map(|(name, hash)| (name.to_owned(), Value::from(hash))).collect();
        // One hash identifies, in this order: MD5, SHA-1, SHA-256.
        let first = all.iter().next().map(|(name, hash)| json!({"hashes": {(name.as_str()): hash}}));
        let properties = Map::from_iter([("hashes".to_owned(), Value::Object(all))]);
        self.observable("file", &first.unwrap_or_default(), properties)
    }
}

/// The hashes of a file by the standard's names, MD5 first, in lower case.
pub(in crate::export) fn hashes(file: &FileHashes) -> Vec<(&'static str, String)> {
    let named = |hash: FileHash| {
        let name = match hash.as_bytes().len() {
            16 => "MD5",
            20 => "SHA-1",
            _ => "SHA-256",
        };
        (name, hash.to_string().to_ascii_lowercase())
    };
    file.iter().map(named).collect()
}

/// A key as a URI of a scheme.
pub(in crate::export) fn uri(scheme: &str, key: &str) -> String {
    format!("{scheme}://{}", utf8_percent_encode(key, NO_URI))
}

/// A moment as the standard has it.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{}.000Z", at.rfc3339().trim_end_matches('Z'))
}
