//! How the small values look in the document: those that are written as one text or one number.

use serde_json::json;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Ref, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::fact::RecordType;
use crate::indicator::{Asn, DomainName, Indicator};
use crate::source::{Interval, Location};
use crate::value::{CATEGORIES, Category, CountryCode, ThreatScore, Timestamp, Tlp};

/// A text: what it says, a pattern that holds for each, one of them.
fn text(about: &str, pattern: Option<&str>, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .pattern(pattern)
        .examples([json!(example)])
}

/// Says of types how they look.
macro_rules! scalars {
    ($($type:ty => $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema.build()))
            }
        }
        impl ToSchema for $type {}
    )*};
}

scalars! {
    Timestamp => text("A moment in UTC, to the second.", None, "2024-05-28T07:03:00Z")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Category => text("What an object is listed as.", None, "CATEGORY_MALWARE")
        .enum_values(Some(CATEGORIES.iter().map(|(name, _)| format!("CATEGORY_{name}"))));
    Tlp => text("The Traffic Light Protocol 2.0, the freest first.", None, "amber")
        .enum_values(Some(Tlp::ALL.map(|(_, name)| name)));
    ThreatScore => ObjectBuilder::new().schema_type(Type::Integer).description(Some("How dangerous."))
        .minimum(Some(0)).maximum(Some(100));
    Indicator => text("A domain, address, URL or file hash; in answers with its kind before it.", None, "domain:example.com");
    DomainName => text("A domain or host name.", None, "example.com");
    Asn => ObjectBuilder::new().schema_type(Type::Integer).description(Some("The number of an autonomous system."))
        .minimum(Some(0)).maximum(Some(u32::MAX));
    CountryCode => text("A country, ISO 3166-1 alpha-2.", Some("^[A-Z]{2}$"), "NL");
    RecordType => text("A type of DNS record.", Some("^[A-Z0-9]+$"), "AAAA");
    Location => text("Where a source comes from.", None, "https://feeds.example/list.txt");
    Interval => text("A whole number with its unit.", Some("^[0-9]+[smhd]$"), "6h");
}

/// A report on an object of any kind, by the schemas that were written for them.
pub(in crate::http) struct Report;

impl PartialSchema for Report {
    fn schema() -> RefOr<Schema> {
        let kinds = ["DomainReport", "IpReport", "UrlReport", "HashReport"];
        let any =
            kinds.into_iter().fold(AnyOfBuilder::new(), |any, kind| any.item(Ref::from_schema_name(kind)));
        RefOr::T(Schema::AnyOf(any.build()))
    }
}
impl ToSchema for Report {}
