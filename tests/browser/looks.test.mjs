// How pages lie on screens of three widths, light and dark; and what axe-core says of them.
import assert from "node:assert/strict";
import { axe, open, own, signed_in, test } from "./lib/browser.mjs";
import { layout_faults } from "./lib/layout.mjs";
import { OWN_PAGES, PAGES } from "./lib/pages.mjs";

const WIDTHS = [360, 768, 1440];
const AXE_WIDTHS = [360, 1440];
let checked = 0;

async function looks(page) {
  const faults = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const at = (fault) => faults.push(`${width} px, ${colorScheme}: ${fault}`);
      if (colorScheme === "light" || width === WIDTHS[0]) (await layout_faults(page)).forEach(at);
      if (AXE_WIDTHS.includes(width)) {
        // In the dark only colours are other ones.
        const found = await axe(page, colorScheme === "dark" ? ["color-contrast"] : undefined);
        found.violations.forEach(at);
        checked += found.passes;
      }
    }
  }
  assert.deepEqual(faults, []);
}

for (const [name, path, status] of PAGES) {
  test(`looks: ${name}`, async (page) => {
    await open(page, path, status);
    await looks(page);
  });
}

test("looks: everything open", async (page) => {
  await open(page, "/domain/full.example");
  await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
  await looks(page);
});

test("looks: sign in, and a wrong password", async (page) => {
  await open(page, `${own}/login`);
  await looks(page);
  await page.getByLabel("Name").fill("nobody");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await looks(page);
});

for (const path of OWN_PAGES) {
  test(`looks: signed in, ${path}`, async (page) => {
    await signed_in(page);
    await open(page, own + path);
    await looks(page);
  });
}

test("looks: axe-core checked something", async () => {
  assert.ok(checked > 500, `${checked} rules passed`);
});
