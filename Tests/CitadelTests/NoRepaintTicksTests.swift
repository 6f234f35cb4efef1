import Testing

@testable import Citadel

private let fortnight = "eurusd_oanda_2014-05-01_15_ticks.csv.gz"

/// The same promise as `NoRepaintTests`, on real ticks and with every source of levels: swings, days, sessions, numbers.
@Suite("No repaint on ticks", .enabled(if: RealData.has(fortnight), "needs ../shared/data beside the checkout"))
struct NoRepaintTicksTests {
    /// Feeds ticks and looks at each thing told: it may claim no time at which it was not known yet.
    private struct Stream {
        var engine = CitadelEngine(instruments: ["EURUSD": Drawn.euro])
        var changes: [LevelChange] = []
        var sweeps: [LiquiditySweep] = []
        /// Claims of the past or the future.
        var backdated = 0
        private var now: Int64 = 0
        private var before: Int64 = 0
        private var outputs: [CitadelOutput] = []

        /// True where an M5 bar closed.
        mutating func feed(_ tick: MarketTick) -> Bool {
            if tick.timeMilliseconds > now { (before, now) = (now, tick.timeMilliseconds) }
            engine.handle(tick, now: now, into: &outputs)
            guard !outputs.isEmpty else { return false }
            var closed = false
            for output in outputs {
                switch output {
                case .levelChanged(let change):
                    changes.append(change)
                    look(change.timeMilliseconds)
                case .sweep(let sweep):
                    sweeps.append(sweep)
                    look(sweep.timeMilliseconds)
                    if sweep.evidence.piercedMilliseconds > sweep.timeMilliseconds { backdated += 1 }
                case .barClosed(_, .m5, _): closed = true
                default: break
                }
            }
            outputs.removeAll(keepingCapacity: true)
            return closed
        }

        /// After the tick before nothing of it was told, so it must be younger than that.
        private mutating func look(_ time: Int64) {
            if time <= before || time > now { backdated += 1 }
        }

        var known: [Known] {
            engine.levels(of: "EURUSD").map(Known.init).sorted { $0.identifier < $1.identifier }
        }
    }

    /// Some twenty places in the file, odd on purpose; between two ticks of different times.
    private func cuts(_ ticks: [MarketTick]) -> [Int] {
        (1...20).map { ticks.count * $0 / 21 + $0 * 37 }.map { wanted in
            var place = wanted
            while ticks[place].timeMilliseconds == ticks[place - 1].timeMilliseconds { place += 1 }
            return place
        }
    }

    @Test("what the stream knew at each bar and cut is what the whole file says of then", .timeLimit(.minutes(5)))
    func prefixes() throws {
        let ticks = try RealData.ticks(fortnight)
        let cuts = Set(cuts(ticks))
        var stream = Stream()
        var known: [(time: Int64, levels: [Known])] = []
        var isDue = false
        for (place, tick) in ticks.enumerated() {
            let last = place > 0 ? ticks[place - 1].timeMilliseconds : 0
            if isDue || cuts.contains(place), tick.timeMilliseconds > last {
                known.append((last, stream.known))
                isDue = false
            }
            if stream.feed(tick) { isDue = true }
        }
        // The steps in the order of the times they claim, folded up to each moment.
        let changes = stream.changes.enumerated().sorted {
            ($0.element.timeMilliseconds, $0.offset) < ($1.element.timeMilliseconds, $1.offset)
        }.map(\.element)
        var told: [Int: Known] = [:]
        var next = changes.startIndex
        var differences = 0
        for moment in known {
            while next < changes.endIndex, changes[next].timeMilliseconds <= moment.time {
                let change = changes[next]
                let isGone = change.kind == .expired || change.kind == .evicted
                told[change.level.identifier] = isGone ? nil : Known(change.level)
                next += 1
            }
            if told.values.sorted(by: { $0.identifier < $1.identifier }) != moment.levels { differences += 1 }
        }
        let origins = changes.reduce(into: LevelOrigins()) { $0.formUnion($1.level.origins) }
        print("no repaint on ticks: \(known.count) moments, \(changes.count) changes, \(differences) differ")
        #expect(known.count > 2_000 && changes.count > 1_000 && origins == .all)
        #expect(differences == 0 && stream.backdated == 0)
    }

    @Test("another future changes nothing of the past, at twenty cuts", .timeLimit(.minutes(5)))
    func otherFuture() throws {
        let ticks = try RealData.ticks(fortnight)
        let cuts = cuts(ticks)
        var stream = Stream()
        var place = 0
        var later = 0
        for (number, cut) in cuts.enumerated() {
            while place < cut {
                _ = stream.feed(ticks[place])
                place += 1
            }
            if number == 0 {
                // A copy stands for a run of its own: the first cut is played twice.
                var fresh = Stream()
                for tick in ticks[..<cut] { _ = fresh.feed(tick) }
                #expect(fresh.changes == stream.changes && fresh.sweeps == stream.sweeps && fresh.known == stream.known)
            }
            // From the cut on, for eight hours, the market is turned upside down: it runs what it left alone.
            let axis = ticks[cut - 1].bid + ticks[cut - 1].ask
            var other = stream
            for tick in ticks[cut...] {
                guard tick.timeMilliseconds < ticks[cut].timeMilliseconds + 8 * Drawn.hour else { break }
                var turned = tick
                (turned.bid, turned.ask) = (axis - tick.ask, axis - tick.bid)
                _ = other.feed(turned)
            }
            let time = ticks[cut - 1].timeMilliseconds
            #expect(other.changes.filter { $0.timeMilliseconds <= time } == stream.changes)
            #expect(other.sweeps.filter { $0.timeMilliseconds <= time } == stream.sweeps)
            #expect(other.backdated == 0)
            later += other.changes.count - stream.changes.count
        }
        // The other futures did have something to say.
        #expect(later > 500)
    }
}
