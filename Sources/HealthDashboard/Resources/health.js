// Whether the mesh is healthy, and the other five answers in one line each.
import { el, byId, setText, replace, text, count, sums, duration, clock, state, plain } from "./format.js";
import { live } from "./live.js";

const WORDS = { pass: ["Healthy", "✓"], warn: ["Needs attention", "!"], fail: ["Failing", "✕"] };

export function verdict(health) {
  const [word, icon] = WORDS[health.status] ?? ["Unknown", "?"];
  byId("health").className = `card current verdict ${health.status}`;
  setText("verdict-word", word);
  setText("verdict-icon", icon);
  const then = health.redis.ready || !health.as_of ? "" : `Last known at ${clock(health.as_of)}: `;
  setText("verdict-line", `${then}${health.services_running} of ${health.services_total} services up · ${count(health.nodes.active)} terminals connected · ${count(health.positions.open)} open positions`);
  setText("score", String(health.health_score));
  const bar = byId("score-bar");
  bar.style.width = `${health.health_score}%`;
  bar.className = health.health_score >= 90 ? "" : health.health_score >= 70 ? "warn" : "bad";
  setText("score-source", health.health_score_source === "heartbeat-monitor" ? "" : "worked out here: heartbeat-monitor is not reporting");
  const reasons = health.reasons.map((reason) => el("li", {}, state(reason.severity === "fail" ? "critical" : "warning", ""), el("span", {}, reason.message)));
  replace("reasons", reasons.length ? reasons : el("li", {}, state("running", ""), el("span", {}, "Nothing.")));
  setText("factors-title", health.health_score >= 100 ? "What the score is made of" : "Why not 100");
  const factors = [...health.health_factors].sort((a, b) => (b.max_points - b.points) - (a.max_points - a.points));
  replace("factors", factors.map((factor) => {
    const isWhole = factor.points >= factor.max_points;
    return el("li", {},
      el("span", { class: `points ${isWhole ? "" : "warn-text"}` }, `${factor.points} / ${factor.max_points}`),
      el("span", { class: isWhole ? "muted" : "strong" }, plain(factor.name)), el("span", { class: isWhole ? "muted" : "" }, text(factor.why)));
  }));
  const pill = byId("pill");
  pill.hidden = false;
  pill.className = `pill ${health.status}`;
  setText(pill, `${icon} ${word} ${health.health_score}`);
  byId("demo").hidden = !health.demo;
  setText("version", `Version ${health.version}`);
  answers();
}

const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const answer = (href, question, value, note, kind) => el("li", {}, el("a", { href, class: kind, "data-key": href },
  el("span", { class: "question" }, question), el("b", {}, value), el("span", { class: "muted small" }, note)));

/** Trades, terminals, what is open, the market, what wants somebody. */
export function answers() {
  const { health, positions, levels, signals, alerts, nodes } = live.parts;
  if (!health) return;
  const { ledger, reconciliation } = health;
  const lost = health.nodes.by_liveness.stale + health.nodes.by_liveness.dead;
  const active = alerts?.active.items ?? [];
  const conflicts = nodes?.conflicts ?? 0;
  const waiting = active.filter((a) => !a.acknowledged_at).length + reconciliation.questions + conflicts;
  const critical = active.some((a) => a.severity === "critical" && !a.acknowledged_at);
  const sweeps = (levels?.sweeps ?? []).length;
  const scores = (signals?.items ?? []).map((s) => s.protection_score).filter((s) => s !== null);
  const worst = scores.length ? Math.min(...scores) : null;
  replace("answers",
    answer("/dashboard#trades", "Every trade accounted for?", ledger.unaccounted === 0 ? (ledger.sent ? `All ${count(ledger.sent)}` : "None sent yet") : `${count(ledger.unaccounted)} not yet`,
      ledger.unaccounted === 0 ? `${count(ledger.accounted)} with a known outcome` : `oldest ${duration(ledger.oldest_age_s)}, ${sums(ledger.money_at_risk, (v) => v.toFixed(2))} at risk`, ledger.overdue > 0 ? "is-bad" : ledger.unaccounted > 0 ? "is-warn" : "is-good"),
    answer("/dashboard#fleet", "Who is connected?", `${count(health.nodes.active)} terminals`, lost ? `${count(lost)} stale or dead` : `${count(health.nodes.by_liveness.live)} live, none lost`, lost ? "is-warn" : health.nodes.active ? "is-good" : ""),
    answer("/dashboard#open", "What is open?", `${count(health.positions.open)} positions`, positions ? sums(health.positions.current_pnl) : "", ""),
    answer("/dashboard#market", "How dangerous is it?", signals?.total ? `${count(signals.total)} live ${signals.total === 1 ? "signal" : "signals"}` : "No live signal", `${worst === null ? "" : `lowest score ${worst.toFixed(1)} · `}${sweeps ? `${many(sweeps, "sweep")} lately` : "no sweep lately"}`, worst !== null && worst < 4 ? "is-warn" : ""),
    answer("/dashboard#wants", "What wants you?", waiting ? `${count(waiting)} ${waiting === 1 ? "thing" : "things"}` : "Nothing", `${many(active.length, "alert")} · ${many(reconciliation.questions, "question")} · ${many(conflicts, "conflict")}`, critical ? "is-bad" : waiting ? "is-warn" : "is-good"));
}
