// The page of a report: its sections, sorted, filtered, paged and taken along; a past day.
import assert from "node:assert/strict";
import { body_rows, demo, open, rows, section, test } from "./lib/browser.mjs";
import { day, FILE, text_of } from "./lib/pages.mjs";

/** Section and heading, and columns of a table or names of a record, as the contract has them. */
const WHOIS = ["Domain name", "Created", "Updated", "Expires", "Name servers", "Contacts", "Registrar", "Domain status", "Registration organization"];
const SPAM = ["Spam attacks", "Spam ratio", "Last attack date", "Spam attack types"];
const PHISHING = ["Phishing attacks", "Last attack date", "Regions", "Phish kit", "Stolen data type", "Attacked industry", "Attacked organization"];
const URL_ROW = ["Zone", "Last seen", "URL", "Private data removed"];
const MASKS = ["Zone", "Mask", "Feeds", "Type of mask"];
const REPORTS = [
  ["/domain/full.example", [
    ["DomainGeneralInfo", "Overview", ["Files", "URLs", "Hits", "Domain", "IPv4 addresses", "Categories", "In APT reports", "Reports",
      "Malicious files", "Malicious URLs", "Threat score", "First seen", "Last seen", "In Unicode"]],
    ["FilesAccessed", "Files that accessed the requested domain", ["Zone", "Hits", "MD5", "Last seen", "First seen", "Detection name"]],
    ["FilesDownloaded", "Files downloaded from requested domain", ["Zone", "Hits", "MD5", "Last seen", "First seen", "Detection name", "URL"]],
    ["Subdomains", "Subdomains", ["Zone", "Subdomain", "URLs", "Files", "First seen"]],
    ["UrlReferrals", "Referrals to domain", URL_ROW],
    ["UrlReferredTo", "Domain referred to the following URLs", URL_ROW],
    ["DomainWhoIsInfo", "WHOIS", WHOIS],
    ["DomainDnsResolutions", "DNS resolutions for domain", ["Zone", "IP address", "Country", "Status", "Hits", "First seen", "Last seen",
      "Daily peak", "Peak date", "Threat score", "Via", "Peak is an estimate"]],
    ["FeedMasks", "URL masks", [...MASKS, "Type"]],
    ["hostSimilarDomains", "Similar domains", ["Zone", "Domain", "Registration", "Expiration", "HTTP open", "HTTPS open", "Technique", "Distance"]],
    ["hostSpamInfo", "Spam attacks", SPAM],
    ["hostPhishingInfo", "Phishing attacks", PHISHING],
    ["DataFeeds", "Data Feeds", []],
    ["Industries", "Industries", []],
  ]],
  ["/ip/192.31.196.10", [
    ["IpGeneralInfo", "Overview", ["Hits", "First seen", "Threat score", "IP address", "Country", "Status", "Categories", "In APT reports",
      "Reports", "Last seen", "Shared hosting"]],
    ["FilesDownloadedFromIp", "Files related to IP address", ["Zone", "Hits", "MD5", "Last seen", "First seen", "Detection name", "URL"]],
    ["HostedUrls", "Hosted URLs", ["Zone", "Hits", "URL", "Private data removed", "First seen", "Last seen"]],
    ["FeedMasks", "URL masks", [...MASKS, "Status"]],
    ["IpWhoIs", "WHOIS", ["Type", "Status", "AS", "Network", "Contacts"]],
    ["IpDnsResolutions", "DNS resolutions for IP address", ["Zone", "Domain", "First seen", "Last seen", "Hits", "Daily peak", "Peak date", "Categories"]],
    ["IPSpamInfo", "Spam attacks", SPAM],
    ["IPPhishingInfo", "Phishing attacks", PHISHING],
    ["DataFeeds", "Data Feeds", []],
  ]],
  ["/url/full.example%2Ffiles%2Fsetup.exe", [
    ["UrlGeneralInfo", "Overview", ["URL", "Host", "IPv4 addresses", "Files", "Categories", "Hits"]],
    ["UrlDomainWhoIs", "WHOIS", WHOIS],
    ["FeedMasks", "URL masks", MASKS],
  ]],
  [`/hash/${FILE}`, [
    ["FileGeneralInfo", "Overview", ["File status", "MD5", "SHA-1", "SHA-256", "First seen", "Last seen", "Signer", "Packer", "Size", "Type", "Hits"]],
    ["DetectionsInfo", "Detections", ["Last detect date", "Zone", "Detection name", "Detection method"]],
    ["FileNames", "File names", ["File name", "Hits"]],
  ]],
];

