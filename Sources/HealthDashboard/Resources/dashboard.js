// The page's heart: listens to /events, asks for what changed, and says loudly when it can't.
import { byId, setText, duration, setServerTime, serverNow } from "./format.js";
import { PagedTable } from "./tables.js";
import * as views from "./views.js";
import * as accounts from "./accounts.js";
import { showStory } from "./story.js";

/** Older than this is not the present any more. The server publishes each second. */
const LOST_AFTER = 5000;
/** No section is asked for more often. */
const PACE = 1000;

const app = { health: null, heardAt: 0, alerts: null, chosen: null, source: null };

async function get(path) {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(4000) });
  // A failing mesh answers 503 with the same body: that is an answer.
  if (!response.ok && response.status !== 503) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const nodes = new PagedTable(byId("nodes"), {
  path: "/nodes", columns: views.nodeColumns, label: "Terminals", placeholder: "Account, broker, user, symbol",
  empty: "No terminal has dialled in yet.", sort: "account", parameters: { status: "active,timeout" },
});
const positions = new PagedTable(byId("positions"), {
  path: "/positions", columns: views.positionColumns, label: "Open positions", placeholder: "Symbol, account, ticket, user",
  empty: "No position is open.", sort: "-opened_at", parameters: { state: "open" },
});

const unaccounted = new PagedTable(byId("unaccounted"), {
  path: "/fires", columns: accounts.fireColumns, label: "Trades without a known outcome", placeholder: "Fire, account, user, symbol",
  empty: "Every commanded trade has a known outcome.", sort: "sending_at", size: 10, parameters: { unaccounted: "1" },
});

function choose(name) {
  app.chosen = app.chosen === name ? null : name;
  nodes.setFilter(app.chosen ? { liveness: app.chosen } : {});
  views.liveness(app.health, app.chosen, choose);
}

async function loadHealth() {
  const health = await get("/health");
  if (!health.status) throw new Error("/health: no snapshot");
  setServerTime(health.time);
  if (isSilent()) for (const part of Object.keys(loaders)) dirty.add(part);
  app.health = health;
  app.heardAt = performance.now();
  byId("demo").hidden = !health.demo;
  document.title = `${health.demo ? "DEMO " : ""}${health.status === "pass" ? "" : `[${health.status}] `}Terminal Mesh`;
  setText("version", `Version ${health.version}`);
  // What waits grows older without anything being different.
  if (health.ledger.unaccounted > 0 && !isSilent()) dirty.add("fires");
  if (health.reconciliation.questions > 0 && !isSilent()) dirty.add("reconciliation");
  for (const show of [views.verdict, accounts.ledger, views.machine, views.positionsLine, views.ports]) show(health);
  views.liveness(health, app.chosen, choose);
  showAge();
}

const loaders = {
  health: loadHealth,
  services: async () => views.services(await get("/services")),
  nodes: () => nodes.load(),
  positions: () => positions.load(),
  signals: async () => views.signals(await get("/signals?state=live&limit=50")),
  levels: async () => views.levels(await get("/levels?limit=20")),
  alerts: async () => {
    const list = await get("/alerts?limit=20");
    views.alerts(list, app.health?.alerts_active ?? 0);
  },
  fires: async () => { await unaccounted.load(); await showStory(); },
  reconciliation: async () => {
    const [page, list] = await Promise.all([get("/reconciliation?limit=50"), get("/questions?state=open&limit=50")]);
    accounts.reconciliation(page, app.health?.reconciliation);
    accounts.questions(list);
  },
  stats: async () => views.results(await get("/stats")),
};

/** Parts that changed and were not asked for yet; each is asked for at most once in PACE, and one at a time. */
const dirty = new Set();
const busy = new Set();
const askedAt = new Map();

/** Whether the server has been silent for too long; then only its health is asked for, until it answers. */
const isSilent = () => performance.now() - app.heardAt > LOST_AFTER;

function pump() {
  if (document.hidden) return;
  const now = performance.now();
  for (const part of isSilent() ? ["health"] : [...dirty]) {
    if (busy.has(part) || now - (askedAt.get(part) ?? -PACE) < PACE * 0.9) continue;
    dirty.delete(part);
    busy.add(part);
    askedAt.set(part, now);
    loaders[part]()
      .catch(() => dirty.add(part))
      .finally(() => busy.delete(part));
  }
}

function listen() {
  app.source?.close();
  const source = new EventSource("/events");
  app.source = source;
  source.addEventListener("refresh", (event) => {
    for (const part of JSON.parse(event.data).parts) if (loaders[part]) dirty.add(part);
    pump();
  });
}

/** How old the shown figures are: since they came, plus how old they were when they came. */
function dataAge() {
  if (!app.health) return Infinity;
  const waited = performance.now() - app.heardAt;
  const wasOld = app.health.as_of ? Math.max(0, Date.parse(app.health.time) - Date.parse(app.health.as_of)) : Infinity;
  return waited + wasOld;
}

function showAge() {
  const silent = performance.now() - app.heardAt;
  const old = dataAge();
  const isServerLost = silent > LOST_AFTER;
  const isLost = isServerLost || old > LOST_AFTER;
  const banner = byId("lost");
  if (isLost) {
    const since = app.health?.as_of ? `Everything below is of ${app.health.as_of.slice(11, 19)} UTC, ${duration(old / 1000)} ago.` : "Nothing has been received yet.";
    const what = isServerLost ? `The server is lost: no answer for ${duration(silent / 1000)}.` : "The server can't read the mesh's state (Redis).";
    banner.textContent = `${what} ${since}`;
  }
  banner.hidden = !isLost;
  document.body.classList.toggle("is-lost", isServerLost);
  document.body.classList.toggle("is-old", isLost);
  if (isServerLost) {
    byId("verdict").className = "card current verdict fail";
    setText("verdict-word", "Not known");
    setText("verdict-icon", "?");
    setText("verdict-line", "The server does not answer; the mesh itself may be well.");
    document.title = "[LOST] Terminal Mesh";
  }
  byId("pulse-mark").className = `dot ${isLost ? "bad" : "good"}`;
  setText("pulse", isServerLost ? "server lost" : !app.health ? "connecting" : isLost ? "data is old" : old < 2000 ? "live" : `${(old / 1000).toFixed(0)} s old`);
  setText("clock", app.health ? `${new Date(serverNow()).toISOString().slice(0, 19).replace("T", " ")} UTC` : "");
}

/** A stream the browser has given up is opened anew; one that is only interrupted comes back by itself. */
setInterval(() => {
  dirty.add("health");
  if (isSilent() && app.source?.readyState === EventSource.CLOSED) listen();
  pump();
  showAge();
}, 500);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const part of Object.keys(loaders)) dirty.add(part);
  pump();
});

window.addEventListener("hashchange", () => { showStory(true).catch(() => dirty.add("fires")); });

for (const part of Object.keys(loaders)) dirty.add(part);
pump();
listen();
