// What is open and how trades went.
import { el, byId, setText, replace, text, count, money, signed, sums, tone, price, percent, duration, ago, plain, to, NOTHING } from "./format.js";
import { VirtualTable, table } from "./tables.js";
import { spread, share } from "./charts.js";

let list = null;
const prices = (p) => [p.open_price, p.current_price, p.sl, p.tp];
export const positionColumns = [
  { title: "Symbol", sort: "symbol", show: (p) => to("symbol", p.canonical_symbol ?? p.symbol, p.symbol), kind: "strong" },
  { title: "Ticket", room: 2, sort: "ticket", show: (p) => to("position", p.position, p.ticket), number: true },
  { title: "Side", sort: "direction", show: (p) => text(p.direction) },
  { title: "Lots", sort: "-lot", show: (p) => (p.lot === null ? NOTHING : p.lot.toFixed(2)), number: true },
  { title: "P&L", sort: "-current_pnl", show: (p) => signed(p.current_pnl), number: true, tone: (p) => tone(p.current_pnl), kind: "strong" },
  { title: "", show: (p) => text(p.currency), kind: "muted" },
  { title: "Opened at", room: 2, sort: "open_price", show: (p) => price(p.open_price, prices(p)), number: true },
  { title: "Now", room: 2, sort: "current_price", show: (p) => price(p.current_price, prices(p)), number: true },
  { title: "Best", room: 1, sort: "-max_profit", show: (p) => signed(p.max_profit), number: true, kind: "muted" },
  { title: "Worst", room: 1, sort: "max_loss", show: (p) => signed(p.max_loss), number: true, kind: "muted" },
  { title: "Stop", room: 1, show: (p) => price(p.sl, prices(p)), number: true },
  { title: "Target", room: 1, show: (p) => price(p.tp, prices(p)), number: true },
  { title: "Opened", room: 2, sort: "-opened_at", show: (p) => ago(p.opened_at), number: true },
  { title: "Account", room: 2, sort: "account", show: (p) => to("terminal", p.node_id, p.account) },
  { title: "User", room: 2, sort: "user_uuid", show: (p) => to("user", p.user_uuid), kind: "cut" },
];

export function startPositions() {
  list = new VirtualTable(byId("positions"), {
    path: "/positions", columns: positionColumns, label: "Open positions", placeholder: "Symbol, account, ticket, user",
    empty: "No position is open.", sort: "-opened_at", parameters: { state: "open" },
  });
  list.load();
}

export function open(part) {
  const { counts, exposure, performance } = part;
  setText("positions-line", `${count(counts.open)} open, ${sums(counts.current_pnl)} · ${count(counts.closed)} closed`);
  byId("close-all-button").disabled = counts.open === 0;
  const most = Math.max(1e-9, ...exposure.map((e) => Math.max(e.long_lots, e.short_lots)));
  const columns = [
    { title: "Symbol", show: (e) => to("symbol", e.symbol), kind: "strong" },
    { title: "Open", room: 2, show: (e) => count(e.positions), number: true },
    { title: "Long", room: 1, show: (e) => e.long_lots.toFixed(2), number: true },
    { title: "Short", room: 1, show: (e) => e.short_lots.toFixed(2), number: true },
    { title: "Net", show: (e) => signed(e.net_lots), number: true, kind: "strong" },
    { title: "Long and short", room: 2, show: (e) => [share(e.long_lots / most), share(e.short_lots / most, "warn")], kind: "bar-cell" },
    { title: "Unrealised", show: (e) => sums(e.unrealised), number: true },
    { title: "At risk", room: 1, show: (e) => sums(e.at_risk, money), number: true, kind: "muted" },
  ];
  replace("exposure", table(columns, exposure.slice(0, 12), "Nothing is at stake.", "Exposure by symbol"));
  replace("by-symbol", rates(performance.filter((p) => p.by === "symbol").slice(0, 14), "Win rate by symbol"));
  replace("by-session", rates(performance.filter((p) => p.by === "session"), "Win rate by session"));
  list?.refresh();
}

function rates(items, label) {
  const columns = [
    { title: label.endsWith("symbol") ? "Symbol" : "Session", show: (p) => (p.by === "symbol" ? to("symbol", p.name) : plain(p.name)), kind: "strong" },
    { title: "Trades", room: 2, show: (p) => count(p.trades), number: true },
    { title: "Won", show: (p) => (p.win_rate === null ? NOTHING : percent(p.win_rate * 100)), number: true },
    { title: "Share won", room: 2, show: (p) => (p.win_rate === null ? "" : share(p.win_rate)), kind: "bar-cell" },
    { title: "Net result", show: (p) => sums(p.net), number: true },
  ];
  return table(columns, items, "No trade has been closed yet.", label);
}

const figure = (name, value, kind = "", note = null) => el("div", {}, el("dt", {}, name), el("dd", { class: kind || null }, value), note ? el("dd", { class: "note" }, note) : null);

export function totals(stats) {
  replace("totals", stats.items.flatMap((item) => {
    const unit = item.currency ? ` ${item.currency}` : "";
    return [
      figure(`Closed trades${unit ? `,${unit}` : ""}`, count(item.total_trades), "", `${count(item.wins)} won, ${count(item.losses)} lost`), figure("Win rate", item.wins + item.losses === 0 ? NOTHING : percent(item.win_rate * 100, 1)),
      figure(`Net result,${unit}`, signed(item.net_profit), tone(item.net_profit)), figure("Profit factor", item.profit_factor === null ? NOTHING : item.profit_factor.toFixed(2)),
      figure("Average time open", duration(item.average_duration_s)),
    ];
  }));
}

const ms = (value) => (value === null ? NOTHING : `${count(value)}`);
export function latency(items) {
  const most = Math.max(10, ...items.map((i) => i.p99_ms ?? 0));
  const columns = [
    { title: "Stage", show: (i) => el("span", { title: i.meaning }, i.stage), kind: "strong" },
    { title: "p50 ms", show: (i) => ms(i.p50_ms), number: true },
    { title: "p95", room: 2, show: (i) => ms(i.p95_ms), number: true },
    { title: "p99", show: (i) => ms(i.p99_ms), number: true },
    { title: "Median to p99", room: 2, show: (i) => spread(i, most), kind: "bar-cell" },
    { title: "Fires", room: 2, show: (i) => count(i.count), number: true, kind: "muted" },
  ];
  replace("latency", table(columns, items, "", "Latency by stage"),
    el("dl", { class: "facts small muted below" }, items.map((i) => el("div", {}, el("dt", {}, i.stage), el("dd", {}, i.meaning)))));
}
