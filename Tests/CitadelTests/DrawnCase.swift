import Foundation

@testable import Citadel

/// A small price path in a readable file of `Tests/CitadelCases`, with what must and must not be found.
///
/// One statement a line; `#` begins a comment. Minutes count from `start`, prices are middle prices.
/// ```
/// start 2025-08-20 00:00              UTC; this Wednesday where it is left out
/// levels swings                       only swings make levels; `levels all` adds days, sessions, round numbers
/// 210 1.1040                          a corner of the path: straight lines between corners, a tick each 10 s
/// B: 210 1.1040                       the same for broker B (the broker is A where none is named)
/// pause                               no ticks until the next corner
/// spread 302 8.0                      from minute 302 on the spread is 8.0 pips (1.0 at first)
/// every 302 1                         from minute 302 on a tick every second
/// quote A 301.5 1.1080/1.1060         one single quote, bid/ask
/// expect …                            see `DrawnCase.Expectation`
/// ```
struct DrawnCase {
    /// What must hold when the last tick was fed.
    enum Expectation {
        /// `level 1.1040 buy_side swept [members 2] [touches 1] [origin round_number]`; `none` for a level that must
        /// not be in view.
        case level(price: Double, side: LiquiditySide, state: LevelState?, more: [String: String])
        /// `sweep 1.1040 buy_side [at 305] [bars 1] [extreme 1.1046] [members 2]`: exactly one.
        case sweep(price: Double, side: LiquiditySide, more: [String: String])
        /// `no sweep [1.1040]`
        case noSweep(Double?)
        /// `manipulation spread_blowout 1 [source A]`: so many; 0 for none.
        case manipulation(ManipulationKind, Int, more: [String: String])
        /// `count tick_crossed 1`
        case count(String, Int)
        /// `source B`: whose quotes are used at the end.
        case source(String)
        /// `regime trend BUY`
        case regime(MarketRegime, TradeDirection?)
    }

    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    private struct Corner {
        var minute: Double
        var price: Double
        var followsPause: Bool
    }

    var name: String
    var ticks: [MarketTick] = []
    var expectations: [Expectation] = []
    var start = Drawn.start
    var origins: LevelOrigins = [.swingFiveMinute, .swingFifteenMinute]
    private var corners: [String: [Corner]] = [:]
    private var paused: Set<String> = []
    private var spreads: [(minute: Double, pips: Double)] = [(-1, 1)]
    private var paces: [(minute: Double, seconds: Double)] = [(-1, 10)]
    private var singles: [(source: String, minute: Double, bid: Double, ask: Double)] = []

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("CitadelCases")

