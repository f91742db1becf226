// Draws the graph of a page, and opens and closes nodes in place. What is drawn is what the tables of the page say.
"use strict";

(() => {
  const page = (id) => document.getElementById(id);
  const holder = page("graph");
  if (!holder || typeof cytoscape !== "function") return;

  const SYMBOLS = { Red: "✕", Orange: "!", Yellow: "△", Grey: "?", Green: "✓" };
  const SHAPES = { domain: "ellipse", ip: "round-rectangle", url: "diamond", hash: "hexagon", report: "tag" };
  const ORDER = ["Red", "Orange", "Yellow", "Grey", "Green", null];
  const OPENED_MAX = 30;
  const LABEL_CHARS = 26;
  const LEAF_PX = 16;

  const form = page("graph-state");
  const boxes = [...form.querySelectorAll("input[name=relation]")];
  const said = Object.fromEntries(boxes.map((box) => [box.value, box.dataset.said]));
  const checked = () => boxes.filter((box) => box.checked).map((box) => box.value);

  // Everything that was ever loaded; what of it is shown follows from what is opened.
  const nodes = new Map(), edges = new Map(), loaded = new Set(), unknown = new Set(), more = new Map();
  const first = JSON.parse(holder.dataset.graph);
  const of = first.of;
  const relationsLoaded = new Set(checked());
  let opened = first.opened;
  let chosen = of;

  function take(graph) {
    for (const node of graph.nodes) {
      // Its own verdict is worth more than what others know of it.
      if (node.opened || !nodes.has(node.id)) nodes.set(node.id, node);
    }
    for (const edge of graph.edges) {
      const key = JSON.stringify([edge.from, edge.relation, edge.to]);
      const known = edges.get(key);
      if (known && (known.hits ?? 0) >= (edge.hits ?? 0)) continue;
      edges.set(key, { ...edge, key, detail: edge.detail ?? known?.detail ?? null });
    }
    for (const one of graph.more) more.set(JSON.stringify([one.of, one.relation, one.side]), one);
    for (const id of graph.opened) loaded.add(id);
    for (const id of graph.unknown) unknown.add(id);
  }
  take(first);

  //------------ What is shown -----------------------------------------------

  // Each edge has an end that is opened, since only those say anything.
  function shown() {
    const open = new Set(opened), relations = new Set(checked());
    const lines = [...edges.values()].filter((edge) =>
      relations.has(edge.relation) && (open.has(edge.from) || open.has(edge.to)));
    const ids = new Set(opened.filter((id) => nodes.has(id)));
    for (const edge of lines) ids.add(edge.from).add(edge.to);
    const points = [...ids].map((id) => nodes.get(id)).sort((a, b) =>
      (b.id === of) - (a.id === of) || ORDER.indexOf(a.zone) - ORDER.indexOf(b.zone)
      || open.has(b.id) - open.has(a.id) || (a.id < b.id ? -1 : 1));
    const left = [...more.values()].filter((one) => open.has(one.of) && relations.has(one.relation));
    return { points, lines, left, open };
  }

  function query(ids, path) {
    const asked = new URLSearchParams([["of", of]]);
    for (const id of ids) if (id !== of) asked.append("open", id);
    if (checked().length < boxes.length) for (const name of checked()) asked.append("relation", name);
    for (const name of ["limit", "as_of"]) {
      const value = new URLSearchParams(location.search).get(name);
      if (value) asked.set(name, value);
    }
    return `${path}?${asked}`.replaceAll("%3A", ":");
  }

  //------------ Tables ------------------------------------------------------

  function made(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function badge(zone) {
    if (!zone) return made("span", { class: "none" }, "–");
    return made("span", { class: `badge zone-${zone}` }, made("span", { "aria-hidden": "true" }, SYMBOLS[zone]), ` ${zone}`);
  }
  const link = (node) => made("a", { class: node.kind === "report" ? "" : "indicator", href: node.href }, made("bdi", {}, node.label));
  const plain = (text) => text === null || text === "" ? made("span", { class: "none" }, "–") : String(text);
  function moment(at) {
    if (!at) return plain(null);
    const minute = at.replace(/:\d\dZ$/, "Z");
    const text = minute.endsWith("T00:00Z") ? minute.slice(0, 10) : minute.replace("T", " ").replace("Z", "");
    return made("time", { datetime: minute }, text);
  }
  function turn(node, open) {
    const is = open.has(node.id);
    if (is ? node.id === of : opened.length >= OPENED_MAX) return made("span", { class: "soft" }, is ? "open" : "–");
    const ids = is ? opened.filter((id) => id !== node.id) : [...opened, node.id];
    const anchor = made("a", { class: "open-close", href: query(ids, "/graph") }, is ? "Close" : "Open",
      made("span", { class: "hidden" }, ` ${node.label}`));
    return anchor;
  }
  const label = (id) => nodes.get(id)?.label ?? id;

  function tables({ points, lines, left, open }) {
    const cell = (content, kind) => made("td", kind ? { class: kind } : {}, content);
    page("graph-nodes").replaceChildren(...points.map((node) => {
      const row = made("tr", { "data-id": node.id },
        cell(badge(node.zone)),
        made("td", {}, link(node), " ", made("span", { class: "soft" }, node.kind)),
        cell(plain(node.score), "number"),
        cell(turn(node, open)));
      row.classList.toggle("opened", open.has(node.id));
      return row;
    }));
    const ends = (id) => cell(nodes.has(id) ? link(nodes.get(id)) : id);
    lines.sort((a, b) => a.key < b.key ? -1 : 1);
    page("graph-edges").replaceChildren(...lines.map((edge) => made("tr", {},
      ends(edge.from), cell(said[edge.relation]), ends(edge.to), cell(edge.detail ?? ""),
      cell(moment(edge.first)), cell(moment(edge.last)), cell(plain(edge.hits?.toLocaleString("fr") ?? null), "number"))));
    if (typeof local === "function") local(page("graph-edges"));
    page("graph-count").textContent = points.length;
    page("graph-edge-count").textContent = lines.length;
    const notes = opened.filter((id) => unknown.has(id)).map((id) => `Nothing is known of ${label(id)}.`);
    for (const one of left) {
      notes.push(one.side === "from"
        ? `${label(one.of)} ${said[one.relation]} ${one.all}: ${one.shown} are shown.`
        : `${one.all}, of which ${one.shown} are shown: … ${said[one.relation]} ${label(one.of)}.`);
    }
    page("graph-notes").replaceChildren(...notes.map((note) => made("li", { class: "soft" }, note)));
    page("graph-relations").textContent = checked().length === boxes.length ? "all" : `${checked().length} of ${boxes.length}`;
    page("graph-json").href = query(opened, "/api/v1/graph");
    page("graph-open").replaceChildren(...opened.filter((id) => id !== of).map((id) => {
      return made("input", { type: "hidden", name: "open", value: id });
    }));
  }

  function say(text) {
    const place = page("graph-said");
    place.textContent = text;
    place.hidden = !text;
  }

  //------------ Drawing -----------------------------------------------------

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function style() {
    const paper = colour("--paper"), ink = colour("--ink"), accent = colour("--accent"), soft = colour("--soft");
    const zones = Object.keys(SYMBOLS).map((zone) => ({
      selector: `node[zone = "${zone}"]`,
      style: { "background-color": colour(`--${zone.toLowerCase()}-wash`), "border-color": colour(`--${zone.toLowerCase()}`) },
    }));
    const kinds = Object.entries(SHAPES).map(([kind, shape]) => ({ selector: `node[kind = "${kind}"]`, style: { shape } }));
    return [
      { selector: "node", style: {
        label: "data(text)", color: ink, "font-size": 11, "font-family": "system-ui, sans-serif", "text-valign": "bottom",
        "text-margin-y": 4, "text-background-color": paper, "text-background-opacity": 0.85, "text-background-padding": 1,
        width: 13, height: 13, "background-color": colour("--panel"), "border-color": soft, "border-width": 2,
        "min-zoomed-font-size": 4.5 } },
      ...zones, ...kinds,
      // Words go outwards from their node, and are never upside down.
      { selector: "node.radial", style: {
        "text-valign": "center", "text-halign": (node) => Math.cos(node.data("angle")) < 0 ? "left" : "right",
        "text-rotation": (node) => node.data("angle") + (Math.cos(node.data("angle")) < 0 ? Math.PI : 0),
        "text-margin-x": (node) => {
          const along = Math.cos(node.data("angle")), half = node.width() / 2;
          return along * (half + 5) - Math.sign(along) * half;
        },
        "text-margin-y": (node) => Math.sin(node.data("angle")) * (node.width() / 2 + 5) } },
      { selector: "node.opened", style: { width: 22, height: 22, "border-width": 3.5 } },
      { selector: "node.root", style: { "font-weight": "bold", "border-width": 5 } },
      { selector: "edge", style: {
        width: 1.2, "line-color": colour("--line"), "target-arrow-color": colour("--edge"), "target-arrow-shape": "triangle",
        "arrow-scale": 0.7, "curve-style": "bezier" } },
      { selector: "edge.mutual", style: { "target-arrow-shape": "none", "line-style": "dashed" } },
      { selector: "edge.near", style: {
        label: "data(text)", "font-size": 9, color: soft, "text-rotation": "autorotate", "line-color": accent, width: 2,
        "target-arrow-color": accent, "text-background-color": paper, "text-background-opacity": 0.9, "min-zoomed-font-size": 4.5 } },
      { selector: "node.chosen", style: { "overlay-color": accent, "overlay-opacity": 0.18, "overlay-padding": 6 } },
    ];
  }

  holder.hidden = false;
  const cy = cytoscape({ container: page("graph-canvas"), style: style(), minZoom: 0.1, maxZoom: 3 });
  const restyle = () => cy.style(style());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });

  const MUTUAL = new Set(["similar_to", "same_certificate", "same_registrant"]);
  const short = (text) => text.length > LABEL_CHARS ? `${text.slice(0, LABEL_CHARS - 1)}…` : text;

  function draw({ points, lines, open }) {
    const ids = new Set(points.map((node) => node.id)), keys = new Set(lines.map((edge) => edge.key));
    cy.batch(() => {
      cy.elements().filter((one) => !(one.isNode() ? ids : keys).has(one.id())).remove();
      for (const node of points) {
        const old = cy.getElementById(node.id);
        const data = { id: node.id, kind: node.kind, zone: node.zone ?? "", text: `${SYMBOLS[node.zone] ?? ""} ${short(node.label)}` };
        const one = old.nonempty() ? old.data(data) : cy.add({ data });
        one.toggleClass("opened", open.has(node.id)).toggleClass("root", node.id === of);
      }
      for (const edge of lines) {
        if (cy.getElementById(edge.key).nonempty()) continue;
        cy.add({ data: { id: edge.key, source: edge.from, target: edge.to, text: said[edge.relation] },
          classes: MUTUAL.has(edge.relation) ? "mutual" : "" });
      }
    });
  }

  const drawn = (id) => cy.getElementById(id).nonempty();

  // Rings around what was asked of: each opened node has its neighbours before it in a sector, by relation and zone.
  function lay({ points, lines, open }) {
    const kin = new Map(points.map((node) => [node.id, []]));
    for (const edge of lines) {
      const rank = Object.keys(said).indexOf(edge.relation);
      kin.get(edge.from).push([edge.to, rank]);
      kin.get(edge.to).push([edge.from, rank]);
    }
    const place = new Map(points.map((node, at) => [node.id, at]));
    const children = new Map(), seen = new Set([of]);
    const next = [of];
    const rest = opened.filter((id) => kin.has(id));
    while (next.length || rest.some((id) => !seen.has(id))) {
      const id = next.shift();
      const found = id === undefined ? [[rest.find((one) => !seen.has(one)), 0]] : kin.get(id) ?? [];
      const own = found.filter(([other]) => !seen.has(other)).sort((a, b) => a[1] - b[1] || place.get(a[0]) - place.get(b[0]));
      for (const [other] of own) {
        if (seen.has(other)) continue;
        seen.add(other);
        const parent = id ?? of;
        children.set(parent, [...(children.get(parent) ?? []), other]);
        if (open.has(other)) next.push(other);
      }
    }
    const weigh = (id) => Math.max(1, (children.get(id) ?? []).reduce((sum, child) => sum + weigh(child), 0));
    const ring = Math.max(130, weigh(of) * LEAF_PX / (2 * Math.PI));
    const put = (id, from, to, depth) => {
      const angle = (from + to) / 2, far = depth && ring + (depth - 1) * 190;
      cy.getElementById(id).data({ angle }).toggleClass("radial", depth > 0)
        .position({ x: far * Math.cos(angle), y: far * Math.sin(angle) });
      const each = (to - from) / weigh(id);
      for (const child of children.get(id) ?? []) {
        const width = each * weigh(child);
        put(child, from, from + width, depth + 1);
        from += width;
      }
    };
    cy.batch(() => put(of, -Math.PI / 2, 1.5 * Math.PI, 0));
    cy.fit(undefined, 16);
  }

  //------------ Choosing ----------------------------------------------------

  function choose(id) {
    if (!nodes.has(id) || !drawn(id)) return;
    chosen = id;
    cy.nodes().removeClass("chosen");
    cy.edges().removeClass("near");
    const one = cy.getElementById(id).addClass("chosen");
    if (one.connectedEdges().length <= 40) one.connectedEdges().addClass("near");
    const node = nodes.get(id);
    const title = made("p", {}, badge(node.zone), " ", made("strong", { class: "indicator" }, made("bdi", {}, node.label)));
    const facts = [made("span", { class: "soft" }, node.kind)];
    if (node.score !== null) facts.push(made("span", {}, `Score ${node.score}`));
    facts.push(made("span", {}, `${one.connectedEdges().length} relations`));
    page("graph-chosen").replaceChildren(title, ...facts, made("a", { href: node.href }, "Report"), turn(node, new Set(opened)));
    for (const row of page("graph-nodes").rows) row.classList.toggle("chosen-row", row.dataset.id === id);
  }

  //------------ Opening and closing -----------------------------------------

  async function load(id) {
    const asked = new URL(query([], "/api/v1/graph"), location);
    asked.searchParams.set("of", id);
    for (const name of relationsLoaded.size < boxes.length ? relationsLoaded : []) {
      if (!asked.searchParams.getAll("relation").includes(name)) asked.searchParams.append("relation", name);
    }
    if (relationsLoaded.size === boxes.length) asked.searchParams.delete("relation");
    holder.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(asked, { headers: { accept: "application/json" } });
      const body = await answer.json();
      if (answer.ok) {
        take(body);
        return body.of;
      }
      if (answer.status !== 404) throw new Error(body.detail);
      loaded.add(id);
      unknown.add(id);
      return id;
    } finally {
      holder.removeAttribute("aria-busy");
    }
  }

  async function toggle(id) {
    if (opened.includes(id)) {
      if (id === of) return;
      show(opened.filter((one) => one !== id));
    } else if (opened.length >= OPENED_MAX) {
      say(`${OPENED_MAX} nodes are open: close one first.`);
      return;
    } else {
      try {
        const own = loaded.has(id) ? id : await load(id);
        chosen = own;
        show([...opened, own]);
      } catch (error) {
        say(`It could not be opened: ${error.message}`);
        return;
      }
    }
    history.pushState({ opened, relations: checked() }, "", query(opened, "/graph"));
  }

  function show(ids) {
    opened = [...new Set(ids)];
    const now = shown();
    say("");
    tables(now);
    draw(now);
    if (!drawn(chosen)) chosen = of;
    choose(chosen);
    lay(now);
  }

  history.replaceState({ opened, relations: checked() }, "");
  addEventListener("popstate", async (event) => {
    const state = event.state;
    if (!state?.opened) { location.reload(); return; }
    boxes.forEach((box) => box.checked = state.relations.includes(box.value));
    try {
      for (const id of state.opened) if (!loaded.has(id)) await load(id);
      show(state.opened);
    } catch (error) {
      say(`It could not be opened: ${error.message}`);
    }
  });

  cy.on("tap", "node", (event) => {
    const id = event.target.id();
    choose(id);
    if (!opened.includes(id)) toggle(id);
  });
  cy.on("mouseover", "node", (event) => choose(event.target.id()));
  const idOf = (target) => target.closest?.("#graph-nodes tr")?.dataset.id;
  for (const kind of ["focusin", "mouseover"]) {
    page("graph-nodes").addEventListener(kind, (event) => {
      const id = idOf(event.target);
      if (id && id !== chosen) choose(id);
    });
  }
  document.addEventListener("click", async (event) => {
    const anchor = event.target.closest("a.open-close");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const id = idOf(anchor) ?? chosen;
    const inTable = !!idOf(anchor);
    await toggle(id);
    // The table was made anew: the keyboard stays where it was.
    const rows = [...page("graph-nodes").rows];
    const row = inTable && rows.find((row) => row.dataset.id === id);
    if (inTable) (row?.querySelector("a.open-close") ?? row?.querySelector("a"))?.focus();
    else page("graph-chosen").querySelector("a.open-close")?.focus();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name !== "relation") return;
    if (checked().some((name) => !relationsLoaded.has(name))) { form.requestSubmit(); return; }
    show(opened);
    history.pushState({ opened, relations: checked() }, "", query(opened, "/graph"));
  });
  holder.addEventListener("click", (event) => {
    const act = event.target.dataset?.act;
    const centre = { x: cy.width() / 2, y: cy.height() / 2 };
    if (act === "in") cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: centre });
    if (act === "out") cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: centre });
    if (act === "fit") cy.fit(undefined, 24);
    if (act === "png") {
      const file = URL.createObjectURL(cy.png({ output: "blob", full: true, scale: 2, bg: colour("--paper") }));
      made("a", { href: file, download: "graph.png" }).click();
      setTimeout(() => URL.revokeObjectURL(file), 10000);
    }
  });

  show(opened);
})();
