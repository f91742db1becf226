//! The schemas of `tests/schemas`, ready to check answers with, and that they refuse what they should.

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

const FILES: [(&str, &str); 10] = [
    ("common.json", include_str!("../schemas/common.json")),
    ("domain.json", include_str!("../schemas/domain.json")),
    ("ip.json", include_str!("../schemas/ip.json")),
    ("url.json", include_str!("../schemas/url.json")),
    ("hash.json", include_str!("../schemas/hash.json")),
    ("opentip.json", include_str!("../schemas/opentip.json")),
    ("publications.json", include_str!("../schemas/publications.json")),
    ("stix.json", include_str!("../schemas/stix.json")),
    ("own.json", include_str!("../schemas/own.json")),
    ("problem.json", include_str!("../schemas/problem.json")),
];

/// The validator of a schema: `"domain.json"`, `"ip.json#/$defs/Whole"`, `"problem.json"`.
pub fn validator(reference: &str) -> Validator {
    let mut registry = Registry::new();
    for (name, text) in FILES {
        let schema: Value = serde_json::from_str(text).expect(name);
        registry = registry.add(format!("json-schema:///{name}"), schema).expect(name);
    }
    let registry = registry.prepare().expect("the schemas name only each other");
    let entry = json!({"$ref": format!("json-schema:///{reference}")});
    jsonschema::options().with_registry(&registry).build(&entry).expect(reference)
}

/// Asserts that a value is as the schema says; else all that is wrong with it, each with its place.
pub fn assert_valid(reference: &str, value: &Value) {
    let validator = validator(reference);
    let errors = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path()));
    let errors: Vec<String> = errors.collect();
    assert!(errors.is_empty(), "against {reference}:\n{}\n{value:#}", errors.join("\n"));
}

#[test]
fn the_schemas_are_schemas() {
    for (name, text) in FILES {
        let schema: Value = serde_json::from_str(text).expect(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
    }
}

#[test]
fn sections_are_optional_but_not_their_keys() {
    for reference in ["domain.json", "ip.json", "url.json", "hash.json"] {
        assert_valid(reference, &json!({}));
        assert_valid(reference, &json!({"Zone": "Grey", "RelatedObjects": {"HasRedZone": false}}));
        for wrong in [
            json!({"Zone": "Blue"}),
            json!({"zone": "Grey"}),
            json!({"RelatedObjects": {}}),
            json!({"RelatedObjects": {"HasRedZone": null}}),
            json!({"RelatedObjects": {"HasRedZone": true, "HasOrangeZone": true}}),
            json!({"DataFeeds": []}),
        ] {
            assert!(!validator(reference).is_valid(&wrong), "{reference}: {wrong}");
        }
        assert!(!validator(&format!("{reference}#/$defs/Whole")).is_valid(&json!({"Zone": "Grey"})));
    }
    assert_valid("domain.json", &json!({"DomainWhoIsInfo": null}));
    assert!(!validator("ip.json").is_valid(&json!({"IpWhoIs": null})));
}

#[test]
fn a_problem_has_all_five_members() {
    let problem = json!({"type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "10.0.0.0/8 is a network: ask for one address", "instance": "/api/ip/10.0.0.0%2F8"});
    assert_valid("problem.json", &problem);
    for member in ["type", "title", "status", "detail", "instance"] {
        let mut partial = problem.clone();
        partial.as_object_mut().unwrap().remove(member);
        assert!(!validator("problem.json").is_valid(&partial), "{member}");
    }
}
