import Foundation

@testable import Citadel

/// SplitMix64: small, and the same on every machine. Tests print the seed they use.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

enum Drawn {
    /// Wednesday 2025-08-20 00:00 UTC.
    static let start: Int64 = 1_755_648_000_000
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let euro = InstrumentProfile(symbol: "EURUSD", digits: 5, pip: 0.0001)

    static func engine(_ change: (inout CitadelConfiguration) -> Void = { _ in }) -> CitadelEngine {
        var configuration = CitadelConfiguration()
        // Round numbers have tests of their own; elsewhere they would only clutter the drawings.
        configuration.roundNumberPips = 0
        change(&configuration)
        return CitadelEngine(configuration: configuration, instruments: ["EURUSD": euro])
    }

    static func tick(
        _ price: Double, at time: Int64, spread: Double = 0.0001, source: String = "Broker-1",
        symbol: String = "EURUSD", decimals: Int = 5
    ) -> MarketTick {
        MarketTick(
            symbol: symbol, source: source, timeMilliseconds: time, bid: price - spread / 2, ask: price + spread / 2,
            decimals: decimals)
    }

    /// Straight lines between (minute from `start`, middle price), a tick every ten seconds.
    static func path(_ points: [(minute: Int, price: Double)]) -> [MarketTick] {
        var ticks: [MarketTick] = []
        for (from, to) in zip(points, points.dropFirst()) {
            let steps = (to.minute - from.minute) * 6
            for step in 0..<steps {
                let share = Double(step) / Double(steps)
                ticks.append(
                    tick(
                        from.price + (to.price - from.price) * share,
                        at: start + Int64(from.minute) * minute + Int64(step) * 10_000))
            }
        }
        if let last = points.last { ticks.append(tick(last.price, at: start + Int64(last.minute) * minute)) }
        return ticks
    }

    /// A day that does nothing but breathe: up and down 5 pips every hour for three hours, then up to one clear
    /// high at 1.10400 (minute 210) and back to 1.10200 (minute 250), where it rests until minute 300.
    static let oneHigh: [(minute: Int, price: Double)] = [
        (0, 1.1000), (30, 1.1005), (60, 1.1000), (90, 1.10052), (120, 1.10003), (150, 1.10049), (180, 1.10001),
        (210, 1.1040), (250, 1.1020), (275, 1.10215), (300, 1.1020),
    ]

    /// A random walk of the middle price, a tick every five seconds.
    static func walk(seed: UInt64, ticks count: Int, step: Double = 0.00003) -> [MarketTick] {
        var generator = SeededGenerator(seed: seed)
        var price = 1.1
        return (0..<count).map { index in
            price += Double.random(in: -step...step, using: &generator)
            price = max(0.5, price)
            return tick(
                (price * 100_000).rounded() / 100_000, at: start + Int64(index) * 5_000,
                spread: Double(Int.random(in: 8...14, using: &generator)) / 100_000)
        }
    }

    @discardableResult
    static func feed(_ engine: inout CitadelEngine, _ ticks: [MarketTick]) -> [CitadelOutput] {
        var outputs: [CitadelOutput] = []
        for tick in ticks { engine.handle(tick, now: tick.timeMilliseconds, into: &outputs) }
        return outputs
    }

    static func sweeps(_ outputs: [CitadelOutput]) -> [LiquiditySweep] {
        outputs.compactMap { if case .sweep(let sweep) = $0 { sweep } else { nil } }
    }

    static func updates(_ outputs: [CitadelOutput]) -> [SignalUpdate] {
        outputs.compactMap { if case .signalUpdated(let update) = $0 { update } else { nil } }
    }

    /// A level as the book would hold it, for views drawn by hand.
    static func level(
        _ price: Double, _ side: LiquiditySide, state: LevelState = .resting, members: Int = 1,
        origins: LevelOrigins = .swingFifteenMinute, band: Double = 0.0001, born: Int64 = start, ended: Int64? = nil
    ) -> LiquidityLevel {
        LiquidityLevel(
            identifier: Int(price * 1_000_000), side: side, state: state, origins: origins, anchor: price,
            price: price, outer: price, band: band, pierceMargin: 0.00003,
            members: (0..<members).map {
                LevelMember(price: price, time: born + Int64($0) * hour, origin: origins)
            }, born: born, ended: ended)
    }

    /// A healthy market at 1.10000, Wednesday 13:00 UTC, with a day and a half of history and no level.
    static func view(_ change: (inout MarketView) -> Void = { _ in }) -> MarketView {
        var view = MarketView(symbol: "EURUSD", now: start + 13 * hour, configuration: CitadelConfiguration())
        view.price = 1.1
        view.spread = 0.0001
        view.usualSpread = 0.0001
        view.quoteTime = view.now
        view.range5 = 0.0005
        view.usualRange5 = 0.0005
        view.range15 = 0.001
        view.bars5 = 432
        view.leans = TimeframeLeans(m5: 1, m15: 1, h1: 1)
        change(&view)
        return view
    }
}

/// Where the shared real data stands: `../shared/data` beside the checkout.
enum RealData {
    static let folder: URL = {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("shared/data")
    }()

    static func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
    static func has(_ name: String) -> Bool { FileManager.default.isReadableFile(atPath: file(name).path) }
}
