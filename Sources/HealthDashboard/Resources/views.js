// What each section shows of what the server said.
import { el, byId, setText, replace, text, count, money, signed, tone, price, percent, bytes, duration, age, clock, dayAndTime, state, NOTHING } from "./format.js";
import { table } from "./tables.js";

const WORDS = { pass: ["Healthy", "✓"], warn: ["Needs attention", "!"], fail: ["Failing", "✕"] };

export function verdict(health) {
  const [word, icon] = WORDS[health.status] ?? ["Unknown", "?"];
  byId("verdict").className = `card current verdict ${health.status}`;
  setText("verdict-word", word);
  setText("verdict-icon", icon);
  const then = health.redis.ready || !health.as_of ? "" : `Last known at ${clock(health.as_of)}: `;
  setText("verdict-line", `${then}${health.services_running} of ${health.services_total} services up · ${count(health.nodes.active)} terminals connected · ${count(health.positions.open)} open positions`);
  setText("score", String(health.health_score));
  const bar = byId("score-bar");
  bar.style.width = `${health.health_score}%`;
  bar.className = health.health_score >= 90 ? "" : health.health_score >= 70 ? "warn" : "bad";
  setText("score-source", health.health_score_source === "heartbeat-monitor" ? "" : "estimated here: heartbeat-monitor publishes no score");
  const reasons = health.reasons.map((reason) => el("li", {}, state(reason.severity === "fail" ? "critical" : "warning", ""), el("span", {}, reason.message)));
  replace("reasons", reasons.length ? reasons : el("li", {}, state("running", ""), el("span", {}, "Nothing.")));
  replace("factors", health.health_factors.map((factor) => {
    const isWhole = factor.points >= factor.max_points;
    return el("li", {},
      el("span", { class: `points ${isWhole ? "" : "warn-text"}` }, `${factor.points} / ${factor.max_points}`),
      el("span", { class: isWhole ? "muted" : "strong" }, text(factor.name)), el("span", { class: isWhole ? "muted" : "" }, text(factor.why)));
  }));
}

const figure = (name, value, kind = "") => el("div", {}, el("dt", {}, name), el("dd", { class: kind }, value));

export function results(stats) {
  const items = stats.items;
  replace("results", items.flatMap((item) => {
    const unit = item.currency ? ` ${item.currency}` : "";
    return [
      figure("Closed trades", count(item.total_trades)), figure("Win rate", percent(item.win_rate * 100, 1)),
      figure(`Net result${unit}`, signed(item.net_profit), tone(item.net_profit)), figure("Profit factor", item.profit_factor === null ? NOTHING : item.profit_factor.toFixed(2)),
      figure("Average time open", duration(item.average_duration_s)),
    ];
  }));
}

function meter(name, share, value) {
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: share >= 90 ? "bad" : share >= 75 ? "warn" : "" }));
  bar.firstChild.style.width = `${Math.min(100, share ?? 0)}%`;
  return el("div", {}, el("dt", {}, name), share === null ? el("span") : bar, el("dd", { class: "value" }, value));
}

export function machine(health) {
  const { system, redis, journal } = health;
  replace("machine",
    meter("Processor", system.cpu_percent, `${percent(system.cpu_percent)} of ${system.processors}`),
    meter("Memory", system.memory_used_percent, `${bytes(system.memory_available_bytes)} free`),
    meter("Disk", system.disk_used_percent, `${bytes(system.disk_free_bytes)} free`),
    meter("Redis", redis.memory?.share == null ? null : redis.memory.share * 100, redis.ready ? `${redis.latency_ms} ms · ${bytes(redis.used_memory_bytes)}` : `not answering (${redis.state})`),
    journal.bytes === null ? null : meter("Journal", null, `${bytes(journal.bytes)}${journal.segments === null ? "" : ` in ${count(journal.segments)} ${journal.segments === 1 ? "segment" : "segments"}`}`),
    meter("Up", null, duration(health.uptime_s)));
}

const LIVENESS = ["live", "quiet", "late", "stale", "dead"];

