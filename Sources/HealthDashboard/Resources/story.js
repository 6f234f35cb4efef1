// The whole story of one fire.
import { el, text, money, duration, dayAndTime, both, state, to } from "./format.js";

const SECTIONS = [
  ["request", "What was asked for"], ["signal", "The signal"], ["score", "The score"], ["risk", "The lot"], ["slot", "The slot"],
  ["route", "The way out"], ["answer", "The answer"], ["position", "The position"], ["money", "The money"],
];
/** Shown as tables where they are known. */
const LATER = new Set(["factors", "steps", "contributions_sum"]);
const MONEY = new Set(["amount", "equity", "loss_per_lot", "at_risk", "unrealised", "realised", "max_profit", "max_loss"]);
const words = (name) => (name === "duration_s" ? "duration" : name.replaceAll("_", " ").replace(/ ms$/, ", ms").replace(/ s$/, ", s"));

function value(name, given) {
  if (typeof given === "boolean") return given ? "yes" : "no";
  if (name.endsWith("_at")) return `${dayAndTime(given)}.${given.slice(20, 23)}`;
  if (MONEY.has(name)) return money(given);
  if (name === "lot") return Number(given).toFixed(2);
  if (name === "duration_s") return duration(given);
  return typeof given === "object" ? JSON.stringify(given) : text(given);
}

/** Known fields one by one; then each reason once, with the fields it is the reason for. */
function facts(section) {
  const fields = Object.entries(section).filter(([name, given]) => name !== "not_known" && !(LATER.has(name) && given !== null));
  const reasons = new Map();
  for (const [name, given] of fields) {
    if (given !== null) continue;
    const why = section.not_known?.[name] ?? "not known";
    reasons.set(why, [...(reasons.get(why) ?? []), words(name)]);
  }
  const known = fields.filter(([, given]) => given !== null).map(([name, given]) => el("div", {}, el("dt", {}, words(name)), el("dd", {}, value(name, given))));
  const isNothing = known.length === 0 && reasons.size === 1;
  return [
    known.length ? el("dl", { class: "facts" }, known) : null,
    ...[...reasons].map(([why, names]) => el("p", { class: "muted small why-not" }, isNothing ? `Nothing: ${why}.` : `No ${names.join(", ")}: ${why}.`)),
  ];
}

const row = (cells) => el("tr", {}, cells.map(([content, kind, title]) => el("td", { class: kind || null, title: title ?? null }, content)));
const grid = (titles, rows) => el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": titles.map(([title]) => title).join(", ") }, el("table", {},
  el("thead", {}, el("tr", {}, titles.map(([title, kind]) => el("th", { scope: "col", class: kind || null }, title)))), el("tbody", {}, rows)));

function factors(score) {
  if (!score.factors) return null;
  const rows = Object.entries(score.factors).map(([name, f]) => row([[words(name)], [text(f.score), "n"], [text(f.weight), "n"], [text(f.contribution), "n strong"]]));
  rows.push(row([["sum", "strong"], ["", "n"], ["", "n"], [text(score.contributions_sum), "n strong"]]));
  return grid([["Factor"], ["Score", "n"], ["Weight", "n"], ["Contribution", "n"]], rows);
}

/** JSON numbers drop their last zeros: money and lots get them back. */
const result = (s) => (s.unit === "lots" ? Number(s.result).toFixed(2) : /^[A-Z]{3}$/.test(s.unit) ? money(s.result) : String(s.result));

function steps(risk) {
  if (!risk.steps) return null;
  return grid([["Step"], ["Arithmetic"], ["Result", "n"], ["Unit", "room-2"]], risk.steps.map((s) => row([[s.step, "fold"], [s.formula, "muted fold"], [result(s), "n strong"], [s.unit, "muted room-2"]])));
}

function timeline(entries) {
  return grid([["When"], ["After", "n"], ["Step"], ["Moved by", "room-2"]], entries.map((e) => row([
    [`${dayAndTime(e.at)}.${(e.at ?? "").slice(20, 23)}`, "time", both(e.at)], [e.after_ms === null ? "–" : `${e.after_ms} ms`, "n"], [state(e.state)], [text(e.by), "muted room-2"]])));
}

/** What the detail page shows of /explain/{id}. */
export function story(told) {
  const waiting = told.questions.map((q) => el("li", {}, el("span", { class: "sign warn-text" }, "?"), el("span", {}, q.text)));
  return [el("section", { class: "card" },
    el("p", { class: "line" }, told.summary),
    el("p", {}, state(told.state), " ", told.late ? el("span", { class: "badge warn" }, "late") : null, told.overdue ? el("span", { class: "badge bad" }, "past its deadline") : null),
    el("p", { class: "muted" }, "User ", to("user", told.request.user_uuid), " · terminal ", to("terminal", told.route.node_id), " · symbol ", to("symbol", told.request.canonical_symbol ?? told.request.symbol),
      told.position.ticket ? [" · position ", to("position", `${told.route.server}|${told.route.account}|${told.position.ticket}`, told.position.ticket)] : null)),
  el("section", { class: "card" }, el("div", { class: "parts" },
    waiting.length ? el("ul", { class: "plain asked" }, waiting) : null,
    el("div", { class: "part span" }, el("h2", {}, "Timeline"), told.timeline.length ? timeline(told.timeline) : el("p", { class: "muted" }, "The row kept no timeline.")),
    SECTIONS.map(([name, title]) => {
      const extra = name === "score" ? factors(told.score) : name === "risk" ? steps(told.risk) : null;
      return el("div", { class: `part ${extra ? "span" : ""}` }, el("h2", {}, title), facts(told[name]), extra);
    })))];
}
