// Whether everything is accounted for: the ledger, fires without a known outcome, the second witness, open questions.
import { el, byId, setText, replace, text, count, money, signed, tone, price, duration, ago, stamp, state, to } from "./format.js";
import { table } from "./tables.js";

const figure = (name, value, kind = "", note = null) => el("div", {}, el("dt", {}, name), el("dd", { class: kind || null }, value), note ? el("dd", { class: "note" }, note) : null);

/** One line for each currency: they are never added. */
const amounts = (sums) => Object.entries(sums).map(([currency, sum]) => el("div", {}, `${money(sum)} ${currency}`));

export function ledger(health) {
  const { sent, accounted, unaccounted, unknown, overdue, oldest_age_s: oldest, money_at_risk: sums, by_state: states } = health.ledger;
  const line = overdue > 0 ? `No: ${count(overdue)} of ${count(sent)} commanded trades ${overdue === 1 ? "has" : "have"} no known outcome.`
    : unaccounted > 0 ? `${count(unaccounted)} under way and in time; every other trade is accounted for.`
    : sent > 0 ? "Yes, every one." : "Nothing has been commanded yet.";
  setText("ledger-line", line);
  byId("ledger-line").className = `line ${overdue > 0 ? "bad" : ""}`;
  const kind = overdue > 0 ? "bad" : "";
  const since = oldest === null || unaccounted === 0 ? null : `oldest ${duration(oldest)}`;
  replace("ledger", figure("Sent", count(sent)), figure("Accounted for", count(accounted)),
    figure("Unaccounted", count(unaccounted), kind, since), figure("Money at risk", amounts(sums).length ? amounts(sums) : "none", `${kind} money`),
    figure("Past deadline", count(overdue), kind), figure("Unknown", count(unknown), unknown > 0 ? "bad" : ""));
  replace("ledger-ends", figure("Filled", count(states.filled ?? 0)), figure("Rejected", count(states.rejected ?? 0)),
    figure("Never executed", count(states.never_executed ?? 0)), figure("Denied by us", count(states.denied ?? 0)), figure("Expired here", count(states.expired ?? 0)));
  const brake = health.brake.scopes;
  const badge = byId("brake");
  badge.textContent = brake.length === 0 ? "No brake in force" : `Brake: ${brake.map((b) => `${b.state} ${b.scope}`).join(", ")}`;
  badge.className = `badge ${brake.length ? "bad" : ""}`;
}

const storyLink = (id) => to("fire", id);

/** The latest fires, whatever became of them. */
export function latest(list) {
  const columns = [
    { title: "Asked", room: 2, show: (f) => ago(f.created_at), number: true },
    { title: "Fire", show: (f) => storyLink(f.fire_id), kind: "strong" },
    { title: "Outcome", show: (f) => el("span", {}, state(f.state), f.reason ? ` (${text(f.reason).replaceAll("_", " ")})` : ""), kind: "wrap" },
    { title: "Symbol", show: (f) => to("symbol", f.canonical_symbol ?? f.symbol, f.symbol), kind: "whole" },
    { title: "Side", room: 2, show: (f) => text(f.direction) },
    { title: "Lots", room: 2, show: (f) => (f.lot === null ? "–" : f.lot.toFixed(2)), number: true },
    { title: "Score", room: 2, show: (f) => (f.protection_score === null ? "–" : f.protection_score.toFixed(1)), number: true },
  ];
  replace("fires", table(columns, list.items, "Nothing has been fired yet.", "Latest fires"));
}

export function unaccounted(list) {
  replace("unaccounted", list.total === 0 ? null : [el("h3", { class: "label" }, `Without a known outcome: ${count(list.total)}`), table(fireColumns, list.items, "", "Trades without a known outcome")]);
}

const fireColumns = [
  { title: "Fire", show: (f) => storyLink(f.fire_id), kind: "strong" },
  { title: "State", show: (f) => state(f.state) },
  { title: "Left", show: (f) => `${duration(f.age_s)} ago`, number: true, kind: "time" },
  { title: "Deadline", show: (f) => (f.overdue ? el("strong", {}, "passed") : "in time"), tone: (f) => (f.overdue ? "bad" : "") },
  { title: "At risk", show: (f) => (f.risk ? `${money(f.risk.amount)} ${text(f.risk.currency)}` : "not known"), number: true, kind: "time" },
  { title: "Symbol", room: 2, show: (f) => text(f.symbol) },
  { title: "Side", room: 2, show: (f) => text(f.direction) },
  { title: "Lots", room: 2, show: (f) => (f.lot === null ? "–" : f.lot.toFixed(2)), number: true },
  { title: "Account", room: 2, show: (f) => text(f.account) },
  { title: "Server", room: 1, show: (f) => text(f.server), kind: "cut muted", cut: true },
  { title: "User", room: 1, show: (f) => to("user", f.user_uuid), kind: "cut" },
];

const LISTS = [["only_ours", "Only ours"], ["only_theirs", "Only theirs"], ["matched", "Ours and theirs"]];
const KINDS = { ghost: ["✕", "bad"], orphan: ["▲", "warn-text"], foreign: ["▲", "warn-text"], manual: ["◐", ""], matched: ["●", "good"] };
const chosen = { list: null };