/** Counts by liveness; each is a button that filters the table below. */
export function liveness(health, chosen, choose) {
  const counts = health.nodes.by_liveness;
  const total = LIVENESS.reduce((sum, name) => sum + counts[name], 0);
  const bar = el("div", { class: "stack", "aria-hidden": "true" }, LIVENESS.filter((name) => counts[name]).map((name) => {
    const part = el("span", { class: `${name}-fill` });
    part.style.flexGrow = String(counts[name]);
    return part;
  }));
  const chips = LIVENESS.map((name) => el("button", { type: "button", class: "chip", "aria-pressed": String(chosen === name), on: { click: () => choose(name) } }, state(name), el("b", {}, count(counts[name]))));
  const box = byId("liveness");
  const focused = [...box.querySelectorAll("button")].indexOf(document.activeElement);
  replace("liveness", total ? bar : null, el("div", { class: "legend" }, chips));
  if (focused >= 0) chips[focused].focus();
  setText("nodes-line", `${count(health.nodes.active)} connected, ${count(health.nodes.timeout)} timed out, ${count(health.nodes.disconnected)} disconnected`);
}

export const nodeColumns = [
  { title: "Account", sort: "account", show: (n) => text(n.account), kind: "strong" },
  { title: "State", sort: "liveness", show: (n) => (n.status === "active" ? state(n.liveness ?? "live") : state(n.status)) },
  { title: "Broker", sort: "broker", show: (n) => text(n.broker), kind: "cut", cut: true },
  { title: "Server", sort: "server", show: (n) => text(n.server), kind: "cut", cut: true },
  { title: "Last sign of life", sort: "-last_seen", show: (n) => age(n.last_seen ?? n.last_heartbeat), number: true },
  { title: "Balance", sort: "balance", show: (n) => money(n.balance), number: true },
  { title: "Equity", sort: "equity", show: (n) => money(n.equity), number: true },
  { title: "", show: (n) => text(n.currency), kind: "muted" },
  { title: "Leverage", sort: "leverage", show: (n) => (n.leverage ? `1:${n.leverage}` : NOTHING), number: true },
  { title: "Latency", sort: "heartbeat_latency_ms", show: (n) => (n.heartbeat_latency_ms === null ? NOTHING : `${Math.round(n.heartbeat_latency_ms)} ms`), number: true },
  { title: "Chart", sort: "chart_symbol", show: (n) => text(n.chart_symbol) },
  { title: "EA", sort: "version", show: (n) => text(n.version) },
  { title: "User", sort: "user_uuid", show: (n) => text(n.user_uuid), kind: "cut muted", cut: true },
];

const prices = (p) => [p.open_price, p.current_price, p.sl, p.tp];
export const positionColumns = [
  { title: "Symbol", sort: "symbol", show: (p) => text(p.symbol), kind: "strong" },
  { title: "Side", sort: "direction", show: (p) => text(p.direction) },
  { title: "Lots", sort: "lot", show: (p) => (p.lot === null ? NOTHING : p.lot.toFixed(2)), number: true },
  { title: "P&L", sort: "-current_pnl", show: (p) => signed(p.current_pnl), number: true, tone: (p) => tone(p.current_pnl), kind: "strong" },
  { title: "", show: (p) => text(p.currency), kind: "muted" },
  { title: "Opened at", sort: "open_price", show: (p) => price(p.open_price, prices(p)), number: true },
  { title: "Now", sort: "current_price", show: (p) => price(p.current_price, prices(p)), number: true },
  { title: "Best", sort: "-max_profit", show: (p) => signed(p.max_profit), number: true, kind: "muted" },
  { title: "Worst", sort: "max_loss", show: (p) => signed(p.max_loss), number: true, kind: "muted" },
  { title: "Stop", show: (p) => price(p.sl, prices(p)), number: true },
  { title: "Target", show: (p) => price(p.tp, prices(p)), number: true },
  { title: "Open for", sort: "-opened_at", show: (p) => duration(p.duration_s), number: true },
  { title: "Account", sort: "account", show: (p) => text(p.account) },
  { title: "Ticket", sort: "ticket", show: (p) => text(p.ticket), number: true },
  { title: "Server", sort: "server", show: (p) => text(p.server), kind: "cut muted", cut: true },
];

export function positionsLine(health) {
  const sums = Object.entries(health.positions.current_pnl).map(([currency, sum]) => `${signed(sum)} ${currency}`);
  setText("positions-line", `${count(health.positions.open)} open${sums.length ? `, ${sums.join(", ")}` : ""} · ${count(health.positions.closed)} closed`);
}

const RISK = [[8, "Fortress"], [6, "Protected"], [4, "Caution"], [2, "High risk"], [-Infinity, "Danger"]];
const risk = (score) => RISK.find(([least]) => score >= least)[1];

