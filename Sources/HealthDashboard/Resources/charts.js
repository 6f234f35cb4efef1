// Pictures as SVG, drawn to the width there is. A line has its own dashes beside its colour, and its name beside its last value.
import { el, shape, serverNow } from "./format.js";

/** Draws again when the width is another one. */
export function responsive(draw) {
  const box = el("div", { class: "chart" });
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.round(box.clientWidth);
    if (now === 0 || now === width) return;
    width = now;
    box.replaceChildren(...draw(width));
  }).observe(box);
  return box;
}

/** Round steps for an axis: 1, 2 or 5 times a power of ten. Source: P. Heckbert, "Nice numbers for graph labels". */
export function ticks(low, high, wanted) {
  const span = high - low || 1;
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const first = Math.ceil(low / step) * step;
  const found = [];
  for (let value = first; value <= high + step * 1e-6; value += step) found.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  return found;
}

const two = (n) => String(n).padStart(2, "0");
export const hourMinute = (ms) => { const d = new Date(ms); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`; };

/** Moments for an axis of time: full minutes, quarters or hours of UTC. */
export function timeTicks(from, to, wanted) {
  const steps = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].map((s) => s * 1000);
  const step = steps.find((s) => (to - from) / s <= wanted) ?? 86_400_000;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

function path(values, x, y) {
  let text = "", isPen = false;
  values.forEach((value, index) => {
    // A gap is a gap: what was not measured is not drawn.
    if (value === null || value === undefined) { isPen = false; return; }
    text += `${isPen ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    isPen = true;
  });
  return text;
}

/**
 * Lines over time. - chart: times (ms), series [{ name, values }], write(value), label, height, zero (whether 0 belongs in),
 * since (ms; when it was begun to measure), empty (said where it is measured and there is nothing)
 */
export function lines(chart) {
  const { times, series, write, label, height = 150, zero = false } = chart;
  const known = series.flatMap((s) => s.values.filter((v) => v !== null && v !== undefined));
  const since = chart.since ?? times[0] ?? serverNow();
  if (times.length >= 2 && known.length === 0 && chart.empty) return el("p", { class: "empty" }, chart.empty);
  if (times.length < 2 || known.length < 2) return el("p", { class: "empty" }, `Collecting, since ${hourMinute(since)} UTC: a picture begins with the second measurement.`);
  let low = Math.min(...known), high = Math.max(...known);
  if (zero) { low = Math.min(0, low); high = Math.max(0, high); }
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  if (!(zero && low === 0)) low -= pad;
  high += pad;
  const last = (s) => s.values.findLast((v) => v !== null && v !== undefined);
  const spoken = series.map((s) => `${s.name} now ${write(last(s))}`).join(", ");
  const readout = el("div", { class: "keys" });
  const keys = (at) => readout.replaceChildren(...series.map((s, index) => el("span", {},
    shape("svg", { "aria-hidden": "true", viewBox: "0 0 26 8" }, shape("line", { class: `line-${index % 4}`, x1: 0, y1: 4, x2: 26, y2: 4, "stroke-width": 2.5 })),
    `${s.name} `, el("b", {}, s.values[at] === null || s.values[at] === undefined ? "not measured" : write(s.values[at])))),
  at === times.length - 1 ? "" : el("span", {}, `at ${hourMinute(times[at])}:${two(new Date(times[at]).getUTCSeconds())} UTC`));
  keys(times.length - 1);
  const box = responsive((width) => {
    const left = 60, right = width - 6, top = 6, bottom = height - 18;
    const from = times[0], to = times[times.length - 1];
    const x = (index) => left + ((times[index] - from) / (to - from || 1)) * (right - left);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    const marks = ticks(low, high, 3);
    const step = marks.length > 1 ? marks[1] - marks[0] : high - low;
    const axis = (value) => value.toLocaleString("en-US", { maximumFractionDigits: Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))), notation: Math.abs(value) >= 1e7 ? "compact" : "standard" });
    const cross = shape("line", { class: "cross", y1: top, y2: bottom, visibility: "hidden" });
    const svg = shape("svg", { height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label}: ${spoken}` },
      marks.map((value) => [shape("line", { class: "axis", x1: left, x2: right, y1: y(value), y2: y(value) }), shape("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, axis(value))]),
      timeTicks(from, to, Math.max(2, width / 110)).map((at) => shape("text", { x: left + ((at - from) / (to - from || 1)) * (right - left), y: height - 3, "text-anchor": "middle" }, hourMinute(at))),
      series.map((s, index) => shape("path", { class: `line-${index % 4}`, d: path(s.values, x, y) })), cross);
    svg.addEventListener("pointermove", (event) => {
      const place = ((event.clientX - svg.getBoundingClientRect().left) - left) / (right - left);
      const wanted = from + place * (to - from);
      const at = Math.max(0, times.findLastIndex((t) => t <= wanted));
      cross.setAttribute("x1", x(at)); cross.setAttribute("x2", x(at)); cross.setAttribute("visibility", "visible");
      keys(at);
    });
    svg.addEventListener("pointerleave", () => { cross.setAttribute("visibility", "hidden"); keys(times.length - 1); });
    return [svg];
  });
  // A young picture is bare because it is young.
  const isYoung = serverNow() - since < 300_000;
  return el("div", {}, box, readout, isYoung ? el("p", { class: "muted small" }, `Collecting, since ${hourMinute(since)} UTC`) : null);
}

/** From the median to the 99th percentile of each stage on one logarithmic scale; the numbers stand beside it. */
export function spread(item, most) {
  const place = (ms) => (Math.log10(1 + Math.max(0, ms)) / Math.log10(1 + Math.max(10, most))) * 96 + 2;
  if (item.p50_ms === null) return "";
  return shape("svg", { class: "spread", viewBox: "0 0 100 12", preserveAspectRatio: "none", width: "100%", height: 12, "aria-hidden": "true" },
    shape("line", { class: "stage-line", x1: place(item.p50_ms), x2: place(item.p99_ms), y1: 6, y2: 6 }),
    shape("rect", { class: "stage-50", x: place(item.p50_ms) - 1, y: 1, width: 2, height: 10 }),
    shape("rect", { class: "stage-99", x: place(item.p99_ms) - 0.5, y: 3, width: 1, height: 6 }));
}

/** A share as a bar; the figure stands beside it. */
export function share(value, kind = "plain-fill") {
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: kind }));
  bar.firstChild.style.width = `${Math.max(0, Math.min(100, (value ?? 0) * 100))}%`;
  return bar;
}
