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
  const LABEL_CHARS = 30;

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
    return `${path}?${asked}`;
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
  const link = (node) => made("a", { class: "indicator", href: node.href }, made("bdi", {}, node.label));
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
        width: 22, height: 22, "background-color": colour("--panel"), "border-color": soft, "border-width": 2.5,
        "min-zoomed-font-size": 7 } },
      ...zones, ...kinds,
      { selector: "node.opened", style: { width: 32, height: 32, "border-width": 4 } },
      { selector: "node.root", style: { "font-weight": "bold", "border-width": 6 } },
      { selector: "edge", style: {
        width: 1.2, "line-color": colour("--line"), "target-arrow-color": colour("--edge"), "target-arrow-shape": "triangle",
        "arrow-scale": 0.7, "curve-style": "bezier" } },
      { selector: "edge.mutual", style: { "target-arrow-shape": "none", "line-style": "dashed" } },
      { selector: "edge.near", style: {
        label: "data(text)", "font-size": 9, color: soft, "text-rotation": "autorotate", "line-color": accent, width: 2,
        "target-arrow-color": accent, "text-background-color": paper, "text-background-opacity": 0.9, "min-zoomed-font-size": 7 } },
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
    let isNew = false;
    cy.batch(() => {
      cy.elements().filter((one) => !(one.isNode() ? ids : keys).has(one.id())).remove();
      const around = new Map();
      // What others are placed beside comes first.
      const inOrder = [...points].sort((a, b) => open.has(b.id) - open.has(a.id));
      inOrder.forEach((node) => {
        const old = cy.getElementById(node.id);
        const data = { id: node.id, kind: node.kind, zone: node.zone ?? "", text: `${SYMBOLS[node.zone] ?? ""} ${short(node.label)}` };
        const one = old.nonempty() ? old.data(data) : cy.add({ data, position: place(node.id, lines, around) });
        isNew ||= old.empty();
        one.toggleClass("opened", open.has(node.id)).toggleClass("root", node.id === of).toggleClass("chosen", node.id === chosen);
      });
      for (const edge of lines) {
        if (cy.getElementById(edge.key).nonempty()) continue;
        cy.add({ data: { id: edge.key, source: edge.from, target: edge.to, text: said[edge.relation] },
          classes: MUTUAL.has(edge.relation) ? "mutual" : "" });
      }
    });
    return isNew;
  }

  // A new node begins beside the opened one that it belongs to, so that the same graph is always laid out the same.
  function place(id, lines, around) {
    const edge = lines.find((edge) => (edge.from === id || edge.to === id) && drawn(edge.from === id ? edge.to : edge.from));
    const parent = edge && (edge.from === id ? edge.to : edge.from);
    const turn = (around.get(parent) ?? -1) + 1;
    around.set(parent, turn);
    const { x, y } = parent ? cy.getElementById(parent).position() : { x: 0, y: 0 };
    const angle = turn * 2.39996, far = (parent ? 60 : 0) + 14 * Math.sqrt(turn);
    return { x: x + far * Math.cos(angle), y: y + far * Math.sin(angle) };
  }
  const drawn = (id) => cy.getElementById(id).nonempty();

  function lay() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || cy.nodes().length > 200;
    const moving = { animate: still ? false : "end", animationDuration: 250, fit: true, padding: 24, nodeDimensionsIncludeLabels: true };
    const depths = new Map();
    cy.elements().bfs({ roots: cy.getElementById(of), visit: (node, edge, from, index, depth) => { depths.set(node.id(), depth); } });
    const rings = { name: "concentric", concentric: (node) => -(depths.get(node.id()) ?? 9), levelWidth: () => 1, minNodeSpacing: 26 };
    const force = { name: "cose", randomize: false, idealEdgeLength: () => 70, nodeRepulsion: () => 9000, nodeOverlap: 12,
      gravity: 0.6, numIter: cy.nodes().length > 300 ? 250 : 800, componentSpacing: 60 };
    cy.layout({ ...(page("graph-layout").value === "rings" ? rings : force), ...moving }).run();
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
    page("graph-chosen").replaceChildren(title, ...facts, made("a", { href: node.href }, "Open report"), turn(node, new Set(opened)));
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
    const isNew = draw(now);
    if (!drawn(chosen)) chosen = of;
    choose(chosen);
    if (isNew) lay();
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
    if (inTable) rows.find((row) => row.dataset.id === id)?.querySelector("a.open-close, a")?.focus();
    else page("graph-chosen").querySelector("a.open-close")?.focus();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name !== "relation") return;
    if (checked().some((name) => !relationsLoaded.has(name))) { form.requestSubmit(); return; }
    show(opened);
    history.pushState({ opened, relations: checked() }, "", query(opened, "/graph"));
  });
  page("graph-layout").addEventListener("change", lay);
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