for (const [path, sections] of REPORTS) {
  test(`every section is there, with all its columns: ${path}`, async (page) => {
    await open(page, path);
    const wrong = [];
    for (const [name, title, columns] of sections) {
      const found = page.locator(`section#${name}`);
      if (await found.count() !== 1) { wrong.push(`${name} is not there`); continue; }
      const heading = await found.locator("h2").innerText();
      if (heading !== title) wrong.push(`${name} is headed "${heading}"`);
      const names = await found.locator(":scope > .scroll thead th, dl.record > div > dt").allInnerTexts();
      for (const column of columns) if (!names.includes(column)) wrong.push(`${name} has no "${column}", but ${names.join(", ")}`);
      if (!(await found.innerText()).trim()) wrong.push(`${name} says nothing`);
      const answer = await page.request.get(`${demo}/api${path}?sections=${name}`);
      const body = (await answer.json())[name];
      if (Array.isArray(body) && body[0] instanceof Object) {
        const shown = await body_rows(found).count();
        if (shown !== Math.min(25, body.length)) wrong.push(`${name} shows ${shown} rows of ${body.length}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.equal(await page.locator("nav.contents a").count(), await page.locator("section.section:not(#timeline, #People, #Contacts)").count());
  });
}

test("the head says zone, word and score, and why", async (page) => {
  await open(page, "/domain/full.example");
  const head = await page.locator("header.panel").innerText();
  assert.match(head, /Red: Dangerous\. Threat score 100 of 100/);
  assert.equal(await page.locator("header.panel .symbol").innerText(), "✕", "a symbol besides the colour");
  assert.ok(await page.locator(".evidence li").count() >= 5);
  assert.match(await page.locator(".evidence li").first().innerText(), /synthetic-/, "who says it");
});

const SHARED = "/ip/192.31.196.80";
const TITLE = "DNS resolutions for IP address";

test("a section is sorted in its place, and the address says so", async (page, context, seen) => {
  await open(page, SHARED);
  await page.evaluate(() => { window.same_page = true; });
  const table = section(page, TITLE);
  await table.getByRole("link", { name: "Domain", exact: true }).click();
  await table.locator("th[aria-sort=ascending]").waitFor();
  assert.equal(await page.evaluate(() => window.same_page), true, "the page is the same");
  assert.equal(new URL(page.url()).search, "?section=IpDnsResolutions&sort=Domain");
  const names = (await rows(table)).map((row) => row[1]);
  assert.deepEqual(names, names.toSorted());
  await table.getByRole("link", { name: "Domain", exact: true }).click();
  await table.locator("th[aria-sort=descending]").waitFor();
  assert.ok(seen.requests.some((asked) => /section=IpDnsResolutions.*part=1/.test(asked)), "the section alone was asked for");
  // Who gets the address sees the same.
  const other = await context.newPage();
  await open(other, page.url());
  assert.deepEqual(await rows(section(other, TITLE)), await rows(table));
  assert.notEqual((await rows(table))[0][1], names[0]);
});

test("a section is filtered, by what is defanged too", async (page) => {
  await open(page, SHARED);
  const table = section(page, TITLE);
  const name = (await rows(table))[7][1];
  await table.getByLabel(`Filter: ${TITLE}`).fill(name);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("filter") === name);
  assert.equal(await page.locator(":focus").getAttribute("name"), "filter", "who filters goes on typing");
  assert.deepEqual((await rows(table)).map((row) => row[1]), [name]);
  assert.match(await table.locator(".pages").innerText(), /1 that fit, of 300/);
  await table.getByLabel(`Filter: ${TITLE}`).fill("");
  await table.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL((url) => !url.searchParams.get("filter"));
  assert.equal((await rows(table)).length, 25);
});

test("a section is turned, page by page, to its last row", async (page) => {
  await open(page, SHARED);
  const table = section(page, TITLE);
  const all = [];
  for (let at = 1; at <= 12; at++) {
    await page.waitForFunction((from) => document.querySelector("#IpDnsResolutions .pages span").innerText.startsWith(from), `${(at - 1) * 25 + 1}–`);
    all.push(...(await rows(table)).map((row) => row[1]));
    if (at < 12) await table.getByRole("link", { name: "Next" }).click();
  }
  assert.equal(new Set(all).size, 300);
  assert.equal(await table.getByRole("link", { name: "Next" }).count(), 0);
  await table.getByRole("link", { name: "Previous" }).click();
  await page.waitForURL((url) => url.searchParams.get("page") === "11");
  assert.match(await table.locator(".pages").innerText(), /251–275 of 300/);
});

test("going back leads through how a section stood", async (page) => {
  await open(page, SHARED);
  await section(page, TITLE).getByRole("link", { name: "Next" }).click();
  await page.waitForURL((url) => url.searchParams.get("page") === "2");
  await section(page, TITLE).getByRole("link", { name: "Next" }).click();
  await page.waitForURL((url) => url.searchParams.get("page") === "3");
  await page.goBack();
  await page.waitForURL((url) => url.searchParams.get("page") === "2");
  await page.waitForFunction(() => document.querySelector("#IpDnsResolutions .pages span").innerText.startsWith("26–"));
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("#IpDnsResolutions .pages span").innerText.startsWith("1–"));
});

test("a report is taken along as JSON, STIX and MISP, a section as CSV", async (page) => {
  await open(page, "/domain/full.example");
  const take = async (within, name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), within.getByRole("link", { name, exact: true }).click()]);
    return { name: download.suggestedFilename(), text: await text_of(download) };
  };
  const menu = page.locator("details.menu").filter({ hasText: "Export" });
  for (const [name, is_right] of [
    ["JSON", (body) => body.Zone === "Red"],
    ["STIX 2.1", (body) => body.type === "bundle"],
    ["MISP event", (body) => (body.Event ?? body.response).info !== ""],
  ]) {
    if (!await menu.evaluate((details) => details.open)) await menu.locator("summary").click();
    const taken = await take(menu, name);
    assert.ok(is_right(JSON.parse(taken.text)), name);
    assert.match(taken.name, /\.json$/);
  }
  const csv = await take(section(page, "Subdomains"), "CSV");
  assert.equal(csv.text.trim().split(/\r?\n/).length, 8, "a heading and seven rows");
  assert.match(csv.name, /\.csv$/);
});

test("a past day, and what changed since", async (page) => {
  await open(page, "/domain/full.example");
  const then = day(30);
  await page.getByLabel("As of").fill(then);
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL((url) => url.searchParams.get("as_of") === then);
  const since = page.locator("section.since");
  assert.match(await since.innerText(), new RegExp(`As of ${then}`));
  assert.match(await since.innerText(), /Red 100 now|became/);
  assert.ok(await since.locator("li").count() > 2);
  const fewer = await body_rows(section(page, "URL masks")).count();
  // The sections stay of that day when they are sorted.
  await section(page, "URL masks").getByRole("link", { name: "Mask", exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get("sort") === "NormalizedMask");
  assert.equal(new URL(page.url()).searchParams.get("as_of"), then);
  assert.equal(await body_rows(section(page, "URL masks")).count(), fewer);
  await page.getByRole("link", { name: "Now", exact: true }).click();
  await page.waitForURL((url) => url.search === "");
  assert.ok(await body_rows(section(page, "URL masks")).count() > fewer);
});

test("a pinned object says who set it, and why", async (page) => {
  await open(page, "/domain/travel.example");
  assert.match(await page.locator(".pinned").innerText(), /Green set by \S+.*: \S+/s);
});
