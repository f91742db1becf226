//! The service's own questions, passive DNS, sources and telemetry.

use super::operation::Is::{Moment, Whole};
use super::operation::Shape::{Bytes, Lines, List, Of, Text, Written};
use super::operation::{
    Answer, Group, Is, Operation, Parameter, answer, get, header, json, needed, of, post, query,
};
use super::reports::{AS_OF, COUNT, REFUSED, SECTIONS};
use crate::bulk::Row;
use crate::contacts::Contacts;
use crate::export::{misp, stix};
use crate::feeds::Rejected;
use crate::graph::Graph;
use crate::history::diff::Diff;
use crate::history::timeline::Timeline;
use crate::http::{ingest, own};
use crate::import::SOURCE_NAME_MAX;
use crate::lookalikes::{LIMIT_MAX, Lookalikes};
use crate::network::Overview;
use crate::overlap::Overlap;
use crate::pdns::Common;
use crate::search;
use crate::source::known::Known;

const NDJSON: &str = "application/x-ndjson";

pub(super) const GROUP: Group = Group {
    name: "Questions",
    about: "Any kind of indicator, many at once, what changed, and why.",
    operations: &[
        get("/api/v1/indicator", "indicator", "A report on an indicator of any kind, or what was asked for one")
            .about("That nothing is known is an answer too: it names the sources that were asked, and look-alikes.")
            .with(&[needed("value", Is::Text(None), "example.com", INDICATOR), SECTIONS, COUNT, AS_OF])
            .answers(&[json(200, Of(of::<own::Answer>()), "What is known.")], &[400, 414]),
        post("/api/v1/lookup", "lookup", "Zones of up to 100,000 values, or their reports")
            .about(
                "A body of 32 MiB at most. A table comes back as the same table with columns added, all else as a line of \
                 JSON a value. With `sections` (or `sections=all`) each value has its report. Each value counts as a lookup.",
            )
            .with(&[
                SECTIONS,
                COUNT,
                AS_OF,
                query(
                    "format",
                    Is::OneOf(&["ndjson", "csv", "stix", "misp"]),
                    "ndjson",
                    "The form of the answer; absent: by `Accept`, else as the values came.",
                ),
                query("column", Is::Text(None), "1", "The column of a table with the values, by name or number from 1."),
            ])
            .takes(&[
                ("application/json", Written("Own.Values")),
                (NDJSON, Bytes),
                ("text/csv", Bytes),
                ("text/plain", Bytes),
            ])
            .answers(
                &[
                    answer(200, NDJSON, Lines(of::<Row<'_>>()), "A line a value, in their order."),
                    answer(200, "text/csv", Text, "The table that was sent, with columns added."),
                    answer(200, stix::MEDIA_TYPE, Written("StixBundle"), "One bundle."),
                    answer(200, misp::MEDIA_TYPE, Written("Own.MispEvent"), "One event."),
                ],
                &[400, 408, 413, 415],
            ),
        get("/api/v1/similar", "similar", "Known names that imitate a domain")
            .with(&[
                needed("domain", Is::Text(None), "example.com", "A domain or host name: its registrable domain is asked about."),
                query("technique", Is::Text(None), "homoglyph", "Techniques, separated by commas; absent: all."),
                query("limit", Whole(1, Some(LIMIT_MAX as u64)), "100", "The most rows; absent: 100."),
            ])
            .answers(&[json(200, Of(of::<Lookalikes>()), "The ones most worth a look first.")], &[400, 414]),
        get("/api/v1/network/{cidr}", "network", "What is in a network")
            .with(&[AS_OF])
            .answers(&[json(200, Of(of::<Overview>()), "What is known.")], REFUSED),
        get("/api/v1/asn/{asn}", "autonomousSystem", "What is in an autonomous system")
            .with(&[AS_OF])
            .answers(&[json(200, Of(of::<Overview>()), "What is known.")], REFUSED),
        get("/api/v1/search-all", "searchAll", "What fits a text: names, addresses, files, masks, reports")
            .with(&[
                needed("q", Is::Text(None), "example*", "The text; `docs/search.md` says what can be asked."),
                query("cursor", Is::Text(None), "", "Where the next page begins, as the one before says."),
                query("limit", Whole(1, None), "100", "The most results, up to 1000; absent: 100."),
            ])
            .answers(&[json(200, Of(of::<search::Page>()), "A page of results.")], &[400, 414]),
        get("/api/v1/graph", "graph", "What is around indicators, by relation")
            .about(
                "The graph of all that is opened: an object that several name is one node. Each that is opened counts as a \
                 lookup. An opened one of which nothing is known is in `unknown`; of `of` that is 404.",
            )
            .with(&[
                needed("of", Is::Text(None), "example.com", "A domain, address, URL or file hash, as typed, or the id of a node."),
                query("open", Is::Texts, "ip:192.0.2.1", "What else is opened, up to 30 together."),
                query("relation", Is::Texts, "resolves_to", "Relations, commas between several; absent: all."),
                query("limit", Whole(1, None), "25", "The most neighbours of a relation, up to 100; absent: 25."),
                AS_OF,
            ])
            .answers(&[json(200, Of(of::<Graph>()), "Nodes and what relates them.")], REFUSED),
        get("/api/v1/diff", "diff", "What changed of an object between two moments, and why")
            .with(&[
                needed("indicator", Is::Text(None), "example.com", INDICATOR),
                needed("from", Moment, "2024-05-01", "The earlier day (its end) or moment."),
                query("to", Moment, "2024-05-28", "The later one; absent: now."),
            ])
            .answers(&[json(200, Of(of::<Diff>()), "What changed.")], REFUSED),
        get("/api/v1/contacts", "contacts", "Which of your own clients talked to an indicator")
            .about("Of a domain also to names below it. Not counted as a lookup.")
            .with(&[needed("indicator", Is::Text(None), "example.com", INDICATOR)])
            .answers(&[json(200, Of(of::<Contacts>()), "They, the last first; 1,000 at most.")], &[400, 414]),
        get("/api/v1/timeline", "timeline", "When an object was in which zone, and why that changed")
            .with(&[needed("indicator", Is::Text(None), "example.com", INDICATOR)])
            .answers(&[json(200, Of(of::<Timeline>()), "Times of equal zone, the oldest first.")], REFUSED),
    ],
};

pub(super) const PASSIVE_DNS: Group = Group {
    name: "Passive DNS",
    about: "As its clients ask: in the Common Output Format, and by the paths of DNSDB's version 2. Where nothing is known the \
            answer is empty.",
    operations: &[
        get("/pdns/query/{q}", "pdns", "Records of a name, or that hold an address, a network or a name")
            .with(RECORDS)
            .answers(&[answer(200, NDJSON, Lines(of::<Common<'_>>()), "A line a record.")], &[400, 414]),
        dnsdb("/dnsdb/v2/lookup/rrset/name/{name}", "rrsetLookup", "Records that a name has"),
        dnsdb(
            "/dnsdb/v2/lookup/rrset/name/{name}/{rrtype}",
            "rrsetLookupOfType",
            "Records of a type that a name has",
        ),
        dnsdb("/dnsdb/v2/lookup/rdata/name/{name}", "rdataNameLookup", "Records that hold a name"),
        dnsdb(
            "/dnsdb/v2/lookup/rdata/name/{name}/{rrtype}",
            "rdataNameLookupOfType",
            "Records of a type that hold a name",
        ),
        dnsdb("/dnsdb/v2/lookup/rdata/ip/{ip}", "rdataIpLookup", "Records that hold an address"),
        dnsdb("/dnsdb/v2/summarize/rrset/name/{name}", "rrsetSummary", "What the records of a name come to"),
        dnsdb(
            "/dnsdb/v2/summarize/rdata/name/{name}",
            "rdataNameSummary",
            "What the records that hold a name come to",
        ),
        dnsdb(
            "/dnsdb/v2/summarize/rdata/ip/{ip}",
            "rdataIpSummary",
            "What the records that hold an address come to",
        ),
        get("/dnsdb/v2/ping", "dnsdbPing", "Whether the service answers")
            .answers(&[json(200, Written("Own.Ping"), "It does.")], &[]),
        get("/dnsdb/v2/rate_limit", "dnsdbRateLimit", "The day's quota, as DNSDB says it")
            .answers(&[json(200, Written("Own.RateLimit"), "The quota.")], &[]),
    ],
};

pub(super) const SOURCES: Group = Group {
    name: "Sources and telemetry",
    about: "Where data comes from, what came of it, and bringing data.",
    operations: &[
        get("/api/v1/sources", "sources", "All sources, and what came of them")
            .answers(&[json(200, List(of::<Known>()), "The sources that the caller may know of.")], &[]),
        get("/api/v1/sources/overlap", "overlap", "Which sources list the same, and who was first")
            .answers(&[json(200, Of(of::<Overlap>()), "All sources beside all others.")], &[]),
        get("/api/v1/sources/{source}/rejected", "rejected", "Records of a source that were not understood")
            .answers(&[answer(200, NDJSON, Lines(of::<Rejected>()), "A sample of the newest import.")], &[400]),
        post("/api/v1/sources/{source}/refresh", "refresh", "Asks for a source now, in the background")
            .answers(&[json(202, Written("Own.Refresh"), "It will be asked for.")], &[400, 404, 409]),
        post("/api/v1/ingest", "ingest", "Takes in a body of facts, or of any format, as one batch")
            .about(
                "All of it or nothing. With an `Idempotency-Key` a body is taken in once, however often it is sent.",
            )
            .with(&[
                needed("source", Is::Text(Some(SOURCE_NAME_MAX)), "sensor-1", "The name of the source."),
                query("format", Is::Text(None), "native", "The format; absent: the source's own, else `native`."),
                header("Idempotency-Key", Some(255), "batch-2024-05-28-1", "A key of the sender's own for this body."),
                header("Content-Encoding", None, "gzip", "`gzip` or `zstd`, where the body is compressed."),
            ])
            .takes(&[("application/octet-stream", Bytes)])
            .answers(
                &[
                    json(201, Of(of::<ingest::Answer>()), "A new batch."),
                    json(200, Of(of::<ingest::Answer>()), "It was there already."),
                ],
                &[400, 408, 409, 413, 415, 422],
            ),
    ],
};

const INDICATOR: &str = "A domain, address, URL or file hash, as typed.";

/// Which records, and how many.
const RECORDS: &[Parameter] = &[
    query(
        "limit",
        Whole(0, Some(u64::MAX)),
        "100",
        "The most records, up to 100,000; absent: 10,000; 0: as many as there may be.",
    ),
    query("offset", Whole(0, Some(u64::MAX)), "0", "Records that are passed over."),
    fence("time_first_before", "First seen at or before."),
    fence("time_first_after", "First seen at or after."),
    fence("time_last_before", "Last seen at or before."),
    fence("time_last_after", "Last seen at or after."),
];

/// When records were seen.
const fn fence(name: &'static str, about: &'static str) -> Parameter {
    query(name, Whole(i64::MIN, Some(i64::MAX as u64)), "1716000000", about)
}

const STREAM: &[Answer] = &[answer(
    200,
    NDJSON,
    Text,
    "DNSDB's streaming answer: `cond` begin, an `obj` a record, `cond` succeeded or limited.",
)];

const fn dnsdb(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    get(path, id, summary).with(RECORDS).answers(STREAM, &[400, 414])
}
