import Foundation
import Testing

@testable import Citadel

/// What the score says of trades a trader might really take on the real fortnight.
@Suite("Scores on real ticks")
struct RealScoreTests {
    private static let name = "eurusd_oanda_2014-05-01_15_ticks.csv.gz"

    /// One trade of the grid, with what was asked and answered.
    private struct Sample {
        var query: ProtectionQuery
        var answer: ProtectionScore
        var kind: String
    }

    /// Both sides: stops of 5, 12 and 25 pips, 1 pip behind the nearest pool and well behind it, targets of one and a
    /// half and three times the stop; at the market, and late (the price of the moment before).
    private func grid(
        _ engine: CitadelEngine, price: Double, earlier: Double, now: Int64, into samples: inout [Sample]
    ) throws {
        let resting = engine.levels(of: "EURUSD").filter { $0.state == .resting }
        for direction in TradeDirection.allCases {
            let sign = direction.sign
            let behind = resting.filter {
                $0.side == (direction == .buy ? .sellSide : .buySide) && (price - $0.price) * sign > 0.0003
            }
            let nearest = behind.min { abs($0.price - price) < abs($1.price - price) }
            var stops: [(String, Double)] = [5, 12, 25].map { ("\($0) pips", price - sign * Double($0) / 10_000) }
            if let nearest {
                stops.append(("in the crowd", nearest.outer - sign * 0.0001))
                stops.append(("behind the crowd", nearest.outer - sign * 0.0012))
            }
            let naked = ProtectionQuery(
                symbol: "EURUSD", entryPrice: earlier, direction: direction, takeProfit: earlier + sign * 0.0030)
            samples.append(Sample(query: naked, answer: try engine.score(naked, now: now), kind: "no stop, late"))
            for (kind, stop) in stops {
                let risk = abs(price - stop)
                for (entry, late) in [(price, ""), (earlier, ", late")] where (entry - stop) * sign > 0.0001 {
                    for reward in [1.5, 3.0] {
                        let query = ProtectionQuery(
                            symbol: "EURUSD", entryPrice: entry, direction: direction, stopLoss: stop,
                            takeProfit: entry + sign * reward * risk)
                        let answer = try engine.score(query, now: now)
                        samples.append(Sample(query: query, answer: answer, kind: kind + late))
                    }
                }
            }
        }
    }

    /// The first quarter of an hour after the payrolls of 2 May and of the central bank's press conference on 8 May.
    private static func isNews(_ time: Int64) -> Bool {
        [1_399_033_800_000, 1_399_552_200_000].contains { ($0..<$0 + 900_000).contains(time) }
    }

    @Test(
        "a grid of trades over the fortnight uses the whole scale, and for reasons",
        .enabled(if: RealData.has(name), "needs ../shared/data beside the checkout"))
    func wholeScale() throws {
        var engine = CitadelEngine(instruments: ["EURUSD": Drawn.euro])
        var outputs: [CitadelOutput] = []
        var samples: [Sample] = []
        var prices: [Double] = []
        var next: Int64 = 0
        for tick in try RealData.ticks(Self.name) {
            engine.handle(tick, now: tick.timeMilliseconds, into: &outputs)
            outputs.removeAll(keepingCapacity: true)
            if tick.timeMilliseconds >= next, next > 0 {
                prices.append(tick.mid)
                // A day of history first: before it the answers are rightly low.
                if prices.count > 144 {
                    try grid(
                        engine, price: tick.mid, earlier: prices[max(0, prices.count - 4)], now: tick.timeMilliseconds,
                        into: &samples)
                }
            }
            if tick.timeMilliseconds >= next {
                let step: Int64 = Self.isNews(tick.timeMilliseconds) ? 60_000 : 600_000
                next = tick.timeMilliseconds / step * step + step
            }
        }
        let scores = samples.map(\.answer.protectionScore).sorted()
        var bins = [Int](repeating: 0, count: 10)
        for score in scores { bins[min(9, Int(score) - 1)] += 1 }
        print("scores of \(samples.count) trades, by whole points 1...9 (10 alone last): \(bins)")
        print("lowest \(scores.first ?? 0), median \(scores[scores.count / 2]), highest \(scores.last ?? 0)")
        for risk in RiskLevel.allCases {
            print("\(risk.rawValue): \(samples.count { $0.answer.riskLevel == risk })")
        }
        for name in FactorName.allCases {
            let values = samples.compactMap { $0.answer.factors.first { $0.name == name }?.score }.sorted()
            print(
                "\(name.rawValue): lowest \(values[0]), tenth \(values[values.count / 10]), median "
                    + "\(values[values.count / 2]), ninth tenth \(values[values.count * 9 / 10]), highest "
                    + "\(values[values.count - 1])")
        }
        for place in [0, samples.count - 1] {
            let ordered = samples.sorted { $0.answer.protectionScore < $1.answer.protectionScore }
            let sample = ordered[place]
            let time = Date(timeIntervalSince1970: Double(sample.answer.timestampMilliseconds / 1000))
            print(
                "\(sample.answer.protectionScore): \(time) \(sample.query.direction?.rawValue ?? "") \(sample.kind)\n  "
                    + sample.answer.insights.joined(separator: "\n  "))
        }
        func median(_ kind: String) -> Double {
            let values = samples.filter { $0.kind == kind }.map(\.answer.protectionScore).sorted()
            return values.isEmpty ? 0 : values[values.count / 2]
        }
        for kind in Set(samples.map(\.kind)).sorted() { print("\(kind): median \(median(kind))") }
        #expect((scores.first ?? 10) < 2 && (scores.last ?? 0) >= 9)
        // Every answer rests on a quote of the same moment: the low end is the market's, not missing data's.
        #expect(samples.allSatisfy { !$0.answer.stale && $0.answer.confidence > 0.5 })
        #expect(RiskLevel.allCases.allSatisfy { risk in samples.contains { $0.answer.riskLevel == risk } })
        #expect(median("behind the crowd") > median("in the crowd") + 1)
        #expect(median("no stop, late") < median("5 pips, late") && median("5 pips") < median("25 pips"))
    }
}

extension RealData {
    /// The ticks of a `ts_ms_utc,bid,ask` file; prices are read as integers because `Double.init` is slow.
    static func ticks(_ name: String) throws -> [MarketTick] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file(name).path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return bytes.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap(tick)
    }

    private static func tick(_ line: ArraySlice<UInt8>) -> MarketTick? {
        let fields = line.split(separator: UInt8(ascii: ","))
        guard fields.count == 3, let time = number(fields[0]), let bid = number(fields[1]), let ask = number(fields[2])
        else { return nil }
        return MarketTick(
            symbol: "EURUSD", source: "Oanda", timeMilliseconds: Int64(time), bid: bid, ask: ask, decimals: 5)
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Double? {
        var digits = 0
        var decimals: Int?
        for byte in text {
            if byte == UInt8(ascii: ".") {
                decimals = 0
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits = digits * 10 + Int(byte - UInt8(ascii: "0"))
                decimals = decimals.map { $0 + 1 }
            } else if byte != UInt8(ascii: "\r") {
                return nil
            }
        }
        return Double(digits) / Decimals.power(decimals ?? 0)
    }
}
