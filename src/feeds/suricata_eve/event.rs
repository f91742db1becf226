//! An event as its JSON is: what is used of it.

use serde::Deserialize;
use serde_json::Value;

use crate::feeds::lenient::{Objects, Text};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Event {
    pub(super) timestamp: Text,
    pub(super) event_type: Text,
    /// The sensor's name, where it has one.
    pub(super) host: Text,
    pub(super) flow_id: Text,
    pub(super) src_ip: Text,
    pub(super) src_port: Text,
    pub(super) dest_ip: Text,
    pub(super) dest_port: Text,
    pub(super) proto: Text,
    /// `to_server` or `to_client`: whether the packet went the way of the source.
    pub(super) direction: Text,
    pub(super) dns: Objects<Dns>,
    pub(super) http: Objects<Http>,
    pub(super) fileinfo: Objects<FileInfo>,
    pub(super) tls: Objects<Tls>,
    pub(super) flow: Objects<Flow>,
    pub(super) alert: Objects<Alert>,
}

/// A query or an answer. In an alert `query` holds the query.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Dns {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) id: Text,
    pub(super) rrname: Text,
    pub(super) rrtype: Text,
    pub(super) rdata: Text,
    pub(super) answers: Objects<Answer>,
    /// Values by type; owners are left out.
    pub(super) grouped: Value,
    /// Since version 3.
    pub(super) queries: Objects<Answer>,
    pub(super) query: Objects<Answer>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) rrname: Text,
    pub(super) rrtype: Text,
    pub(super) rdata: Text,
    pub(super) soa: Objects<Soa>,
    pub(super) srv: Objects<Srv>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Soa {
    pub(super) mname: Text,
    pub(super) rname: Text,
    pub(super) serial: Text,
    pub(super) refresh: Text,
    pub(super) retry: Text,
    pub(super) expire: Text,
    pub(super) minimum: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Srv {
    pub(super) priority: Text,
    pub(super) weight: Text,
    pub(super) port: Text,
    pub(super) name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Http {
    pub(super) hostname: Text,
    pub(super) http_port: Text,
    pub(super) url: Text,
    pub(super) http_method: Text,
    pub(super) http_refer: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FileInfo {
    pub(super) filename: Text,
    pub(super) magic: Text,
    pub(super) state: Text,
    pub(super) gaps: Text,
    pub(super) size: Text,
    pub(super) md5: Text,
    pub(super) sha1: Text,
    pub(super) sha256: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tls {
    pub(super) sni: Text,
    pub(super) subject: Text,
    pub(super) issuerdn: Text,
    pub(super) fingerprint: Text,
    pub(super) notbefore: Text,
    pub(super) notafter: Text,
    pub(super) subjectaltname: Vec<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Flow {
    pub(super) state: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Alert {
    pub(super) signature_id: Text,
    pub(super) signature: Text,
    pub(super) category: Text,
}

impl Event {
    /// Reads a line, with or without the cookie that syslog output puts before it.
    pub(super) fn parse(line: &str) -> Result<Event, String> {
        let line = line.trim();
        let json = line.strip_prefix("@cee:").unwrap_or(line).trim_start();
        if !json.starts_with('{') {
            return Err("the line is no JSON object".to_owned());
        }
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub(super) fn src_port(&self) -> Option<u16> {
        port(&self.src_port)
    }

    pub(super) fn dest_port(&self) -> Option<u16> {
        port(&self.dest_port)
    }

    /// Whether what the event tells of went from the server to the client: as the event says, else from the lower port,
    /// which is the server's.
    pub(super) fn is_from_server(&self) -> bool {
        match self.direction.get() {
            Some("to_client") => true,
            Some("to_server") => false,
            _ => self.src_port() < self.dest_port(),
        }
    }
}

/// A port.
pub(super) fn port(text: &Text) -> Option<u16> {
    text.get()?.parse().ok()
}
