//! What pages of rows share: the parameters of their tables, forms as records, notices of what was done.

use axum::extract::Request;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::see;
use crate::export::tree::Tree;
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::body::read_body;
use crate::http::error::Problem;
use crate::http::gate::Object;
use crate::http::people::{unavailable, wrong};
use crate::page::grid::{At, Grid, Wanted};
use crate::page::rows::{Field, Form};
use crate::store::StoreError;

//------------ Tables --------------------------------------------------------

/// A table of rows as the address wants it. Of a page with several, `table` says which is meant; `keep` names what
/// else the address says.
pub(super) fn grid(rows: &[Tree], uri: &Uri, id: &str, keep: &[&'static str]) -> Grid {
    let given =
        |name: &str| parameter(uri.query().unwrap_or_default(), name).filter(|value| !value.is_empty());
    let is_meant = given("table").is_none_or(|table| table == id);
    let (sort, filter, page) = (given("sort"), given("filter"), given("page"));
    let wanted = Wanted::of(sort.as_deref(), filter.as_deref(), page.as_deref());
    let mut keep: Vec<_> = keep.iter().filter_map(|name| Some((*name, given(name)?))).collect();
    keep.push(("table", id.to_owned()));
    let at = At { path: uri.path().to_owned(), keep, id: id.to_owned() };
    Grid::new(rows, &if is_meant { wanted } else { Wanted::default() }, &at, None)
}

/// A value that cannot be shown, which its making excludes.
pub(super) fn unreadable(uri: &Uri, error: &StoreError) -> Problem {
    tracing::error!(%error, "a value cannot be shown");
    unavailable(uri, error.to_string())
}

//------------ Notices -------------------------------------------------------

/// What was done, by the word that an address says it with.
const DONE: &[(&str, &str)] = &[
    ("asked", "The source is asked for in the background: its state says what came of it."),
    ("user-added", "The user was added."),
    ("user-changed", "The user was changed."),
    ("user-removed", "The user was removed, with all tokens."),
    ("group-set", "The group was set."),
    ("group-removed", "The group was removed."),
    ("token-revoked", "The token was revoked: it opens nothing any more."),
    ("password", "The password was changed: all sessions ended, tokens stay."),
    ("pin", "The pin is set: it counts from now on."),
    ("pin-removed", "The pin was taken back."),
    ("note", "The note is kept."),
    ("sighting", "The sighting is kept."),
    ("false_positive", "The report of a false positive is kept."),
    ("nothing", "Nothing was to be changed."),
];

/// What was just done, as the address says; empty: nothing.
pub(super) fn done(uri: &Uri) -> &'static str {
    let word = parameter(uri.query().unwrap_or_default(), "done").unwrap_or_default();
    DONE.iter().find(|(own, _)| *own == word).map_or("", |(_, text)| text)
}

/// Leads to a page that says what was done; `object` is for the audit.
pub(super) fn back(path: &str, done: &'static str, object: &str) -> Response {
    (axum::Extension(Object(object.to_owned())), see(&format!("{path}?done={done}"))).into_response()
}

//------------ Forms ---------------------------------------------------------

/// What was filled in.
pub(super) struct Fields(String);

/// What a field becomes in a record.
#[derive(Clone, Copy)]
pub(super) enum Becomes {
    /// Text; empty: nothing was said.
    Text,
    /// The same, spaces and all.
    Secret,
    /// Text; empty: null.
    TextOrNull,
    /// A number; empty: null.
    NumberOrNull,
    /// `yes` or `no`.
    Truth,
}

impl Fields {
    /// Those of a request's body.
    pub(super) async fn read(service: &Service, uri: &Uri, request: Request) -> Result<Fields, Problem> {
        let body = read_body(service, uri, request).await?;
        let text = String::from_utf8(body.into());
        text.map(Fields).map_err(|_| wrong(uri, "the form is no UTF-8: send it escaped".to_owned()))
    }

