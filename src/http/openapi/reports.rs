//! Reports in both dialects, scans, publications, bundles.

use super::operation::Is::{OneOf, Text, Whole};
use super::operation::Shape::{Bytes, Written};
use super::operation::{
    Answer, Group, Is, Operation, Parameter, answer, bare, get, header, json, needed, post, query,
};
use crate::export::stix;

pub(super) const GROUP: Group = Group {
    name: "Reports",
    about: "What is known of one object: the full report, and the smaller one for clients of the free service.",
    operations: &[
        get("/api/domain/{domain}", "domainReport", "A report on a domain or host name")
            .with(REPORT)
            .answers(DOMAIN_REPORT, REFUSED),
        get("/api/ip/{ip}", "ipReport", "A report on an address")
            .with(REPORT)
            .answers(IP_REPORT, REFUSED),
        get("/api/url/{url}", "urlReport", "A report on a web address")
            .about(
                "Escaped in one piece the URL is one part of the path. Raw, with `/` as it stands, it takes the rest of the \
                 request's line, its own query included; `sections`, `count`, `format` and `as_of` at the very end are then \
                 those of this operation.",
            )
            .with(REPORT)
            .answers(URL_REPORT, REFUSED)
            .raw(),
        get("/api/hash/{hash}", "hashReport", "A report on a file, by any of its hashes")
            .with(REPORT)
            .answers(HASH_REPORT, REFUSED),
        get("/api/v1/search/domain", "searchDomain", "The smaller report on a domain")
            .with(&[needed("request", Text(None), "example.com", DOMAIN)])
            .answers(&[json(200, Written("OpenTip.domain"), "The report.")], REFUSED),
        get("/api/v1/search/ip", "searchIp", "The smaller report on an address")
            .with(&[needed("request", Text(None), "192.0.2.1", IP)])
            .answers(&[json(200, Written("OpenTip.ip"), "The report; of a reserved address it may be empty.")], REFUSED),
        get("/api/v1/search/url", "searchUrl", "The smaller report on a web address")
            .about("All that stands after `request=`, to the end of the query, is the URL. It needs a path: `example.com/` has one.")
            .with(&[needed("request", Text(Some(2000)), "example.com/a", URL)])
            .answers(&[json(200, Written("OpenTip.url"), "The report.")], REFUSED)
            .raw(),
        get("/api/v1/search/hash", "searchHash", "The smaller report on a file")
            .with(&[needed("request", Text(None), "44D88612FEA8A8F36DE82E1278ABB02F", HASH)])
            .answers(&[json(200, Written("OpenTip.hash"), "The report.")], REFUSED),
        post("/api/v1/scan/file", "scanFile", "The smaller report on a file that is sent")
            .about("The body, of 256 MB at most, is hashed as it streams in, and forgotten: nothing is run or opened.")
            .with(&[query("filename", Text(Some(1024)), "setup.exe", "What the file is called.")])
            .takes(&[("application/octet-stream", Bytes)])
            .answers(
                &[json(200, Written("OpenTip.hash"), "The report; `NotCategorized` where nothing is known of the file.")],
                &[400, 408, 413],
            ),
        post("/api/v1/getresult/file", "scanResult", "The smaller report on a file, as the result of a scan")
            .with(&[needed("request", Text(None), "44D88612FEA8A8F36DE82E1278ABB02F", HASH)])
            .answers(&[json(200, Written("OpenTip.hash"), "The report.")], REFUSED),
    ],
};

pub(super) const PUBLICATIONS: Group = Group {
    name: "Intelligence reports",
    about: "Reports that facts name, by GET or by POST; the parameters stand in the query of both.",
    operations: &[
        one(get("/api/publications/get_one", "getPublication", "One intelligence report")),
        one(post("/api/publications/get_one", "postPublication", "One intelligence report")),
        list(get(
            "/api/publications/get_list",
            "getPublications",
            "Intelligence reports by day of publication",
        )),
        list(post(
            "/api/publications/get_list",
            "postPublications",
            "Intelligence reports by day of publication",
        )),
        master(get(
            "/api/publications/get_master_ioc",
            "getMasterIoc",
            "All that reports of a group name, as CSV",
        )),
        master(post(
            "/api/publications/get_master_ioc",
            "postMasterIoc",
            "All that reports of a group name, as CSV",
        )),
        master(get("/api/publications/get_master_yara", "getMasterYara", "The rules of reports of a group")),
        master(post(
            "/api/publications/get_master_yara",
            "postMasterYara",
            "The rules of reports of a group",
        )),
    ],
};

