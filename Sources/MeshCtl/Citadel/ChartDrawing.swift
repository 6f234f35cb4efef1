import Citadel
import Domain

/// One picture: candles, sessions behind them, levels as long as they were known, sweeps where they happened.
struct ChartDrawing {
    let profile: InstrumentProfile
    let timeframe: Timeframe
    let candles: [Citadel.Bar]
    let start: Int64
    let end: Int64
    let levels: [ChartLevel]
    let sweeps: [LiquiditySweep]
    let suspicions: [ManipulationEvent]

    static let width = 1680.0
    static let height = 900.0
    static let left = 16.0
    static let right = 290.0
    static let top = 78.0
    static let bottom = 40.0
    static let buySide = "#1257a8"
    static let sellSide = "#b85410"
    static let rising = "#2f9270"
    static let falling = "#cc5a58"

    var plotWidth: Double { Self.width - Self.left - Self.right }
    var plotHeight: Double { Self.height - Self.top - Self.bottom }
    var plotRight: Double { Self.left + plotWidth }

    /// Lowest and highest price shown: the candles and a little air.
    private var span: (low: Double, high: Double) {
        let low = candles.map(\.low).min() ?? 0
        let high = candles.map(\.high).max() ?? 1
        let air = max((high - low) * 0.07, profile.pip)
        return (low - air, high + air)
    }

    func x(_ time: Int64) -> Double { Self.left + Double(time - start) / Double(max(1, end - start)) * plotWidth }

    func y(_ price: Double) -> Double {
        let span = span
        return Self.top + (span.high - price) / (span.high - span.low) * plotHeight
    }

    func price(_ value: Double) -> String {
        let scaled = Int64((value * power).rounded())
        let (whole, rest) = (scaled / Int64(power), abs(scaled) % Int64(power))
        let digits = String(rest)
        let zeros = String(repeating: "0", count: max(0, profile.digits - digits.count))
        return profile.digits == 0 ? "\(whole)" : "\(whole).\(zeros)\(digits)"
    }

    private var power: Double { (0..<profile.digits).reduce(1.0) { product, _ in product * 10 } }

    static func color(_ side: LiquiditySide) -> String { side == .buySide ? buySide : sellSide }

    func svg() -> String {
        var canvas = ChartCanvas(width: Self.width, height: Self.height)
        drawSessions(&canvas)
        drawGrid(&canvas)
        canvas.clipped(Self.left, Self.top, plotWidth, plotHeight) {
            drawCandles(&$0)
            drawLevels(&$0)
            drawSweeps(&$0)
            drawSuspicions(&$0)
        }
        drawFrame(&canvas)
        drawLevelLabels(&canvas)
        drawTitle(&canvas)
        drawLegend(&canvas)
        return canvas.document
    }

    // MARK: candles

    private func drawCandles(_ canvas: inout ChartCanvas) {
        let slot = plotWidth * Double(timeframe.milliseconds) / Double(max(1, end - start))
        let width = max(1, min(14, slot * 0.68))
        var wicks = (up: "", down: "")
        var bodies = (up: "", down: "")
        for bar in candles {
            let middle = x(bar.startMilliseconds + timeframe.milliseconds / 2)
            let number = ChartCanvas.number
            let wick = "M\(number(middle)) \(number(y(bar.high)))V\(number(y(bar.low)))"
            let top = y(max(bar.open, bar.close))
            let height = max(0.8, y(min(bar.open, bar.close)) - top)
            let body =
                "M\(number(middle - width / 2)) \(number(top))h\(number(width))v\(number(height))h-\(number(width))z"
            if bar.close >= bar.open {
                wicks.up += wick
                bodies.up += body
            } else {
                wicks.down += wick
                bodies.down += body
            }
        }
        canvas.path(wicks.up, "stroke=\"\(Self.rising)\" stroke-width=\"1\" fill=\"none\"")
        canvas.path(wicks.down, "stroke=\"\(Self.falling)\" stroke-width=\"1\" fill=\"none\"")
        canvas.path(bodies.up, "fill=\"\(Self.rising)\"")
        canvas.path(bodies.down, "fill=\"\(Self.falling)\"")
    }

    // MARK: levels

