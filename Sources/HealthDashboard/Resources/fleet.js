// Who is connected: counts, groups, and the list of terminals.
import { el, byId, setText, replace, text, count, money, state, plain, ago, to, NOTHING } from "./format.js";
import { VirtualTable, table } from "./tables.js";

const LIVENESS = ["live", "quiet", "late", "stale", "dead"];
const GROUPS = [["by_broker", "By broker", "broker"], ["by_version", "By EA version", "version"], ["by_family", "By EA family", "family"], ["by_tier", "By tier", null]];
const filter = {};
let terminals = null;

function stack(counts) {
  return el("div", { class: "stack", "aria-hidden": "true" }, LIVENESS.filter((name) => counts[name]).map((name) => {
    const part = el("span", { class: `${name}-fill` });
    part.style.flexGrow = String(counts[name]);
    return part;
  }));
}

function toggle(name, value) {
  if (filter[name] === value) delete filter[name]; else filter[name] = value;
  terminals.setFilter({ ...filter });
  if (last) fleet(last);
}

let last = null;
export function fleet(part) {
  last = part;
  const counts = part.counts.by_liveness;
  const total = LIVENESS.reduce((sum, name) => sum + counts[name], 0);
  const chips = LIVENESS.map((name) => el("button", { type: "button", class: "chip", "data-key": name, "aria-pressed": String(filter.liveness === name), on: { click: () => toggle("liveness", name) } }, state(name), el("b", {}, count(counts[name]))));
  replace("liveness", total ? stack(counts) : null, el("div", { class: "legend" }, chips));
  setText("nodes-line", `${count(part.counts.active)} connected, ${count(part.counts.timeout)} timed out, ${count(part.counts.disconnected)} disconnected`);
  replace("groups", GROUPS.filter(([name]) => part[name]?.length).map(([name, title, parameter]) => group(title, parameter, part[name])));
  terminals?.refresh();
}

function group(title, parameter, items) {
  const shown = items.slice(0, 6);
  const lost = (item) => item.stale + item.dead;
  return el("div", {}, el("h3", { class: "label" }, title), el("ul", {}, shown.map((item) => el("li", {},
    el("span", { title: item.name }, parameter ? el("button", { type: "button", "data-key": `${parameter}:${item.name}`, "aria-pressed": String(filter[parameter] === item.name), on: { click: () => toggle(parameter, item.name) } }, item.name) : item.name),
    el("span", {}, count(item.total), lost(item) ? el("span", { class: "bad" }, ` (${count(lost(item))} lost)`) : null), stack(item))),
    items.length > shown.length ? el("li", { class: "muted" }, `and ${count(items.length - shown.length)} more`) : null));
}

const columns = [
  { title: "Account", sort: "account", show: (n) => to("terminal", n.node_id, n.account ?? n.node_id), kind: "strong" },
  { title: "State", sort: "liveness", show: (n) => (n.status === "active" ? state(n.liveness ?? "live") : state(n.status)) },
  { title: "Broker", room: 2, sort: "broker", show: (n) => text(n.broker), kind: "cut", cut: true },
  { title: "Server", room: 1, sort: "server", show: (n) => text(n.server), kind: "cut", cut: true },
  { title: "Last sign of life", sort: "-last_seen", show: (n) => ago(n.last_seen ?? n.last_heartbeat), number: true },
  { title: "Balance", room: 1, sort: "-balance", show: (n) => money(n.balance), number: true },
  { title: "Equity", room: 2, sort: "-equity", show: (n) => money(n.equity), number: true },
  { title: "", room: 2, show: (n) => text(n.currency), kind: "muted" },
  { title: "Leverage", room: 1, sort: "leverage", show: (n) => (n.leverage ? `1:${n.leverage}` : NOTHING), number: true },
  { title: "Latency", room: 1, sort: "heartbeat_latency_ms", show: (n) => (n.heartbeat_latency_ms === null ? NOTHING : `${Math.round(n.heartbeat_latency_ms)} ms`), number: true },
  { title: "Chart", room: 2, sort: "chart_symbol", show: (n) => text(n.chart_symbol) },
  { title: "EA", room: 2, sort: "version", show: (n) => text(n.family ?? n.version) },
  { title: "Conflict", room: 2, sort: "identity_conflict", show: (n) => (n.identity_conflict ? state("warning", plain(n.identity_conflict)) : "none") },
  { title: "User", room: 2, sort: "user_uuid", show: (n) => to("user", n.user_uuid), kind: "cut" },
];

export function startFleet() {
  terminals = new VirtualTable(byId("nodes"), {
    path: "/nodes", columns, label: "Terminals", placeholder: "Account, broker, user, symbol", empty: "No terminal has dialled in yet.",
    sort: "account", parameters: { status: "active,timeout" },
  });
  terminals.onClear = (name) => toggle(name, filter[name]);
  terminals.load();
}

const DRIFTS = [["trading_disabled", "trading is refused"], ["frozen_charts", "the chart stands still"], ["wrong_symbols", "its symbol is not known"], ["clock_offsets", "its clock is off"]];

/** Terminals that are connected and yet not as they should be. */
export function drift(part) {
  const rows = DRIFTS.flatMap(([name, words]) => (Array.isArray(part.drift?.[name]) ? part.drift[name] : []).map((item) => ({ words, ...item })));
  const drifting = [
    { title: "What", show: (d) => d.words, kind: "strong" }, { title: "Terminal", show: (d) => to("terminal", d.node_id, d.account ?? d.node_id) },
    { title: "User", room: 2, show: (d) => to("user", d.user_uuid) }, { title: "Server", room: 1, show: (d) => text(d.server) }, { title: "EA", room: 1, show: (d) => text(d.version) },
    { title: "Why", show: (d) => text(d.why), kind: "wrap" }, { title: "Since", room: 2, show: (d) => ago(typeof d.since === "number" ? new Date(d.since).toISOString() : d.since), number: true },
  ];
  replace("drift", rows.length === 0 ? null : [el("h3", { class: "label below" }, `Terminals that drift: ${count(rows.length)}`), table(drifting, rows.slice(0, 200), "", "Terminals that drift")]);
}

/** Terminals whose identity is disputed, with what to do about each. */
export function conflicts(part) {
  const rows = part.conflict_items ?? [];
  replace("conflicts", rows.length === 0 ? el("p", { class: "empty" }, "No terminal's identity is disputed.") : el("ul", { class: "plain" }, rows.map((n) => el("li", {},
    state("warning", ""), el("div", {}, el("strong", {}, plain(n.identity_conflict)), " · terminal ", to("terminal", n.node_id, n.account ?? n.node_id), " · user ", to("user", n.user_uuid), " · since ", ago(n.identity_conflict_since),
      el("span", { class: "command" }, text(n.identity_conflict_action ?? `meshctl nodes clear ${n.user_uuid} --reason "…"`)))))));
}
