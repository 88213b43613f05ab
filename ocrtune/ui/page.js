// The visitor's language and tab, remembered in the browser.
(() => {
  const read = (name) => {
    try { return localStorage.getItem(`ocrtune_${name}`); } catch { return null; } // may be blocked
  };
  const write = (name, value) => {
    try { localStorage.setItem(`ocrtune_${name}`, value); } catch { /* gone with this page */ }
  };
  const chosen = read("language");
  const place = read("place") || "dataset"; // before gradio opens the first tab
  const localeStore = async () => {
    // gradio offers no way to change its language from outside, but its own store can be found.
    const names = performance.getEntriesByType("resource").map((entry) => entry.name);
    const url = names.find((name) => /\/runtime-[^/]*\.js/.test(name));
    const exported = url ? Object.values(await import(url)) : [];
    return exported.find((store) => {
      if (!store || !store.set || !store.subscribe) return false;
      let value;
      store.subscribe((now) => { value = now; })();
      return typeof value === "string";
    });
  };
  const speak = async (language) => {
    const store = await localeStore().catch(() => null);
    if (store) store.set(language === "zh" ? "zh-CN" : "en");
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en"; // how voices and fonts read it
  };
  // A sample is a button in our own HTML: its click becomes that of a hidden button of gradio's,
  // whose handler asks for what was picked.
  document.addEventListener("click", (event) => {
    const sample = event.target.closest("[data-ot-open]");
    const button = sample && document.querySelector(`#${sample.dataset.otInto}`);
    if (!button) return;
    window.ocrtune.picked = sample.dataset.otOpen;
    button.click();
  });
  // Buttons of our own HTML that act for the visitor: they open a tab, press a button of the page,
  // wait until something stands there, and show where the outcome will be.
  const standing = (selector) => {
    const found = document.querySelector(selector);
    return found && found.offsetParent !== null && !found.disabled ? found : null;
  };
  const awaitOne = async (selector) => { // what a tab holds is made when it is opened
    const until = Date.now() + 15000;
    for (;;) {
      const found = standing(selector);
      if (found || Date.now() > until) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const openTab = (name) => document.querySelector(`[role="tab"][data-tab-id="${name}"]`)?.click();
  const act = async (acts) => {
    for (const [what, place, unless] of acts) {
      if (what === "tab") openTab(place);
      if (what === "show") window.ocrtune.show(place);
      if (what === "await" && !await awaitOne(place)) return;
      if (what !== "click" || (unless && standing(unless))) continue;
      const button = await awaitOne(place);
      if (!button) return;
      button.click();
    }
  };
  let acting = false; // two quick clicks act once
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-ot-acts]");
    if (!button || acting) return;
    acting = true;
    try { await act(JSON.parse(button.dataset.otActs)); } finally { acting = false; }
  });
  // Every button shows at once that it works, long before the server has answered. The answer is
  // told by the network: each event is a request that joins the queue, and one that brings the
  // outcome; what is new on the page comes with a second pair.
  const PRESSED = "button.lg, button.md, button.sm, [data-ot-acts], [data-ot-into]";
  const SETTLED = 1500; // milliseconds without a further answer
  const LONGEST = 20000;
  const pressed = new Map(); // buttons, with when they were pressed and what was answered since
  const mark = (button) => {
    button.setAttribute("aria-busy", "true");
    pressed.set(button, { since: performance.now(), asked: false, answers: 0, last: 0 });
    document.body.classList.add("ot-working");
    setTimeout(release, 300);
  };
  const release = () => {
    const now = performance.now();
    for (const [button, told] of [...pressed]) {
      const quiet = told.answers && now - told.last > SETTLED;
      const over = told.answers > 1 || quiet || now - told.since > LONGEST;
      if (button.isConnected && (!over || (button.dataset.otActs && acting))) continue;
      button.removeAttribute("aria-busy");
      pressed.delete(button);
      // An earlier answer that was on its way may have drawn the same button anew.
      const drawn = !over && button.id && document.getElementById(button.id);
      if (!drawn) continue;
      drawn.setAttribute("aria-busy", "true");
      pressed.set(drawn, told);
    }
    if (pressed.size) setTimeout(release, 100);
    else document.body.classList.remove("ot-working", "ot-slow");
    const long = [...pressed.values()].some((told) => now - told.since > 900);
    document.body.classList.toggle("ot-slow", long);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(PRESSED);
    if (button && !button.disabled && event.isTrusted) mark(button);
  }, true);
  let answered = performance.now(); // last
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const asks = /\/queue\/join/.test(entry.name);
      if (!asks && !/\/queue\/data/.test(entry.name)) continue;
      if (!asks) answered = performance.now();
      for (const told of pressed.values()) {
        if (asks && entry.startTime >= told.since) told.asked = true;
        // What was asked before the press may still be answered after it.
        if (asks || !told.asked || entry.responseEnd < told.since) continue;
        told.answers += 1;
        told.last = performance.now();
      }
    }
  }).observe({ type: "resource" });
  // A page that nobody sees asks nothing: gradio's timer rests in a hidden tab. Once it is seen
  // again it looks at once, whether or not the timer runs.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.querySelector("#ot-look")?.click();
  });
  // Where an answer got lost on its way, the timer waits for it for ever. While something is under
  // way and seen, silence longer than any pace of ours is broken by another look.
  const SILENCE = 30000;
  setInterval(() => {
    const follows = !document.hidden && document.querySelector("#ot-guide .ot-bar");
    if (!follows || performance.now() - answered < SILENCE) return;
    answered = performance.now();
    document.querySelector("#ot-look")?.click();
  }, 5000);
  // The guide bar is drawn anew with every step of a job: who stood on its button stays there.
  let onGuide = false;
  document.addEventListener("focusin", (event) => {
    onGuide = Boolean(event.target.closest?.("#ot-guide button"));
  });
  const keepFocus = () => {
    if (!onGuide || document.activeElement !== document.body) return;
    document.querySelector("#ot-guide button")?.focus({ preventScroll: true });
  };
  // Whoever signs in or out comes back to the same address.
  document.addEventListener("click", (event) => {
    const sign = event.target.closest("a[data-ot-sign]");
    if (!sign || !location.search) return;
    event.preventDefault();
    const target = encodeURIComponent(`/${location.search}`);
    location.assign(`${sign.getAttribute("href").split("?")[0]}?_target_url=${target}`);
  });
  // The server does not know under which address it is seen: links are made whole here.
  const whole = (input) => new URL(input.dataset.otLink, location.origin + location.pathname).href;
  const completeLinks = () => {
    for (const input of document.querySelectorAll("input[data-ot-link]")) {
      if (input.value !== whole(input)) input.value = whole(input);
    }
  };
  const watchLinks = () => {
    new MutationObserver(() => { completeLinks(); keepFocus(); })
      .observe(document.body, { childList: true, subtree: true });
    completeLinks();
  };
  if (document.body) watchLinks(); else document.addEventListener("DOMContentLoaded", watchLinks);
  const copyText = async (input) => {
    try {
      await navigator.clipboard.writeText(input.value);
    } catch { // no secure address, or a frame that may not
      input.select();
      document.execCommand("copy");
    }
  };
  document.addEventListener("click", async (event) => {
    const input = event.target.closest("input[data-ot-link]");
    if (input) input.select();
    const button = event.target.closest("[data-ot-copied]");
    if (!button) return;
    await copyText(button.parentElement.querySelector("input[data-ot-link]"));
    const before = button.textContent;
    button.textContent = button.dataset.otCopied;
    setTimeout(() => { button.textContent = before; }, 2000);
  });
  // A text is copied as it was read, without the marks that the page draws into it.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-ot-text]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.otText);
    } catch { // no secure address, or a frame that may not
      const area = document.createElement("textarea");
      area.value = button.dataset.otText;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = button.dataset.otDone;
    setTimeout(() => { button.textContent = before; }, 2000);
  });
  window.ocrtune = {
    // What is shown may still be on its way, and what comes above it may push it away again.
    show: (place) => {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const until = Date.now() + 6000;
      const go = (again) => {
        const target = document.querySelector(place);
        const there = target && target.offsetParent !== null;
        if (there) target.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
        if (there ? again : Date.now() < until) setTimeout(go, there ? 900 : 200, !there);
      };
      setTimeout(go, 300, true);
    },
    showNext: (place) => { // the one that stands there now is the last one
      const before = document.querySelector(place);
      if (before) before.removeAttribute("id");
      window.ocrtune.show(place);
    },
    arrive: async (session) => {
      const wanted = chosen || navigator.language;
      const language = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
      // Of Chinese, gradio by itself takes zh-CN and zh-TW for a language, not zh or zh-HK.
      if (chosen || language === "zh") await speak(language);
      return [session, place, language];
    },
    arrived: () => {
      // The run is remembered now. Left in the address it would come back at every reload, in the
      // place of a later one; where nothing can be remembered, only the address has it.
      const address = new URL(location.href);
      if (!address.searchParams.has("run") || read("jobs") === null) return;
      address.searchParams.delete("run");
      history.replaceState(history.state, "", address);
    },
    switchLanguage: async (language) => {
      write("language", language);
      await speak(language);
      return language;
    },
    remember: (name) => write("place", name),
    download: (button = "#ot-download") =>
      setTimeout(() => document.querySelector(button).click(), 50),
  };
})();
