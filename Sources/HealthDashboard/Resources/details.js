// What the page of one terminal, user, position, symbol, service or alert shows.
import { el, text, count, money, signed, price, duration, ago, both, state, plain, to, tone } from "./format.js";
import { table } from "./tables.js";
import { positionColumns } from "./trading.js";
import { risk, curve, sweepColumns } from "./market.js";
import { candles, candleKeys } from "./candles.js";
import { acknowledge, silence, closePosition } from "./actions.js";

const card = (title, ...body) => el("section", { class: "card" }, title ? el("div", { class: "head" }, el("h2", {}, title)) : null, ...body);
const MONEY = /^(balance|equity|margin|free_margin|profit|current_pnl|max_profit|max_loss|risk_amount|net_profit)$/;

const moment = (iso) => el("span", {}, both(iso), " (", ago(iso), ")");

function value(name, given) {
  if (typeof given === "boolean") return given ? "yes" : "no";
  // Plain hashes tell moments as milliseconds since 1970.
  if (typeof given === "number" && given > 1e12 && given < 1e13) return moment(new Date(given).toISOString());
  if (typeof given === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(given)) return moment(given);
  if (name.endsWith("_s") && typeof given === "number") return duration(given);
  if (MONEY.test(name)) return money(given);
  if (name === "node_id") return to("terminal", given);
  if (name === "user_uuid") return to("user", given);
  if (name === "fire_id") return to("fire", given);
  if (name === "service") return to("service", given);
  if (name === "canonical_symbol") return to("symbol", given);
  if (Array.isArray(given)) return given.join(", ") || "none";
  return typeof given === "object" ? JSON.stringify(given) : text(given);
}

/** Everything that is known and has no place of its own. */
function facts(object, leave = []) {
  const entries = Object.entries(object).filter(([name, given]) => !leave.includes(name) && given !== null && given !== "" && !(Array.isArray(given) && given.length === 0));
  return el("dl", { class: "facts wide" }, entries.map(([name, given]) => el("div", {}, el("dt", {}, named(name, given)), el("dd", {}, value(name, given)))));
}

/** A unit in a name is said as one; where the value is written with its own, it is left out. */
function named(name, given) {
  if (name.endsWith("_s") && typeof given === "number") return plain(name.slice(0, -2));
  return plain(name.replace(/_(ms|percent|bytes)$/, ", $1"));
}

const figure = (name, shown, kind = null) => el("div", {}, el("dt", {}, name), el("dd", { class: kind }, shown));
const positions = (items) => table(positionColumns, items, "No position is open.", "Open positions");

export function terminal(n) {
  const notice = n.identity_conflict ? el("p", { class: "notice" }, `Identity in dispute: ${plain(n.identity_conflict)}. ${text(n.identity_conflict_action)}`) : null;
  const deaf = n.hears_commands === "no" ? el("p", { class: "notice" }, `This terminal does not hear commands: ${text(n.hears_commands_reason)}`) : null;
  return [card(null, notice, deaf, el("dl", { class: "figures" },
    figure("State", state(n.status === "active" ? n.liveness ?? "live" : n.status)), figure(`Equity ${text(n.currency)}`, money(n.equity)), figure(`Balance ${text(n.currency)}`, money(n.balance)),
    figure("Open positions", count(n.positions.length)), figure("Heartbeat latency", n.heartbeat_latency_ms === null ? "–" : `${Math.round(n.heartbeat_latency_ms)} ms`), figure("Last sign of life", ago(n.last_seen ?? n.last_heartbeat))),
    el("p", { class: "below" }, "User ", to("user", n.user_uuid), ` · broker ${text(n.broker)} · server ${text(n.server)} · EA ${text(n.family ?? n.version)}`)),
  card("Open positions", positions(n.positions)), card("Everything known", facts(n, ["positions", "stability", "connection_counts"])),
  card("Stability", facts(n.stability)), card("Connections", facts(n.connection_counts))];
}

export function user(u) {
  const slots = Object.entries(u.slots).map(([fire, held]) => ({ fire, held }));
  const columns = [{ title: "Fire", show: (s) => to("fire", s.fire), kind: "strong" }, { title: "Holds", show: (s) => (s.held.includes("|") ? to("position", s.held, `position ${s.held.split("|").pop()}`) : s.held) }];
  return [card(null, el("dl", { class: "figures" }, figure("Tier", text(u.tier)), figure("State", state(u.state ?? "unknown")), figure("Slots used", count(u.slots_used)), figure("Open positions", count(u.positions.length)), u.without_figure ? figure("Without a stop", count(u.without_figure)) : null, figure("Risk per trade", u.risk_pct === null ? "as the tier" : `${u.risk_pct} %`)),
    el("p", { class: "below" }, "Terminal ", u.node_id ? to("terminal", u.node_id) : "none is connected")),
  card("Open positions", positions(u.positions)), card("Slots", table(columns, slots, "No slot is in use.", "Slots")),
  u.node ? card("Terminal", facts(u.node)) : card("Terminal", el("p", { class: "empty" }, "Never connected, or gone for more than 30 days."))];
}

