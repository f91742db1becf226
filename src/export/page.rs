//! A report as a page that stands by itself, on screen and on paper: no scripts, nothing loaded, no links.
//!
//! All text is escaped, and what may be an indicator is defanged, so that no reader of the page or of its print makes a
//! link of it.

use std::fmt::Write as _;

use super::tree::{Tree, columns, shown};
use super::{MARK, unreadable};
use crate::indicator::{defang, extract};
use crate::lookup::{Answer, Report};
use crate::store::StoreError;
use crate::value::Timestamp;

/// What the page may do: nothing but have its own style.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";

/// The same without what only a header can say.
const POLICY_OF_PAGE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// How it looks. Zones have a word beside their colour: print may have none.
const STYLE: &str = "\
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#111;background:#fff}\
h1{font-size:1.5em;overflow-wrap:anywhere}h2{font-size:1.1em;margin:1.6em 0 .4em;break-after:avoid}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.2em .6em .2em 0;\
border-bottom:1px solid #ccc;overflow-wrap:anywhere}th{font-weight:600;color:#444}tr{break-inside:avoid}\
thead{display:table-header-group}td.zone{font-weight:600;border-left:.4em solid;padding-left:.4em;white-space:nowrap}\
.Red{border-color:#c1121f!important}.Orange{border-color:#e36414!important}.Yellow{border-color:#e0b000!important}\
.Grey{border-color:#8a8a8a!important}.Green{border-color:#2b8a3e!important}\
p.verdict{border-left:.6em solid;padding:.3em .8em;font-size:1.1em}footer,.none{color:#555;margin-top:2em}\
@page{margin:15mm}@media print{body{margin:0;max-width:none;font-size:10pt;print-color-adjust:exact}}";

/// Members whose text is an indicator or where one leads: defanged as a whole.
const INDICATORS: &[&str] = &[
    "Domain",
    "domain",
    "DomainName",
    "UnicodeDomain",
    "Subdomain",
    "Url",
    "Ip",
    "Host",
    "NormalizedMask",
    "Indicator",
    "NameServers",
    "Via",
    "Reference",
    "DescriptionUrl",
    "Email",
    "Name",
    "RangeStart",
    "RangeEnd",
];

/// A page of a report as of a moment.
pub(super) fn page(report: &Report, at: Timestamp) -> Result<Vec<u8>, StoreError> {
    let subject = escaped(&whole(&shown(&report.subject)));
    let (zone, word, score) = (report.zone, report.zone.word_of(report.kind), report.score.0);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY_OF_PAGE}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"format-detection\" content=\"telephone=no\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{subject}: {zone}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{subject}</h1>\n\
         <p class=\"verdict {zone}\">{zone}: {word}, score {score} of 100</p>\n"
    );
    let mut empty = Vec::new();
    for answer in report.sections.iter().filter(|answer| answer.name != "Zone") {
        let body: Tree = serde_json::from_str(answer.body.get()).map_err(unreadable)?;
        if body.says_nothing() {
            empty.push(escaped(answer.title));
        } else {
            section(&mut out, answer, &body);
        }
    }
    if !empty.is_empty() {
        push(&mut out, format_args!("<p class=\"none\">Nothing in: {}</p>\n", empty.join("; ")));
    }
    let mark = MARK.name().to_ascii_uppercase();
    push(&mut out, format_args!("<footer>zonelens, as of {at}. TLP:{mark}</footer>\n</body>\n</html>\n"));
    Ok(out.into_bytes())
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes everything");
}

fn section(out: &mut String, answer: &Answer, body: &Tree) {
    let title = if answer.title.is_empty() { answer.name } else { answer.title };
    push(out, format_args!("<section>\n<h2>{}</h2>\n", escaped(title)));
    value(out, "", body);
    out.push_str("</section>\n");
}

/// A value: a list of objects and an object as a table, all else as text.
fn value(out: &mut String, name: &str, value: &Tree) {
    match value {
        Tree::List(rows) if !value.is_flat() => table(out, rows),
        Tree::Record(members) => record(out, members),
        flat => out.push_str(&text(name, flat)),
    }
}

