// Equity, profit and telemetry over the last hour or day.
import { el, replace, money, count } from "./format.js";
import { get } from "./live.js";
import { lines } from "./charts.js";

let range = "1h", askedAt = -1e9, isBusy = false;
const seriesOf = (history, prefix) => Object.entries(history.series).filter(([name]) => name.startsWith(`${prefix}.`)).map(([name, values]) => ({ name: name.slice(prefix.length + 1), values }));

function chooser() {
  return el("div", { class: "legend" }, [["1h", "Last hour"], ["24h", "Last day"]].map(([value, title]) => el("button", {
    type: "button", class: "chip", "data-key": value, "aria-pressed": String(range === value), on: { click: () => { range = value; askedAt = -1e9; pictures(); } },
  }, title)));
}

/** Draws anew every ten seconds; a picture of the past needs no more. */
export async function pictures() {
  if (isBusy || document.hidden || performance.now() - askedAt < 10_000) return;
  isBusy = true;
  askedAt = performance.now();
  let history = null;
  // The next round asks again; that the server is lost is said elsewhere.
  try { history = await get(`/history?range=${range}&points=240`); } catch { return; } finally { isBusy = false; }
  const times = history.times.map((t) => Date.parse(t));
  const since = Date.parse(history.since);
  const perCurrency = seriesOf(history, "equity").map((s) => lines({ times, since, series: [{ ...s, name: `Equity ${s.name}` }], write: money, label: `Equity in ${s.name}`, height: 110 }));
  replace("money-charts", chooser(), el("div", { class: "pictures" },
    el("div", {}, el("h3", { class: "label" }, "Equity of the connected accounts"), perCurrency.length ? perCurrency : lines({ times, series: [], since, write: money, empty: "No connected account has told its equity." })),
    el("div", {}, el("h3", { class: "label" }, "Unrealised and realised profit"), lines({ times, since, zero: true, height: 140, write: money, label: "Profit", empty: "Nothing is open and nothing was closed.", series: [...seriesOf(history, "unrealised").map((s) => ({ ...s, name: `Unrealised ${s.name}` })), ...seriesOf(history, "realised").map((s) => ({ ...s, name: `Realised ${s.name}` }))].slice(0, 4) }))));
  replace("telemetry-chart", lines({ times, since, zero: true, height: 150, label: "Telemetry", empty: "handshake-processor has not told how much it hears.", write: (v) => count(Math.round(v)),
    series: [{ name: "Frames a second", values: history.series.frames_per_s ?? [] }, { name: "Ticks a second", values: history.series.ticks_per_s ?? [] }].filter((s) => s.values.length) }));
  replace("terminals-chart", lines({ times, since, zero: true, height: 110, label: "Terminals", write: count, series: [{ name: "Terminals connected", values: history.series.terminals ?? [] }, { name: "Health score", values: history.series.health_score ?? [] }].filter((s) => s.values.length) }));
}
