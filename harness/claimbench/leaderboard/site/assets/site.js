"use strict";
// Search, filters and sorting of the overview. Their state is the part of the address after #, so
// that a link shows the same; without this script the page shows everything.
(() => {
  const form = document.getElementById("filters");
  const body = document.querySelector("#board tbody");
  const status = document.getElementById("count");
  const facets = ["verdict", "kind", "fidelity", "tier"];
  const rows = [...body.rows].map((element, place) => {
    const marks = [...element.querySelectorAll(".mark")].map((mark) => ({
      element: mark,
      words: new Set([mark.classList[1], ...mark.dataset.f.split(" ")]),
    }));
    const title = element.cells[0].querySelector("a").textContent.trim();
    const slug = element.cells[0].querySelector("a").getAttribute("href");
    const theme = element.cells[1].textContent.trim();
    const names = marks.map((mark) => mark.element.title);
    return {
      element, marks, place, title, theme,
      text: [title, slug, theme, ...names].join(" ").toLowerCase(),
      share: Number(element.dataset.share),
      run: element.dataset.run,
    };
  });
  const orders = {
    "": (a, b) => a.place - b.place,
    title: (a, b) => a.title.localeCompare(b.title),
    share: (a, b) => b.share - a.share || a.place - b.place,
    claims: (a, b) => b.marks.length - a.marks.length || a.place - b.place,
    run: (a, b) => b.run.localeCompare(a.run) || a.place - b.place,
  };
  const batch = 100; // rows that come back at once; laying out many more takes longer than a keystroke
  let order = "";
  let waiting = [];

  const values = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value));

  // Unhides the rows that wait, some in each frame, from the top.
  const uncover = () => {
    for (const row of waiting.splice(0, batch)) row.element.hidden = false;
    if (waiting.length > 0) requestAnimationFrame(uncover);
  };

  const show = () => {
    const idle = waiting.length === 0;
    const chosen = values();
    const words = (chosen.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = facets.map((name) => chosen[name]).filter(Boolean);
    let papers = 0;
    let claims = 0;
    waiting = [];
    for (const row of rows) {
      const fits = (!chosen.theme || row.theme === chosen.theme)
        && words.every((word) => row.text.includes(word));
      let matching = 0;
      for (const mark of row.marks) {
        const meets = wanted.every((word) => mark.words.has(word));
        if (mark.dim !== !meets) {
          mark.dim = !meets;
          mark.element.classList.toggle("dim", !meets);
        }
        matching += meets;
      }
      const visible = fits && (wanted.length === 0 || matching > 0);
      if (!visible) row.element.hidden = true;
      else if (row.element.hidden) waiting.push(row);
      papers += visible;
      claims += visible ? matching : 0;
    }
    const next = chosen.sort in orders ? chosen.sort : "";
    if (next !== order) {
      order = next;
      body.append(...[...rows].sort(orders[order]).map((row) => row.element));
    }
    waiting.sort(orders[order]);
    if (idle) uncover();
    status.textContent = `${papers} of ${rows.length} papers, ${claims} claims`;
  };

  const load = () => {
    form.reset();
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const field = form.elements.namedItem(name);
      if (field) field.value = value;
    }
    show();
  };

  const save = () => {
    const hash = new URLSearchParams(values()).toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
    show();
  };

  form.addEventListener("input", save);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(save));
  addEventListener("hashchange", load);
  form.hidden = false;
  load();
})();