fn record(out: &mut String, members: &[(String, Tree)]) {
    out.push_str("<table>\n");
    for (name, member) in members.iter().filter(|(_, member)| !member.is_empty()) {
        push(out, format_args!("<tr><th scope=\"row\">{}</th>", escaped(name)));
        cell(out, name, member);
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
}

fn table(out: &mut String, rows: &[Tree]) {
    let names = columns(rows, |value| !value.is_empty());
    out.push_str("<table>\n<thead><tr>");
    for name in &names {
        push(out, format_args!("<th scope=\"col\">{}</th>", escaped(name)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for name in &names {
            cell(out, name, row.member(name).unwrap_or(&Tree::Null));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn cell(out: &mut String, name: &str, member: &Tree) {
    match member {
        Tree::Text(zone)
            if name.eq_ignore_ascii_case("zone") && zone.parse::<crate::value::Zone>().is_ok() =>
        {
            push(out, format_args!("<td class=\"zone {zone}\">{zone}</td>"));
        }
        other => {
            out.push_str("<td>");
            value(out, name, other);
            out.push_str("</td>");
        }
    }
}

/// Text of a member: shown, defanged, escaped.
fn text(name: &str, value: &Tree) -> String {
    match value {
        Tree::Null => String::new(),
        Tree::List(items) => items.iter().map(|item| text(name, item)).collect::<Vec<_>>().join(", "),
        Tree::Text(said) if INDICATORS.contains(&name) => escaped(&whole(&shown(said))),
        other => escaped(&without_links(&other.line(shown))),
    }
}

/// An indicator defanged, and the URLs in its query too.
pub fn whole(text: &str) -> String {
    let text = defang(text);
    match text.find("://") {
        Some(at) => [&text[..at + 3], &text[at + 3..].replace("://", "[://]")].concat(),
        None => text,
    }
}

/// A text in which all that is found of indicators is defanged, and no scheme is left.
pub fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    extract(text, |spelled, _| {
        // They come in order.
        if let Some((before, after)) = left.split_once(spelled) {
            out.push_str(&before.replace("://", "[://]"));
            out.push_str(&whole(spelled));
            left = after;
        }
    });
    out.push_str(&left.replace("://", "[://]"));
    out
}

/// Text as it may stand in an element or an attribute of HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::indicator::Kind;
    use crate::value::{ThreatScore, Zone};

    fn made(subject: &str, body: &str) -> String {
        let body = RawValue::from_string(body.to_owned()).unwrap();
        let report = Report {
            kind: Kind::Domain,
            subject: subject.to_owned(),
            zone: Zone::Red,
            score: ThreatScore(80),
            sections: vec![Answer { name: "Rows", title: "Rows", body, counts: None }],
        };
        String::from_utf8(page(&report, Timestamp(0)).unwrap()).unwrap()
    }

    #[test]
    fn text_is_defanged_wherever_it_stands() {
        let rows =
            r#"[{"Zone":"Red","Url":"http://a.example/x","Title":"see http://evil.com/a or evil.com"}]"#;
        let page = made("bad.example", rows);
        assert!(page.contains("<h1>bad[.]example</h1>"), "{page}");
        assert!(page.contains("<td class=\"zone Red\">Red</td><td>hxxp://a[.]example/x</td>"), "{page}");
        assert!(page.contains("<td>see hxxp://evil[.]com/a or evil[.]com</td>"), "{page}");
    }

    proptest! {
        #[test]
        fn nothing_that_is_said_becomes_markup_or_a_link(said in "[ -~]{0,30}|http://[a-z.]{1,9}\\.com/?[\"'<>&]{0,3}") {
            let row = |said: &str| {
                serde_json::json!([{"Zone": said, "Url": said, "Title": said, "Net": {"Name": said}}]).to_string()
            };
            let page = made(&said, &row(&said));
            let shape = |page: &str| page.matches('<').count();
            let plain = made("x", &row("x"));
            // Where nothing is said less is shown, never more.
            prop_assert!(shape(&page) <= shape(&plain), "{page}");
            prop_assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        }
    }
}
