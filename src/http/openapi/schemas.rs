//! The schemas of bodies: those of types, and those that were written by hand, in one name space.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::operation::Operation;

/// A file of schemas: its name, what its definitions are called by, what it stands for as a whole, its text.
struct File {
    name: &'static str,
    prefix: &'static str,
    whole: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($name:literal, $prefix:literal, $whole:literal) => {
        File {
            name: $name,
            prefix: $prefix,
            whole: $whole,
            text: include_str!(concat!("../../../tests/schemas/", $name)),
        }
    };
}

const FILES: [File; 10] = [
    file!("common.json", "", ""),
    file!("domain.json", "Domain.", "DomainReport"),
    file!("ip.json", "Ip.", "IpReport"),
    file!("url.json", "Url.", "UrlReport"),
    file!("hash.json", "Hash.", "HashReport"),
    file!("opentip.json", "OpenTip.", ""),
    file!("publications.json", "Publications.", ""),
    file!("stix.json", "Stix.", "StixBundle"),
    file!("problem.json", "Problem.", "Problem"),
    file!("own.json", "Own.", ""),
];

const COMPONENTS: &str = "#/components/schemas/";

/// The schemas that a document and what it names have need of.
pub(super) fn used<'a>(operations: impl Iterator<Item = &'a Operation>, document: &Value) -> Value {
    let all: BTreeMap<String, Value> = of_types(operations).into_iter().chain(written()).collect();
    let mut used = BTreeSet::new();
    let mut found = names(document);
    while let Some(name) = found.pop() {
        if let Some(schema) = all.get(&name)
            && used.insert(name)
        {
            found.extend(names(schema));
        }
    }
    all.into_iter().filter(|(name, _)| used.contains(name)).collect()
}

/// The components that a value names, at any depth.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == "$ref" => {
                    text.strip_prefix(COMPONENTS).map(str::to_owned).into_iter().collect()
                }
                value => names(value),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

//------------ Of types ------------------------------------------------------

fn of_types<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeMap<String, Value> {
    let mut schemas = Vec::new();
    for of in operations.flat_map(Operation::types) {
        schemas.push(((of.name)().into_owned(), (of.schema)()));
        (of.inside)(&mut schemas);
    }
    let schemas = schemas.into_iter().map(|(name, schema)| (name, readable(json!(schema))));
    let all: BTreeMap<String, Value> = schemas.collect();
    all.iter().map(|(name, schema)| (name.clone(), merged(schema, &all))).collect()
}

/// A schema whose descriptions have no links of Rust's documentation.
fn readable(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                *value = match value.as_str() {
                    Some(text) if key == "description" => text.replace("[`", "`").replace("`]", "`").into(),
                    _ => readable(value.take()),
                };
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| *one = readable(one.take())),
        _ => {}
    }
    schema
}

/// A record with the fields of those that it takes in: `allOf` would refuse what each alone does not know.
fn merged(schema: &Value, all: &BTreeMap<String, Value>) -> Value {
    let Some(parts) = schema["allOf"].as_array() else { return schema.clone() };
    let resolved = |part: &Value| {
        names(part).first().and_then(|name| all.get(name)).map_or(part.clone(), |part| merged(part, all))
    };
    let parts: Vec<Value> = parts
        .iter()
        .map(|part| if part["$ref"].is_string() { resolved(part) } else { part.clone() })
        .collect();
    if parts.iter().any(|part| part["type"] != "object") {
        return schema.clone();
    }
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in &parts {
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    let mut merged = json!({"type": "object", "properties": properties, "required": required});
    merged["description"] = schema["description"].clone();
    if parts.iter().any(|part| part["additionalProperties"] == false) {
        merged["additionalProperties"] = false.into();
    }
    merged
}

//------------ Written by hand -----------------------------------------------

fn written() -> impl Iterator<Item = (String, Value)> {
    FILES.into_iter().flat_map(|file| {
        let mut schema: Value = serde_json::from_str(file.text).expect("a test reads each file");
        let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs"));
        let definitions = definitions.and_then(|all| all.as_object().cloned()).unwrap_or_default();
        let named = definitions.into_iter().map(|(name, schema)| (format!("{}{name}", file.prefix), schema));
        // Generators would call it by its title, not by its name.
        let title = schema.as_object_mut().and_then(|schema| schema.remove("title"));
        let remark = [title.as_ref(), schema.get("$comment")].into_iter().flatten().filter_map(Value::as_str);
        schema["$comment"] = remark.collect::<Vec<_>>().join(". ").into();
        let whole = Some((file.whole.to_owned(), schema)).filter(|(name, _)| !name.is_empty());
        named.chain(whole).map(|(name, schema)| (name, adapted(schema, &file))).collect::<Vec<_>>()
    })
}

/// A schema as it stands in the document: names lead into it, and remarks are shown.
fn adapted(schema: Value, file: &File) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(key, _)| key != "$schema");
            let adapt = |(key, value): (String, Value)| match (key.as_str(), value) {
                ("$ref", Value::String(target)) => (key, component(&target, file).into()),
                ("$comment", remark) => ("description".to_owned(), remark),
                (_, value) => (key, adapted(value, file)),
            };
            fields.map(adapt).collect()
        }
        Value::Array(list) => list.into_iter().map(|one| adapted(one, file)).collect(),
        other => other,
    }
}

/// What a reference leads to: `common.json#/$defs/Zone`, `#/$defs/Rows`, `#`.
fn component(target: &str, file: &File) -> String {
    let (name, place) = target.split_once('#').unwrap_or((target, ""));
    let file = FILES.iter().find(|other| other.name == name).unwrap_or(file);
    let name =
        place.strip_prefix("/$defs/").map_or(file.whole.to_owned(), |name| format!("{}{name}", file.prefix));
    format!("{COMPONENTS}{name}")
}
