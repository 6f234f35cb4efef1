// The page's heart: wires the parts the server tells to what shows them, and says loudly when they are not of now.
import { byId, setText, duration, serverNow, refreshAges, localTime } from "./format.js";
import { live, start, watch, watchAlways, silence, isServerLost, isOld, dataAge } from "./live.js";
import { verdict, answers } from "./health.js";
import * as accounts from "./accounts.js";
import { fleet, conflicts, drift, startFleet } from "./fleet.js";
import * as trading from "./trading.js";
import { signals, market } from "./market.js";
import { alerts, audit } from "./wants.js";
import { machine, services } from "./machine.js";
import { pictures } from "./pictures.js";
import { startActions } from "./actions.js";
import { startRoutes, refreshDetail, isOverview } from "./drill.js";

function showAge() {
  const isLost = isServerLost(), isAged = isLost || (live.now !== null && isOld());
  const banner = byId("lost");
  if (isAged) {
    const since = live.asOf ? ` What is shown is of ${live.asOf.slice(11, 19)} UTC, ${duration(dataAge() / 1000)} ago.` : " Nothing has been received yet.";
    const what = isLost ? `The server is lost: no answer for ${duration((live.heardAt ? silence() : performance.now()) / 1000)}.` : "The server can't read the mesh's state (Redis).";
    if (banner.textContent !== what + since) banner.textContent = what + since;
  }
  banner.hidden = !isAged;
  document.body.classList.toggle("is-lost", isLost);
  document.body.classList.toggle("is-old", isAged);
  if (isLost) {
    byId("health").className = "card current verdict fail";
    setText("verdict-word", "Not known");
    setText("verdict-icon", "?");
    setText("verdict-line", "The server does not answer; the mesh itself may be well.");
    byId("pill").className = "pill fail";
    setText("pill", "? Not known");
  }
  const health = live.parts.health;
  const mark = isLost ? "[LOST] " : `${health?.demo ? "DEMO " : ""}${!health || health.status === "pass" ? "" : `[${health.status}] `}`;
  document.title = `${mark}Terminal Mesh`;
  byId("pulse-mark").className = `dot ${isAged ? "bad" : live.now ? "good" : ""}`;
  const old = dataAge();
  setText("pulse", isLost ? "server lost" : !live.now ? "connecting" : isAged ? "data is old" : old < 2500 ? "live" : `${(old / 1000).toFixed(0)} s old`);
  const now = new Date(serverNow()).toISOString();
  setText("clock", live.now ? `${now.slice(11, 19)} UTC · ${localTime(now)} local` : "");
}

function theme() {
  const modes = ["system", "light", "dark"];
  const apply = (mode) => {
    if (mode === "system") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = mode;
    setText("theme", mode === "system" ? "Theme: system" : `Theme: ${mode}`);
  };
  let mode = localStorage.getItem("theme") ?? "system";
  apply(mode);
  byId("theme").addEventListener("click", () => { mode = modes[(modes.indexOf(mode) + 1) % 3]; localStorage.setItem("theme", mode); apply(mode); });
}

/** Draws a part only while the overview is in sight; what came meanwhile is drawn when it is again. */
const missed = new Set();
function onOverview(part, ...shows) {
  watch(part, (document) => {
    if (!isOverview() && part !== "health") { missed.add(part); return; }
    for (const show of shows) show(document);
  });
  redraw.set(part, shows);
}
const redraw = new Map();
function catchUp() {
  if (!isOverview() || missed.size === 0) return;
  const parts = [...missed];
  missed.clear();
  for (const part of parts) for (const show of redraw.get(part)) show(live.parts[part]);
}

theme();
startActions();
startRoutes();
startFleet();
trading.startPositions();
onOverview("health", verdict, accounts.ledger, machine);
onOverview("services", services);
onOverview("nodes", fleet, conflicts, drift, answers);
onOverview("positions", trading.open, answers);
onOverview("fires", (part) => { accounts.unaccounted(part.unaccounted); accounts.latest(part.latest); trading.latency(part.latency); });
onOverview("signals", signals, answers);
onOverview("levels", market, answers);
onOverview("alerts", alerts, answers);
onOverview("stats", trading.totals);
onOverview("reconciliation", (part) => { accounts.reconciliation(part.accounts, live.parts.health?.reconciliation); accounts.questions(part.questions); });
onOverview("audit", audit);
watchAlways(showAge);
watchAlways(() => { refreshAges(); catchUp(); refreshDetail(); if (isOverview()) pictures(); });
start();
