// What is shown can be reached: by keyboard, by finger, after a part was drawn anew, and after the
// server was away. The words come from the words files, by way of `window.ocrtuneWords`.
(() => {
  const root = document.documentElement;
  const words = () => window.ocrtuneWords[root.lang.startsWith("zh") ? "zh" : "en"];
  const made = (kind, className) => Object.assign(document.createElement(kind), { className });

  // A link past the head of the page, and arrow keys along the tabs.
  const skip = made("a", "ot-skip");
  skip.href = "#ot-tabs";
  const tabs = () => [...document.querySelectorAll('#ot-tabs [role="tab"]')];
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    tabs().find((tab) => tab.getAttribute("aria-selected") === "true")?.focus();
  });
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -99, End: 99 };
  document.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || !event.target.matches?.('#ot-tabs [role="tab"]') || event.altKey) return;
    event.preventDefault();
    const all = tabs();
    const at = all.indexOf(event.target) + step;
    const next = all[Math.abs(step) > 1 ? (step > 0 ? all.length - 1 : 0) : at];
    next?.focus();
    next?.click();
  });

  // Parts of the page are drawn anew while a job runs. What the visitor has folded out stays out,
  // and who stood on something in there stands on the same thing again.
  const blockOf = (element) => element.closest(".html-container")?.closest("[id]");
  const titleOf = (fold) =>
    (fold.querySelector("summary")?.textContent || "").replace(/\d+/g, "");
  const folds = new Map(); // by block: those by title, and those by place among so many
  const foldPlace = (fold, block) => {
    const all = [...block.querySelectorAll("details")];
    return `${all.indexOf(fold)} of ${all.length}`;
  };
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    const block = fold.matches?.("details") && fold.isConnected && blockOf(fold);
    if (!block) return;
    if (!folds.has(block.id)) folds.set(block.id, new Map());
    folds.get(block.id).set(titleOf(fold), fold.open).set(foldPlace(fold, block), fold.open);
  }, true);
  const unfold = (fold) => {
    const block = blockOf(fold);
    const known = block && folds.get(block.id);
    if (!known) return;
    const open = known.get(titleOf(fold)) ?? known.get(foldPlace(fold, block));
    if (open !== undefined && fold.open !== open) fold.open = open;
  };
  const REACHABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  const nameOf = (element) => element.dataset.otOpen || element.dataset.otActs || element.id
    || titleOf(element.parentElement || element) || element.className;
  let stood = null; // where the visitor was last, in a part of ours
  document.addEventListener("focusin", ({ target }) => {
    const block = blockOf(target);
    if (!block) { stood = null; return; }
    const place = [...block.querySelectorAll(REACHABLE)].indexOf(target);
    stood = { target, block: block.id, place, kind: target.tagName, name: nameOf(target) };
  });
  document.addEventListener("focusout", ({ target }) => setTimeout(() => {
    if (stood?.target === target && target.isConnected && document.activeElement !== target) {
      stood = null; // left on purpose
    }
  }));
  const standAgain = () => {
    if (!stood || stood.target.isConnected || document.activeElement !== document.body) return;
    const all = [...(document.getElementById(stood.block)?.querySelectorAll(REACHABLE) || [])];
    const same = all.filter((one) => one.tagName === stood.kind);
    const there = same.find((one) => nameOf(one) === stood.name);
    const next = there || same.find((one) => all.indexOf(one) === stood.place);
    next?.focus({ preventScroll: true });
  };

  // A picture is seen large on a click, a tap, Enter or the space bar.
  const box = made("dialog", "ot-zoom");
  const close = made("button", "ot-zoom-close");
  const large = made("img", "");
  const around = made("div", "ot-zoom-room");
  close.type = "button";
  around.tabIndex = 0; // scrolls by keys
  around.append(large);
  box.append(close, around);
  close.addEventListener("click", () => box.close());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  const pictureOf = (event) => event.target.closest?.("img.ot-picture[role='button']");
  const enlarge = (picture) => {
    large.src = picture.src;
    large.alt = picture.alt;
    around.setAttribute("aria-label", picture.alt || words().enlarge_picture);
    box.showModal();
  };
  document.addEventListener("click", (event) => {
    const picture = pictureOf(event);
    if (picture) enlarge(picture);
  });
  document.addEventListener("keydown", (event) => {
    const picture = ["Enter", " "].includes(event.key) && pictureOf(event);
    if (!picture) return;
    event.preventDefault();
    enlarge(picture);
  });
  const nameOfPicture = (picture) =>
    [words().enlarge_picture, picture.alt].filter(Boolean).join(": ");
  const offerPictures = () => {
    for (const picture of document.querySelectorAll("img.ot-picture:not([role])")) {
      if (picture.closest("button, a")) continue; // a sample, which opens its card
      picture.setAttribute("role", "button");
      picture.setAttribute("aria-label", nameOfPicture(picture));
      picture.tabIndex = 0;
    }
  };

  // What scrolls by itself can be stood on, or keys would not move it.
  const SCROLLING = ".ot-tab pre, .ot-characters, .ot-fold ul, .ot-worst td .ot-text";
  const offerScrolling = () => {
    for (const one of document.querySelectorAll(SCROLLING)) {
      if (one.tabIndex < 0 && one.scrollHeight + one.scrollWidth
        > one.clientHeight + one.clientWidth) one.tabIndex = 0;
    }
  };
  document.addEventListener("toggle", offerScrolling, true);

  // The server was started anew, or is away: the page says so, asks until it is back, and then
  // begins again, with all that the browser remembers.
  const gone = made("div", "ot-gone-words");
  gone.setAttribute("role", "alert");
  const ASKING = 2000; // milliseconds
  let asking = false;
  let leaving = false;
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  const ask = async () => {
    const address = new URL("gradio_api/app_id", location.origin + location.pathname);
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok ? (await answer.json()).app_id : null;
  };
  const lookForServer = async () => {
    if (asking || leaving) return;
    asking = true;
    try {
      for (;;) {
        const id = await ask().catch(() => null);
        if (leaving) return;
        if (id && id === window.gradio_config?.app_id) break; // the same one all the time
        if (id) { location.reload(); return; }
        gone.textContent = words().server_gone;
        document.body.classList.add("ot-gone");
        if (!gone.isConnected) skip.after(gone); // above the page, not over it
        await new Promise((resolve) => setTimeout(resolve, ASKING));
      }
      document.body.classList.remove("ot-gone");
      gone.remove();
    } finally {
      asking = false;
    }
  };
  new PerformanceObserver((list) => {
    for (const { name, responseStatus } of list.getEntries()) {
      const ended = name.includes("/gradio_api/heartbeat/"); // open as long as both are there
      if (ended || (name.includes("/gradio_api/queue/join") && !responseStatus)) lookForServer();
    }
  }).observe({ type: "resource" });

  const speak = () => {
    skip.textContent = words().skip_to_tabs;
    close.textContent = words().close_picture;
    if (gone.isConnected) gone.textContent = words().server_gone;
    for (const picture of document.querySelectorAll("img.ot-picture[role='button']")) {
      picture.setAttribute("aria-label", nameOfPicture(picture));
    }
  };
  let offering = false;
  const begin = () => {
    document.body.prepend(skip);
    document.body.append(box);
    speak();
    new MutationObserver(speak).observe(root, { attributes: true, attributeFilter: ["lang"] });
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          if (node.matches?.("details")) unfold(node);
          node.querySelectorAll?.("details").forEach(unfold);
        }
      }
      standAgain();
      if (offering) return; // once a frame: what scrolls is found by measuring
      offering = true;
      requestAnimationFrame(() => { offering = false; offerPictures(); offerScrolling(); });
    }).observe(document.body, { childList: true, subtree: true });
    offerPictures();
    offerScrolling();
  };
  if (document.body) begin(); else document.addEventListener("DOMContentLoaded", begin);
})();
