// What the script adds: the theme, times of the reader's own, copying; and the keyboard alone.
import assert from "node:assert/strict";
import { demo, open, own, section, test } from "./lib/browser.mjs";
import { PAGES } from "./lib/pages.mjs";

const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("light or dark is as the system says, until it is chosen, and then remembered", async (page) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open(page, "/");
  const dark = await paper(page);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await paper(page);
  assert.notEqual(dark, light);
  const button = page.getByRole("button", { name: "Light or dark" });
  await button.click();
  assert.equal(await paper(page), dark);
  await open(page, "/domain/full.example");
  assert.equal(await paper(page), dark, "on the next page as well");
  await page.emulateMedia({ colorScheme: "dark" });
  await button.click();
  assert.equal(await paper(page), light);
  await page.reload();
  assert.equal(await paper(page), light, "whatever the system says");
});

test("times are the reader's own, with UTC for who points at them", async (page) => {
  for (const path of ["/", "/domain/full.example", "/domain/travel.example", "/domain/nothing.example"]) {
    await open(page, path, path.includes("nothing") ? 404 : 200);
    const wrong = await page.evaluate(() => {
      const two = (number) => String(number).padStart(2, "0");
      const moments = [...document.querySelectorAll("time[datetime*=T]")].filter((time) => !time.dateTime.endsWith("T00:00Z"));
      const of = (at, utc) => utc
        ? `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`
        : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
      const bad = moments.filter((time) => time.textContent !== of(new Date(time.dateTime), false) || time.title !== of(new Date(time.dateTime), true));
      return { bad: bad.map((time) => time.outerHTML), count: moments.length, offset: new Date().getTimezoneOffset() };
    });
    assert.equal(wrong.offset, -540, "the reader is in Tokyo");
    assert.deepEqual(wrong.bad, [], path);
    assert.ok(wrong.count > 0, `${path} has moments`);
    // No moment stands on the page as text that nobody translates.
    // But in sentences: what happened when, with the zone of that time.
    const raw = await page.locator("main").evaluate((main) => {
      const copy = main.cloneNode(true);
      for (const said of copy.querySelectorAll(".changes, .note, svg")) said.remove();
      return copy.textContent.match(/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z/g);
    });
    assert.equal(raw, null, `${path}: ${raw}`);
  }
});

test("a day is a day everywhere", async (page) => {
  await open(page, "/domain/full.example");
  const peak = section(page, "DNS resolutions for domain").locator(":scope > .scroll tbody tr").first().locator("time").nth(2);
  assert.match(await peak.innerText(), /^\d{4}-\d\d-\d\d$/);
});

test("what is copied is the value, not what is shown", async (page, context) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: demo });
  await open(page, "/url/full.example%2Ffiles%2Fsetup.exe");
  const copied = async (button) => {
    await button.click();
    await button.and(page.locator(".done")).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(await copied(page.locator("h1 button.copy")), "full.example/files/setup.exe");
  const cell = page.locator("section.section > .scroll td button.copy").first();
  assert.equal(await copied(cell), await cell.getAttribute("data-copy"));
  assert.doesNotMatch(await page.evaluate(() => navigator.clipboard.readText()), /\[\.\]/);
  const request = await copied(page.locator(".tools button.copy"));
  assert.match(request, /^curl .*http:\/\/127\.0\.0\.1:\d+\/api\/url\/full\.example%2Ffiles%2Fsetup\.exe'$/);
  // The line that is copied works.
  const address = request.match(/'(http[^']*)'/)[1];
  assert.equal((await page.request.get(address)).status(), 200);
  for (const button of await page.locator("section.section .take button.copy").all()) {
    const address = (await copied(button)).match(/'(http[^']*)'/)[1];
    assert.equal((await page.request.get(address)).status(), 200, address);
  }
});

