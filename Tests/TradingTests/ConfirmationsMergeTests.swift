import Domain
import Testing
import Trading

@Suite("Confirmations: what a witness told, and the terminal's own word for it")
struct ConfirmationsMergeTests {
    private func report(
        _ kind: TradeReport.Kind, witness: String? = nil, lot: String? = "0.10", profit: String? = nil,
        time: String = "2025.09.15 11:00:00"
    ) -> TradeReport {
        var report = TradeReport(kind: kind)
        (report.userUUID, report.account, report.server, report.ticket) = ("user_1", "555", "S", 9)
        (report.symbol, report.lot, report.profit, report.currency) = ("EURUSD", lot, profit, "USD")
        report.nodeID = "N"
        if let witness { (report.source, report.witness) = ("inferred", witness) }
        if kind == .closed { report.closeTime = time }
        return report
    }

    private func sums(_ bench: ConfirmationsBench) -> [String: Int64] {
        (bench.statistics["global"] ?? [:]).filter { $0.value != 0 && !$0.key.hasPrefix("largest") }
    }

    @Test("the terminal's figures take the witness' place: statistics move by the difference, to the last unit")
    func merged() throws {
        for restarts in [false, true] {
            var bench = ConfirmationsBench()
            _ = bench.take(report(.opened, witness: "positions"), hash: "1", at: 1000)
            let inferred = try #require(
                bench.take(report(.closed, witness: "balance", profit: "-20"), hash: "2", at: 5000).first)
            #expect(inferred.source == .inferred && inferred.witness == "balance" && !inferred.isCorrection)
            #expect(inferred.profitSource == .balanceStep && inferred.isFinal && inferred.isCounted)
            #expect(bench.count("losses") == 1 && bench.count("gross_loss.USD") == 2_000_000_000)
            if restarts { bench.restart() }
            var own = report(.opened)
            own.openPrice = "1.17620"
            let opened = try #require(bench.take(own, hash: "3", at: 6000).first)
            #expect(opened.isCorrection && opened.source == .merged && opened.openPrice == "1.17620")
            var real = report(.closed, profit: "12.40")
            real.commission = "-0.40"
            let closed = try #require(bench.take(real, hash: "4", at: 7000).first)
            #expect(closed.isCorrection && closed.eventID == inferred.eventID && closed.sequence == 4)
            #expect(closed.profit == "12.40" && closed.netProfit == Amount("12") && closed.isCounted && closed.isFinal)
            // The same life told by the terminal alone.
            var plain = ConfirmationsBench()
            _ = plain.take(own, hash: "3", at: 1000)
            _ = plain.take(real, hash: "4", at: 7000)
            var expected = sums(plain)
            expected["total_duration_s.USD"] = sums(bench)["total_duration_s.USD"]
            #expect(sums(bench) == expected)
            // Told again, by either, nothing changes.
            if restarts { bench.restart() }
            let before = bench.statistics
            for (index, again) in [real, own, report(.closed, witness: "flat"), report(.opened, witness: "flat")]
                .enumerated()
            {
                let events = bench.take(again, hash: "again \(index)", at: 9000)
                #expect(events.isEmpty)
            }
            #expect(bench.statistics == before)
        }
    }

    @Test("a witness says nothing new of what a terminal told")
    func late() {
        var bench = ConfirmationsBench()
        _ = bench.take(report(.opened), hash: "1", at: 1000)
        _ = bench.take(report(.closed, profit: "3"), hash: "2", at: 2000)
        let before = bench.statistics
        let events =
            bench.take(report(.closed, witness: "flat", profit: "99"), hash: "3", at: 3000)
            + bench.take(report(.opened, witness: "positions"), hash: "4", at: 3000)
        #expect(events.isEmpty && bench.statistics == before)
    }

    @Test("a terminal that does not say what was earned leaves the witness' figure")
    func silent() throws {
        var bench = ConfirmationsBench()
        _ = bench.take(report(.opened), hash: "1", at: 1000)
        _ = bench.take(report(.closed, witness: "balance", profit: "-7.5"), hash: "2", at: 2000)
        let closed = try #require(bench.take(report(.closed), hash: "3", at: 3000).first)
        #expect(closed.isCorrection && closed.profit == "-7.5" && closed.profitSource == .balanceStep)
        #expect(bench.count("gross_loss.USD") == 750_000_000 && bench.count("losses") == 1)
    }

    @Test("an unknown profit becomes known; parts told one by one add up to the one closing that was booked")
    func parts() throws {
        var bench = ConfirmationsBench()
        _ = bench.take(report(.opened), hash: "1", at: 1000)
        _ = bench.take(report(.closed, witness: "flat"), hash: "2", at: 2000)
        #expect(bench.count("unknown_profit") == 1)
        let first = report(.closed, lot: "0.04", profit: "10", time: "2025.09.15 11:00:01")
        let second = report(.closed, lot: "0.06", profit: "-25", time: "2025.09.15 11:00:02")
        _ = bench.take(first, hash: "3", at: 3000)
        #expect(bench.count("gross_profit.USD") == 1_000_000_000 && bench.count("unknown_profit") == 0)
        bench.restart()
        let repeated = bench.take(first, hash: "4", at: 3500)
        #expect(repeated.isEmpty)
        let last = try #require(bench.take(second, hash: "5", at: 4000).first)
        #expect(last.netProfit == Amount("-15") && last.positionProfit == Amount("-15") && last.lot == "0.10")
        #expect(bench.count("losses") == 1 && bench.count("wins") == 0 && bench.count("total_trades") == 1)
        #expect(bench.count("gross_profit.USD") == 0 && bench.count("gross_loss.USD") == 1_500_000_000)
        let again = bench.take(second, hash: "6", at: 5000)
        #expect(again.isEmpty)
    }
}
