// How dangerous the market is: signals with their scores, the nearest levels of each symbol, the last sweeps.
import { el, setText, replace, text, price, plain, ago, count, to, shape, NOTHING } from "./format.js";
import { table } from "./tables.js";
import { live } from "./live.js";

const RISK = [[8, "Fortress", "good"], [6, "Protected", "good"], [4, "Caution", "warn-text"], [2, "High risk", "bad"], [-Infinity, "Danger", "bad"]];
export function risk(score) {
  if (score === null || score === undefined) return NOTHING;
  const [, word, kind] = RISK.find(([least]) => score >= least);
  return el("span", { class: kind }, `${score.toFixed(1)} ${word}`);
}

/** The score over a signal's life, as steps. */
export function curve(points) {
  if (!Array.isArray(points) || points.length < 2) return "";
  const from = points[0][0], span = Math.max(1, points[points.length - 1][0] - from);
  const x = (t) => ((t - from) / span) * 80, y = (s) => 17 - ((s - 1) / 9) * 16;
  let d = `M0 ${y(points[0][1])}`;
  for (const [t, s] of points.slice(1)) d += `H${x(t).toFixed(1)}V${y(s).toFixed(1)}`;
  return el("span", { class: "chart" }, shape("svg", { width: 80, height: 18, viewBox: "0 0 80 18", role: "img", "aria-label": `score from ${points[0][1]} to ${points[points.length - 1][1]}` }, shape("path", { class: "line-0", d })));
}

export function signals(list) {
  const near = (s) => [s.entry_price, s.stop_loss, s.take_profit];
  const columns = [
    { title: "Symbol", show: (s) => to("symbol", s.symbol), kind: "strong" },
    { title: "Side", show: (s) => text(s.direction) },
    { title: "Score", show: (s) => risk(s.protection_score) },
    { title: "Over time", room: 1, show: (s) => curve(s.curve) },
    { title: "Entry", show: (s) => price(s.entry_price, near(s)), number: true },
    { title: "Stop", room: 2, show: (s) => price(s.stop_loss, near(s)), number: true },
    { title: "Target", room: 2, show: (s) => price(s.take_profit, near(s)), number: true },
    { title: "Made", room: 2, show: (s) => ago(s.created_at), number: true },
  ];
  replace("signals", table(columns, list.items, "No signal is live.", "Live signals"));
}

function nearest(item) {
  const found = (item.levels ?? []).filter((l) => l.state !== "expired");
  const above = found.filter((l) => l.side === "buy_side").sort((a, b) => a.price - b.price)[0];
  const below = found.filter((l) => l.side === "sell_side").sort((a, b) => b.price - a.price)[0];
  return { ...item, found, above, below, all: found.map((l) => l.price) };
}

export function market(part) {
  const items = part.symbols.items.map(nearest);
  const sweeps = part.sweeps;
  const known = items.reduce((sum, i) => sum + i.found.length, 0);
  setText("market-line", `${count(items.length)} symbols watched, ${known > 0 || items.length === 0 ? `${count(known)} levels known` : "no level known yet: too few bars so far"}`);
  const level = (i, side) => (i[side] ? `${price(i[side].price, i.all)} ${i[side].state}` : NOTHING);
  const held = new Map((live.parts.positions?.exposure ?? []).map((e) => [e.symbol, e.positions]));
  const columns = [
    { title: "Symbol", show: (i) => to("symbol", i.symbol), kind: "strong" },
    { title: "Levels", room: 2, show: (i) => count(i.found.length), number: true },
    { title: "Buy side, nearest", kind: "time", show: (i) => level(i, "above"), number: true },
    { title: "Sell side, nearest", kind: "time", show: (i) => level(i, "below"), number: true },
    { title: "Regime", room: 2, show: (i) => plain(i.condition?.regime ?? null) },
    { title: "Session", room: 1, show: (i) => plain(i.condition?.session ?? null) },
    { title: "Open", room: 2, show: (i) => count(held.get(i.symbol) ?? 0), number: true },
    { title: "As of", room: 1, show: (i) => ago(i.time), number: true, kind: "muted" },
  ];
  replace("levels", table(columns, items, "No symbol has been watched for long enough.", "Symbols and levels"));
  replace("sweeps", table(sweepColumns, sweeps.slice(0, 8), "No level has been swept lately.", "Last sweeps"));
}

export const sweepColumns = [
  { title: "When", show: (s) => ago(s.at), number: true },
  { title: "Symbol", show: (s) => to("symbol", s.symbol), kind: "strong" },
  { title: "What", show: (s) => plain(s.sweep_type ?? s.kind ?? s.type) },
  { title: "Side", room: 2, show: (s) => plain(s.side ?? null) },
  { title: "Level", show: (s) => text(s.level ?? s.reference), number: true },
  { title: "Extreme", room: 2, show: (s) => text(s.extreme ?? s.price), number: true },
];
