// What the server says, kept current: a snapshot, then only what changed since its version. Events say only when to ask.
import { setServerTime } from "./format.js";

/** Without an answer for so long the server is lost. It publishes each second. */
const LOST_AFTER = 3000;
/** Nobody asks more often than this, however many events come. */
const PACE = 900;

export const live = { version: null, parts: {}, now: null, asOf: null, heardAt: 0, failing: false };
const watchers = new Map();
const always = new Set();
let asking = false, wanted = true, askedAt = -PACE, source = null;

/** Calls back with a part's document whenever it is different. */
export function watch(part, show) {
  if (!watchers.has(part)) watchers.set(part, new Set());
  watchers.get(part).add(show);
  if (live.parts[part] !== undefined) show(live.parts[part]);
  return () => watchers.get(part).delete(show);
}

/** Calls back after each answer and twice a second, whatever changed. */
export function watchAlways(show) { always.add(show); return () => always.delete(show); }

export async function get(path, signal = AbortSignal.timeout(5000)) {
  const response = await fetch(path, { cache: "no-cache", signal });
  const body = await response.json();
  if (response.ok) return body;
  const error = new Error(body.error?.message ?? `${path}: ${response.status}`);
  error.status = response.status;
  throw error;
}

async function ask() {
  asking = true;
  wanted = false;
  askedAt = performance.now();
  const since = live.version ? `?since=${encodeURIComponent(live.version)}` : "";
  let answer = null;
  try { answer = await get(`/overview${since}`); } catch { live.failing = true; wanted = true; } finally { asking = false; }
  if (answer) take(answer);
}

function take(answer) {
  setServerTime(answer.now);
  Object.assign(live, { version: answer.version, now: answer.now, asOf: answer.as_of, heardAt: performance.now(), failing: false });
  for (const [part, document] of Object.entries(answer.parts)) live.parts[part] = document;
  for (const part of Object.keys(answer.parts)) {
    for (const show of watchers.get(part) ?? []) show(live.parts[part]);
  }
  for (const show of always) show();
}

/** Milliseconds since the last answer. */
export const silence = () => performance.now() - live.heardAt;
export const isServerLost = () => live.heardAt === 0 ? performance.now() > LOST_AFTER : silence() > LOST_AFTER || (live.failing && silence() > 1500);

/** How old the shown figures are: since they came, plus how old they were when they came. */
export function dataAge() {
  if (!live.now) return Infinity;
  const wasOld = live.asOf ? Math.max(0, Date.parse(live.now) - Date.parse(live.asOf)) : Infinity;
  return silence() + wasOld;
}
export const isOld = () => dataAge() > 5000;

function listen() {
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("refresh", () => { wanted = true; pump(); });
  // The stream ends at once when the server does: no need to wait until it is silent for long.
  source.addEventListener("error", () => { wanted = true; if (silence() > 1200) live.failing = true; pump(); });
}

function pump() {
  if (document.hidden || asking || !wanted || performance.now() - askedAt < PACE) return;
  ask();
}

export function start() {
  listen();
  ask();
  setInterval(() => {
    // The events may be lost without a word; then the clock asks.
    if (performance.now() - askedAt > 2500) wanted = true;
    if (!document.hidden && source.readyState === EventSource.CLOSED && silence() > 1500) listen();
    pump();
    for (const show of always) show();
  }, 500);
  document.addEventListener("visibilitychange", () => {
    // A browser has six connections to a server: a tab nobody looks at must not keep one from another.
    if (document.hidden) { source.close(); return; }
    listen();
    wanted = true;
    pump();
  });
}
