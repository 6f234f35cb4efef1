import Foundation
import Testing

@testable import Citadel

@Suite("Real ticks")
struct RealTicksTests {
    private static let name = "eurusd_oanda_2014-05-01_15_ticks.csv.gz"

    /// The file's ticks; prices are five-decimal text, read as integers because half a million `Double.init` are slow.
    private func ticks() throws -> [MarketTick] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", RealData.file(Self.name).path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        var ticks: [MarketTick] = []
        ticks.reserveCapacity(540_000)
        var fields: [Int64] = [0, 0, 0]
        var decimals = [0, 0, 0]
        var field = 0
        var afterPoint = false
        var header = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                if !header {
                    ticks.append(
                        MarketTick(
                            symbol: "EURUSD", source: "Oanda", timeMilliseconds: fields[0],
                            bid: Double(fields[1]) / Decimals.power(decimals[1]),
                            ask: Double(fields[2]) / Decimals.power(decimals[2]), decimals: 5))
                }
                header = false
                fields = [0, 0, 0]
                decimals = [0, 0, 0]
                field = 0
                afterPoint = false
            case UInt8(ascii: ","):
                field += 1
                afterPoint = false
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !header && field < 3:
                fields[field] = fields[field] * 10 + Int64(byte - UInt8(ascii: "0"))
                if afterPoint { decimals[field] += 1 }
            default: break
            }
        }
        return ticks
    }

    @Test(
        "two weeks of EURUSD: base rates, and every event is one a chart would show",
        .enabled(if: RealData.has(name), "needs ../shared/data beside the checkout"))
    func twoWeeks() throws {
        let ticks = try ticks()
        #expect(ticks.count == 532_903)
        var engine = CitadelEngine(instruments: ["EURUSD": Drawn.euro])
        var outputs: [CitadelOutput] = []
        var sweeps: [LiquiditySweep] = []
        var bars: [Bar] = []
        var most = 0
        for tick in ticks {
            engine.handle(tick, now: tick.timeMilliseconds, into: &outputs)
            guard !outputs.isEmpty else { continue }
            for output in outputs {
                if case .sweep(let sweep) = output { sweeps.append(sweep) }
                if case .barClosed(_, .m5, let bar) = output {
                    bars.append(bar)
                    most = max(most, engine.levels(of: "EURUSD").count)
                }
            }
            outputs.removeAll(keepingCapacity: true)
        }
        let counters = engine.counters
        let days = Set(bars.map { $0.startMilliseconds / 86_400_000 }).count
        print(
            "EURUSD 2014-05-01..15: \(days) days, \(bars.count) M5 bars, levels born \(counters["levels_born"] ?? 0), "
                + "at most \(most) in view, swept \(sweeps.count) (\(sweeps.count / max(1, days)) a day, "
                + "\(sweeps.filter { $0.zoneStrength >= 5 }.count) of strength 5 and more), "
                + "broken \(counters["levels_broken"] ?? 0), taken \(counters["levels_taken"] ?? 0), "
                + "expired untouched \(counters["levels_expired"] ?? 0), "
                + "manipulations \(counters["manipulations"] ?? 0)")
        #expect(counters["ticks_used"].map { $0 > 532_000 } == true)
        #expect(most <= 200 && most > 5)
        // The rates a chart reader finds plausible: some on every trading day, not one in every hour of it. These
        // ticks give 153, about eleven on each whole day.
        #expect((130...180).contains(sweeps.count))
        for sweep in sweeps {
            let span = bars.filter {
                $0.startMilliseconds + 300_000 > sweep.takenMilliseconds
                    && $0.startMilliseconds < sweep.timeMilliseconds
            }
            let closing = try #require(span.last)
            #expect(closing.startMilliseconds + 300_000 == sweep.timeMilliseconds)
            #expect(span.count <= 4)
            let high = try #require(span.map(\.high).max())
            let low = try #require(span.map(\.low).min())
            if sweep.side == .buySide {
                #expect(sweep.kind == .bullishSweep && sweep.extreme > sweep.level + 0.00002)
                #expect(closing.close < sweep.level + 0.00001 && abs(high - sweep.extreme) < 0.00001)
            } else {
                #expect(sweep.kind == .bearishSweep && sweep.extreme < sweep.level - 0.00002)
                #expect(closing.close > sweep.level - 0.00001 && abs(low - sweep.extreme) < 0.00001)
            }
        }
    }
}