    static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.resolvingSymlinksInPath().path)) ?? [])
        .filter { $0.hasSuffix(".case") }.map { String($0.dropLast(5)) }.sorted()

    init(named name: String) throws {
        self.name = name
        let text = try String(contentsOf: Self.folder.appendingPathComponent(name + ".case"), encoding: .utf8)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let statement = line.prefix { $0 != "#" }
            var words = statement.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            do {
                if first.hasSuffix(":") {
                    words.removeFirst()
                    try read(words, source: String(first.dropLast()))
                } else {
                    try read(words, source: "A")
                }
            } catch {
                throw Malformed(description: "\(name).case, line \(index + 1): \(line): \(error)")
            }
        }
        draw()
    }

    private mutating func read(_ words: [String], source: String) throws {
        switch words.first {
        case "start":
            let parts = words.dropFirst().joined(separator: " ").split { !$0.isNumber }.compactMap { Int64($0) }
            guard parts.count == 5 else { throw Malformed(description: "start YYYY-MM-DD HH:MM") }
            let minutes = GoldenFile.days(parts[0], parts[1], parts[2]) * 1_440 + parts[3] * 60 + parts[4]
            start = minutes * Drawn.minute
        case "levels":
            guard ["all", "swings"].contains(words.last) else { throw Malformed(description: "levels all|swings") }
            if words.last == "all" { origins = .all }
        case "pause": paused.insert(source)
        case "spread": spreads.append((try number(words, 1), try number(words, 2)))
        case "every": paces.append((try number(words, 1), try number(words, 2)))
        case "quote":
            let prices = words.count == 4 ? words[3].split(separator: "/").compactMap { Double($0) } : []
            guard prices.count == 2 else { throw Malformed(description: "quote SOURCE MINUTE BID/ASK") }
            singles.append((words[1], try number(words, 2), prices[0], prices[1]))
        case "expect": expectations.append(try Expectation(Array(words.dropFirst())))
        default:
            let isPaused = paused.remove(source) != nil
            corners[source, default: []].append(
                Corner(minute: try number(words, 0), price: try number(words, 1), followsPause: isPaused))
        }
    }

    private func number(_ words: [String], _ place: Int) throws -> Double {
        guard place < words.count, let number = Double(words[place]) else {
            throw Malformed(description: "a number is missing")
        }
        return number
    }

    // MARK: ticks

    private mutating func draw() {
        for (source, corners) in corners.sorted(by: { $0.key < $1.key }) {
            for (from, to) in zip(corners, corners.dropFirst()) where !to.followsPause {
                var minute = from.minute
                while minute < to.minute - 1e-9 {
                    let share = (minute - from.minute) / (to.minute - from.minute)
                    add(source, minute, from.price + (to.price - from.price) * share)
                    minute += (paces.last { $0.minute <= minute + 1e-9 }?.seconds ?? 10) / 60
                }
            }
            if let last = corners.last { add(source, last.minute, last.price) }
        }
        for single in singles {
            ticks.append(tick(single.source, single.minute, bid: single.bid, ask: single.ask))
        }
        // Brokers speak in turn; quotes of one moment in the order of their names.
        ticks = ticks.enumerated().sorted {
            ($0.element.timeMilliseconds, $0.element.source, $0.offset)
                < ($1.element.timeMilliseconds, $1.element.source, $1.offset)
        }.map(\.element)
    }

    private mutating func add(_ source: String, _ minute: Double, _ price: Double) {
        let half = (spreads.last { $0.minute <= minute + 1e-9 }?.pips ?? 1) * 0.0001 / 2
        ticks.append(tick(source, minute, bid: price - half, ask: price + half))
    }

    private func tick(_ source: String, _ minute: Double, bid: Double, ask: Double) -> MarketTick {
        MarketTick(
            symbol: "EURUSD", source: source, timeMilliseconds: start + Int64((minute * 60_000).rounded()), bid: bid,
            ask: ask, decimals: 5)
    }
}

extension DrawnCase.Expectation {
    init(_ words: [String]) throws {
        func word(_ place: Int) throws -> String {
            guard place < words.count else { throw DrawnCase.Malformed(description: "a word is missing") }
            return words[place]
        }
        func price(_ place: Int) throws -> Double {
            guard let price = Double(try word(place)) else { throw DrawnCase.Malformed(description: "no price") }
            return price
        }
        func side(_ place: Int) throws -> LiquiditySide {
            guard let side = LiquiditySide(rawValue: try word(place)) else {
                throw DrawnCase.Malformed(description: "buy_side or sell_side")
            }
            return side
        }
        func more(from place: Int) -> [String: String] {
            stride(from: place, to: words.count - 1, by: 2).reduce(into: [:]) { $0[words[$1]] = words[$1 + 1] }
        }
        switch try word(0) {
        case "level":
            let state = LevelState(rawValue: try word(3))
            guard state != nil || words[3] == "none" else { throw DrawnCase.Malformed(description: "no such state") }
            self = .level(price: try price(1), side: try side(2), state: state, more: more(from: 4))
        case "sweep": self = .sweep(price: try price(1), side: try side(2), more: more(from: 3))
        case "no" where words.last == "sweep": self = .noSweep(nil)
        case "no": self = .noSweep(try price(2))
        case "manipulation":
            guard let kind = ManipulationKind(rawValue: try word(1)), let count = Int(try word(2)) else {
                throw DrawnCase.Malformed(description: "manipulation KIND COUNT")
            }
            self = .manipulation(kind, count, more: more(from: 3))
        case "count":
            guard let count = Int(try word(2)) else { throw DrawnCase.Malformed(description: "count NAME COUNT") }
            self = .count(words[1], count)
        case "source": self = .source(try word(1))
        case "regime":
            guard let regime = MarketRegime(rawValue: try word(1)) else {
                throw DrawnCase.Malformed(description: "no such regime")
            }
            self = .regime(regime, words.count > 2 ? TradeDirection(rawValue: words[2]) : nil)
        default: throw DrawnCase.Malformed(description: "not something that can be expected")
        }
    }
}
