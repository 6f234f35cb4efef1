// The price of one symbol: bars of a minute with the levels, sweeps and plans that belong to them.
import { el, shape, price } from "./format.js";
import { responsive, ticks, timeTicks, hourMinute } from "./charts.js";

/** - picture: the answer of /symbols/{symbol} */
export function candles(picture, height = 380) {
  const bars = picture.bars.map((bar) => ({ ...bar, at: Date.parse(bar.time) }));
  if (bars.length < 2) return el("p", { class: "empty" }, "Too few bars have been seen to draw a price.");
  const decimals = picture.decimals ?? 5;
  const write = (value) => price(Number(value.toFixed(decimals)), [Number(`0.${"1".repeat(Math.max(1, decimals))}`)]);
  const low0 = Math.min(...bars.map((b) => b.low)), high0 = Math.max(...bars.map((b) => b.high));
  const span = high0 - low0 || high0 * 0.001;
  // Levels far away would press the bars flat: those within the height of the picture on either side are drawn.
  const levels = picture.levels.filter((l) => l.price > low0 - span * 0.8 && l.price < high0 + span * 0.8 && l.state !== "expired");
  const plans = picture.signals.flatMap((s) => [["entry", s.entry_price], ["stop", s.stop_loss], ["target", s.take_profit]].map(([name, value]) => ({ name: `${s.direction ?? ""} ${name}`, price: value }))).filter((p) => p.price);
  const all = [low0, high0, ...levels.map((l) => l.price), ...plans.map((p) => p.price)];
  const low = Math.min(...all) - span * 0.04, high = Math.max(...all) + span * 0.04;
  const last = bars[bars.length - 1];
  const said = `${picture.symbol}, ${bars.length} bars of one minute, last price ${write(last.close)}, between ${write(low0)} and ${write(high0)}, ${levels.length} levels near it`;
  return responsive((width) => {
    const count = Math.min(bars.length, Math.floor((width - 76) / 5));
    const shown = bars.slice(-count);
    const left = 4, right = width - 70, top = 8, bottom = height - 20;
    const step = (right - left) / shown.length;
    const from = shown[0].at, to = shown[shown.length - 1].at;
    const middle = (index) => left + (index + 0.5) * step;
    const placeOf = (at) => { const index = shown.findLastIndex((b) => b.at <= at); return index < 0 ? null : middle(index); };
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    const body = Math.max(2, Math.min(9, step * 0.66));
    return [shape("svg", { height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said },
      ticks(low, high, 6).map((value) => [shape("line", { class: "axis", x1: left, x2: right, y1: y(value), y2: y(value) }), shape("text", { x: right + 6, y: y(value) + 4 }, write(value))]),
      timeTicks(from, to, Math.max(2, width / 120)).map((at) => shape("text", { x: placeOf(at) ?? left, y: height - 4, "text-anchor": "middle" }, hourMinute(at))),
      levels.map((l) => [
        shape("line", { class: `level-${l.side} ${l.state === "swept" || l.state === "broken" ? "level-swept" : ""}`, "stroke-width": 1 + Math.min(2.5, (l.strength ?? 1) / 3), x1: left, x2: right, y1: y(l.price), y2: y(l.price) }),
        shape("text", { class: "on-level", x: left + 4, y: y(l.price) - 3 }, `${write(l.price)} ${(l.side ?? "").replace("_", " ")}, ${l.state}`)]),
      plans.map((p) => [shape("line", { class: "plan", x1: left, x2: right, y1: y(p.price), y2: y(p.price) }), shape("text", { class: "on-level", x: right - 4, y: y(p.price) - 3, "text-anchor": "end" }, `${p.name} ${write(p.price)}`)]),
      shown.map((bar, index) => {
        const isUp = bar.close >= bar.open;
        const kind = isUp ? "candle-up" : "candle-down";
        return shape("g", {}, shape("title", {}, `${hourMinute(bar.at)} UTC  open ${write(bar.open)}  high ${write(bar.high)}  low ${write(bar.low)}  close ${write(bar.close)}  ${bar.ticks} ticks`),
          shape("line", { class: kind, x1: middle(index), x2: middle(index), y1: y(bar.high), y2: y(bar.low) }),
          shape("rect", { class: kind, x: middle(index) - body / 2, width: body, y: y(Math.max(bar.open, bar.close)), height: Math.max(1, Math.abs(y(bar.open) - y(bar.close))) }));
      }),
      picture.sweeps.map((sweep) => {
        const x = placeOf(Date.parse(sweep.time ?? sweep.at));
        const extreme = Number(sweep.extreme ?? sweep.level);
        if (x === null || !Number.isFinite(extreme) || extreme < low || extreme > high) return null;
        const isHigh = sweep.side === "buy_side";
        return shape("text", { class: "sweep", x, y: y(extreme) + (isHigh ? -5 : 14), "text-anchor": "middle" }, isHigh ? "▼" : "▲", shape("title", {}, `Sweep of ${sweep.level} (${String(sweep.side).replace("_", " ")}) at ${sweep.time ?? sweep.at}`));
      }))];
  });
}

export const candleKeys = () => el("div", { class: "keys" },
  el("span", {}, "□ a hollow bar rose, ■ a filled one fell"), el("span", {}, "—— buy-side level, – – sell-side level, ··· swept or broken"), el("span", {}, "▼ ▲ a sweep at its extreme"));
