// What is around an indicator, drawn and as tables; opened node by node.
import assert from "node:assert/strict";
import { demo, open, rows, test } from "./lib/browser.mjs";

const nodes = (page) => rows(page.locator("table").first());

test("the report leads to the graph, which is drawn and said in tables", async (page) => {
  await open(page, "/domain/full.example");
  await page.getByRole("link", { name: "Graph", exact: true }).click();
  await page.waitForURL("**/graph?of=full.example*");
  await page.locator("#graph-canvas canvas").first().waitFor();
  const drawn = await page.locator("#graph-canvas canvas").evaluateAll((all) => all.some((canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return data.some((value, at) => at % 4 === 3 && value > 0);
  }));
  assert.ok(drawn, "something is drawn");
  assert.ok((await nodes(page)).length > 10);
  assert.match((await nodes(page)).join("\n"), /full\[\.\]example/);
});

test("a node is opened in its place, and the address says so", async (page, context) => {
  await open(page, "/graph?of=full.example");
  const before = await nodes(page);
  await page.locator("#graph-nodes a.open-close", { hasText: "192[.]31[.]196[.]10" }).first().click();
  await page.waitForURL((url) => url.searchParams.getAll("open").length === 1);
  await page.waitForFunction((count) => document.querySelectorAll("#graph-nodes tr").length > count, before.length);
  const other = await context.newPage();
  await open(other, page.url());
  assert.equal((await nodes(other)).length, (await nodes(page)).length, "who gets the address sees as many");
  await page.goBack();
  await page.waitForFunction((count) => document.querySelectorAll("#graph-nodes tr").length === count, before.length);
});

test("plain: the graph is its tables, opened by links", { javaScriptEnabled: false }, async (page) => {
  await open(page, "/graph?of=full.example");
  assert.equal(await page.locator("#graph").isVisible(), false);
  const before = (await nodes(page)).length;
  await page.locator("#graph-nodes a.open-close", { hasText: "Open" }).first().click();
  assert.equal(new URL(page.url()).origin, demo);
  assert.ok((await nodes(page)).length > before);
});
