//! What others read, reports for people, and the module of MISP.

use super::operation::Is::{OneOf, Text, Whole};
use super::operation::Shape::{self, Of, Written};
use super::operation::{Group, answer, get, json, needed, of, post, query};
use super::reports::{AS_OF, COUNT, REFUSED, SECTIONS};
use crate::export::{misp, stix};
use crate::http::reports::{Page, Whole as WholeReport};

pub(super) const GROUP: Group = Group {
    name: "Exports",
    about: "What may be passed on, in the forms that others read.",
    operations: &[
        get("/api/v1/export", "export", "What is known of an indicator, in a form for others")
            .about("What is marked stricter than `tlp.export` is not in it. A table is of one section.")
            .with(&[
                needed("value", Text(None), "example.com", "A domain, address, URL or file hash, as typed."),
                query("format", OneOf(&["json", "ndjson", "stix", "misp", "csv", "html"]), "stix", "The form; absent: json."),
                query("section", Text(None), "FeedMasks", "The same as `sections`."),
                SECTIONS,
                COUNT,
                AS_OF,
            ])
            .answers(
                &[
                    json(200, Written("Own.Export"), "The report, without licence and quota."),
                    answer(200, "application/x-ndjson", Shape::Text, "The report, as one line."),
                    answer(200, misp::MEDIA_TYPE, Written("Own.MispEvent"), "An event."),
                    answer(200, stix::MEDIA_TYPE, Written("StixBundle"), "A bundle."),
                    answer(200, "text/csv", Shape::Text, "The rows of a section."),
                    answer(200, "text/html", Shape::Text, "A page to print."),
                ],
                REFUSED,
            ),
        get("/api/v1/reports", "reports", "Intelligence reports, by words and days")
            .with(&[
                query("search", Text(None), "loader", "Words that all stand in it."),
                query("type", OneOf(&["apt", "crimeware", "industrial"]), "apt", "Of this type; absent: of any."),
                query("from", Text(None), "2024-05-01", "From this day or moment on."),
                query("to", Text(None), "2024-05-28", "Up to this day (its end) or moment."),
                query("offset", Whole(0, Some(u32::MAX as u64)), "0", "Reports that are passed over."),
                query("limit", Whole(1, Some(u32::MAX as u64)), "100", "The most reports, up to 1000; absent: 100."),
            ])
            .answers(&[json(200, Of(of::<Page>()), "The newest first.")], &[400, 414]),
        get("/api/v1/reports/{report}", "report", "An intelligence report, and what it names")
            .about("As a file it is what the report names and may be passed on.")
            .with(&[query("format", OneOf(&["json", "csv", "openioc", "stix", "misp"]), "csv", "The form; absent: json.")])
            .answers(
                &[
                    json(200, Of(of::<WholeReport>()), "The report, and how what it names is judged."),
                    answer(200, "text/csv", Shape::Text, "What it names, a row each."),
                    answer(200, "application/xml", Shape::Text, "OpenIOC 1.0."),
                    answer(200, stix::MEDIA_TYPE, Written("StixBundle"), "A bundle."),
                    answer(200, misp::MEDIA_TYPE, Written("Own.MispEvent"), "An event."),
                ],
                REFUSED,
            ),
        get("/modules", "mispModules", "The modules that MISP is offered")
            .answers(&[json(200, Written("Own.Modules"), "The modules.")], &[]),
        post("/query", "mispQuery", "A question of MISP: expands an attribute")
            .about("What is wrong with a question is answered as MISP shows it. The token may stand in `config.token` of the body.")
            .takes(&[("application/json", Written("Own.MispQuestion"))])
            .answers(&[json(200, Written("Own.MispAnswer"), "What is known, or what was wrong.")], &[400, 408, 413]),
    ],
};
