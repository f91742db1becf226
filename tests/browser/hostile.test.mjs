// Whatever others wrote stays text: nothing runs, nothing leads away, nothing turns the page around.
import assert from "node:assert/strict";
import { own, signed_in, test } from "./lib/browser.mjs";
import * as hostile from "./lib/hostile.mjs";
import { layout_faults } from "./lib/layout.mjs";

const WIDTHS = [360, 1280];
const url_path = (url) => `/url/${encodeURIComponent(url)}`;
const PAGES = [
  `/domain/${hostile.DOMAIN}`, `/ip/${hostile.ADDRESS}`, `/hash/${hostile.FILE}`, `/domain/${hostile.LONG}`,
  `/domain/xn--80ak6aa92e.${hostile.DOMAIN}`, `/domain/${encodeURIComponent(`a"onx='b.${hostile.DOMAIN}`)}`,
  ...hostile.URLS.map(url_path),
  `/domain/${hostile.DOMAIN}?section=Subdomains&sort=Subdomain&filter=${encodeURIComponent(hostile.STRINGS[1])}`,
  `/domain/${hostile.DOMAIN}?as_of=${new Date().toISOString().slice(0, 10)}&section=${encodeURIComponent(hostile.STRINGS[0])}`,
  `/domain/unknown.${hostile.LONG.slice(-40)}`,
  `/domain/${encodeURIComponent(hostile.STRINGS[1])}`,
  `/graph?of=${hostile.DOMAIN}`, `/graph?of=${hostile.ADDRESS}`, `/graph?of=${hostile.FILE}`,
  `/graph?of=${encodeURIComponent(hostile.STRINGS[1])}&relation=${encodeURIComponent(hostile.STRINGS[0])}`,
  "/sources/sensor-1", "/pins", "/notes", "/reports", `/reports/${hostile.PUBLICATION}`, "/network/192.31.196.0%2F24", "/asn/64496",
  "/find?q=window.pwned", `/find?q=${encodeURIComponent(`registrant:${hostile.STRINGS[1]}`)}`, `/reports?q=${encodeURIComponent(hostile.STRINGS[0])}`, `/audit?user=${encodeURIComponent(hostile.STRINGS[1])}`,
  `/search?q=${encodeURIComponent(hostile.STRINGS.join("\n"))}`,
  `/search?q=${encodeURIComponent(hostile.STRINGS[1])}`,
  `/graph?of=${hostile.DOMAIN}&open=${hostile.ADDRESS}&open=hash:${hostile.FILE}`,
  `/login?next=${encodeURIComponent(`/"><script>window.pwned=1</script>`)}`,
  `/${encodeURIComponent(hostile.STRINGS[0])}`,
];

for (const path of PAGES) {
  test(`hostile: ${path.slice(0, 90)}`, async (page) => {
    // Who is signed in sees no form to sign in with.
    if (!path.startsWith("/login")) await signed_in(page);
    await page.goto(own + path);
    await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
    const found = await page.evaluate(() => ({
      pwned: window.pwned,
      made: [...document.querySelectorAll("script, img, iframe, object, embed, base, style, [style], svg[onload]")]
        // What draws the graph places it by script, with no text of others.
        .filter((element) => !element.closest("#graph-canvas"))
        .map((element) => element.outerHTML).filter((html) => !/^<script src="\/static\//.test(html)),
      handlers: [...document.querySelectorAll("*")].flatMap((element) =>
        [...element.attributes].filter((attribute) => attribute.name.startsWith("on")).map((attribute) => `${element.tagName} ${attribute.name}`)),
      left: [...document.querySelectorAll("a[href], area[href], form[action], link[href], [src]")].filter((element) =>
        new URL(element.href?.baseVal ?? element.href ?? element.action ?? element.src, location).origin !== location.origin)
        .map((element) => element.outerHTML.slice(0, 200)),
      // What the reader pasted is given back as it was, in a box of its own; what is copied is the value itself.
      text: [...document.querySelectorAll("*:not(textarea)")].flatMap((element) => [
        ...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data),
        ...[...element.attributes].filter(({ name }) => !name.startsWith("data-") && name !== "value").map((attribute) => attribute.value),
      ]).join("\n"),
    }));
    assert.equal(found.pwned, undefined);
    assert.deepEqual(found.made, []);
    assert.deepEqual(found.handlers, []);
    assert.deepEqual(found.left, [], "nothing leads elsewhere");
    const turned = found.text.split("\n").filter((line) => hostile.BIDI.test(line));
    assert.deepEqual(turned, [], "nothing turns text around");
    const faults = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      faults.push(...(await layout_faults(page)).map((fault) => `${width} px: ${fault}`));
    }
    assert.deepEqual(faults, []);
  });
}

test("hostile: the facts are on the pages", async (page) => {
  await signed_in(page);
  const shown = async (path) => {
    await page.goto(own + path);
    return page.locator("main").innerText();
  };
  const domain = await shown(`/domain/${hostile.DOMAIN}`);
  for (const part of ["<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "javascript:alert(1)"]) {
    assert.ok(domain.includes(part), `${part} is shown as text`);
  }
  assert.match(await shown(`/ip/${hostile.ADDRESS}`), /set by .*<script>/s);
  assert.match(await shown(`/hash/${hostile.FILE}`), /<img src=x/);
});