export function signals(list) {
  const near = (s) => [s.entry_price, s.stop_loss, s.take_profit];
  const columns = [
    { title: "Symbol", show: (s) => text(s.symbol), kind: "strong" },
    { title: "Side", show: (s) => text(s.direction) },
    { title: "Protection", show: (s) => (s.protection_score === null ? NOTHING : `${s.protection_score.toFixed(1)} ${risk(s.protection_score)}`) },
    { title: "Entry", show: (s) => price(s.entry_price, near(s)), number: true },
    { title: "Stop", show: (s) => price(s.stop_loss, near(s)), number: true },
    { title: "Target", show: (s) => price(s.take_profit, near(s)), number: true },
    { title: "Age", show: (s) => age(s.created_at), number: true },
  ];
  replace("signals", table(columns, list.items, "No signal is live.", "Live signals"));
}

export function levels(list) {
  const rows = list.items.flatMap((item) => {
    const found = (Array.isArray(item.levels) ? item.levels : []).filter((l) => l.state !== "expired");
    const strongest = [...found].sort((a, b) => (b.strength ?? 0) - (a.strength ?? 0)).slice(0, 6);
    return strongest.sort((a, b) => b.price - a.price).map((level) => ({ symbol: item.symbol, all: found.map((l) => l.price), ...level }));
  });
  const columns = [
    { title: "Symbol", show: (l) => text(l.symbol), kind: "strong" },
    { title: "Level", show: (l) => price(l.price, l.all), number: true },
    { title: "Side", show: (l) => text(l.side).replace("_", " ") },
    { title: "State", show: (l) => text(l.state) },
    { title: "Strength", show: (l) => (typeof l.strength === "number" ? l.strength.toFixed(2) : text(l.strength)), number: true },
    { title: "Touches", show: (l) => text(l.touches), number: true },
    { title: "Found as", show: (l) => text((l.origins ?? []).join(", ").replaceAll("_", " ")), kind: "cut muted", cut: true },
  ];
  replace("levels", table(columns, rows, "No level is known: no market has been watched for long enough.", "Protection levels"));
}

export function alerts(list, active) {
  setText("alerts-line", active === 0 ? "none active" : `${count(active)} active`);
  const columns = [
    { title: "Time", show: (a) => dayAndTime(a.time) },
    { title: "Severity", show: (a) => state(a.severity ?? "warning") },
    { title: "State", show: (a) => (a.active ? el("strong", {}, "active") : "over") },
    { title: "What", show: (a) => text(a.message), kind: "wrap" },
    { title: "Account", show: (a) => text(a.account) },
    { title: "Broker", show: (a) => text(a.broker), kind: "cut", cut: true },
  ];
  replace("alerts", table(columns, list.items, "No alert in the history.", "Alerts"));
}

const lastExit = (exit) => (exit === null ? NOTHING : `${exit.signal ? `signal ${exit.signal}` : `code ${exit.exit_code}`}, ${age(exit.time)}`);
const rejected = (service) => Object.values(service.rejected).reduce((sum, value) => sum + Number(value), 0);

export function services(list) {
  const up = list.items.filter((s) => s.state === "running" || s.state === "degraded").length;
  setText("services-line", `${up} of ${list.items.length} up`);
  const columns = [
    { title: "Service", show: (s) => text(s.name), kind: "strong" },
    { title: "State", show: (s) => state(s.state) },
    { title: "Pid", show: (s) => text(s.pid), number: true },
    { title: "Up for", show: (s) => (s.started_at && s.state !== "down" ? age(s.started_at).replace(" ago", "") : NOTHING), number: true },
    { title: "Restarts", show: (s) => count(s.restarts), number: true, tone: (s) => (s.restarts > 0 ? "warn-text" : "") },
    { title: "Last exit", show: (s) => lastExit(s.last_exit) },
    { title: "Refused", show: (s) => count(rejected(s)), number: true },
    { title: "Problem", show: (s) => Object.values(s.problems).join("; "), kind: "cut", cut: true },
  ];
  replace("services", table(columns, list.items, "No service is known.", "Services"));
}

export function ports(health) {
  const listening = (p) => (p.listening === null ? state("replaced", "not used") : p.listening ? state("running", "listening") : state("down", "closed"));
  const columns = [
    { title: "Port", show: (p) => text(p.port), number: true },
    { title: "Name", show: (p) => text(p.name), kind: "strong" },
    { title: "Service", show: (p) => text(p.service) },
    { title: "Socket", show: (p) => text(p.socket) },
    { title: "Now", show: listening },
    { title: "Carries", show: (p) => text(p.carries), kind: "cut muted", cut: true },
  ];
  replace("ports", table(columns, health.ports, "", "Ports"));
}
