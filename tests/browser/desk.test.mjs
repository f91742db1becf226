// What who is signed in does besides looking up: tokens, users, sources.
import assert from "node:assert/strict";
import { body_rows, own, sign_in, test, user } from "./lib/browser.mjs";

test("a token is made, shown once, good for a lookup, and revoked", async (page) => {
  await sign_in(page);
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

test("a form without the session's own token changes nothing", async (page) => {
  await sign_in(page);
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
  await sign_in(page);
  for (const [word, said] of [["Users", user.name], ["Sources", "sensor-1"], ["Batches", "sensor-1"], ["Audit", user.name]]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: word, exact: true }).click();
    assert.match(await page.locator("main").innerText(), new RegExp(said), word);
  }
});
