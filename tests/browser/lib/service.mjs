// The services that are tested, and the browser that opens their pages: `run.sh` starts them and says where they are.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** The demo, and a service with users on which all is hostile. */
export const demo = needed("ZONELENS_DEMO");
export const own = needed("ZONELENS_OWN");
/** Who signs in there. */
export const user = { name: "ann", password: needed("ZONELENS_PASSWORD") };

function needed(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: tests/browser/run.sh sets it`);
  return value;
}

export function launch() {
  // Nothing of others is loaded, so that a container without user namespaces will do.
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}
