// What changes something: asks for the token, asks twice where money moves, and says what came of it.
import { el, byId, text, money, signed } from "./format.js";
import { live } from "./live.js";

/** The token lives as long as this page does and is kept nowhere. */
let token = "", by = "";

async function post(path, body) {
  const response = await fetch(path, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(6000) });
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 401) token = "";
  throw new Error(answer.error?.message ?? answer.message ?? `refused with ${response.status}`);
}

const field = (label, input, hint = null) => el("label", {}, label, hint ? el("span", {}, hint) : null, input);
const input = (attributes) => el("input", { type: "text", autocomplete: "off", maxlength: "200", ...attributes });
const select = (options, attributes = {}) => el("select", attributes, options.map(([value, title]) => el("option", { value }, title)));

/**
 * A dialog in one or two steps. - action: title, fields [[name, element, label, hint]], path(values), body(values),
 * consequence(values) (words, only where money moves), word(values) (to be typed before it happens), done(answer)
 */
function ask(action) {
  const dialog = byId("dialog");
  const problem = el("p", { class: "bad strong", role: "alert" });
  const status = el("p", { class: "good strong", role: "status" });
  const tokenInput = el("input", { type: "password", autocomplete: "off", value: token, required: true });
  const byInput = input({ value: by, required: true });
  const close = () => dialog.close();
  const values = () => Object.fromEntries(action.fields.map(([name, node]) => [name, node.value.trim()]));
  const missing = () => action.fields.some(([, node]) => node.required && !node.value.trim()) || !tokenInput.value || !byInput.value.trim();

  function first() {
    const forward = el("button", { type: "button", class: `primary ${action.consequence ? "danger" : ""}`, on: { click: () => {
      problem.textContent = "";
      if (missing()) { problem.textContent = "Fill in every field that is not optional."; return; }
      token = tokenInput.value.trim();
      by = byInput.value.trim();
      if (action.consequence) second(); else send();
    } } }, action.consequence ? "Go on" : "Do it");
    dialog.replaceChildren(el("h2", { id: "dialog-title" }, action.title), ...action.fields.map(([, node, label, hint]) => field(label, node, hint)),
      field("Your name", byInput, "Kept in the audit trail."), field("Token", tokenInput, "cat $(meshctl token) shows it. It is forgotten when this page is closed."), problem,
      el("div", { class: "buttons" }, el("button", { type: "button", on: { click: close } }, "Cancel"), forward));
  }

  function second() {
    const word = action.word(values());
    const typed = input({ "aria-label": `Type ${word}` });
    const go = el("button", { type: "button", class: "primary danger", disabled: true, on: { click: send } }, "Yes, do it");
    typed.addEventListener("input", () => { go.disabled = typed.value.trim() !== word; });
    dialog.replaceChildren(el("h2", { id: "dialog-title" }, "Are you sure?"), el("p", { class: "consequence" }, action.consequence(values())), field(`Type ${word} to go on`, typed), problem,
      el("div", { class: "buttons" }, el("button", { type: "button", on: { click: first } }, "Back"), go));
    typed.focus();
  }

  async function send() {
    for (const button of dialog.querySelectorAll("button")) button.disabled = true;
    try {
      const answer = await post(action.path(values()), { ...action.body(values()), by });
      status.textContent = action.done(answer);
      dialog.replaceChildren(el("h2", { id: "dialog-title" }, "Done"), status, el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", on: { click: close } }, "Close")));
      dialog.querySelector("button").focus();
    } catch (error) {
      first();
      problem.textContent = `Not done: ${error.message}`;
    }
  }
  first();
  dialog.showModal();
}

const CONSEQUENCE = { HALTED: "No new trade leaves the mesh", REDUCING: "Only closes leave the mesh, no new trade", ACTIVE: "Trades are let through again" };

export function brake() {
  const state = select([["HALTED", "Halted: nothing new leaves"], ["REDUCING", "Reducing: closes only"], ["ACTIVE", "Active: lift the brake"]]);
  const scope = input({ value: "all", required: true });
  const reason = input({ required: true });
  ask({ title: "Brake", fields: [["state", state, "State"], ["scope", scope, "For", "all, tier:NAME, broker:SERVER, symbol:NAME or user:UUID"], ["reason", reason, "Why"]],
    path: () => "/brake", body: (v) => v, word: (v) => v.state, consequence: (v) => `${CONSEQUENCE[v.state]}, for ${v.scope}, from now on.`,
    done: (a) => `The brake was ${a.before ?? "as before"}; it now holds for ${text(a.terminals)} terminals${a.recorded === false ? ", and is not recorded yet" : ""}.` });
}

const insist = () => ["force", select([["no", "Then it is refused"], ["yes", "Close all the same"]]), "Where the brake is HALTED, or it is not in the books"];
const insists = (v) => (v.force === "yes" ? { force: true } : {});

export function closePosition(p) {
  ask({ title: `Close position ${p.ticket}`, fields: [insist()], path: () => "/close", body: (v) => ({ user_uuid: p.user_uuid, ticket: p.ticket, ...insists(v) }), word: () => String(p.ticket),
    consequence: () => `${p.direction} ${p.lot?.toFixed(2)} ${p.symbol} of account ${p.account} is closed at the market's price; it stands at ${signed(p.current_pnl)} ${p.currency ?? ""}.`,
    done: (a) => `The command is ${text(a.state)}${a.market_quiet ? "; the terminal reads it when its chart symbol ticks" : ""}.` });
}

export function closeAll() {
  const scope = select([["symbol", "One symbol"], ["user_uuid", "One user"], ["all", "Everything"]]);
  const of = input({ placeholder: "EURUSD, or the user's UUID" });
  const { open, current_pnl: pnl } = live.parts.health?.positions ?? { open: 0, current_pnl: {} };
  ask({ title: "Close positions", fields: [["scope", scope, "What"], ["of", of, "Which symbol or user", "Empty for everything."], insist()], path: () => "/close-all",
    body: (v) => ({ ...(v.scope === "all" ? { all: true } : { [v.scope]: v.of }), ...insists(v) }), word: (v) => (v.scope === "all" ? "EVERYTHING" : v.of || "nothing chosen"),
    consequence: (v) => (v.scope === "all" ? `All ${open} open positions of every user are closed at the market's price (${Object.entries(pnl).map(([c, m]) => `${money(m)} ${c}`).join(", ")}).` : `Every open position of ${v.of || "nobody"} is closed at the market's price.`),
    done: (a) => `${text(a.state)}: ${text(a.commands)} commands.` });
}

export function acknowledge(alert) {
  ask({ title: "Acknowledge the alert", fields: [["comment", input({}), "Comment", "Optional."]], path: () => `/alerts/${encodeURIComponent(alert.alert_id)}/acknowledge`, body: (v) => (v.comment ? { reason: v.comment } : {}),
    done: () => "Acknowledged. It stays on the page until its cause is gone." });
}

const UNTIL = [["15", "15 minutes"], ["60", "1 hour"], ["240", "4 hours"], ["1440", "1 day"]];
const until = (minutes) => ({ minutes: Number(minutes), until_ms: String(Date.now() + Number(minutes) * 60_000) });

export function silence(alert = null) {
  const scopes = [["alert_id", "This alert only"], ["type", "Its kind"], ["broker", "Its broker"], ["node_id", "Its terminal"]].filter(([name]) => (alert ? alert[name] : name !== "alert_id"));
  const scope = select(scopes), of = input({ value: alert ? "" : "", required: !alert, placeholder: "node_timeout, a broker, a node id" });
  const fields = [["scope", scope, "Silence by"], ["minutes", select(UNTIL), "For"], ["comment", input({ required: true }), "Why"]];
  if (!alert) fields.splice(1, 0, ["of", of, "Which"]);
  ask({ title: "Silence alerts", fields, path: () => "/silence", body: (v) => { const value = alert ? alert[v.scope] : v.of; return { [v.scope]: value, ...until(v.minutes), reason: v.comment }; },
    done: () => "Silenced: such alerts are kept and shown, and nobody is called." });
}

export function maintenance() {
  ask({ title: "Maintenance window", fields: [["scope", input({ value: "all", required: true }), "Of", "all, service:NAME, broker:NAME, server:NAME, version:V, user:UUID or node:ID"], ["minutes", select(UNTIL), "For"], ["comment", input({ required: true }), "Why"]],
    path: () => "/maintenance", body: (v) => ({ scope: v.scope, ...until(v.minutes), reason: v.comment }), done: () => "The window is open; alerts from it call nobody." });
}

export function endWindow(window) {
  ask({ title: `End the ${window.kind}`, fields: [], path: () => (window.kind === "silence" ? "/unsilence" : "/maintenance/end"), body: () => (window.kind === "silence" ? { silence_id: window.id } : { maintenance_id: window.id }), done: () => "It has ended." });
}

export function startActions() {
  byId("brake-button").addEventListener("click", brake);
  byId("close-all-button").addEventListener("click", closeAll);
  byId("silence-button").addEventListener("click", () => silence());
  byId("maintenance-button").addEventListener("click", maintenance);
}
