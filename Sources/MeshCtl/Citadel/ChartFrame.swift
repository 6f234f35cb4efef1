import Citadel
import Domain

// What stands around the candles: sessions, grid, axes, words.
extension ChartDrawing {
    private static let sessions: [MarketSession: (color: String, name: String)] = [
        .tokyo: ("#f4f6fd", "Tokyo"), .london: ("#f2f9f4", "London"), .overlap: ("#fff8e8", "London + New York"),
        .newYork: ("#fcf3f3", "New York"), .offHours: ("#f5f5f5", "off hours"), .weekend: ("#ebebeb", "weekend"),
    ]

    func drawSessions(_ canvas: inout ChartCanvas) {
        let hour = Timeframe.h1.milliseconds
        var from = start
        while from < end {
            let session = MarketSession.at(from)
            var to = from - from % hour + hour
            while to < end, MarketSession.at(to) == session { to += hour }
            to = min(to, end)
            if let look = Self.sessions[session] {
                canvas.rectangle(x(from), Self.top, x(to) - x(from), plotHeight, "fill=\"\(look.color)\"")
                if x(to) - x(from) > Double(look.name.count) * 6 {
                    canvas.text(
                        (x(from) + x(to)) / 2, Self.top + 13, look.name, size: 10.5, fill: "#999", anchor: "middle")
                }
            }
            from = to
        }
    }

    func drawGrid(_ canvas: inout ChartCanvas) {
        for value in priceMarks {
            canvas.line(Self.left, y(value), plotRight, y(value), "stroke=\"#000\" stroke-opacity=\"0.07\"")
            canvas.text(plotRight + 6, y(value) + 4, price(value), size: 11, fill: "#666")
        }
        let step = timeStep
        var time = start - start % step
        while time <= end {
            if time >= start {
                let isMidnight = time % 86_400_000 == 0
                let opacity = isMidnight ? "0.35" : "0.07"
                canvas.line(
                    x(time), Self.top, x(time), Self.top + plotHeight, "stroke=\"#000\" stroke-opacity=\"\(opacity)\"")
                // A date at an edge stays inside the picture.
                let anchor = !isMidnight ? "middle" : time == start ? "start" : time == end ? "end" : "middle"
                canvas.text(
                    x(time), Self.height - Self.bottom + 16, isMidnight ? day(time) : clock(time), size: 11,
                    fill: "#555",
                    anchor: anchor, bold: isMidnight)
            }
            time += step
        }
        canvas.text(plotRight + 6, Self.height - Self.bottom + 16, "UTC", size: 11, fill: "#555", bold: true)
    }

    /// Round prices, about a dozen of them.
    private var priceMarks: [Double] {
        let low = candles.map(\.low).min() ?? 0
        let high = candles.map(\.high).max() ?? 1
        let steps = (0..<8).flatMap { power in
            let unit = (0..<power).reduce(profile.pip) { value, _ in value * 10 }
            return [unit, 2 * unit, 5 * unit]
        }
        guard let step = steps.first(where: { (high - low) / $0 <= 14 }), step > 0 else { return [] }
        let first = Int64((low / step).rounded(.up))
        let last = Int64((high / step).rounded(.down))
        return first <= last ? (first...last).map { Double($0) * step } : []
    }

    private var timeStep: Int64 {
        let minutes: [Int64] = [5, 10, 15, 30, 60, 120, 240, 360, 720, 1_440, 2_880, 10_080]
        return (minutes.first { (end - start) / ($0 * 60_000) <= 16 } ?? 20_160) * 60_000
    }

    func drawFrame(_ canvas: inout ChartCanvas) {
        canvas.rectangle(Self.left, Self.top, plotWidth, plotHeight, "fill=\"none\" stroke=\"#999\"")
    }

