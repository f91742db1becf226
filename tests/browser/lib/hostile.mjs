// Facts of which every text is hostile, in the native format: `node hostile.mjs` prints them. And the pages that show them.

/** What no page may run, link or be turned around by. */
export const STRINGS = [
  "<script>window.pwned=1</script>",
  "\"><img src=x onerror=window.pwned=1>",
  "'><svg/onload=window.pwned=1>",
  "{{constructor.constructor('window.pwned=1')()}}",
  "javascript:alert(1)",
  "hxxp://left.example/a",
  "https://left.example/?a=<b>",
  "\u202eexe.cod\u202c\u2066abc\u2069\u200f\u061cx",
  "zero\u200bwidth\ufeffjoin\u2060er",
  "line\r\nSet-Cookie: a=b\r\n\r\n<b>",
  "-->]]></style></textarea></title><!--",
  "W".repeat(400),
];

/** Characters that turn the direction of text. */
export const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const text = STRINGS.join(" ");
export const DOMAIN = "hostile.example";
export const ADDRESS = "192.31.196.9";
export const FILE = "44D88612FEA8A8F36DE82E1278ABB02F";
export const PUBLICATION = "hostile-1";
/** As long as a name can be: four labels, of 63 octets as far as they can be. */
export const LONG = `${["a", "b", "c"].map((letter) => letter.repeat(63)).join(".")}.${"d".repeat(61)}`;
export const URLS = [
  "http://hostile.example/<script>window.pwned=1</script>",
  "http://hostile.example/\"><img/src=x/onerror=window.pwned=1>?next=javascript:alert(1)",
  "http://hostile.example/%E2%80%AEexe.cod%E2%81%A6?%3Cscript%3Ewindow.pwned=1%3C/script%3E",
  "http://javascript:80/?alert(1)",
  `http://hostile.example/${"w".repeat(900)}?${"q".repeat(900)}`,
];

function* facts() {
  const day = (back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  const seen = { first: day(20), last: day(2), hits: 3 };
  const file = { md5: FILE, sha1: "3395856ce81f2b7382dee72602f798b642f14140" };
  const indicators = [`domain:${DOMAIN}`, `ip:${ADDRESS}`, `hash:${FILE}`, ...URLS.map((url) => `url:${url}`)];
  const contact = Object.fromEntries(["name", "organization", "address", "city", "state", "postal_code", "phone", "fax", "email", "handle"]
    .map((field) => [field, text]));

  for (const rrname of [DOMAIN, `www.${DOMAIN}`, LONG, `a"onx='b.${DOMAIN}`, `&lt;b&gt;{{a}}.${DOMAIN}`, `xn--80ak6aa92e.${DOMAIN}`]) {
    yield { fact: "resolution", rrname, rrtype: "A", rdata: { address: ADDRESS }, via: [LONG], ...seen };
  }
  for (const rrtype of ["TXT", "CAA"]) yield { fact: "resolution", rrname: DOMAIN, rrtype, rdata: { text }, ...seen };
  for (const url of URLS) {
    yield { fact: "web_request", url, address: ADDRESS, referrer: URLS[1], ...seen };
    yield { fact: "web_request", url: `http://other.example/${encodeURIComponent(text)}`, referrer: url, ...seen };
    yield { fact: "download", file, url, address: ADDRESS, ...seen };
    yield { fact: "access", file, target: `url:${url}`, ...seen };
  }
  yield { fact: "spam_report", indicator: `domain:${DOMAIN}`, ratio: .5, types: STRINGS, ...seen };
  yield { fact: "spam_report", indicator: `ip:${ADDRESS}`, ratio: .5, types: STRINGS, ...seen };
  for (const indicator of [`domain:${DOMAIN}`, `ip:${ADDRESS}`]) {
    yield { fact: "phishing_report", indicator, regions: ["DE"], kit: text, stolen_data: STRINGS, industry: text, organization: text, ...seen };
  }
  yield { fact: "certificate", digest: "2".repeat(64), names: [DOMAIN], address: ADDRESS, server_name: DOMAIN, subject: text, issuer: text, ...seen };
  yield { fact: "contact", client: "10.1.2.3", indicator: `domain:${DOMAIN}`, sensor: text, ...seen };
  yield { fact: "listing", type: "MASK_TYPE_DOMAIN", mask: `*.${DOMAIN}`, category: "CATEGORY_PHISHING", reference: text, last: day(1) };
  yield { fact: "listing", type: "MASK_TYPE_WILDCARD", mask: `${DOMAIN}/<script>*</script>*onerror=window.pwned=1>`, category: "CATEGORY_MALWARE", reference: text, last: day(1) };
  yield {
    fact: "listing", type: "MASK_TYPE_URL", mask: `${DOMAIN}/"><img/src=x/onerror=window.pwned=1>?next=javascript:alert(1)`,
    category: "CATEGORY_PHISHING", reference: text, last: day(1),
  };
  yield { fact: "listing", type: "MASK_TYPE_NETWORK", mask: "192.31.196.8/29", category: "CATEGORY_SUSPICIOUS", reference: text, last: day(1) };
  yield { fact: "listing", file, category: "CATEGORY_MALWARE", reference: text, last: day(1) };
  yield { fact: "benign", type: "MASK_TYPE_DOMAIN", mask: `*.${DOMAIN}`, list: text, action: "annotate", reason: text, last: day(1) };
  yield {
    fact: "file_verdict", file, zone: "Red", detection_name: text, detection_method: text, description_url: text,
    file_type: text, names: STRINGS, signer: text, packer: text, size: 68, observed: day(1),
  };
  yield {
    fact: "registration", domain: DOMAIN, created: day(900), contacts: [{ contact_type: "registrant", ...contact }],
    name_servers: [LONG], registrar: text, registrar_iana_id: text, registrar_email: text, status: STRINGS,
  };
  yield {
    fact: "network", range: "192.31.196.0/24", asn: 64496, as_name: text, country: "NL", name: text,
    description: STRINGS, contacts: [{ contact_type: "abuse", ...contact }],
  };
  yield {
    fact: "publication", id: PUBLICATION, type: "APT", title: text, description: text, url: text, published: day(9), updated: day(3),
    tags: STRINGS, industries: STRINGS, geography: STRINGS, actors: STRINGS,
  };
  for (const indicator of indicators) {
    yield { fact: "mention", publication: PUBLICATION, indicator };
    yield { fact: "note", indicator, text, by: text };
    yield { fact: "sighting", indicator, by: text };
    yield { fact: "false_positive", indicator, by: text, reason: text };
  }
  yield { fact: "pin", indicator: `ip:${ADDRESS}`, zone: "Red", reason: text, by: text };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const fact of facts()) console.log(JSON.stringify(fact));
}
