import Testing

@testable import Citadel

/// What is known of a level; two of them are equal when nothing that is shown differs.
struct Known: Equatable {
    var identifier: Int
    var state: LevelState
    var price: Double
    var outer: Double
    var members: Int
    var touches: Int
    var origins: LevelOrigins

    init(_ level: LiquidityLevel) {
        identifier = level.identifier
        state = level.state
        price = level.price
        outer = level.outer
        members = level.members.count
        touches = level.touches
        origins = level.origins
    }
}

@Suite("No repaint", .enabled(if: GoldenFile.isThere, "needs ../shared/data/smc beside the checkout"))
struct NoRepaintTests {
    private let length = Timeframe.m15.milliseconds

    @Test("for every bar of the file: what the stream knew then is what the whole file says of then")
    func everyBar() throws {
        let bars = try GoldenFile.bars()
        var engine = GoldenFile.engine()
        var known: [[Known]] = []
        known.reserveCapacity(bars.count)
        var changes: [LevelChange] = []
        GoldenFile.feed(&engine, bars) { engine, _, outputs in
            for case .levelChanged(let change) in outputs { changes.append(change) }
            known.append(engine.levels(of: "EURUSD").map(Known.init).sorted { $0.identifier < $1.identifier })
        }
        // Told from the end: the changes in the order of the times they claim, folded up to each bar's end.
        changes.sort { $0.timeMilliseconds < $1.timeMilliseconds }
        var told: [Int: Known] = [:]
        var next = changes.startIndex
        var differences = 0
        for (index, bar) in bars.enumerated() {
            while next < changes.endIndex, changes[next].timeMilliseconds <= bar.startMilliseconds + length {
                let change = changes[next]
                let isGone = change.kind == .expired || change.kind == .evicted
                told[change.level.identifier] = isGone ? nil : Known(change.level)
                next += 1
            }
            if told.values.sorted(by: { $0.identifier < $1.identifier }) != known[index] { differences += 1 }
        }
        print("no repaint: \(bars.count) bars, \(changes.count) changes, \(differences) bars differ")
        #expect(changes.count > 10_000)
        #expect(differences == 0)
    }

    @Test("nothing rests on what came later: every input of every event lies at or before its time")
    func inputsBefore() throws {
        let bars = try GoldenFile.bars()
        let byStart = Dictionary(bars.map { ($0.startMilliseconds, $0) }) { first, _ in first }
        let places = Dictionary(bars.enumerated().map { ($1.startMilliseconds, $0) }) { first, _ in first }
        var engine = GoldenFile.engine()
        var sweeps = 0
        var births = 0
        try GoldenFile.feed(&engine, bars) { _, bar, outputs in
            let now = bar.startMilliseconds + length
            for output in outputs {
                switch output {
                case .levelChanged(let change):
                    #expect(change.timeMilliseconds == now)
                    for member in change.level.members {
                        // A swing is known five bars after its own, when the fifth has closed; gaps have no bars.
                        let place = try #require(places[member.time])
                        #expect(place + 5 < bars.count && bars[place + 5].startMilliseconds + length <= now)
                        let made = try #require(byStart[member.time])
                        #expect((change.level.side == .buySide ? made.high : made.low) == member.price)
                    }
                    if change.kind == .born { births += 1 }
                case .sweep(let sweep):
                    sweeps += 1
                    #expect(sweep.timeMilliseconds == now && sweep.takenMilliseconds <= now)
                    #expect(sweep.evidence.piercedMilliseconds <= now)
                    #expect(abs(sweep.evidence.closeBack - bar.close) < 1e-7)
                default: break
                }
            }
        }
        #expect(births > 1_000 && sweeps > 100)
    }

    @Test("another future changes nothing of the past", arguments: [1_000, 7_777, 16_000, 24_000])
    func otherFuture(cut: Int) throws {
        let bars = try GoldenFile.bars()
        var changed = bars
        // From the cut on the market is turned upside down.
        let axis = bars[cut - 1].close
        for index in cut..<bars.count {
            changed[index].open = 2 * axis - bars[index].open
            changed[index].close = 2 * axis - bars[index].close
            changed[index].high = 2 * axis - bars[index].low
            changed[index].low = 2 * axis - bars[index].high
        }
        func outputs(_ bars: [Bar]) -> [CitadelOutput] {
            var engine = GoldenFile.engine()
            var all: [CitadelOutput] = []
            let end = bars[cut - 1].startMilliseconds
            GoldenFile.feed(&engine, bars) { _, bar, outputs in
                if bar.startMilliseconds <= end { all += outputs }
            }
            return all
        }
        #expect(outputs(changed) == outputs(bars))
    }

    @Test("swings: the batch list, cut back to what was confirmed by then, is what the stream knew")
    func swings() throws {
        let bars = try GoldenFile.bars()
        var detector = SwingDetector()
        var stream: [Swing] = []
        // Every swing of the whole file with the bar that made it known and the bar that made it go.
        var history: [(swing: Swing, known: Int, gone: Int)] = []
        var counts: [Int] = []
        for (index, bar) in bars.enumerated() {
            switch detector.append(bar) {
            case nil: break
            case .found(let swing):
                stream.append(swing)
                history.append((swing, index, .max))
            case .replaced(_, let swing):
                stream[stream.count - 1] = swing
                history[history.count - 1].gone = index
                history.append((swing, index, .max))
            }
            counts.append(stream.count)
        }
        #expect(history.filter { $0.gone == .max }.map(\.swing) == BatchLevels.swings(of: bars, forcesEnds: false))
        #expect(history.allSatisfy { $0.known == $0.swing.index + 5 })
        var late = 0
        for index in bars.indices where index % 50 == 0 {
            let prefix = BatchLevels.swings(of: Array(bars[...index]), forcesEnds: false)
            let told = history.filter { $0.known <= index && index < $0.gone }.map(\.swing)
            if prefix != told || told.count != counts[index] { late += 1 }
        }
        #expect(late == 0)
    }
}
