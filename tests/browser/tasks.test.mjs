// What analysts come for, each in three clicks at most after the indicator is typed; and what a first visit costs.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { demo, open, own, signed_in, test } from "./lib/browser.mjs";
import { text_of } from "./lib/pages.mjs";

const CLICKS_MAX = 3;
const FIRST_LOAD_BYTES_MAX = 100_000;

/** Types an indicator at home; returns what clicks and counts. */
async function typed(page, indicator, at = demo) {
  await open(page, `${at}/`);
  await page.locator("#q").fill(indicator);
  const hand = { clicks: 0, click: async (what) => { hand.clicks += 1; await what.click(); } };
  await hand.click(page.getByRole("button", { name: "Look up" }));
  await page.waitForURL("**/domain/**");
  return hand;
}

const few = (hand, task) => {
  assert.ok(hand.clicks <= CLICKS_MAX, `${task}: ${hand.clicks} clicks`);
  console.log(`${task}: ${hand.clicks} clicks`);
};
/** It is read without scrolling. */
const at_once = async (page, what) => {
  const box = await what.boundingBox();
  assert.ok(box && box.y + box.height <= page.viewportSize().height, `on the first screen: ${JSON.stringify(box)}`);
};

test("task: is it bad?", async (page) => {
  const hand = await typed(page, "full[.]example");
  assert.match(await page.locator(".said").innerText(), /Red: Dangerous/);
  await at_once(page, page.locator(".said"));
  few(hand, "is it bad?");
});

test("task: since when?", async (page) => {
  const hand = await typed(page, "full[.]example");
  const first = page.locator(".facts > div").filter({ hasText: "First seen" });
  assert.match(await first.innerText(), /\d{4}-\d\d-\d\d/);
  await at_once(page, first);
  few(hand, "since when?");
});

test("task: who says?", async (page) => {
  const hand = await typed(page, "full[.]example");
  await hand.click(page.getByRole("link", { name: "Why", exact: true }));
  assert.match(await page.locator(".evidence li").first().innerText(), /synthetic-/);
  await hand.click(page.locator(".evidence summary").first());
  assert.match(await page.locator(".evidence details p").first().innerText(), /of 100/);
  few(hand, "who says?");
});

test("task: who of ours?", async (page) => {
  await signed_in(page);
  const hand = await typed(page, "hostile[.]example", own);
  const ours = page.locator("section").filter({ has: page.getByRole("heading", { name: "Who of ours talked to it" }) });
  assert.match(await ours.innerText(), /10[.\[\]]+1[.\[\]]+2[.\[\]]+3/);
  few(hand, "who of ours?");
});

test("task: take it along", async (page) => {
  const hand = await typed(page, "full[.]example");
  await hand.click(page.locator("summary", { hasText: "Export" }));
  const [download] = await Promise.all([page.waitForEvent("download"), hand.click(page.getByRole("link", { name: "STIX 2.1" }))]);
  assert.equal(JSON.parse(await text_of(download)).type, "bundle");
  few(hand, "take it along");
});

for (const [name, path] of [["home", "/"], ["full.example", "/domain/full.example"]]) {
  test(`a first visit is light: ${name}`, async (page, context, seen) => {
    const answers = [];
    context.on("response", (answer) => answers.push(answer));
    await open(page, path);
    await page.waitForLoadState("networkidle");
    const bodies = await Promise.all(answers.map((answer) => answer.body()));
    const sent = (await Promise.all(answers.map((answer) => answer.request().sizes()))).reduce((sum, sizes) => sum + sizes.responseBodySize + sizes.responseHeadersSize, 0);
    const packed = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
    console.log(`${name}: ${answers.length} requests, ${(sent / 1000).toFixed(1)} kB as sent, ${(packed / 1000).toFixed(1)} kB compressed`);
    assert.ok(sent <= FIRST_LOAD_BYTES_MAX, `${sent} bytes`);
    assert.ok(answers.length >= 3 && seen.requests.length >= 3, "page, style and script");
  });
}
