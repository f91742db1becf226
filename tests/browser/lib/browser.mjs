// A browser, pages that are watched, and what is asked of every page whatever is tested on it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test as node_test } from "node:test";
import { demo, launch, own, user } from "./service.mjs";

export { demo, own, user };

const TEST_MS = 30_000;
const axe_source = await readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8");

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A test with a page of its own, `page`, which is watched from its first request to its last. */
export function test(name, options, body = options) {
  node_test(name, { timeout: TEST_MS }, async () => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 }, timezoneId: "Asia/Tokyo", reducedMotion: "reduce", ...(body === options ? {} : options),
    });
    context.setDefaultTimeout(8_000);
    const seen = await watch(context);
    try {
      const page = await context.newPage();
      await body(page, context, seen);
      assert.deepEqual(seen.faults, [], "the pages of this test loaded, ran or asked what they must not");
    } finally {
      await context.close();
    }
  });
}

/**
 * Faults of all pages of a context: requests that leave for elsewhere, violations of the policy, errors of scripts, dialogs.
 * That an answer is 404 is said by the console too, and no fault.
 */
async function watch(context) {
  const seen = { faults: [], requests: [] };
  const fault = (what) => seen.faults.push(what);
  context.on("request", (request) => {
    seen.requests.push(request.url());
    const url = new URL(request.url());
    const is_own = [demo, own].includes(url.origin) || url.protocol === "data:" || url.protocol === "blob:";
    if (!is_own) fault(`a request to ${request.url().slice(0, 200)}`);
  });
  context.on("console", (message) => {
    const is_status = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !is_status) fault(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => fault(`script: ${error.error()}`));
  context.on("dialog", (dialog) => { fault(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await context.exposeBinding("told_of_violation", (_, text) => fault(`policy: ${text}`));
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
    window.told_of_violation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`)));
  return seen;
}

/** Opens a path of the demo, or an address. */
export async function open(page, path, status = 200) {
  const answer = await page.goto(new URL(path, demo).href);
  assert.equal(answer.status(), status, `${path} answers ${answer.status()}`);
  return answer;
}

/** Signs in at the service with users, by its form. */
export async function sign_in(page, who = user) {
  await page.goto(`${own}/login`);
  await page.getByLabel("Name").fill(who.name);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
}

let session;
/** Goes on with the session that a test of this file began, or begins one: for tests that do not end it. */
export async function signed_in(page) {
  if (!session) {
    await sign_in(page);
    session = await page.context().cookies();
  }
  await page.context().addCookies(session);
}

/** What axe-core finds wrong with the page as it stands: rule, what it says, where. Absent rules: those of WCAG 2.2 AA and its own. */
export async function axe(page, rules) {
  // As the tool of a reader, who is not bound by the page's policy.
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(axe_source);
  const found = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }),
    rules ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const told = (violation) => violation.nodes.slice(0, 5).map((node) =>
    `${violation.id}: ${violation.help}: ${node.target.join(" ")}: ${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? ""}`);
  return { violations: found.violations.flatMap(told), passes: found.passes.length };
}

/** The section of a report under a heading. */
export function section(page, title) {
  return page.locator("section.section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}

/** The rows of the table of a section, or of a page's only one; not those of what its pictures say as tables. */
export const body_rows = (within) => within.locator("xpath=.//tbody[not(ancestor::figure)]/tr");

/** The same as texts of cells. */
export function rows(within) {
  return body_rows(within).evaluateAll((all) =>
    all.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}
