// Pages of their own for one thing: /dashboard/<kind>/<id>. The server sends the same page; the address says what to show.
import { el, byId, replace, text } from "./format.js";
import { get } from "./live.js";
import { story } from "./story.js";
import * as details from "./details.js";

const KINDS = {
  terminal: ["Terminal", (id) => `/nodes/${id}`, details.terminal],
  user: ["User", (id) => `/users/${id}`, details.user],
  position: ["Position", (id) => `/positions/${id}`, details.position],
  fire: ["Fire", (id) => `/explain/${id}`, story],
  symbol: ["Symbol", (id) => `/symbols/${id}`, details.symbol],
  service: ["Service", (id) => `/services/${id}`, details.service],
  alert: ["Alert", (id) => `/alerts/${id}`, details.alert],
};

let shown = null, drawn = "", askedAt = -1e9, isBusy = false, isGone = false;

/** What the address asks for: nil on the overview. */
function wanted() {
  const [, , kind, id] = location.pathname.split("/");
  if (!kind || !id || !KINDS[kind]) return null;
  try { return { kind, id: decodeURIComponent(id) }; } catch { return null; }
}

export const isOverview = () => shown === null;

/** Puts the overview or a detail page in sight, by the address. */
export function route() {
  const target = wanted();
  shown = target;
  drawn = "";
  askedAt = -1e9;
  isGone = false;
  byId("overview").hidden = target !== null;
  const box = byId("detail");
  box.hidden = target === null;
  if (!target) {
    box.replaceChildren();
    const place = location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
    if (place) place.scrollIntoView({ block: "start" });
    return;
  }
  const [title] = KINDS[target.kind];
  replace("detail", el("div", { class: "crumbs" }, el("a", { href: "/dashboard", "data-key": "back" }, "← Overview"), el("h1", { tabindex: "-1" }, `${title} ${target.kind === "position" ? target.id.split("|").pop() : target.id}`), el("span", { class: "side", id: "detail-side" })), el("div", { id: "detail-body", class: "card current" }, "Loading"));
  byId("detail").querySelector("h1").focus({ preventScroll: true });
  window.scrollTo(0, 0);
  refreshDetail();
}

/** Asks again every two seconds while a detail page is in sight. */
export async function refreshDetail() {
  const target = shown;
  if (!target || isBusy || isGone || document.hidden || performance.now() - askedAt < 2000) return;
  isBusy = true;
  askedAt = performance.now();
  const [title, path, show] = KINDS[target.kind];
  let told = null, problem = null;
  try { told = await get(path(encodeURIComponent(target.id))); } catch (error) { problem = error; } finally { isBusy = false; }
  if (shown !== target) return;
  if (problem) {
    if (drawn !== "" && problem.status !== 404) return;
    isGone = problem.status === 404;
    put([el("section", { class: "card" }, el("p", { class: "line" }, isGone ? `This ${title.toLowerCase()} is not known` : "It can't be looked up now"), el("p", { class: "muted" }, text(problem.message)))]);
    return;
  }
  const same = JSON.stringify({ ...told, now: null });
  if (same === drawn) return;
  drawn = same;
  put(show(told));
}

function put(nodes) {
  const box = byId("detail");
  const body = [...box.children].slice(1);
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const scrolls = [...box.querySelectorAll(".scroll")].map((node) => node.scrollTop);
  for (const old of body) old.remove();
  box.append(...nodes.flat().filter(Boolean));
  box.querySelectorAll(".scroll").forEach((node, index) => { node.scrollTop = scrolls[index] ?? 0; });
  if (focused) [...box.querySelectorAll("[data-key]")].find((found) => found.dataset.key === focused)?.focus({ preventScroll: true });
}

/** Links of the page change the address without loading it anew. */
export function startRoutes() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/dashboard']");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
    event.preventDefault();
    if (link.href !== location.href) history.pushState(null, "", link.href);
    route();
  });
  window.addEventListener("popstate", route);
  // Addresses of earlier versions.
  if (location.hash.startsWith("#fire/")) history.replaceState(null, "", `/dashboard/fire/${location.hash.slice(6)}`);
  route();
}
