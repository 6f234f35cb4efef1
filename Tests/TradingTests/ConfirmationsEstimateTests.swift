import Domain
import Testing
import Trading
import Wire

@Suite("Confirmations: money that was estimated first and told exactly later")
struct ConfirmationsEstimateTests {
    private func report(
        _ kind: TradeReport.Kind, lot: String? = nil, profit: String? = nil, witness: String? = nil,
        time: String? = nil
    ) -> TradeReport {
        var report = TradeReport(kind: kind)
        (report.userUUID, report.account, report.server, report.ticket) = ("user_1", "555", "S", 9)
        (report.symbol, report.lot, report.profit, report.currency) = ("EURUSD", lot, profit, "USD")
        if let witness { (report.source, report.witness) = ("inferred", witness) }
        report.closeTime = time
        return report
    }

    /// An open position with an unrealised profit, as the tracker has it.
    private func bench(pnl: String?, lot: String = "0.10") -> ConfirmationsBench {
        var bench = ConfirmationsBench()
        _ = bench.take(report(.opened, lot: lot), hash: "open", at: 1000)
        var position = ["ticket": "9", "state": "open", "lot": lot, "current_price": "1.1"]
        position["current_pnl"] = pnl
        bench.positions["555"] = [position]
        return bench
    }

    private func sums(_ bench: ConfirmationsBench) -> [String: Int64] {
        (bench.statistics["global"] ?? [:]).filter { $0.value != 0 && !$0.key.hasPrefix("largest") }
    }

    private var answered: TradeReport {
        var report = report(.closed)
        (report.message, report.timestamp) = ("Position closed successfully", "2025.09.15 11:00:00")
        return report
    }

    @Test(
        "2.06H closes without its money and tells it a moment later: the difference is booked, once",
        arguments: ["-1.00", nil] as [String?], [false, true])
    func exact(estimate: String?, restarts: Bool) throws {
        var bench = bench(pnl: estimate)
        let first = try #require(bench.take(answered, hash: "1", at: 2000).first)
        #expect(first.profitSource == (estimate == nil ? .unknown : .quote) && first.isFinal && first.isCounted)
        #expect(bench.count(estimate == nil ? "unknown_profit" : "losses") == 1)
        if restarts { bench.restart() }
        bench.positions = [:]
        var told = report(.closed, profit: "3.00")
        (told.closePrice, told.reason) = ("1.08470", "MANUAL")
        let second = try #require(bench.take(told, hash: "2", at: 3000).first)
        #expect(second.isCorrection && second.eventID == first.eventID && second.source == .message)
        #expect(second.profit == "3.00" && second.profitSource == .message && second.lot == first.lot)
        #expect(second.reason == "MANUAL" && second.isCounted && second.positionProfit == Amount(3))
        #expect(bench.count("gross_profit.USD") == 300_000_000 && bench.count("gross_loss.USD") == 0)
        #expect(bench.count("wins") == 1 && bench.count("losses") + bench.count("unknown_profit") == 0)
        #expect(bench.count("total_trades") == 1)
        // Exact money is final: a repeat, another figure and the first message again change nothing.
        let before = bench.statistics
        for (index, again) in [told, report(.closed, profit: "9", time: "5"), answered].enumerated() {
            if restarts { bench.restart() }
            let events = bench.take(again, hash: "again \(index)", at: 4000)
            #expect(events.isEmpty)
        }
        #expect(bench.statistics == before)
    }

    @Test("the exact money first: the estimate that follows changes nothing")
    func reversed() {
        var bench = bench(pnl: "-1.00")
        _ = bench.take(report(.closed, profit: "-3"), hash: "1", at: 2000)
        let before = bench.statistics
        let events = bench.take(answered, hash: "2", at: 2001)
        #expect(events.isEmpty && bench.statistics == before && bench.count("gross_loss.USD") == 300_000_000)
    }

    @Test("a witness, then an answer without money, then the money: each is one closing")
    func threefold() throws {
        var bench = bench(pnl: nil)
        _ = bench.take(report(.closed, witness: "flat"), hash: "1", at: 2000)
        let merged = try #require(bench.take(answered, hash: "2", at: 3000).first)
        #expect(merged.isCorrection && merged.source == .merged && bench.count("unknown_profit") == 1)
        bench.restart()
        let told = try #require(bench.take(report(.closed, profit: "-4"), hash: "3", at: 4000).first)
        #expect(told.isCorrection && told.source == .merged && told.witness == "flat")
        #expect(bench.count("losses") == 1 && bench.count("unknown_profit") == 0 && bench.count("total_trades") == 1)
        let witness = bench.take(report(.closed, profit: "-7", witness: "balance"), hash: "4", at: 5000)
        #expect(witness.isEmpty && bench.count("gross_loss.USD") == 400_000_000)
    }