    private func drawLevels(_ canvas: inout ChartCanvas) {
        for level in levels {
            let color = Self.color(level.side)
            let width = ChartCanvas.number(0.6 + level.strength * 0.17)
            let opacity = level.strength >= 5 ? "0.95" : level.strength >= 3 ? "0.7" : "0.5"
            for (earlier, later) in zip(level.stretches, level.stretches.dropFirst()) where earlier.price != later.price
            {
                // An extreme joined the pool and moved its mean.
                canvas.line(
                    x(later.from), y(earlier.price), x(later.from), y(later.price),
                    "stroke=\"\(color)\" stroke-width=\"0.8\" stroke-opacity=\"0.4\"")
            }
            for stretch in level.stretches {
                let to = min(stretch.to ?? end, end)
                guard to > start, stretch.from < end else { continue }
                let dashes = stretch.state == .taken ? " stroke-dasharray=\"2 2\"" : ""
                canvas.line(
                    x(max(stretch.from, start)), y(stretch.price), x(to), y(stretch.price),
                    "stroke=\"\(color)\" stroke-width=\"\(width)\" stroke-opacity=\"\(opacity)\"\(dashes)")
            }
            guard level.end == .broken, let last = level.stretches.last, let to = last.to, to > start, to <= end else {
                continue
            }
            let (middle, height) = (x(to), y(last.price))
            canvas.line(middle - 3, height - 3, middle + 3, height + 3, "stroke=\"#777\" stroke-width=\"1.3\"")
            canvas.line(middle - 3, height + 3, middle + 3, height - 3, "stroke=\"#777\" stroke-width=\"1.3\"")
        }
    }

    // MARK: sweeps

    /// From the level to the extreme and a triangle pointing back; the stronger ones with their numbers.
    private func drawSweeps(_ canvas: inout ChartCanvas) {
        var taken: [(left: Double, right: Double, y: Double)] = []
        for sweep in sweeps.sorted(by: { $0.zoneStrength > $1.zoneStrength }) {
            let up = sweep.side == .buySide
            let color = Self.color(sweep.side)
            let at = x(pierceMiddle(sweep))
            let tip = y(sweep.extreme) + (up ? -4 : 4)
            let back = up ? -1.0 : 1.0
            let size = sweep.zoneStrength >= 5 ? 7.0 : 4.5
            canvas.line(at, y(sweep.level), at, y(sweep.extreme), "stroke=\"\(color)\" stroke-width=\"1.6\"")
            canvas.polygon(
                [(at, tip), (at - size, tip + back * size * 1.5), (at + size, tip + back * size * 1.5)],
                "fill=\"\(color)\" fill-opacity=\"\(sweep.zoneStrength >= 5 ? "1" : "0.55")\"")
            guard sweep.zoneStrength >= 5 else { continue }
            let words = label(sweep)
            let half = Double(words.count) * 2.9
            // At an edge the words move inwards, the triangle stays where it belongs.
            let center = min(max(at, Self.left + half + 2), plotRight - half - 2)
            let height = tip + back * (size * 1.5 + (up ? 5 : 13))
            let box = (left: center - half, right: center + half, y: height)
            // Numbers of the strongest first; one that would cover another's is left out, its triangle stays.
            if taken.contains(where: { $0.left < box.right && box.left < $0.right && abs($0.y - box.y) < 12 }) {
                continue
            }
            taken.append(box)
            canvas.text(center, height, words, size: 10.5, fill: color, anchor: "middle", halo: true)
        }
    }

    private func pierceMiddle(_ sweep: LiquiditySweep) -> Int64 {
        // The candle that went farthest stands between the piercing and the close back.
        let length = timeframe.milliseconds
        let within = candles.filter {
            $0.startMilliseconds + length > sweep.takenMilliseconds && $0.startMilliseconds < sweep.timeMilliseconds
        }
        let farthest =
            sweep.side == .buySide
            ? within.max { $0.high < $1.high } : within.min { $0.low < $1.low }
        return (farthest?.startMilliseconds ?? sweep.takenMilliseconds) + length / 2
    }

    private func label(_ sweep: LiquiditySweep) -> String {
        let bars = sweep.evidence.bars
        let pool = sweep.members > 1 ? " ×\(sweep.members)" : ""
        return "\(price(sweep.level))\(pool) +\(sweep.evidence.piercePips) pips, \(bars) bar\(bars == 1 ? "" : "s")"
    }

    private static let words: [ManipulationKind: String] = [
        .activitySpike: "spike", .spreadBlowout: "spread", .outlyingQuote: "one broker",
    ]

    private func drawSuspicions(_ canvas: inout ChartCanvas) {
        for event in suspicions {
            let (middle, height) = (x(event.timeMilliseconds), y(event.price))
            canvas.polygon(
                [(middle, height - 6), (middle + 6, height), (middle, height + 6), (middle - 6, height)],
                "fill=\"#7b1fa2\" fill-opacity=\"0.85\"")
            canvas.text(
                middle + 8, height + 4, Self.words[event.kind] ?? "", size: 10.5, fill: "#7b1fa2", halo: true)
        }
    }
}
