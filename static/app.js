// Small, dependency-free behaviours. No eval, no inline handlers, no style attributes in markup.
const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
const root = document.documentElement;

/* theme */
$$("[data-theme-toggle]").forEach(b => b.addEventListener("click", () => {
  const dark = getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  drawAll();
}));

/* dialogs: <button data-open="id">; with data-form="id" the form's own fields must be filled in first */
function openDialog(opener) {
  const dialog = $("#" + opener.dataset.open), form = opener.dataset.form && $("#" + opener.dataset.form);
  if (form && ![...form.elements].filter(x => !dialog.contains(x)).every(x => x.reportValidity())) return;
  $$("[data-mirror]", dialog).forEach(x => { x.textContent = said(form.elements[x.dataset.mirror]); });
  dialog.showModal();
}
/* a wide drawing opens where the version itself is */
addEventListener("toggle", e => {
  const at = e.target.open ? e.target.querySelector(".graph .cur") : null, box = at?.closest(".scroll");
  if (box) box.scrollLeft = at.getBoundingClientRect().left - box.getBoundingClientRect().left + box.scrollLeft - (box.clientWidth - at.getBoundingClientRect().width) / 2;
}, true);
/* on paper nothing stays folded */
const folded = new Set();
addEventListener("beforeprint", () => $$("details[data-print-open]:not([open])").forEach(d => { d.open = true; folded.add(d); }));
addEventListener("afterprint", () => { folded.forEach(d => { d.open = false; }); folded.clear(); });
$$("dialog[data-reopen]").forEach(d => d.showModal());
/* a form that came back goes on at its first field at fault */
if (!$("[autofocus]")) $$("form [aria-invalid=true]").find(x => x.checkVisibility())?.focus();
/* what a field says: the words of the chosen option, or the text */
function said(field) {
  const chosen = field instanceof RadioNodeList ? [...field].find(x => x.checked) : field;
  return chosen?.type === "radio" ? ($("b", chosen.closest("label")) || chosen.closest("label")).textContent : chosen?.value || "";
}
document.addEventListener("click", e => {
  const o = e.target.closest("[data-open]"); if (o) { e.preventDefault(); openDialog(o); return; }
  const c = e.target.closest("[data-close]"); if (c) { e.preventDefault(); c.closest("dialog").close(); }
  const cp = e.target.closest("[data-copy]"); if (cp) copy(cp);
  const pr = e.target.closest("[data-print]"); if (pr) print();
});
function copy(button) {
  const drawing = $("use", button), before = drawing?.getAttribute("href");
  navigator.clipboard?.writeText(button.dataset.copy).then(() => {
    $("#live").textContent = "Copied";
    if (!drawing || before.endsWith("#check")) return;
    drawing.setAttribute("href", before.replace(/#.*/, "#check"));
    setTimeout(() => drawing.setAttribute("href", before), 1400);
  });
}

/* links that MLflow's clients print are to its own pages: lead to ours */
const MLFLOW_PAGES = [
  [/^#\/experiments\/\d+\/runs\/([\w-]+)/, m => `/runs/${m[1]}/`],
  [/^#\/experiments\/(\d+)/, m => `/runs/?experiment=${m[1]}`],
  [/^#\/models\/([^/?]+)\/versions\/(\d+)/, m => `/models/${m[1]}/versions/${m[2]}/`],
  [/^#\/models\/([^/?]+)/, m => `/models/${m[1]}/`],
];
function leadOn() {
  for (const [pattern, address] of MLFLOW_PAGES) {
    const match = location.hash.match(pattern);
    if (match) { location.replace(address(match)); return; }
  }
}
leadOn();
addEventListener("hashchange", leadOn);

/* local times: server prints UTC text; the title carries the viewer's own zone */
function localTimes(part = document) {
  $$("time[datetime]", part).forEach(t => { const d = new Date(t.dateTime); if (!isNaN(d)) t.title = d.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }); });
}
localTimes();

/* lists fold to cards on a phone: cells get the words of their column, and keep their meaning as a table */
const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
function foldLists(part = document) {
  $$("table.list, table.fold", part).forEach(table => {
    const words = $$("thead th", table).map(x => x.textContent.trim());
    [table, ...$$("thead,tbody,tr,td", table)].forEach(x => x.setAttribute("role", ROLES[x.tagName]));
    $$("th", table).forEach(x => x.setAttribute("role", x.scope === "row" ? "rowheader" : "columnheader"));
    $$("tbody tr", table).forEach(row => [...row.cells].forEach((cell, n) => { if (cell.tagName === "TD" && words[n]) cell.dataset.label = words[n]; }));
  });
}
foldLists();

/* palette + shortcuts */
const pal = $("#palette"), inp = $("#palq");
const openPal = () => { pal.showModal(); inp.select(); window.htmx?.trigger(inp, "refresh"); };
$$("[data-palette]").forEach(b => b.addEventListener("click", openPal));
const typing = e => e.target.matches("input:not([type=radio],[type=checkbox]),textarea,select,[contenteditable]");
const single = $("[data-single-keys]");
if (single) {
  single.checked = localStorage.getItem("single-keys") !== "off";
  single.addEventListener("change", () => localStorage.setItem("single-keys", single.checked ? "on" : "off"));
}
let g = 0;
document.addEventListener("keydown", e => {
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); if (pal && !pal.open) openPal(); return; }
  if (typing(e) || e.ctrlKey || e.metaKey || e.altKey || !single?.checked || $("dialog[open]")) return;
  if (e.key === "?") { $("#keys").showModal(); return; }
  if (e.key === "g") { g = Date.now(); return; }
  const hit = $(`[data-key="${Date.now() - g < 1200 ? "g " : ""}${CSS.escape(e.key)}"]`);
  if (hit) { e.preventDefault(); hit.matches("input,textarea,select") ? hit.focus() : hit.click(); return; }
  if (e.key === "j" || e.key === "k") step($$(".row-link"), e, e.key === "j" ? 1 : -1, x => x.focus());
  if (e.key === "n" || e.key === "p") step($$(".secnav a[href^='#']"), e, e.key === "n" ? 1 : -1, x => x.click());
});
/* the next or previous of some links, seen from the one in focus or marked current */
function step(all, e, by, go) {
  if (!all.length) return;
  const now = all.findIndex(x => x === document.activeElement || x.hasAttribute("aria-current"));
  e.preventDefault(); go(all[Math.max(0, Math.min(all.length - 1, now + by))]);
}
pal?.addEventListener("keydown", e => {
  const o = $$("[role=option]", pal); if (!o.length) return;
  let i = o.findIndex(x => x.getAttribute("aria-selected") === "true");
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    e.preventDefault(); o[i]?.setAttribute("aria-selected", "false");
    i = (i + (e.key === "ArrowDown" ? 1 : -1) + o.length) % o.length;
    o[i].setAttribute("aria-selected", "true"); inp.setAttribute("aria-activedescendant", o[i].id); o[i].scrollIntoView({ block: "nearest" });
  }
  if (e.key === "Enter" && i >= 0) { e.preventDefault(); location.assign(o[i].href); }
});

/* live parts: rest in hidden tabs; when the server does not answer, keep what was there and say since when */
const poll = e => !e.detail.requestConfig?.triggeringEvent && e.detail.elt.matches("[hx-get]");
document.addEventListener("htmx:beforeRequest", e => { if (document.hidden && poll(e)) e.preventDefault(); });
document.addEventListener("htmx:beforeOnLoad", e => {
  if (e.detail.xhr.status < 400 && e.detail.elt.previousElementSibling?.matches(".stale")) e.detail.elt.previousElementSibling.remove();
});
["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach(name => document.addEventListener(name, e => {
  if (poll(e)) stale(e.detail.elt);
}));
let updated = new Date();
function stale(part) {
  if (part.previousElementSibling?.matches(".stale")) return;
  const line = document.createElement("p"), again = document.createElement("button");
  line.className = "stale"; line.setAttribute("role", "status");
  again.className = "link"; again.type = "button"; again.textContent = "Try again";
  again.addEventListener("click", () => htmx.ajax("GET", part.getAttribute("hx-get"), { source: part, target: part, swap: part.getAttribute("hx-swap") || "innerHTML" }));
  line.append(`Not updated since ${updated.toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit" })}. `, again);
  part.before(line);
}
document.addEventListener("htmx:load", e => {
  if (e.detail.elt === document.body) return;
  updated = new Date(); localTimes(e.detail.elt); foldLists(e.detail.elt); drawAll(e.detail.elt);
});