    @Test("parts: the same part is corrected, another part of the same size is another closing")
    func parts() throws {
        var bench = bench(pnl: nil)
        _ = bench.take(report(.closed, lot: "0.04", time: "2025.09.15 11:00:00"), hash: "1", at: 2000)
        let other = try #require(
            bench.take(report(.closed, lot: "0.04", profit: "2", time: "2025.09.15 11:07:00"), hash: "2", at: 3000)
                .first)
        #expect(!other.isCorrection && other.closedVolume == Amount("0.08"))
        bench.restart()
        let same = try #require(
            bench.take(report(.closed, lot: "0.04", profit: "1", time: "2025.09.15 11:00:01"), hash: "3", at: 4000)
                .first)
        #expect(same.isCorrection && same.closedVolume == Amount("0.04") && !same.isFinal)
        #expect(bench.count("gross_profit.USD") == 300_000_000 && bench.count("total_trades") == 0)
    }

    @Test("a part that is corrected after its position was counted moves the position to its right class")
    func recounted() throws {
        for restarts in [false, true] {
            var bench = bench(pnl: nil)
            _ = bench.take(report(.closed, lot: "0.04", profit: "-20", witness: "balance"), hash: "1", at: 2000)
            let last = try #require(
                bench.take(report(.closed, lot: "0.06", profit: "10", time: "7"), hash: "2", at: 3000).first)
            #expect(last.isCounted && last.positionProfit == Amount(-10) && last.isRevisable)
            #expect(bench.count("losses") == 1 && bench.count("losses.USD") == 1)
            if restarts { bench.restart() }
            let part = try #require(
                bench.take(report(.closed, lot: "0.04", profit: "30", time: "6"), hash: "3", at: 4000).first)
            #expect(part.isCorrection && !part.isCounted && part.positionProfit == Amount(40))
            #expect(part.recounted == CountedProfit(Amount(-10)) && !part.isRevisable)
            // The same life told by the terminal alone.
            var plain = self.bench(pnl: nil)
            _ = plain.take(report(.closed, lot: "0.04", profit: "30", time: "6"), hash: "1", at: 2000)
            _ = plain.take(report(.closed, lot: "0.06", profit: "10", time: "7"), hash: "2", at: 3000)
            #expect(sums(bench) == sums(plain))
            let fields = Dictionary(part.fields.map { ($0.name, $0.value) }) { first, _ in first }
            #expect(TradeEvent(fields: fields) == part)
        }
    }

    @Test("a part and the end both estimated: corrected in any order they end where the exact ones do")
    func bothEstimated() throws {
        for isEndFirst in [false, true] {
            var bench = bench(pnl: nil)
            _ = bench.take(report(.closed, lot: "0.04", time: "2025.09.15 11:00:00"), hash: "1", at: 2000)
            _ = bench.take(report(.closed, lot: "0.06", time: "2025.09.15 11:05:00"), hash: "2", at: 3000)
            #expect(bench.count("unknown_profit") == 1 && bench.count("total_trades") == 1)
            var exact = [
                report(.closed, lot: "0.04", profit: "-1", time: "2025.09.15 11:00:00"),
                report(.closed, lot: "0.06", profit: "5", time: "2025.09.15 11:05:00"),
            ]
            if isEndFirst { exact.reverse() }
            for (index, told) in exact.enumerated() {
                bench.restart()
                let event = try #require(bench.take(told, hash: "exact \(index)", at: 4000).first)
                #expect(event.isCorrection)
            }
            #expect(bench.count("wins") == 1 && bench.count("wins.USD") == 1 && bench.count("unknown_profit") == 0)
            #expect(bench.count("gross_profit.USD") == 500_000_000 && bench.count("gross_loss.USD") == 100_000_000)
            #expect(bench.count("total_trades") == 1)
        }
    }

    @Test("decisions read again give the same life, also of what is still to be corrected")
    func replayed() throws {
        var bench = bench(pnl: "-1.00")
        var events = Array(bench.trades.values)
        events += bench.take(answered, hash: "1", at: 2000)
        var engine = ConfirmationEngine(catalogue: ConfirmationsBench.catalogue)
        engine.absorb(events, [])
        engine.absorb(events, [])
        let known = engine.lifecycle(after: events[1])
        let life = try #require(known)
        #expect(life.lifecycle == TradeLifecycle(fields: try #require(bench.lifecycles[life.key])))
        bench.engine = engine
        let told = bench.take(report(.closed, profit: "-3"), hash: "2", at: 3000)
        #expect(told.first?.isCorrection == true && bench.count("gross_loss.USD") == 300_000_000)
    }
}
