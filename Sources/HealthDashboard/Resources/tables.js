// Tables: small ones drawn whole, long ones a page at a time from the server, sorted and filtered there.
import { el, count } from "./format.js";

function cell(column, item) {
  const value = column.show(item);
  const kind = [column.number ? "n" : "", column.kind ?? "", column.tone ? column.tone(item) : ""].join(" ").trim();
  return el("td", { class: kind || null, title: column.cut && typeof value === "string" ? value : null }, value);
}

function body(columns, items) {
  return el("tbody", {}, items.map((item) => el("tr", {}, columns.map((column) => cell(column, item)))));
}

/** A table of few rows. `empty` is said where there are none. */
export function table(columns, items, empty, label) {
  if (items.length === 0) return el("p", { class: "empty" }, empty);
  const head = el("thead", {}, el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c.number ? "n" : null }, c.title))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, head, body(columns, items)));
}

/** A list of the server: one page is drawn, whatever its length. */
export class PagedTable {
  /** - options: path, columns, label, empty, sort, size, parameters, placeholder, onPage(page) */
  constructor(root, options) {
    this.options = { size: 15, parameters: {}, placeholder: "Filter", ...options };
    this.sort = options.sort;
    this.offset = 0;
    this.query = "";
    this.filter = {};
    this.build(root);
  }

  build(root) {
    const { columns, label, placeholder, size } = this.options;
    this.input = el("input", { type: "search", placeholder, "aria-label": `${label}: ${placeholder}`, maxlength: "100", on: { input: () => this.search() } });
    this.range = el("span", { "aria-live": "polite" });
    this.previous = el("button", { type: "button", on: { click: () => this.turn(-size) } }, "Previous");
    this.next = el("button", { type: "button", on: { click: () => this.turn(size) } }, "Next");
    this.headings = columns.map((column) => this.heading(column));
    this.rows = el("tbody");
    this.table = el("table", {}, el("thead", {}, el("tr", {}, this.headings)), this.rows);
    this.box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, this.table);
    this.none = el("p", { class: "empty", hidden: true });
    const pager = el("div", { class: "pager" }, this.range, el("span", {}, this.previous, " ", this.next));
    root.replaceChildren(el("div", { class: "tools" }, this.input, pager), this.box, this.none);
  }

  heading(column) {
    const content = column.sort ? el("button", { type: "button", on: { click: () => this.order(column.sort) } }, column.title) : column.title;
    const node = el("th", { scope: "col", class: column.number ? "n" : null }, content);
    node.dataset.sort = (column.sort ?? "").replace("-", "");
    return node;
  }

  order(field) {
    // The same heading again turns the order round; what is best read the other way begins that way.
    this.sort = this.sort !== field ? field : field.startsWith("-") ? field.slice(1) : `-${field}`;
    this.offset = 0;
    this.load();
  }

  search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => { this.query = this.input.value.trim(); this.offset = 0; this.load(); }, 200);
  }

  turn(by) { this.offset = Math.max(0, this.offset + by); this.load(); }

  setFilter(filter) { this.filter = filter; this.offset = 0; this.load(); }

  /** Asks for the page again. An answer that was overtaken by a newer question is dropped. */
  async load() {
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    const { path, size, parameters } = this.options;
    const search = new URLSearchParams({ limit: size, offset: this.offset, sort: this.sort, ...parameters, ...this.filter });
    if (this.query) search.set("q", this.query);
    try {
      const response = await fetch(`${path}?${search}`, { signal: asking.signal, cache: "no-store" });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      this.draw(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  draw(page) {
    const { columns, empty, size, onPage } = this.options;
    if (page.items.length === 0 && page.total > 0) { this.offset = Math.floor((page.total - 1) / size) * size; this.load(); return; }
    this.rows.replaceChildren(...body(columns, page.items).children);
    const first = page.total === 0 ? 0 : page.offset + 1;
    const range = `${count(first)}–${count(page.offset + page.items.length)} of ${count(page.total)}`;
    if (this.range.textContent !== range) this.range.textContent = range;
    this.previous.disabled = page.offset === 0;
    this.next.disabled = page.offset + page.items.length >= page.total;
    this.box.hidden = page.total === 0;
    this.none.hidden = page.total > 0;
    this.none.textContent = this.query || Object.keys(this.filter).length ? "Nothing matches the filter." : empty;
    const field = this.sort.replace("-", "");
    for (const heading of this.headings) {
      const isSorted = heading.dataset.sort === field && field !== "";
      if (isSorted) heading.setAttribute("aria-sort", this.sort.startsWith("-") ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    onPage?.(page);
  }
}
