// The pages that there are, one of each kind: what is asked of every page is asked of these.
import { readFile } from "node:fs/promises";

export const FILE = "35E721E1DD7F717E096E629A0322950C";

/** Lines as people paste them; the last has more indicators than a page of a table has rows. */
export const LIST = "full[.]example\nfiles.example\n192.31.196[.]10, travel.example; examplebank.example";
export const LOG = Array.from({ length: 40 }, (_, at) =>
  `1714521600.${at} 127 10.0.0.${at} TCP_MISS/200 512 GET http://full.example/files/setup.exe?n=${at} - DIRECT/192.31.196.${at + 1} text/html`).join("\n");
export const MAIL = `From: "Your bank" <service@examp1ebank.example>
To: sam@garden.example
Received: from mail.full.example (mail.full.example [192.31.196.30]) by mx.garden.example; Mon, 20 May 2024 10:00:00 +0000
Subject: Your account

Open hxxp://secure[.]login[.]full[.]example/bank/verify.html before today.
The file is 44d88612fea8a8f36de82e1278abb02f.
`;

/** Name, path at the demo, status. */
export const PAGES = [
  ["home", "/", 200],
  ["report of a domain", "/domain/full.example", 200],
  ["report of an address", "/ip/192.31.196.10", 200],
  ["report of a shared address", "/ip/192.31.196.80", 200],
  ["report of a URL", "/url/full.example%2Ffiles%2Fsetup.exe", 200],
  ["report of a file", `/hash/${FILE}`, 200],
  ["report of a reserved address", "/ip/10.1.2.3", 200],
  ["report of a pinned domain", "/domain/travel.example", 200],
  ["report of a benign domain", "/domain/examplebank.example", 200],
  ["report of a past day", `/domain/full.example?as_of=${day(30)}`, 200],
  ["section that is filtered", "/ip/192.31.196.80?section=IpDnsResolutions&filter=no+such+name#IpDnsResolutions", 200],
  ["unknown", "/domain/nothing.example", 404],
  ["unknown name like a known one", "/domain/examplebonk.example", 404],
  ["graph", "/graph?of=full.example", 200],
  ["graph to begin with", "/graph", 200],
  ["reports", "/reports", 200],
  ["report of intelligence", "/reports/synthetic-2026-001", 200],
  ["find", "/find", 200],
  ["what was found", "/find?q=full", 200],
  ["network", "/network/192.31.196.0%2F24", 200],
  ["autonomous system", "/asn/112", 200],
  ["sources", "/sources", 200],
  ["source", "/sources/synthetic-threats", 200],
  ["what sources share", "/sources/overlap", 200],
  ["batches", "/batches", 200],
  ["history", "/history", 200],
  ["table of many", `/search?q=${encodeURIComponent(LIST)}`, 200],
  ["nothing found", "/search?q=nothing+to+see", 200],
  ["graph", "/graph?of=full.example&open=192.31.196.10", 200],
  ["graph of nothing yet", "/graph", 200],
  ["error 400", "/domain/not%20a%20name", 400],
  ["error 404", "/no-such-page", 404],
];

/** Pages of who is signed in, at the service with users. */
export const OWN_PAGES = ["/", "/account", "/tokens", "/users", "/users/ann", "/groups", "/audit", "/history", "/sources", "/batches", "/pins", "/notes"];

/** The day so many days ago. */
export function day(back) {
  return new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
}

/** The text of a file that was downloaded. */
export async function text_of(download) {
  return readFile(await download.path(), "utf8");
}
