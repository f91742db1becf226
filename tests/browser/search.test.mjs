// Whatever is typed or pasted is looked up, as a person would.
import assert from "node:assert/strict";
import { open, rows, test } from "./lib/browser.mjs";
import { FILE, LIST, LOG, MAIL, text_of } from "./lib/pages.mjs";

const look_up = async (page, text) => {
  await open(page, "/");
  await page.locator("#q").fill(text);
  await page.getByRole("button", { name: "Look up" }).click();
  await page.waitForURL((url) => url.pathname !== "/");
};

for (const [typed, path] of [
  ["full.example", "/domain/full.example"],
  ["  FULL[.]example.\n", "/domain/full.example"],
  ["hxxps://full[.]example/files/setup.exe", "/url/full.example%2Ffiles%2Fsetup.exe"],
  ["192.31.196[.]10", "/ip/192.31.196.10"],
  ["2620:4f:8000::10", "/ip/2620:4f:8000::10"],
  [FILE.toLowerCase(), `/hash/${FILE}`],
  ["münchen.example", "/domain/xn--mnchen-3ya.example"],
]) {
  test(`one indicator: ${JSON.stringify(typed)}`, async (page) => {
    await look_up(page, typed);
    assert.equal(new URL(page.url()).pathname, path);
  });
}

for (const [name, pasted, count, some] of [
  ["a list", LIST, 5, "full[.]example"],
  ["a log", LOG, 80, "full[.]example/files/setup.exe?n=7"],
  ["an e-mail", MAIL, 3, "secure[.]login[.]full[.]example/bank/verify.html"],
]) {
  test(`many indicators: ${name}`, async (page) => {
    await look_up(page, pasted);
    const found = Number((await page.locator("h1").innerText()).match(/\d+/)[0]);
    assert.ok(found >= count, `${found} indicators, ${count} at least`);
    assert.equal((await rows(page.locator("table"))).length, Math.min(25, found));
    assert.ok((await page.locator(".zones").innerText()).includes("Red"));
    // All of it is still there, to be changed and sent again.
    assert.equal((await page.locator("#text").inputValue()).trimEnd(), pasted.trimEnd());
    const all = [];
    for (;;) {
      all.push(...(await rows(page.locator("table"))).map((row) => row.join(" ")));
      const next = page.getByRole("button", { name: "Next" });
      if (await next.count() === 0) break;
      const range = await page.locator(".pages span").innerText();
      await next.click();
      await page.waitForFunction((before) => document.querySelector(".pages span").innerText !== before, range);
    }
    assert.equal(all.length, found);
    assert.ok(all.some((row) => row.includes(some)), `${some} is in it`);
    assert.ok(all.every((row) => !row.includes("[[")), "what is defanged is not defanged again");
  });
}

test("the table of many is sorted, and leads to reports", async (page) => {
  await look_up(page, LIST);
  const zones = async () => (await rows(page.locator("table"))).map((row) => row.find((cell) => /Red|Orange|Yellow|Grey|Green/.test(cell)));
  await page.getByRole("button", { name: "Zone" }).click();
  await page.locator("th[aria-sort=ascending]").waitFor();
  const sorted = await zones();
  await page.getByRole("button", { name: "Zone" }).click();
  await page.locator("th[aria-sort=descending]").waitFor();
  assert.deepEqual(await zones(), sorted.toReversed());
  assert.notDeepEqual(sorted, sorted.toReversed());
  await page.getByRole("link", { name: "travel[.]example" }).first().click();
  await page.waitForURL("**/domain/travel.example");
});

test("the table of many is taken along as CSV, NDJSON, STIX and MISP", async (page) => {
  await look_up(page, LIST);
  const take = async (name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    return { name: download.suggestedFilename(), text: await text_of(download) };
  };
  const csv = await take("CSV");
  assert.equal(csv.name, "zonelens.csv");
  assert.equal(csv.text.trim().split(/\r?\n/).length, 6, "a heading and five rows");
  const lines = (await take("NDJSON")).text.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 5);
  assert.equal(JSON.parse((await take("STIX")).text).type, "bundle");
  assert.ok(JSON.parse((await take("MISP")).text).Event);
});

test("what holds nothing is said to, and stays to be mended", async (page) => {
  await look_up(page, "nothing to see here");
  assert.match(await page.getByRole("alert").innerText(), /No domain, IP address, URL or file hash/);
  assert.equal(await page.locator("#text").inputValue(), "nothing to see here");
});

test("what is no name is an error that says what would be right", async (page) => {
  await open(page, "/domain/not%20a%20name", 400);
  assert.match(await page.getByRole("alert").innerText(), /is not a domain name.*right would be/s);
  await page.getByRole("link", { name: "Look something up" }).click();
  await page.waitForURL("**/");
});

test("an unknown name is said to be unknown, not harmless", async (page) => {
  await open(page, "/domain/examplebonk.example", 404);
  const text = await page.locator("main").innerText();
  assert.match(text, /Unknown: no source says anything/);
  assert.match(text, /no statement that it is harmless/);
  assert.match(text, /examplebank\[\.\]example/, "a known name that looks like it");
  assert.ok((await rows(page.locator("table"))).length > 5, "what was asked");
});
