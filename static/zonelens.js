// Makes pages easier to use. Everything works without it.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Light or dark, as chosen here; else as the system says.
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
for (const button of all("button.theme")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
  });
}

// Moments in the reader's own time, in UTC for who points at them. A day is a day everywhere.
function local(within) {
  for (const time of all("time[datetime*=T]", within)) {
    const at = new Date(time.dateTime);
    if (isNaN(at) || time.dateTime.endsWith("T00:00Z") || time.title) continue;
    const two = (number) => String(number).padStart(2, "0");
    time.title = `${time.dateTime.slice(0, 16).replace("T", " ")} UTC`;
    time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  }
}

// Buttons that copy.
function copies(within) {
  for (const button of all("button.copy[data-copy]", within)) button.hidden = !navigator.clipboard;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1200);
});

// The box of the search: Enter looks up, what has several lines stays a text, `/` comes here.
for (const box of all(".ask textarea")) {
  const form = box.form;
  const fit = () => box.rows = Math.min(12, Math.max(Number(box.dataset.rows), box.value.split("\n").length));
  box.dataset.rows = box.rows;
  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (box.value.trim()) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    // More than an address can hold.
    if (box.value.length > 1500) form.method = "post";
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("#q");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// A section as an address has it, in the place of what stands there; nothing where it does not come.
async function fill(section, href) {
  section.setAttribute("aria-busy", "true");
  const part = new URL(href, location);
  part.searchParams.set("part", "1");
  part.hash = "";
  const answer = await fetch(part, { headers: { accept: "text/html" } }).catch(() => null);
  const page = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page && page.getElementById(section.id);
  section.removeAttribute("aria-busy");
  if (!fresh) return null;
  section.replaceWith(fresh);
  ready(fresh);
  return fresh;
}

// A section is sorted, filtered and turned in its place; the address says how it stands, and going back leads back.
let shown = location.search;
addEventListener("popstate", () => { if (location.search !== shown) location.reload(); });
const mark = (element) => element.name || element.rel || element.textContent;
async function turn(section, href) {
  const held = section.contains(document.activeElement) && mark(document.activeElement);
  const fresh = await fill(section, href);
  if (!fresh) { location.href = href; return; }
  const url = new URL(href, location);
  if (url.search !== shown) history.pushState(null, "", url);
  shown = url.search;
  (fresh.querySelector("h2") || fresh).scrollIntoView({ block: "nearest" });
  // Who works with the keyboard goes on where they were, or in the table where that is gone.
  const again = held && (all("a, input, button", fresh).find((element) => mark(element) === held) || fresh.querySelector(".scroll"));
  if (again) again.focus({ preventScroll: true });
  if (again && again.name) again.setSelectionRange(again.value.length, again.value.length);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("section.section a.sort, section.section a.turn");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  turn(link.closest("section"), link.href);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("section.section form.filter");
  if (!form) return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form));
  turn(form.closest("section"), url.href);
});

// What costs more than the rest of a page is asked for when the page is there; who turned it off has the link.
for (const link of all("section.section a.later")) {
  fill(link.closest("section"), link.href).then((fresh) => { if (!fresh) link.textContent += ": it did not come, try again"; });
}

// Menus close when something else is pressed, and with Escape.
document.addEventListener("click", (event) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of all("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

function ready(within) {
  local(within);
  copies(within);
}
ready(document);