/* section nav: mark what is in view */
const links = $$(".secnav a[href^='#']");
if (links.length) {
  const io = new IntersectionObserver(es => es.forEach(x => { if (x.isIntersecting) links.forEach(a => { if (a.hash === "#" + x.target.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); }); }), { rootMargin: "-120px 0px -70% 0px" });
  links.forEach(a => { const t = $(a.hash); if (t) io.observe(t); });
}

/* charts: server sends Plotly JSON whose colours are token names ("var(--accent)", "var(--ink/.05)") */
const probe = document.createElement("i"); probe.hidden = true; document.body.append(probe);
function token(name, alpha) {
  probe.style.color = `var(--${name})`;
  const cv = token.c ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  cv.clearRect(0, 0, 1, 1); cv.fillStyle = getComputedStyle(probe).color; cv.fillRect(0, 0, 1, 1);
  const [r, g, b] = cv.getImageData(0, 0, 1, 1).data;
  return `rgba(${r},${g},${b},${alpha ?? 1})`;
}
const paint = v => typeof v === "string" && v.startsWith("var(--") ? token(...v.slice(6, -1).split("/")) : Array.isArray(v) ? v.map(paint) : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, paint(x)])) : v;
function draw(el) {
  const fig = paint(JSON.parse($("#" + el.dataset.figure).textContent));
  const ax = { exponentformat: "e", gridcolor: token("line"), zeroline: false, linecolor: token("line"), tickfont: { size: 11.5, color: token("ink-3") }, fixedrange: true, automargin: true };
  const L = fig.layout || {};
  /* names at the ends of lines need room; on a phone they are a legend below */
  const named = (L.annotations || []).filter(a => a.name === "at-end");
  if (named.length && el.clientWidth < 560) {
    L.annotations = L.annotations.filter(a => a.name !== "at-end");
    Object.assign(L, { showlegend: true, legend: { orientation: "h", x: 0, y: -0.18, font: { size: 11.5 } } });
  }
  Plotly.react(el, fig.data, {
    font: { family: "Plex Sans, system-ui, sans-serif", size: 12, color: token("ink-2") }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 44, r: 12, t: 14, b: 30 }, showlegend: false, hovermode: "x unified", dragmode: false,
    hoverlabel: { bgcolor: token("raised"), bordercolor: token("line-strong"), font: { color: token("ink"), family: "Plex Sans, sans-serif", size: 12 } },
    ...L, xaxis: { ...ax, showgrid: false, tickformat: "%-d %b", nticks: 6, ...L.xaxis }, yaxis: { ...ax, ...L.yaxis },
  }, { displayModeBar: false, responsive: true, locale: root.lang }).then(() => { el.dataset.drawn = "yes"; });
}
function drawAll(part = document) { if (window.Plotly) $$("[data-figure]", part).forEach(draw); }
document.fonts.ready.then(() => drawAll());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
addEventListener("beforeprint", () => drawAll());
addEventListener("beforeprint", () => $$("[data-here]").forEach(e => { e.textContent = location.href; }));