    /// What stands in a field, spaces and all; `None`: nothing.
    pub(super) fn secret(&self, name: &str) -> Option<String> {
        parameter(&self.0, name).filter(|value| !value.is_empty())
    }

    /// What stands in a field; `None`: nothing.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.secret(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// What has to stand in a field.
    pub(super) fn needed(&self, uri: &Uri, name: &str) -> Result<String, Problem> {
        self.secret(name).ok_or_else(|| wrong(uri, format!("the form's field {name} is missing: fill it in")))
    }

    /// The fields that are there as a record, as a JSON body has it.
    pub(super) fn record(
        &self,
        uri: &Uri,
        fields: &[(&str, Becomes)],
    ) -> Result<Map<String, Value>, Problem> {
        let mut record = Map::new();
        for (name, becomes) in fields {
            if parameter(&self.0, name).is_none() {
                continue;
            }
            let text = self.get(name);
            let value = match becomes {
                Becomes::Text => text.map(Value::from),
                Becomes::Secret => self.secret(name).map(Value::from),
                Becomes::TextOrNull => Some(text.map_or(Value::Null, Value::from)),
                Becomes::Truth => text.map(|text| Value::from(text == "yes")),
                Becomes::NumberOrNull => Some(match text {
                    None => Value::Null,
                    Some(text) => number(&text)
                        .ok_or_else(|| wrong(uri, format!("{name}: {text:?} is no number: use digits")))?,
                }),
            };
            record.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        Ok(record)
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<u64>().ok().map(Value::from);
    whole.or_else(|| serde_json::Number::from_f64(text.parse().ok()?).map(Value::from))
}

/// A field.
pub(super) fn field(name: &'static str, label: &'static str, kind: &'static str, value: &str) -> Field {
    Field { name, label, kind, value: value.to_owned(), ..Field::default() }
}

/// A field that has to be filled in.
pub(super) fn needed(name: &'static str, label: &'static str, kind: &'static str) -> Field {
    Field { is_needed: true, ..field(name, label, kind, "") }
}

/// A choice of values that are words too.
pub(super) fn choice<'a>(
    name: &'static str,
    label: &'static str,
    value: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Field {
    let choices = words.into_iter().map(|word| (word.to_owned(), word.to_owned())).collect();
    Field { choices, ..field(name, label, "select", value) }
}

/// A form that changes something.
pub(super) fn change(title: &'static str, action: String, button: &'static str, fields: Vec<Field>) -> Form {
    Form { title, action, is_change: true, fields, button }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_record() {
        let uri = Uri::from_static("/users");
        let fields =
            Fields("role=+analyst+&group=&day_quota=5&per_second=0.5&password=+x+&disabled=no&burst=".into());
        let rules = [
            ("role", Becomes::Text),
            ("group", Becomes::TextOrNull),
            ("day_quota", Becomes::NumberOrNull),
            ("per_second", Becomes::NumberOrNull),
            ("burst", Becomes::NumberOrNull),
            ("password", Becomes::Secret),
            ("disabled", Becomes::Truth),
            ("clearance", Becomes::TextOrNull),
        ];
        let expected = serde_json::json!({"role": "analyst", "group": null, "day_quota": 5, "per_second": 0.5,
            "burst": null, "password": " x ", "disabled": false});
        assert_eq!(Value::from(fields.record(&uri, &rules).unwrap()), expected);
        for wrong in ["many", "NaN", "inf", "1e999"] {
            let fields = Fields(format!("burst={wrong}"));
            assert!(fields.record(&uri, &[("burst", Becomes::NumberOrNull)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_says_but_known_words() {
        let said = |query: &str| done(&format!("/users?{query}").parse().unwrap());
        assert_eq!(said("done=user-added"), "The user was added.");
        assert_eq!(said("done=you+are+hacked"), "");
        assert_eq!(said(""), "");
    }
}
