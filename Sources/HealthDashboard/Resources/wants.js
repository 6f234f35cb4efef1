// What waits for a person: alerts, silences, maintenance.
import { el, setText, replace, text, count, ago, stamp, both, state, plain, to } from "./format.js";
import { table } from "./tables.js";
import { acknowledge, silence, endWindow } from "./actions.js";

const started = (a) => a.starts_at ?? a.time;

export function alertColumns(withButtons) {
  return [
    { title: "Severity", show: (a) => state(a.severity ?? "warning") },
    { title: "What", show: (a) => el("div", {}, to("alert", a.alert_id, a.message ?? a.type), a.cause && a.cause !== a.message ? el("span", { class: "command" }, `Cause: ${a.cause}`) : null, a.action ? el("span", { class: "command" }, `Do: ${a.action}`) : null), kind: "wrap" },
    { title: "Began", show: (a) => ago(started(a)), number: true, kind: "time" },
    { title: "Affects", room: 2, show: (a) => (a.count > 1 ? `${count(a.count)} ${plain(a.scope ?? "")}` : text(a.scope_name ?? a.account ?? a.service ?? a.broker)), kind: "cut" },
    { title: "State", room: 2, show: (a) => (!a.active ? "over" : a.acknowledged_at ? `acknowledged by ${text(a.acknowledged_by)}` : a.silenced_until ? "silenced" : el("strong", {}, "active")) },
    ...(withButtons ? [{ title: "", says: "actions", room: 2, show: (a) => (a.active ? el("span", { class: "side" },
      a.acknowledged_at ? null : el("button", { type: "button", "data-key": `ack:${a.alert_id}`, "aria-label": `Acknowledge: ${a.message ?? a.type}`, on: { click: () => acknowledge(a) } }, "Acknowledge"),
      el("button", { type: "button", "data-key": `silence:${a.alert_id}`, "aria-label": `Silence: ${a.message ?? a.type}`, on: { click: () => silence(a) } }, "Silence…")) : "") }] : []),
  ];
}

export function alerts(part) {
  const active = part.active.items, over = part.latest.items.filter((a) => !a.active).slice(0, 5);
  const open = active.filter((a) => !a.acknowledged_at).length;
  setText("wants-line", active.length === 0 ? "no alert is active" : `${count(active.length)} active, ${count(open)} not acknowledged`);
  replace("alerts", active.length ? table(alertColumns(true), active, "", "Active alerts") : el("p", { class: "empty" }, "No alert is active."),
    over.length ? el("details", { class: "below" }, el("summary", {}, `Over lately: ${over.length}`), table(alertColumns(false), over, "", "Alerts that are over")) : null);
  windows(part);
}

function windows(part) {
  const rows = [...part.silences.items.map((s) => ({ kind: "silence", ...s })), ...part.maintenance.items.map((m) => ({ kind: "maintenance", ...m }))];
  const columns = [
    { title: "Kind", show: (w) => w.kind, kind: "strong" },
    { title: "Of", show: (w) => text(typeof (w.scope ?? w.matchers) === "object" ? JSON.stringify(w.scope ?? w.matchers) : w.scope ?? w.matchers), kind: "wrap" },
    { title: "Until", show: (w) => text(Number(w.until ?? w.until_ms) ? stampOf(Number(w.until ?? w.until_ms)) : w.until), kind: "time" },
    { title: "By", room: 2, show: (w) => text(w.by) },
    { title: "Why", room: 2, show: (w) => text(w.comment ?? w.reason), kind: "wrap" },
    { title: "", says: "actions", show: (w) => el("button", { type: "button", "data-key": `end:${w.id}`, on: { click: () => endWindow(w) } }, "End") },
  ];
  replace("windows", rows.length ? [el("h3", { class: "label below" }, "Silences and maintenance"), table(columns, rows, "", "Silences and maintenance")] : null);
}
const stampOf = (ms) => both(new Date(ms).toISOString());

export function audit(entries) {
  const leave = new Set(["id", "stream", "at", "event", "action", "time", "by", "reason", "comment"]);
  const columns = [
    { title: "When", show: (e) => stamp(e.at), kind: "time" },
    { title: "What", show: (e) => plain(e.event ?? e.action), kind: "strong" },
    { title: "By", room: 2, show: (e) => text(e.by) },
    { title: "Details", show: (e) => Object.entries(e).filter(([name, value]) => !leave.has(name) && value !== "" && value !== null).map(([name, value]) => `${plain(name)} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", "), kind: "wrap" },
    { title: "Why", room: 2, show: (e) => text(e.reason ?? e.comment), kind: "wrap" },
  ];
  replace("audit", table(columns, entries, "Nobody has done anything yet.", "Who did what"));
}