export function position(p) {
  const near = [p.open_price, p.current_price, p.sl, p.tp];
  return [card(null, el("dl", { class: "figures" }, figure("State", state(p.state)), figure(`${p.state === "open" ? "Stands at" : "Result"} ${text(p.currency)}`, signed(p.state === "open" ? p.current_pnl : p.profit), tone(p.state === "open" ? p.current_pnl : p.profit)),
    figure("Side and lots", `${text(p.direction)} ${p.lot === null ? "" : p.lot.toFixed(2)}`), figure("Opened at", price(p.open_price, near)), figure(p.state === "open" ? "Now" : "Closed at", price(p.state === "open" ? p.current_price : p.close_price, near)), figure("Stop", price(p.sl, near)), figure("Target", price(p.tp, near))),
    el("p", { class: "below" }, "Symbol ", to("symbol", p.canonical_symbol ?? p.symbol, p.symbol), " · terminal ", to("terminal", p.node_id), " · user ", to("user", p.user_uuid), " · fire ", to("fire", p.fire_id),
      p.state === "open" ? [" ", el("button", { type: "button", class: "danger", "data-key": "close", on: { click: () => closePosition(p) } }, "Close…")] : null)),
  card("Everything known", facts(p))];
}


export function symbol(s) {
  const all = s.levels.map((l) => l.price);
  const last = s.bars.at(-1);
  const levels = [...s.levels].sort((a, b) => b.price - a.price);

  const columns = [
    { title: "Level", show: (l) => price(l.price, all), number: true, kind: "strong" },
    { title: "From here", room: 2, show: (l) => (last ? `${signed(((l.price - last.close) / last.close) * 100)} %` : "–"), number: true },
    { title: "Side", show: (l) => plain(l.side) }, { title: "State", show: (l) => plain(l.state) },
    { title: "Strength", show: (l) => Number(l.strength).toFixed(1), number: true }, { title: "Touches", room: 2, show: (l) => count(l.touches), number: true },
    { title: "Found as", room: 2, show: (l) => plain((l.origins ?? []).join(", ")), kind: "wrap" }, { title: "Since", room: 2, show: (l) => ago(l.born), number: true, kind: "muted" },
  ];
  const signalColumns = [
    { title: "Side", show: (x) => text(x.direction), kind: "strong" }, { title: "Score", show: (x) => risk(x.protection_score) }, { title: "Over time", room: 1, show: (x) => curve(x.curve) },
    { title: "Entry", show: (x) => price(x.entry_price), number: true }, { title: "Stop", room: 2, show: (x) => price(x.stop_loss), number: true }, { title: "Target", room: 2, show: (x) => price(x.take_profit), number: true }, { title: "Made", room: 2, show: (x) => ago(x.created_at), number: true },
  ];
  return [card("Price, levels and sweeps", candles(s), candleKeys(), el("p", { class: "muted small" }, `Bars of one minute from ${text(s.source)}, picture of `, ago(s.time ?? last?.time))),
    s.condition ? card("Condition", facts(s.condition, ["manipulation"])) : null,
    card(`Levels, ${levels.length}`, table(columns, levels, `No level is known: ${count(s.bars.length)} ${s.bars.length === 1 ? "bar" : "bars"} of one minute seen so far.`, "Levels")),
    card("Live signals", table(signalColumns, s.signals, "No signal is live.", "Live signals")),
    card("Sweeps", table(sweepColumns, s.sweeps.slice(0, 50), "No level has been swept.", "Sweeps")),
    card(`Open positions, ${s.positions_total}`, positions(s.positions))];
}

const numbers = (object, empty) => table([{ title: "Name", show: ([name]) => plain(name), kind: "strong" }, { title: "Value", show: ([, n]) => count(n), number: true }], Object.entries(object), empty, empty);

export function service(s) {
  const problems = Object.entries(s.problems);
  return [card(null, problems.map(([, words]) => el("p", { class: "notice" }, text(words))), el("dl", { class: "figures" }, figure("State", state(s.state)), figure("Restarts", count(s.restarts)), figure("Ready after", s.ready_ms === null ? "–" : `${s.ready_ms} ms`), figure("Longest turn", s.longest_turn_ms === null ? "–" : `${s.longest_turn_ms} ms`), figure("Last progress", ago(s.last_progress)), figure("Report", s.report_age_ms === null ? "none" : `${(s.report_age_ms / 1000).toFixed(1)} s old`))),
    s.last_exit ? card("Last exit", facts(s.last_exit)) : null, card("Everything known", facts(s, ["last_exit", "ports", "counters", "rejected", "gauges", "problems"])),
    card("Ports", table([{ title: "Port", show: (p) => p.port, number: true }, { title: "Name", show: (p) => p.name, kind: "strong" }, { title: "Socket", room: 2, show: (p) => p.socket }, { title: "Now", show: (p) => (p.listening ? state("running", "listening") : state("down", "closed")) }, { title: "Carries", room: 2, show: (p) => p.carries, kind: "wrap" }], s.ports, "It binds no port.", "Ports")),
    card("Counted", numbers(s.counters, "It has counted nothing.")), card("Refused, by reason", numbers(s.rejected, "It has refused nothing.")), card("Standing facts", numbers(s.gauges, "It tells none."))];
}

export function alert(a) {
  return [card(null, el("p", { class: "line" }, text(a.message ?? a.type)), a.cause ? el("p", {}, "Cause: ", a.cause) : null, a.action ? el("p", { class: "notice below" }, a.action) : null,
    el("dl", { class: "figures below" }, figure("Severity", state(a.severity ?? "warning")), figure("State", a.active ? el("strong", {}, "active") : "over"), figure("Began", ago(a.starts_at ?? a.time)), figure("Affects", a.count ? count(a.count) : "1"), figure("Held back", count(a.held_back ?? 0))),
    a.active ? el("p", { class: "below" }, a.acknowledged_at ? null : el("button", { type: "button", "data-key": "ack", on: { click: () => acknowledge(a) } }, "Acknowledge"), " ", el("button", { type: "button", "data-key": "silence", on: { click: () => silence(a) } }, "Silence…")) : null),
  card("Everything known", facts(a))];
}