test("the icon that copies is drawn, not a letter of some font", async (page) => {
  await open(page, "/domain/full.example");
  const icon = page.locator("h1 button.copy");
  assert.equal(await icon.innerText(), "");
  const mask = await icon.evaluate((button) => getComputedStyle(button, "::after").maskImage);
  assert.match(mask, /^url\("data:image\/svg/);
  assert.equal(await icon.getAttribute("aria-label"), "Copy full[.]example");
});

test("the slash leads to the search, Enter looks up, Shift and Enter begin a line", async (page) => {
  await open(page, "/domain/full.example");
  await page.keyboard.press("/");
  assert.equal(await page.locator(":focus").getAttribute("id"), "q");
  await page.keyboard.type("files.example");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/domain/files.example");
  await page.keyboard.press("/");
  await page.keyboard.type("files.example");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("full.example/a");
  assert.equal(await page.locator("#q").inputValue(), "files.example\nfull.example/a", "a slash in the box is a slash");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/search?q=*");
});

test("what is too long for an address is looked up all the same", async (page) => {
  await open(page, "/domain/full.example");
  await page.locator("#q").fill(Array.from({ length: 300 }, (_, at) => `host${at}.full.example`).join("\n"));
  await page.locator("#q").press("Enter");
  await page.locator("h1", { hasText: "300 indicators" }).waitFor();
});

/** Tabs through the page: what has the focus, in order, until it begins again. */
async function tabbed(page) {
  await page.evaluate(() => { document.activeElement.blur(); window.tabbed = new Set(); });
  const order = [];
  // Past the last comes the browser's own, which is nothing of the page, and then the first.
  for (let at = 0, nothing = 0; at < 500 && nothing < 3; at++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) { nothing += 1; continue; }
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      // A date is gone through field by field.
      if (element === window.last) return undefined;
      if (window.tabbed.has(element)) return null;
      window.last = element;
      window.tabbed.add(element);
      const style = getComputedStyle(element), rect = element.getBoundingClientRect();
      return {
        is_marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        is_seen: rect.width > 0 && rect.bottom > 0 && rect.top < innerHeight,
        name: `${element.tagName} ${element.id || element.className} ${element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40)}`,
      };
    });
    if (focus === undefined) continue;
    if (!focus) break;
    order.push(focus);
  }
  return order;
}

for (const path of ["/", "/ip/192.31.196.10", `${own}/login`, PAGES.find(([name]) => name === "table of many")[1]]) {
  test(`the keyboard alone reaches everything: ${path.slice(0, 60)}`, async (page) => {
    await open(page, path);
    const order = await tabbed(page);
    assert.deepEqual(order.filter((focus) => !focus.is_marked), [], "what has the focus is marked");
    assert.deepEqual(order.filter((focus) => !focus.is_seen), [], "what has the focus is on the screen");
    const missed = await page.evaluate(() =>
      [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter((element) =>
        element.checkVisibility({ visibilityProperty: true }) && !window.tabbed.has(element) && !element.disabled).map((element) => element.outerHTML.slice(0, 150)));
    assert.deepEqual(missed, []);
    // The order of the page is the order of the keys: nothing has a place of its own.
    assert.equal(await page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count(), 0);
    const places = await page.evaluate(() => [...window.tabbed].map((element) => [...document.querySelectorAll("*")].indexOf(element)));
    const first = places.indexOf(Math.min(...places));
    assert.match(order[first].name, /Skip to the content/);
    const from_first = [...places.slice(first), ...places.slice(0, first)];
    assert.deepEqual(from_first, from_first.toSorted((a, b) => a - b), "the order of the page");
  });
}

test("who works with the keyboard stays where they are when a section is sorted", async (page) => {
  await open(page, "/ip/192.31.196.80");
  const table = section(page, "DNS resolutions for IP address");
  await table.getByRole("link", { name: "Domain", exact: true }).focus();
  await page.keyboard.press("Enter");
  await table.locator("th[aria-sort=ascending]").waitFor();
  assert.equal(await page.locator(":focus").innerText(), "Domain");
  await page.keyboard.press("Enter");
  await table.locator("th[aria-sort=descending]").waitFor();
});

test("a menu closes when something else is pressed, and with Escape", async (page) => {
  await open(page, "/domain/full.example");
  const menu = page.locator("details.menu").filter({ hasText: "Export" });
  await menu.locator("summary").click();
  await page.locator("h1").click();
  assert.equal(await menu.evaluate((details) => details.open), false);
  await menu.locator("summary").click();
  await page.keyboard.press("Escape");
  assert.equal(await menu.evaluate((details) => details.open), false);
  assert.equal(await page.locator(":focus").innerText(), "Export");
});
