// Signing in and out.
import assert from "node:assert/strict";
import { open, own, sign_in, test, user } from "./lib/browser.mjs";

const fill = async (page, name, password) => {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
};

test("who is not signed in is asked to, and then led to where they wanted", async (page) => {
  await page.goto(`${own}/domain/hostile.example?section=Subdomains&sort=-Subdomain`);
  assert.equal(new URL(page.url()).pathname, "/login");
  await fill(page, user.name, "not the password");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /name or password is wrong/);
  assert.equal(await page.getByLabel("Name").inputValue(), user.name, "the name is not typed again");
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await fill(page, user.name, user.password);
  await page.waitForURL("**/domain/hostile.example?section=Subdomains&sort=-Subdomain");
  assert.match(await page.locator(".account").innerText(), /ann \(admin\)/);
});

for (const next of ["https://left.example/", "//left.example/", "/\\left.example/", "javascript:alert(1)", "\thttps://left.example"]) {
  test(`nobody is led elsewhere: ${JSON.stringify(next)}`, async (page) => {
    await page.goto(`${own}/login?next=${encodeURIComponent(next)}`);
    await fill(page, user.name, user.password);
    await page.waitForURL(`${own}/`);
  });
}

test("signing out ends the session", async (page, context) => {
  await sign_in(page);
  const cookies = await context.cookies();
  assert.ok(cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === "Lax"), JSON.stringify(cookies));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${own}/login`);
  await page.goto(`${own}/domain/hostile.example`);
  assert.equal(new URL(page.url()).pathname, "/login");
  // What was kept of the cookie is worth nothing.
  await context.addCookies(cookies);
  await page.goto(`${own}/domain/hostile.example`);
  assert.equal(new URL(page.url()).pathname, "/login");
});

test("where nobody has to sign in nobody is asked to", async (page) => {
  await open(page, "/");
  assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 0);
});
