// Draws the pictures of the documents: `node screenshots.mjs FOLDER`, as run.sh does. They are of the demo.
import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { demo, launch } from "./lib/service.mjs";
import { LIST } from "./lib/pages.mjs";

const BYTES_MAX = 200_000;
const [, , folder] = process.argv;
/** Name, path, scheme, width, height. */
const PICTURES = [
  ["report", "/domain/full.example", "light", 1280, 780],
  ["report-dark", "/domain/full.example", "dark", 1280, 780],
  ["report-narrow", "/domain/full.example", "light", 360, 760],
  ["graph", "/graph?of=full.example&limit=10", "light", 1280, 620],
  ["bulk", `/search?q=${encodeURIComponent(LIST)}`, "light", 1280, 420],
];

await mkdir(folder, { recursive: true });
const browser = await launch();
try {
  for (const [name, path, colorScheme, width, height] of PICTURES) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: "reduce", timezoneId: "UTC" });
    await page.goto(demo + path, { waitUntil: "networkidle" });
    const file = `${folder}/${name}.png`;
    await page.screenshot({ path: file, animations: "disabled" });
    const { size } = await stat(file);
    console.log(`${name}.png ${(size / 1000).toFixed(0)} kB`);
    assert.ok(size <= BYTES_MAX, `${file} is ${size} bytes`);
    await page.close();
  }
} finally {
  await browser.close();
}
