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

/* dialogs: <button data-open="id"> */
document.addEventListener("click", e => {
  const o = e.target.closest("[data-open]"); if (o) { $("#" + o.dataset.open).showModal(); return; }
  const c = e.target.closest("[data-close]"); if (c) { e.preventDefault(); c.closest("dialog").close(); }
  const cp = e.target.closest("[data-copy]"); if (cp) { navigator.clipboard?.writeText(cp.dataset.copy); $("#live").textContent = "Copied"; }
  const pr = e.target.closest("[data-print]"); if (pr) print();
});

/* local times: server prints UTC text; the title carries the viewer's own zone */
$$("time[datetime]").forEach(t => { const d = new Date(t.dateTime); if (!isNaN(d)) t.title = d.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }); });

/* palette + shortcuts */
const pal = $("#palette"), inp = $("#palq");
const openPal = () => { pal.showModal(); inp.focus(); window.htmx?.trigger(inp, "refresh"); };
$$("[data-palette]").forEach(b => b.addEventListener("click", openPal));
const typing = e => e.target.matches("input,textarea,select,[contenteditable]");
let g = 0;
document.addEventListener("keydown", e => {
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); openPal(); return; }
  if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "?") { $("#keys").showModal(); return; }
  if (e.key === "g") { g = Date.now(); return; }
  const hit = $(`[data-key="${Date.now() - g < 1200 ? "g " : ""}${CSS.escape(e.key)}"]`);
  if (hit) { e.preventDefault(); hit.click(); }
});
pal?.addEventListener("keydown", e => {
  const o = $$("[role=option]", pal); if (!o.length) return;
  let i = o.findIndex(x => x.getAttribute("aria-selected") === "true");
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    e.preventDefault(); o[i]?.setAttribute("aria-selected", "false");
    i = (i + (e.key === "ArrowDown" ? 1 : -1) + o.length) % o.length;
    o[i].setAttribute("aria-selected", "true"); inp.setAttribute("aria-activedescendant", o[i].id); o[i].scrollIntoView({ block: "nearest" });
  }
  if (e.key === "Enter" && i >= 0) { e.preventDefault(); const link = $("a", o[i]) || o[i].closest("a"); if (link) location.assign(link.href); }
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
  const ax = { gridcolor: token("line"), zeroline: false, linecolor: token("line"), tickfont: { size: 11.5, color: token("ink-3") }, fixedrange: true, automargin: true };
  const L = fig.layout || {};
  Plotly.react(el, fig.data, {
    font: { family: "Plex Sans, system-ui, sans-serif", size: 12, color: token("ink-2") }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 44, r: 12, t: 14, b: 30 }, showlegend: false, hovermode: "x unified", dragmode: false,
    hoverlabel: { bgcolor: token("raised"), bordercolor: token("line-strong"), font: { color: token("ink"), family: "Plex Sans, sans-serif", size: 12 } },
    ...L, xaxis: { ...ax, showgrid: false, tickformat: "%-d %b", nticks: 6, ...L.xaxis }, yaxis: { ...ax, ...L.yaxis },
  }, { displayModeBar: false, responsive: true, locale: root.lang }).then(() => { el.dataset.drawn = "yes"; });
}
function drawAll() { if (window.Plotly) $$("[data-figure]").forEach(draw); }
if (window.Plotly) document.fonts.ready.then(drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
