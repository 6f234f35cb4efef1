// Tables: small ones drawn whole; long ones in the server's order, of which only the rows in sight are asked for and drawn.
import { el, count } from "./format.js";
import { get } from "./live.js";

/** `room: 1` leaves a column out where its table is narrower than about 720 pixels, `room: 2` on a phone. */
const room = (column) => (column.room ? `room-${column.room}` : "");

function cell(column, item) {
  const value = column.show(item);
  const kind = [column.number ? "n" : "", room(column), column.kind ?? "", column.tone ? column.tone(item) : ""].join(" ").trim();
  return el("td", { class: kind || null, title: column.cut && typeof value === "string" ? value : null }, value);
}

const row = (columns, item, index = null) => el("tr", { "aria-rowindex": index }, columns.map((column) => cell(column, item)));
/** A heading without words still has to say what it stands over. */
const title = (column) => column.title || el("span", { class: "unseen" }, column.says ?? "currency");
const headings = (columns) => columns.map((c) => el("th", { scope: "col", class: [c.number ? "n" : "", room(c)].join(" ").trim() || null }, title(c)));

/** A table of few rows. `empty` is said where there are none. */
export function table(columns, items, empty, label) {
  if (items.length === 0) return el("p", { class: "empty" }, empty);
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label, "data-key": `table:${label}` },
    el("table", {}, el("thead", {}, el("tr", {}, headings(columns))), el("tbody", {}, items.map((item) => row(columns, item)))));
}

const ROW = 33, PAGE = 100, SPARE = 12;

/** A list of the server of any length. Filtered and sorted there; a row exists here only while it can be seen. */
export class VirtualTable {
  /** - options: path, columns, label, empty, sort, parameters, placeholder */
  constructor(root, options) {
    this.options = { parameters: {}, placeholder: "Filter", ...options };
    this.sort = options.sort;
    this.query = "";
    this.filter = {};
    this.total = 0;
    this.pages = new Map();
    this.epoch = 0;
    this.build(root);
  }

  build(root) {
    const { columns, label, placeholder } = this.options;
    this.input = el("input", { type: "search", placeholder, "aria-label": `${label}: ${placeholder}`, maxlength: "100", on: { input: () => this.search() } });
    this.range = el("span", { class: "range", "aria-live": "polite" });
    this.chosen = el("span", {});
    this.heads = columns.map((column) => this.heading(column));
    this.above = el("tr", { class: "space", "aria-hidden": "true" }, el("td", { colspan: columns.length }));
    this.below = el("tr", { class: "space", "aria-hidden": "true" }, el("td", { colspan: columns.length }));
    this.body = el("tbody", {}, this.above, this.below);
    this.table = el("table", { "aria-rowcount": "0" }, el("thead", {}, el("tr", {}, this.heads)), this.body);
    this.box = el("div", { class: "scroll rows", tabindex: "0", role: "group", "aria-label": label, on: { scroll: () => this.scrolled() } }, this.table);
    this.none = el("p", { class: "empty", hidden: true });
    root.replaceChildren(el("div", { class: "tools" }, this.input, this.chosen, this.range), this.box, this.none);
  }

  heading(column) {
    const content = column.sort ? el("button", { type: "button", on: { click: () => this.order(column.sort) } }, column.title) : title(column);
    const node = el("th", { scope: "col", class: [column.number ? "n" : "", room(column)].join(" ").trim() || null }, content);
    node.dataset.sort = (column.sort ?? "").replace("-", "");
    return node;
  }

  order(field) {
    // The same heading again turns the order round; what is best read the other way begins that way.
    this.sort = this.sort !== field ? field : field.startsWith("-") ? field.slice(1) : `-${field}`;
    this.restart();
  }

  search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => { this.query = this.input.value.trim(); this.restart(); }, 150);
  }

  /** Filters beside the typed one; named with a button that takes them away. */
  setFilter(filter) {
    this.filter = filter;
    this.chosen.replaceChildren(...Object.entries(filter).map(([name, value]) => el("button", { type: "button", class: "chip", "aria-label": `Remove the filter ${name} ${value}`, on: { click: () => this.onClear?.(name) } }, `${name}: ${value} ✕`)));
    this.restart();
  }

  restart() { this.box.scrollTop = 0; this.refresh(); }

  /** Asks again for what can be seen; what was kept of the rest is no longer of now. */
  refresh() {
    this.epoch += 1;
    this.stale = new Map([...this.stale ?? [], ...this.pages]);
    this.pages = new Map();
    return this.load();
  }

  scrolled() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = null; this.draw(); this.load(); });
  }

  window() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
    const last = Math.min(Math.max(this.total, 1), Math.ceil((this.box.scrollTop + (this.box.clientHeight || 450)) / ROW) + SPARE);
    return [Math.min(first, Math.max(0, last - 1)), last];
  }

  async load() {
    const [first, last] = this.window();
    const epoch = this.epoch;
    for (let page = Math.floor(first / PAGE); page <= Math.floor((last - 1) / PAGE); page += 1) {
      if (this.pages.has(page)) continue;
      const { path, parameters } = this.options;
      const search = new URLSearchParams({ limit: PAGE, offset: page * PAGE, sort: this.sort, ...parameters, ...this.filter });
      if (this.query) search.set("q", this.query);
      let answer;
      try { answer = await get(`${path}?${search}`); } catch { return; }
      // An answer that was overtaken by a newer question is dropped.
      if (epoch !== this.epoch) return;
      this.pages.set(page, answer.items);
      this.total = answer.total;
      this.stale = undefined;
    }
    this.draw();
  }

  draw() {
    const { columns, empty } = this.options;
    const [first, last] = this.total === 0 ? [0, 0] : this.window();
    const rows = [];
    for (let index = first; index < Math.min(last, this.total); index += 1) {
      const page = this.pages.get(Math.floor(index / PAGE)) ?? this.stale?.get(Math.floor(index / PAGE));
      const item = page?.[index % PAGE];
      if (item) rows.push(row(columns, item, index + 2));
      else rows.push(el("tr", { "aria-rowindex": index + 2 }, el("td", { colspan: columns.length, class: "muted" }, "…")));
    }
    this.above.firstChild.style.height = `${first * ROW}px`;
    this.below.firstChild.style.height = `${Math.max(0, this.total - first - rows.length) * ROW}px`;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.body.replaceChildren(this.above, ...rows, this.below);
    if (focused) [...this.body.querySelectorAll("[data-key]")].find((found) => found.dataset.key === focused)?.focus({ preventScroll: true });
    this.table.setAttribute("aria-rowcount", String(this.total + 1));
    const seen = `${count(this.total)} ${this.query || Object.keys(this.filter).length ? "match" : "in all"}`;
    if (this.range.textContent !== seen) this.range.textContent = seen;
    this.box.hidden = this.total === 0;
    this.none.hidden = this.total > 0;
    this.none.textContent = this.query || Object.keys(this.filter).length ? "Nothing matches the filter." : empty;
    const field = this.sort.replace("-", "");
    for (const head of this.heads) {
      if (head.dataset.sort === field && field !== "") head.setAttribute("aria-sort", this.sort.startsWith("-") ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }
}
