// Everything works with scripts off.
import assert from "node:assert/strict";
import { demo, open, own, rows, section, sign_in, test } from "./lib/browser.mjs";
import { day, LIST } from "./lib/pages.mjs";

const OFF = { javaScriptEnabled: false };

test("plain: one indicator, and many", OFF, async (page) => {
  await open(page, "/");
  await page.locator("#q").fill("full[.]example");
  await page.getByRole("button", { name: "Look up" }).click();
  assert.equal(page.url(), `${demo}/domain/full.example`);
  await page.locator("#q").fill(LIST);
  await page.getByRole("button", { name: "Look up" }).click();
  assert.equal(await page.locator("tbody tr").count(), 5);
  await page.getByRole("button", { name: "Indicator" }).click();
  assert.equal(await page.locator("th[aria-sort=ascending]").count(), 1);
  assert.equal(await page.locator("tbody tr").count(), 5);
});

test("plain: the report reads, and nothing that needs the script is shown", OFF, async (page) => {
  await open(page, "/domain/full.example");
  assert.equal(await page.locator("section.section:not(#timeline, #People, #Contacts)").count(), 14);
  assert.equal(await page.locator("button.copy:visible, button.theme:visible").count(), 0);
  await page.locator("details.menu summary", { hasText: "Export" }).click();
  assert.ok(await page.getByRole("link", { name: "JSON", exact: true }).isVisible());
  await page.locator(".evidence summary").first().click();
  assert.match(await page.locator(".evidence details p").first().innerText(), /= [\d.]+ of 100/);
});

test("plain: sorted, filtered and turned by links and forms", OFF, async (page) => {
  await open(page, "/ip/192.31.196.80");
  const table = () => section(page, "DNS resolutions for IP address");
  await table().getByRole("link", { name: "Domain", exact: true }).click();
  assert.equal(page.url(), `${demo}/ip/192.31.196.80?section=IpDnsResolutions&sort=Domain#IpDnsResolutions`);
  const names = (await rows(table())).map((row) => row[1]);
  assert.deepEqual(names, names.toSorted());
  await table().getByRole("link", { name: "Next" }).click();
  assert.match(await table().locator(".pages").innerText(), /26–50 of 300/);
  assert.ok((await rows(table()))[0][1] > names.at(-1), "in the order that there was");
  await table().getByLabel("Filter: DNS").fill(names[3]);
  await table().getByRole("button", { name: "Filter" }).click();
  assert.deepEqual((await rows(table())).map((row) => row[1]), [names[3]]);
});

test("plain: a past day", OFF, async (page) => {
  await open(page, "/domain/full.example");
  await page.getByLabel("As of").fill(day(30));
  await page.getByRole("button", { name: "Show" }).click();
  assert.match(await page.locator("section.since").innerText(), /Red 100 now/);
});

test("plain: signing in and out", OFF, async (page) => {
  await sign_in(page);
  assert.equal(page.url(), `${own}/`);
  await page.getByRole("button", { name: "Sign out" }).click();
  assert.equal(page.url(), `${own}/login`);
});
