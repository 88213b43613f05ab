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
    new MutationObserver(completeLinks).observe(document.body, { childList: true, subtree: true });
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
