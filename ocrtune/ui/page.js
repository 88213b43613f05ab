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
  window.ocrtune = {
    arrive: async (session) => {
      const language = chosen || navigator.language;
      if (chosen) await speak(chosen);
      return [session, place, language.toLowerCase().startsWith("zh") ? "zh" : "en"];
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