    /// Levels still in view at the right edge, with what they are; moved apart where they would cover each other.
    func drawLevelLabels(_ canvas: inout ChartCanvas) {
        let standing = levels.compactMap { level -> (level: ChartLevel, price: Double)? in
            guard let last = level.stretches.last, last.to == nil, y(last.price) > Self.top,
                y(last.price) < Self.top + plotHeight
            else { return nil }
            return (level, last.price)
        }.sorted { $0.price > $1.price }
        var lowest = Self.top - 12
        for (level, price) in standing {
            let wanted = y(price) + 3.5
            let place = max(wanted, lowest + 12)
            lowest = place
            let color = Self.color(level.side)
            canvas.line(plotRight, y(price), plotRight + 58, place - 3.5, "stroke=\"\(color)\" stroke-opacity=\"0.5\"")
            let pool = level.members > 1 ? " ×\(level.members)" : ""
            canvas.text(
                plotRight + 61, place, "\(self.price(price))\(pool) \(origin(level)) \(level.strength)", size: 10.5,
                fill: color, bold: level.strength >= 5, halo: true)
        }
    }

    private func origin(_ level: ChartLevel) -> String {
        let words = [
            "previous_day": "day", "swing_m15": "M15", "tokyo_session": "Tokyo", "london_session": "London",
            "new_york_session": "NY", "swing_m5": "M5", "round_number": "round",
        ]
        let names = level.origins.names.compactMap { words[$0] }
        // An M15 swing is nearly always an M5 swing too: the longer one says enough.
        return names.filter { $0 != "M5" || !names.contains("M15") }.joined(separator: "+")
    }

    func drawTitle(_ canvas: inout ChartCanvas) {
        canvas.text(
            Self.left, 26, "\(profile.symbol) \(timeframe.rawValue)", size: 19, fill: "#111", bold: true)
        let span = "\(day(start)) \(clock(start)) to \(day(end)) \(clock(end)) UTC, middle prices"
        canvas.text(Self.left + 130, 26, span, size: 13, fill: "#444")
        let strong = sweeps.filter { $0.zoneStrength >= 5 }.count
        canvas.text(
            plotRight, 26,
            "\(sweeps.count) sweeps (\(strong) of strength 5 and more), "
                + "\(levels.filter { $0.end == .broken && ended($0) }.count) levels broken", size: 13, fill: "#444",
            anchor: "end")
    }

    private func ended(_ level: ChartLevel) -> Bool {
        level.stretches.last?.to.map { $0 > start && $0 <= end } ?? false
    }

    func drawLegend(_ canvas: inout ChartCanvas) {
        let row = 52.0
        var x = Self.left
        func words(_ canvas: inout ChartCanvas, _ text: String) {
            canvas.text(x, row + 4, text, size: 11.5, fill: "#444")
            x += Double(text.count) * 5.9 + 20
        }
        for (side, text) in [
            (LiquiditySide.buySide, "buy-side level (above highs)"), (.sellSide, "sell-side level (below lows)"),
        ] {
            canvas.line(x, row, x + 26, row, "stroke=\"\(Self.color(side))\" stroke-width=\"1.8\"")
            x += 32
            words(&canvas, text)
        }
        canvas.line(x, row, x + 26, row, "stroke=\"#555\" stroke-width=\"1.6\" stroke-dasharray=\"2 2\"")
        x += 32
        words(&canvas, "taken, not yet decided")
        canvas.polygon([(x + 6, row + 5), (x, row - 5), (x + 12, row - 5)], "fill=\"\(Self.buySide)\"")
        canvas.polygon([(x + 22, row - 5), (x + 16, row + 5), (x + 28, row + 5)], "fill=\"\(Self.sellSide)\"")
        x += 34
        words(&canvas, "swept: level, pierce, bars until it closed back (pale: strength below 5)")
        canvas.line(x, row - 4, x + 8, row + 4, "stroke=\"#777\" stroke-width=\"1.4\"")
        canvas.line(x, row + 4, x + 8, row - 4, "stroke=\"#777\" stroke-width=\"1.4\"")
        x += 14
        words(&canvas, "broken")
        canvas.polygon([(x + 5, row - 6), (x + 11, row), (x + 5, row + 6), (x - 1, row)], "fill=\"#7b1fa2\"")
        x += 17
        words(&canvas, "suspicious")
        words(&canvas, "thicker: stronger (0 to 10)")
    }

    private func clock(_ time: Int64) -> String { String("\(Timestamp(milliseconds: time))".dropFirst(11).prefix(5)) }

    private func day(_ time: Int64) -> String { String("\(Timestamp(milliseconds: time))".prefix(10)) }
}
