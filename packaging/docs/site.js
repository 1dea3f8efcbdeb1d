// Search, the choice of light or dark, copying of examples, and the filter of settings. Without it the pages are all there, to be read and
// navigated. It loads search-index.js when the search is first used, and nothing else.
"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("js");

  // The browser may forbid storage, as some do for file://.
  function kept(name) {
    try { return localStorage.getItem(name); } catch (error) { return null; }
  }
  function keep(name, value) {
    try { localStorage.setItem(name, value); } catch (error) { /* the choice holds for this page */ }
  }
  const theme = kept("theme");
  if (theme) root.dataset.theme = theme;

  function make(kind, text, name) {
    const element = document.createElement(kind);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  // --- Search

  // Every word must stand somewhere in the entry; where it stands says how good the entry is. [page, anchor, title, page's title, text]
  function worth(entry, words) {
    const title = entry[2].toLowerCase(), text = entry[4].toLowerCase(), page = entry[3].toLowerCase();
    let sum = 0;
    for (const word of words) {
      const at = title.indexOf(word);
      if (title === word) sum += 100;
      else if (title.split(/[ ._]/).includes(word)) sum += 40;
      else if (at === 0) sum += 30;
      else if (at > 0) sum += 20;
      else if (page.includes(word)) sum += 8;
      else if (text.includes(word)) sum += 3;
      else return 0;
      if (text.includes(word)) sum += 1;
    }
    if (title === words.join(" ")) sum += 200;
    return sum - title.length / 100;
  }

  function found(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    return window.searchIndex.map((entry) => [worth(entry, words), entry]).filter((one) => one[0] > 0)
      .sort((a, b) => b[0] - a[0]).slice(0, 15).map((one) => one[1]);
  }

  // The text around the first word, with the words marked.
  function excerpt(text, words) {
    const lower = text.toLowerCase();
    const first = words.map((word) => lower.indexOf(word)).filter((at) => at >= 0).sort((a, b) => a - b)[0] || 0;
    const from = Math.max(0, first - 50);
    const piece = (from ? "… " : "") + text.slice(from, from + 160) + (text.length > from + 160 ? " …" : "");
    const span = make("span");
    const marks = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    for (const part of piece.split(new RegExp("(" + marks.join("|") + ")", "i"))) {
      span.append(words.includes(part.toLowerCase()) ? make("mark", part) : part);
    }
    return span;
  }

  function startSearch() {
    const input = document.getElementById("site-search"), results = document.getElementById("site-results");
    let chosen = -1, isLoading = false;

    function show() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      results.replaceChildren();
      results.hidden = !words.length;
      chosen = -1;
      if (!words.length || !window.searchIndex) return;
      for (const entry of found(input.value)) {
        const link = make("a");
        link.href = entry[0] + "#" + entry[1];
        link.append(make("b", entry[2]));
        if (entry[3] !== entry[2]) link.append(make("i", entry[3]));
        link.append(excerpt(entry[4], words));
        results.append(link);
      }
      if (!results.children.length) results.append(make("p", "Nothing has all of these words."));
    }
    function load() {
      if (window.searchIndex || isLoading) return;
      isLoading = true;
      const script = make("script");
      script.src = "search-index.js";
      script.addEventListener("load", show);
      document.head.append(script);
    }
    function choose(step) {
      const links = results.querySelectorAll("a");
      if (!links.length) return;
      if (chosen >= 0) links[chosen].classList.remove("chosen");
      chosen = (chosen + step + links.length) % links.length;
      links[chosen].classList.add("chosen");
      links[chosen].scrollIntoView({ block: "nearest" });
    }
    input.addEventListener("focus", load);
    input.addEventListener("input", () => { load(); show(); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        const links = results.querySelectorAll("a");
        if (links.length) links[Math.max(chosen, 0)].click();
      } else if (event.key === "Escape") {
        input.value = "";
        show();
        input.blur();
      }
    });
    results.addEventListener("click", (event) => { if (event.target.closest("a")) results.hidden = true; });
    document.addEventListener("click", (event) => { if (!event.target.closest(".search")) results.hidden = true; });
    document.addEventListener("keydown", (event) => {
      const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        input.focus();
      }
    });
    // A page may be asked for with words to look for: index.html?q=limits.hops
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) {
      input.value = asked;
      load();
    }
  }

  // --- The rest

  function startTheme() {
    document.getElementById("site-theme").addEventListener("click", () => {
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      keep("theme", root.dataset.theme);
    });
  }

  function startCopying() {
    if (!navigator.clipboard) return;
    for (const block of document.querySelectorAll(".code")) {
      const button = make("button", "copy", "copy");
      button.type = "button";
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(block.querySelector("pre").textContent.replace(/^\$ /gm, "")).then(() => {
          button.textContent = "copied";
          setTimeout(() => { button.textContent = "copy"; }, 1500);
        });
      });
      block.append(button);
    }
  }

  function startFilter() {
    const filter = document.getElementById("site-filter");
    if (!filter) return;
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const section of document.querySelectorAll("section.settings")) {
        let isShown = false;
        for (const setting of section.querySelectorAll(".setting")) {
          const text = setting.id.toLowerCase() + " " + setting.querySelector("p").textContent.toLowerCase();
          setting.hidden = !words.every((word) => text.includes(word));
          isShown = isShown || !setting.hidden;
        }
        section.hidden = !isShown;
      }
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    startSearch();
    startTheme();
    startCopying();
    startFilter();
    // On narrow screens the list of sections would hide the text.
    const toc = document.querySelector(".toc");
    if (toc && matchMedia("(max-width: 76rem)").matches) toc.open = false;
    const current = document.querySelector("nav.site [aria-current]");
    if (current && matchMedia("(min-width: 56rem)").matches) current.scrollIntoView({ block: "nearest" });
  });
})();
