// How values are written, and the one way elements are made: text only, never markup.

/** Makes an element. Strings become text nodes, so nothing that came from a terminal is ever read as HTML. */
const SHAPES = "http://www.w3.org/2000/svg";
export function el(tag, attributes = {}, ...children) { return fill(document.createElement(tag), attributes, children); }
/** The same for pictures. */
export function shape(tag, attributes = {}, ...children) { return fill(document.createElementNS(SHAPES, tag), attributes, children); }

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [type, handler] of Object.entries(value)) node.addEventListener(type, handler);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(2)) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Writes text only where it differs: a screen reader is not told the same thing each second. */
export function setText(id, text) {
  const node = typeof id === "string" ? byId(id) : id;
  if (node.textContent !== text) node.textContent = text;
}

export function replace(id, ...children) {
  const node = typeof id === "string" ? byId(id) : id;
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  node.replaceChildren(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  // Who is on a button by keyboard stays on it when its card is drawn anew.
  if (focused) [...node.querySelectorAll("[data-key]")].find((found) => found.dataset.key === focused)?.focus({ preventScroll: true });
}

/** What is not known. */
export const NOTHING = "–";
const known = (value) => value !== null && value !== undefined && value !== "";

export const text = (value) => (known(value) ? String(value) : NOTHING);
export const count = (value) => (known(value) ? Number(value).toLocaleString("en-US") : NOTHING);

const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const money = (value) => (known(value) ? cents.format(value).replace("-", "\u2212") : NOTHING);

/** Profit or loss: always with its sign, so that colour is never the only difference. */
export function signed(value) {
  if (!known(value)) return NOTHING;
  return (value > 0 ? "+" : "") + money(value);
}
export const tone = (value) => (value > 0 ? "good" : value < 0 ? "bad" : "");

const decimalsOf = (value) => {
  const match = /\.(\d+)$/.exec(String(value));
  return match ? match[1].length : 0;
};
/** A price with as many decimals as its neighbours have: JSON numbers drop their last zeros. */
export function price(value, neighbours = []) {
  if (!known(value)) return NOTHING;
  const decimals = Math.max(...[value, ...neighbours].filter(known).map(decimalsOf));
  return Number(value).toFixed(Math.min(8, decimals));
}

export function percent(value, decimals = 0) { return known(value) ? `${Number(value).toFixed(decimals)}\u202f%` : NOTHING; }

export function bytes(value) {
  if (!known(value)) return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let amount = Number(value), index = 0;
  while (amount >= 1000 && index < units.length - 1) { amount /= 1000; index += 1; }
  return `${amount.toFixed(amount < 10 && index > 0 ? 1 : 0)} ${units[index]}`;
}

export function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** The server's clock as seen from here, in milliseconds: ages must not depend on this machine's clock. */
let offset = 0;
export const setServerTime = (iso) => { offset = Date.parse(iso) - Date.now(); };
export const serverNow = () => Date.now() + offset;

export function age(iso) { return known(iso) ? `${duration((serverNow() - Date.parse(iso)) / 1000)} ago` : NOTHING; }
/** A moment that stays right by itself: its age is drawn anew each second. */
export const ago = (iso) => (known(iso) ? el("time", { datetime: iso, class: "ago", title: both(iso) }, age(iso)) : NOTHING);
export function refreshAges() { for (const node of document.querySelectorAll("time.ago")) setText(node, age(node.dateTime)); }
const two = (number) => String(number).padStart(2, "0");
export function localTime(iso, withDay = false) {
  const d = new Date(iso);
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return withDay ? `${two(d.getMonth() + 1)}-${two(d.getDate())} ${time}` : time;
}
/** A moment in UTC and in local time. */
export const both = (iso) => (known(iso) ? `${dayAndTime(iso)} UTC, ${localTime(iso, true)} local` : NOTHING);
export const stamp = (iso) => (known(iso) ? el("time", { datetime: iso, title: both(iso) }, dayAndTime(iso)) : NOTHING);
export const clock = (iso) => (known(iso) ? `${iso.slice(11, 19)} UTC` : NOTHING);
export const dayAndTime = (iso) => (known(iso) ? `${iso.slice(5, 10)} ${iso.slice(11, 19)}` : NOTHING);

/** States with a mark of their own shape beside the word. */
const MARKS = {
  firing: ["▲", "bad"], resolved: ["○", ""], suspended: ["○", "warn-text"], open: ["●", "good"], closed: ["○", ""],
  live: ["●", "good"], quiet: ["◐", ""], late: ["▲", "warn-text"], stale: ["◇", "warn-text"], dead: ["✕", "bad"],
  active: ["●", "good"], timeout: ["✕", "bad"], disconnected: ["○", ""], replaced: ["↷", ""],
  running: ["●", "good"], degraded: ["▲", "warn-text"], starting: ["◌", "warn-text"], down: ["✕", "bad"],
  reserved: ["◌", ""], sending: ["◌", ""], sent: ["◐", ""], acknowledged: ["◐", ""], unknown: ["?", "bad"],
  filled: ["●", "good"], rejected: ["✕", "bad"], never_executed: ["○", ""], expired: ["○", ""], denied: ["✕", ""],
  critical: ["✕", "bad"], warning: ["▲", "warn-text"], info: ["●", ""],
};
export function state(word, label = word) {
  const [mark, kind] = MARKS[word] ?? ["·", ""];
  return el("span", {}, el("span", { class: `sign ${kind}`, "aria-hidden": "true" }, mark), label === "" ? null : text(label));
}

/** Words of the machine for people: `two_addresses` as `two addresses`. */
export const plain = (word) => text(word).replaceAll("_", " ");
export const sums = (object, sign = signed) => {
  const entries = Object.entries(object ?? {});
  return entries.length ? entries.map(([currency, amount]) => `${sign(amount)} ${currency}`).join(" · ") : NOTHING;
};
/** An address of the page itself. */
export const to = (kind, id, label = id, attributes = {}) => (known(id) ? el("a", { href: `/dashboard/${kind}/${encodeURIComponent(id)}`, "data-key": `${kind}:${id}`, ...attributes }, text(label)) : NOTHING);