pub(super) const DOMAIN: &str =
    "A domain or host name; refanged, in any case, IDN or A-label. Without scheme, port or path.";
pub(super) const IP: &str = "An IPv4 or IPv6 address, no network.";
pub(super) const URL: &str = "A web address, with a scheme or without.";
pub(super) const HASH: &str = "MD5, SHA-1 or SHA-256 as 32, 40 or 64 hex digits.";

/// The problems of every question.
pub(super) const REFUSED: &[u16] = &[400, 404, 414];

pub(super) const SECTIONS: Parameter = query(
    "sections",
    Text(None),
    "Zone,Verdict",
    "The sections that are wanted, separated by commas; absent: all. Those that this kind of report does not have are \
     ignored; none left is 400.",
);
pub(super) const COUNT: Parameter =
    query("count", Whole(1, None), "10", "The most rows of a section; absent, and more than 1000: 1000.");
const FORMAT: Parameter = query(
    "format",
    OneOf(&["json", "stix"]),
    "json",
    "The report, or a STIX 2.1 bundle, which ignores `sections` and `count`.",
);
pub(super) const AS_OF: Parameter = query(
    "as_of",
    Is::Moment,
    "2024-05-28",
    "A past day (its end) or moment: what was learnt later is not used.",
);
const MATCH: Parameter = header(
    "If-None-Match",
    None,
    "\"0\"",
    "The `ETag` of an answer that the client has: where it still holds, 304.",
);

const REPORT: &[Parameter] = &[SECTIONS, COUNT, FORMAT, AS_OF, MATCH];

const DOMAIN_REPORT: &[Answer] = &report("DomainReport");
const IP_REPORT: &[Answer] = &report("IpReport");
const URL_REPORT: &[Answer] = &report("UrlReport");
const HASH_REPORT: &[Answer] = &report("HashReport");

const fn report(name: &'static str) -> [Answer; 3] {
    [
        json(200, Written(name), "The report."),
        answer(200, stix::MEDIA_TYPE, Written("StixBundle"), "The report."),
        bare(304, "The client has it already."),
    ]
}

const ONE: &[Parameter] = &[
    needed("publication_id", Text(None), "report-1", "The id of a report, as `get_list` names it."),
    query(
        "include_info",
        Text(None),
        "iocs",
        "What besides, separated by commas: `all`, `iocs`, `yara`, `pdf`, `execsum`. Of these facts have indicators.",
    ),
];
const PUBLICATION: &[Answer] = &[json(200, Written("Publications.One"), "The report.")];

const fn one(operation: Operation) -> Operation {
    operation.with(ONE).answers(PUBLICATION, REFUSED)
}

const BETWEEN: &[Parameter] = &[
    query("date_start", Whole(0, Some(SECONDS_MAX)), "1700000000", "From this moment on, Unix seconds."),
    query("date_end", Whole(0, Some(SECONDS_MAX)), "1800000000", "Up to this moment, Unix seconds."),
];
/// Twelve digits.
pub(super) const SECONDS_MAX: u64 = 999_999_999_999;
const PUBLISHED: &[Answer] = &[json(200, Written("Publications.List"), "The newest first, 100,000 at most.")];

const fn list(operation: Operation) -> Operation {
    operation.with(BETWEEN).answers(PUBLISHED, &[400, 414])
}

const OF_GROUP: &[Parameter] =
    &[query("report_group", OneOf(&["apt", "fin", "all"]), "all", "Reports of which group.")];
const PACKED: &[Answer] = &[json(200, Written("Publications.Envelope"), "Text in gzip in base64.")];

const fn master(operation: Operation) -> Operation {
    operation.with(OF_GROUP).answers(PACKED, &[400, 414])
}