function kindOf(word) {
  const [mark, kind] = KINDS[word] ?? ["·", ""];
  return el("span", {}, el("span", { class: `sign ${kind}`, "aria-hidden": "true" }, mark), text(word));
}

/** Counts by list; each is a button that shows only that list below. */
function chips(counts, redraw) {
  const buttons = LISTS.map(([name, title]) => el("button", {
    type: "button", class: "chip", "data-key": name, "aria-pressed": String(chosen.list === name),
    on: { click: () => { chosen.list = chosen.list === name ? null : name; redraw(); } },
  }, title, el("b", {}, count(counts[name]))));
  replace("lists", el("div", { class: "legend" }, buttons));
}

const witnesses = { positions: "its own positions", figures: "balance and margin", none: "none" };

export function reconciliation(page, counts) {
  setText("reconciliation-line", page.total === 0 ? "· no terminal has been compared yet" : `· ${count(page.total)} ${page.total === 1 ? "account" : "accounts"} compared`);
  const shown = chosen.list === null ? ["only_ours", "only_theirs"] : [chosen.list];
  const rows = LISTS.filter(([name]) => shown.includes(name)).flatMap(([name, title]) =>
    page.items.flatMap((account) => account[name].map((item) => ({ ...item, list: title, at: account }))));
  const columns = [
    { title: "List", room: 2, show: (r) => r.list, kind: "strong" },
    { title: "Kind", show: (r) => kindOf(r.kind) },
    { title: "Ticket", show: (r) => text(r.ticket), number: true },
    { title: "Symbol", show: (r) => text(r.symbol) },
    { title: "Side", room: 2, show: (r) => text(r.direction) },
    { title: "Lots", room: 2, show: (r) => (r.lot === null ? "–" : r.lot.toFixed(2)), number: true },
    { title: "Opened at", room: 1, show: (r) => price(r.open_price), number: true },
    { title: "Age", room: 2, show: (r) => duration(r.age_s), number: true },
    { title: "Money", show: (r) => signed(r.money), number: true, tone: (r) => tone(r.money) },
    { title: "", show: (r) => text(r.at.currency), kind: "muted" },
    { title: "Fire", room: 1, show: (r) => (r.fire_id ? storyLink(r.fire_id) : "–") },
    { title: "Account", room: 2, show: (r) => to("terminal", r.at.node_id, r.at.account) },
    { title: "Server", room: 1, show: (r) => text(r.at.server), kind: "cut muted", cut: true },
    { title: "Compared", room: 1, show: (r) => ago(r.at.seen_at), number: true },
    { title: "Witness", room: 1, show: (r) => text(witnesses[r.at.witness] ?? r.at.witness), kind: "muted" },
  ];
  chips(counts ?? { only_ours: 0, only_theirs: 0, matched: 0 }, () => reconciliation(page, counts));
  const empty = page.total === 0 ? "No terminal has told what it holds." : chosen.list === null ? "Nothing that only one side has: ours and theirs agree." : "Nothing is in this list.";
  replace("reconciliation", table(columns, rows.slice(0, 300), empty, "Ours and theirs"), steps(page));
}

/** Balance steps that no closing explains. */
function steps(page) {
  const rows = page.items.flatMap((account) => account.unexplained.map((step) => ({ ...step, account })));
  if (rows.length === 0) return null;
  const columns = [
    { title: "Unexplained step", show: (s) => signed(s.amount), number: true, kind: "strong", tone: (s) => tone(s.amount) },
    { title: "", show: (s) => text(s.account.currency), kind: "muted" },
    { title: "Balance from", room: 2, show: (s) => money(s.from), number: true },
    { title: "To", room: 2, show: (s) => money(s.to), number: true },
    { title: "Seen", show: (s) => ago(s.at), number: true },
    { title: "Noted", room: 2, show: (s) => (s.noted ? "by an operator" : "no"), kind: "muted" },
    { title: "Account", show: (s) => text(s.account.account) },
    { title: "Server", room: 1, show: (s) => text(s.account.server), kind: "cut muted", cut: true },
  ];
  return el("div", { class: "below" }, table(columns, rows, "", "Balance steps nothing explains"));
}

const ANSWERS = { silent_close: "closed|open", unknown_fire: "filled|rejected|never_executed", ghost: "closed|open", unexplained_step: "noted" };

export function questions(list) {
  const columns = [
    { title: "What", show: (q) => el("div", {}, text(q.text), el("code", { class: "command" }, `meshctl answer '${q.question_id}' ${ANSWERS[q.kind] ?? "…"} --reason "…"`)), kind: "wrap" },
    { title: "Waits", show: (q) => duration(q.age_s), number: true },
    { title: "Money", show: (q) => signed(q.money), number: true, tone: (q) => tone(q.money) },
    { title: "", show: (q) => text(q.currency), kind: "muted" },
    { title: "Account", room: 2, show: (q) => text(q.account) },
    { title: "Fire", room: 2, show: (q) => (q.fire_id ? storyLink(q.fire_id) : "–") },
    { title: "Asked", room: 1, show: (q) => stamp(q.asked_at), kind: "muted" },
  ];
  replace("questions", table(columns, list.items, "Nothing has to be decided by hand.", "Questions to the operator"));
}
