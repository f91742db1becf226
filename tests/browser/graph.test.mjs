// The graph: nodes open and close in their place, the address says what is open, and the tables say what is drawn.
import assert from "node:assert/strict";
import { demo, open, rows, test } from "./lib/browser.mjs";

const START = "/graph?of=full.example";
const OPENED = "ip:192.31.196.10";
const AFTER = `${demo}/graph?of=domain:full.example&open=${OPENED}`;

const row = (page, id) => page.locator(`#graph-nodes tr[data-id="${id}"]`);
const ids = (page) => page.locator("#graph-nodes tr").evaluateAll((rows) => rows.map((one) => one.dataset.id).toSorted());
const until = (page, count) => page.waitForFunction((count) => document.querySelectorAll("#graph-nodes tr").length === count, count);
/** What the tables say, without how moments are written. */
const tables = () => ["graph-nodes", "graph-edges"].map((id) => [...document.getElementById(id).rows].map((one) =>
  [...one.cells].map((cell) => `${cell.querySelector("time")?.getAttribute("datetime") ?? cell.textContent.replace(/\s+/g, " ").trim()} ${cell.querySelector("a")?.getAttribute("href") ?? ""}`).join("|")).toSorted());

test("graph: opened, gone back and forth, loaded again, closed", async (page, _, seen) => {
  await open(page, START);
  await page.locator("#graph canvas").first().waitFor();
  const before = await ids(page);
  await row(page, OPENED).locator("a.open-close").click();
  await page.waitForURL(AFTER);
  const after = await ids(page);
  assert.ok(after.length > before.length && before.every((id) => after.includes(id)));
  assert.equal(await page.evaluate(() => document.activeElement.textContent.startsWith("Close")), true, "the keyboard stays there");
  assert.equal(seen.requests.filter((url) => url.includes("/api/v1/graph")).length, 1, "one node, one lookup");
  await page.goBack();
  await until(page, before.length);
  await page.goForward();
  await until(page, after.length);
  await page.reload();
  assert.deepEqual(await ids(page), after, "the state is the address");
  await row(page, OPENED).locator("a.open-close").click();
  await page.waitForURL(`${demo}/graph?of=domain:full.example`);
  assert.deepEqual(await ids(page), before);
});

test("graph: what the script writes is what the service writes", async (page, context) => {
  await open(page, `${START}&open=${OPENED}`);
  await page.locator("#graph canvas").first().waitFor();
  const drawn = await page.evaluate(tables);
  const html = await (await context.request.get(`${demo}${START}&open=${OPENED}`)).text();
  await page.evaluate((html) => {
    document.querySelector("main").replaceWith(new DOMParser().parseFromString(html, "text/html").querySelector("main"));
  }, html);
  assert.deepEqual(await page.evaluate(tables), drawn);
});

test("graph: a click on a node opens it, relations are filtered in place, and a picture is taken along", async (page) => {
  await open(page, START);
  await page.locator("#graph canvas").first().waitFor();
  const place = await page.evaluate((id) => {
    const canvas = document.getElementById("graph-canvas"), { x, y } = canvas.getBoundingClientRect();
    const at = canvas._cyreg.cy.getElementById(id).renderedPosition();
    return [x + at.x, y + at.y];
  }, OPENED);
  await page.mouse.click(...place);
  await page.waitForURL(AFTER);
  assert.match(await page.locator("#graph-chosen").innerText(), /192\[\.\]31\[\.\]196\[\.\]10[\s\S]*Close/);
  const all = await ids(page);
  await page.locator("details.relations summary").click();
  await page.getByLabel("looks like").uncheck();
  assert.ok((await ids(page)).length < all.length);
  assert.match(page.url(), /relation=resolves_to/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "PNG" }).click()]);
  assert.equal(download.suggestedFilename(), "graph.png");
});

test("graph: without scripts its links open and close", { javaScriptEnabled: false }, async (page) => {
  await open(page, START);
  const before = await page.locator("#graph-nodes tr").count();
  await row(page, OPENED).locator("a.open-close").click();
  assert.equal(page.url(), AFTER);
  assert.equal(await page.locator("#graph").isVisible(), false);
  await row(page, OPENED).locator("a.open-close").click();
  assert.equal(await page.locator("#graph-nodes tr").count(), before);
});

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
  assert.ok((await rows(page.locator("table").first())).length > 10);
  assert.match((await rows(page.locator("table").first())).join("\n"), /full\[\.\]example/);
});
