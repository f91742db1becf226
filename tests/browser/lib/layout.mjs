// What is wrong with how a page lies on the screen, as a list of sentences: nothing is wider than the screen, no text lies on
// another or is cut off, what is pressed is large enough, what is read is not too small.

/** The faults of the page as it stands. */
export function layout_faults(page) {
  return page.evaluate(async () => {
    // What is laid out by script after the screen has changed is, two frames later.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const TEXT_PX_MIN = 11, TARGET_PX_MIN = 24, OVERLAP_PX = 1, FAULTS_MAX = 12;
    const faults = [];
    const tell = (what, element) => {
      const name = element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "")
        + (typeof element.className === "string" && element.className ? `.${element.className.trim().replace(/\s+/g, ".")}` : "");
      if (faults.length < FAULTS_MAX) faults.push(`${what}: ${name} in ${element.closest("section, form, header, main, nav")?.className ?? ""} "${(element.innerText ?? element.textContent).trim().slice(0, 60)}"`);
    };
    // The page itself does not scroll sideways.
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) {
      faults.push(`the page is ${root.scrollWidth} px wide on a screen of ${innerWidth}`);
      for (const element of document.body.querySelectorAll("*")) {
        const range = document.createRange();
        range.selectNodeContents(element);
        if (!element.closest(".scroll") && range.getBoundingClientRect().right > innerWidth + 1) tell("beyond the right edge", element);
      }
    }

    const is_seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
      && !element.closest(".hidden, .skip, details:not([open]) > :not(summary)");
    const own_text = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const texts = [...document.body.querySelectorAll("*")].filter((element) =>
      !element.closest("svg") && is_seen(element) && (own_text(element) || element.matches("input, select, textarea")));

    for (const element of texts) {
      const style = getComputedStyle(element);
      if (parseFloat(style.fontSize) < TEXT_PX_MIN) tell(`text of ${style.fontSize}`, element);
    }
    // What hides its overflow hides no text.
    for (const element of document.body.querySelectorAll("*")) {
      if (!is_seen(element) || element.closest("svg") || element.matches("input, textarea, select, .scroll") || element.querySelector(":scope canvas")) continue;
      const style = getComputedStyle(element);
      if (/hidden|clip/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1) tell("cut off at the side", element);
      if (/hidden|clip/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 1) tell("cut off below", element);
    }
    // Of a line, what no region that scrolls hides.
    const seen = (rect, element) => {
      const region = element.closest(".scroll")?.getBoundingClientRect();
      if (!region) return rect;
      const left = Math.max(rect.left, region.left), top = Math.max(rect.top, region.top);
      return new DOMRect(left, top, Math.min(rect.right, region.right) - left, Math.min(rect.bottom, region.bottom) - top);
    };
    // The lines of one element do not lie on those of another. Elements in one another are one text.
    const boxes = texts.flatMap((element) => {
      // Menus lie on what is below them, until they are closed.
      if (element.closest(".menu > ul, .menu:not(.plain) > code")) return [];
      if (element.matches("input, select, textarea")) return [{ element, rect: element.getBoundingClientRect() }];
      return [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()).flatMap((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return [...range.getClientRects()].map((rect) => ({ element, rect: seen(rect, element) }));
      });
    }).filter(({ rect }) => rect.width > 1 && rect.height > 1).sort((a, b) => a.rect.top - b.rect.top);
    for (let i = 0; i < boxes.length; i++) {
      const a = boxes[i];
      for (let j = i + 1; j < boxes.length && boxes[j].rect.top < a.rect.bottom - OVERLAP_PX; j++) {
        const b = boxes[j];
        if (a.element === b.element || a.element.contains(b.element) || b.element.contains(a.element)) continue;
        const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
        // The lines of a font are taller than its letters: a fifth of a line may be shared.
        const tall = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
        if (wide > OVERLAP_PX && tall > Math.max(OVERLAP_PX, Math.min(a.rect.height, b.rect.height) / 5)) {
          tell(`lies on "${b.element.textContent.trim().slice(0, 40)}" by ${Math.round(wide)}×${Math.round(tall)} px`, a.element);
        }
      }
    }
    // WCAG 2.2, 2.5.8: 24 by 24 px, but for links in a line of text.
    for (const element of document.body.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
      if (!is_seen(element)) continue;
      // A box to tick is pressed with its label.
      const rect = (element.matches("[type=checkbox], [type=radio]") && element.closest("label") || element).getBoundingClientRect();
      const is_control = !element.matches("a") || element.closest("nav, th, .take, .tools, .pages, .menu");
      const is_inline = element.matches("a") && getComputedStyle(element).display === "inline" && !is_control;
      if (!is_inline && (rect.width < TARGET_PX_MIN - .1 || rect.height < TARGET_PX_MIN - .1)) {
        tell(`pressed on ${Math.round(rect.width)}×${Math.round(rect.height)} px`, element);
      }
    }
    return faults;
  });
}
