// What who is signed in does besides looking up: tokens, users, sources.
import assert from "node:assert/strict";
import { body_rows, own, signed_in, test, user } from "./lib/browser.mjs";

test("a token is made, shown once, good for a lookup, and revoked", async (page) => {
  await signed_in(page);
  await page.goto(`${own}/tokens`);
  const form = page.locator("form[action='/tokens'][method=post]");
  await page.locator("summary", { hasText: "Make a token" }).click();
  await form.getByLabel("What it is for").fill("browser test");
  await form.getByRole("button", { name: "Make" }).click();
  const secret = await page.locator("code.secret").innerText();
  assert.match(secret, /^zl_/);
  const ask = () => fetch(`${own}/api/domain/hostile.example`, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal((await ask()).status, 200);
  await page.goto(`${own}/tokens`);
  assert.ok(!(await page.content()).includes(secret), "it is not shown again");
  const rows = body_rows(page.locator("main")).filter({ hasText: "browser test" });
  assert.equal(await rows.count(), 1);
  const id = await rows.first().locator("td").first().innerText();
  const revoke = page.locator("form[action='/tokens/remove']");
  const details = page.locator("details.form").filter({ has: revoke });
  if (!await details.evaluate((one) => one.open)) await details.locator("summary").click();
  const choice = revoke.locator("select, input:not([type=hidden])").first();
  if (await choice.evaluate((one) => one.tagName) === "SELECT") await choice.selectOption(id); else await choice.fill(id);
  await revoke.getByRole("button").click();
  await page.getByRole("status").waitFor();
  assert.equal((await ask()).status, 401);
});

/** The form of a report's page under its heading, opened. */
async function form_of(page, title) {
  const form = page.locator("details.form").filter({ hasText: title });
  if (!await form.evaluate((details) => details.open)) await form.locator("summary").click();
  return form;
}

test("a pin is set, counts, is seen, and is ended", async (page) => {
  await signed_in(page);
  await page.goto(`${own}/domain/pinned.example`);
  assert.match(await page.locator(".said").innerText(), /Unknown/);
  const form = await form_of(page, "Set a pin");
  await form.getByLabel("Zone").selectOption("Red");
  await form.getByLabel("Reason").fill("seen by <b>us</b>");
  await form.getByRole("button", { name: "Set" }).click();
  await page.getByRole("status").waitFor();
  assert.match(await page.locator(".said").innerText(), /Red: Dangerous/);
  assert.match(await page.locator(".pinned").innerText(), new RegExp(`Red set by ${user.name}: seen by <b>us</b>`));
  await page.goto(`${own}/pins`);
  assert.match(await page.locator("main").innerText(), /pinned\[\.\]example/);
  await page.goto(`${own}/domain/pinned.example`);
  const end = page.locator("form[action='/pins/remove']");
  const details = page.locator("details.form").filter({ has: end });
  if (!await details.evaluate((one) => one.open)) await details.locator("summary").click();
  await end.getByLabel("Reason").fill("it was ours");
  await end.getByRole("button").click();
  await page.getByRole("status").waitFor();
  assert.equal(await page.locator(".pinned").count(), 0);
});

test("a note is kept, with who wrote it", async (page) => {
  await signed_in(page);
  await page.goto(`${own}/ip/192.31.196.9`);
  const form = await form_of(page, "Write a note");
  await form.getByLabel("Note").fill("our scanner, see ticket 7");
  await form.getByRole("button", { name: "Keep" }).click();
  await page.getByRole("status").waitFor();
  const row = body_rows(page.locator("#People")).filter({ hasText: "our scanner, see ticket 7" });
  assert.match(await row.innerText(), new RegExp(user.name));
});

test("a form without the session's own token changes nothing", async (page) => {
  await signed_in(page);
  await page.goto(`${own}/tokens`);
  const before = await body_rows(page.locator("main")).count();
  await page.locator("form[action='/tokens'][method=post]").evaluate((form) => {
    for (const field of form.querySelectorAll("[name=csrf]")) field.value = "guessed";
    for (const field of form.querySelectorAll("[required]")) field.value ||= "x";
    form.submit();
  });
  await page.getByRole("alert").waitFor();
  await page.goto(`${own}/tokens`);
  assert.equal(await body_rows(page.locator("main")).count(), before);
});

test("the desk shows what there is, to who may see it", async (page) => {
  await signed_in(page);
  await page.goto(`${own}/`);
  for (const [word, said] of [["Users", user.name], ["Sources", "sensor-1"], ["Batches", "sensor-1"], ["Audit", user.name]]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: word, exact: true }).click();
    assert.match(await page.locator("main").innerText(), new RegExp(said), word);
  }
});
