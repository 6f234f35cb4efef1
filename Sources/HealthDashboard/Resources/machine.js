// The seven services, their ports, and what they stand on.
import { el, setText, replace, text, count, percent, bytes, duration, ago, both, state, to, NOTHING } from "./format.js";
import { table } from "./tables.js";

function meter(name, percentage, value) {
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span", { class: percentage >= 90 ? "bad" : percentage >= 75 ? "warn" : "" }));
  bar.firstChild.style.width = `${Math.min(100, percentage ?? 0)}%`;
  return el("div", {}, el("dt", {}, name), el("dd", { class: "value" }, value, percentage === null ? null : bar));
}

export function machine(health) {
  const { system, redis, journal } = health;
  replace("machine",
    meter("Processor", system.cpu_percent, `${percent(system.cpu_percent)} of ${system.processors}, load ${text(system.load_1m)}`),
    meter("Memory", system.memory_used_percent, `${bytes(system.memory_available_bytes)} free`),
    meter("Disk", system.disk_used_percent, `${bytes(system.disk_free_bytes)} free`),
    meter("Redis", redis.memory?.share == null ? null : redis.memory.share * 100, redis.ready ? `${redis.latency_ms} ms, ${bytes(redis.used_memory_bytes)}` : `not answering (${redis.state})`),
    journal.bytes === null ? null : meter("Journal", null, `${bytes(journal.bytes)}${journal.segments === null ? "" : ` in ${count(journal.segments)} ${journal.segments === 1 ? "segment" : "segments"}`}`),
    meter("Dashboard", null, `up for ${duration(health.uptime_s)}`));
  ports(health.ports);
}

const lastExit = (exit) => (exit === null ? "it has not ended since it was started" : `last exit: ${exit.signal ? `signal ${exit.signal}` : `code ${exit.exit_code}`} at ${both(exit.time)}`);
export const refused = (service) => Object.values(service.rejected).reduce((sum, value) => sum + Number(value), 0);
const QUEUES = ["queue_depth", "writes_waiting", "waiting", "outbox", "registry_waiting", "unwritten"];
const queue = (s) => { const found = QUEUES.filter((name) => s.gauges[name] !== undefined); return found.length ? count(found.reduce((sum, name) => sum + Number(s.gauges[name]), 0)) : NOTHING; };
const shed = (s) => Object.entries(s.counters).filter(([name]) => name.startsWith("shed_")).reduce((sum, [, value]) => sum + Number(value), 0);

export function services(items) {
  const up = items.filter((s) => s.state === "running" || s.state === "degraded").length;
  setText("services-line", `${up} of ${items.length} up`);
  const columns = [
    { title: "Service", show: (s) => to("service", s.name), kind: "strong" },
    { title: "State", show: (s) => state(s.state) },
    { title: "Up since", room: 2, show: (s) => (s.started_at && s.state !== "down" ? ago(s.started_at) : NOTHING), number: true },
    { title: "Restarts", room: 2, show: (s) => el("span", { title: lastExit(s.last_exit) }, count(s.restarts)), number: true, tone: (s) => (s.restarts > 0 ? "warn-text" : "") },
    { title: "Waiting", room: 1, show: queue, number: true },
    { title: "Shed", room: 1, show: (s) => count(shed(s)), number: true, tone: (s) => (shed(s) > 0 ? "warn-text" : "") },
    { title: "Refused", room: 2, show: (s) => count(refused(s)), number: true },
    { title: "Problem", show: (s) => Object.values(s.problems).join("; ") || "none", kind: "wrap" },
  ];
  replace("services", table(columns, items, "No service is known.", "Services"));
}

let drawn = "";
function ports(list) {
  const now = JSON.stringify(list);
  if (now === drawn) return;
  drawn = now;
  const listening = (p) => (p.listening === null ? state("replaced", "not used") : p.listening ? state("running", "listening") : state("down", "closed"));
  const columns = [
    { title: "Port", show: (p) => text(p.port), number: true },
    { title: "Name", show: (p) => text(p.name), kind: "strong" },
    { title: "Service", room: 2, show: (p) => (p.service === "redis" ? p.service : to("service", p.service)) },
    { title: "Socket", room: 1, show: (p) => text(p.socket) },
    { title: "Now", show: listening },
    { title: "Carries", room: 2, show: (p) => text(p.carries), kind: "wrap muted" },
  ];
  replace("ports", table(columns, list, "No port is known.", "Ports"));
}
