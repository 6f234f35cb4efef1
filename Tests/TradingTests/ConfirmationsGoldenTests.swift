import Domain
import Testing
import Trading
import Wire

@Suite("Confirmations: what each version says")
struct ConfirmationsGoldenTests {
    private static let fireID = "ELITE_RAPID_EURUSD_1757954363"
    private static let position = "COMMANDER_DEV_001|843859|21604324"

    private func bench() -> ConfirmationsBench {
        var bench = ConfirmationsBench()
        bench.nodes["NODE_843859_109092125"] = [
            "user_uuid": "COMMANDER_DEV_001", "account": "843859", "server": "Broker-Live", "currency": "USD",
        ]
        bench.fires[Self.fireID] = [
            "user_uuid": "COMMANDER_DEV_001", "symbol": "EURUSD.r", "direction": "BUY", "lot": "0.10", "sl": "1.17",
            "tp": "1.18", "state": "sent", "signal_id": "S1", "sent_at": "1", "expires_at": "1757954393000",
        ]
        return bench
    }

    @Test("2.05: a confirmation is joined by its fire; its close by the ticket; told twice it is one")
    func openAndClose() throws {
        var bench = bench()
        let opened = try #require(try bench.take(GoldenConfirmations.opened).first)
        #expect(opened.eventID == "\(Self.position)|opened")
        #expect(opened.kind == .opened && opened.symbol == "EURUSD.r" && opened.canonicalSymbol == "EURUSD")
        #expect(opened.direction == .buy && opened.stopLoss == "1.17" && opened.takeProfit == "1.18")
        #expect(opened.openPrice == "1.17620" && opened.lot == "0.10" && opened.server == "Broker-Live")
        #expect(opened.signalID == "S1" && !opened.isOrphan && !opened.isLate && !opened.isInferred)
        #expect(try bench.take(GoldenConfirmations.opened).isEmpty)

        bench.positions["843859"] = [["ticket": "21604324", "current_pnl": "12.34", "current_price": "1.17743"]]
        let closed = try #require(try bench.take(GoldenConfirmations.close("9418.02")).first)
        #expect(closed.eventID == "\(Self.position)|closed|0.1")
        #expect(closed.symbol == "EURUSD.r" && closed.fireID == Self.fireID && closed.direction == .buy)
        #expect(closed.profit == "12.40" && closed.profitSource == .balanceStep && closed.duration == 600)
        #expect(closed.openPrice == "1.17620" && closed.closePrice == nil && closed.isFinal && !closed.isOrphan)
        #expect(try bench.take(GoldenConfirmations.close("9418.02")).isEmpty)
        #expect(bench.count("total_trades") == 1 && bench.count("wins") == 1 && bench.count("opened") == 1)
        #expect(bench.count("gross_profit.USD") == 1_240_000_000)
        #expect(bench.count("largest_win.USD", "symbol:EURUSD") == 1_240_000_000)
        #expect(bench.count("gross_profit.USD@Broker-Live", "account:843859") == 1_240_000_000)
        #expect(bench.count("total_duration_s.USD") == 600)
    }

    @Test("2.05: a close after a restart finds its opening in Redis")
    func restart() throws {
        var bench = bench()
        try bench.take(GoldenConfirmations.opened)
        bench.restart()
        let closed = try #require(try bench.take(GoldenConfirmations.closed).first)
        #expect(closed.symbol == "EURUSD.r" && closed.openPrice == "1.17620" && closed.profitSource == .unknown)
        #expect(bench.count("unknown_profit") == 1 && bench.count("total_trades") == 1)
        bench.restart()
        #expect(try bench.take(GoldenConfirmations.closed).isEmpty)
    }

    @Test("2.05: a balance that did not move yet gives way to the quote, and is not taken for the next one's")
    func laggingBalance() throws {
        var bench = bench()
        try bench.take(GoldenConfirmations.opened)
        bench.positions["843859"] = [["ticket": "21604324", "current_pnl": "-30.00", "current_price": "1.1732"]]
        let closed = try #require(try bench.take(GoldenConfirmations.closed).first)
        #expect(closed.profit == "-30.00" && closed.profitSource == .quote && closed.closePrice == "1.1732")
        #expect(bench.count("losses") == 1 && bench.count("gross_loss.USD") == 3_000_000_000)
        bench.positions["843859"] = []
        bench.fires["F2"] = bench.fires[Self.fireID]
        let again = GoldenConfirmations.opened.replacing("21604324", with: "5").replacing("9405.62", with: "9375.62")
        try bench.take(again)
        let second = try #require(try bench.take(GoldenConfirmations.close("9380.62", ticket: 5)).first)
        #expect(second.profit == "5.00" && second.profitSource == .balanceStep)
    }

    @Test("2.05: a balance step counts only where one position was open and it agrees with the quote")
    func ambiguousStep() throws {
        var bench = bench()
        try bench.take(GoldenConfirmations.opened)
        bench.positions["843859"] = [
            ["ticket": "21604324", "current_pnl": "10"], ["ticket": "7", "current_pnl": "1"],
        ]
        #expect(try bench.take(GoldenConfirmations.close("9417.00")).first?.profitSource == .quote)

        var other = self.bench()
        try other.take(GoldenConfirmations.opened)
        other.positions["843859"] = [["ticket": "21604324", "current_pnl": "10"]]
        // A deposit of 5000 beside it is no profit.
        let closed = try #require(try other.take(GoldenConfirmations.close("14415.62")).first)
        #expect(closed.profit == "10.00" && closed.profitSource == .quote)
    }

    @Test("a heartbeat's balance serves where no confirmation told one, if it is older than the closing")
    func heartbeatBalance() throws {
        for (heartbeat, source) in [(999, TradeEvent.ProfitSource.balanceStep), (1001, .unknown)]
            as [(Int64, TradeEvent.ProfitSource)]
        {
            var bench = bench()
            try bench.take(GoldenConfirmations.opened, at: 100)
            bench.restart()
            bench.nodes["NODE_843859_109092125"]?["balance"] = "9400.00"
            bench.nodes["NODE_843859_109092125"]?["last_heartbeat"] = String(heartbeat)
            let closed = try #require(try bench.take(GoldenConfirmations.close("9401.50"), at: 1000).first)
            #expect(closed.profitSource == source)
            #expect(closed.profit == (source == .unknown ? nil : "1.50"))
        }
    }

    @Test("2.05: failed and unknown end without a position")
    func failures() throws {
        var bench = bench()
        let failed = try #require(try bench.take(GoldenConfirmations.failed, at: 1_757_954_400_000).first)
        #expect(failed.eventID == "COMMANDER_DEV_001|\(Self.fireID)" && failed.kind == .failed)
        #expect(failed.isLate && !failed.isOrphan && failed.ticket == nil)
        #expect(try bench.take(GoldenConfirmations.failed).isEmpty)
        let unknown = try #require(try bench.take(GoldenConfirmations.unknown).first)
        #expect(unknown.kind == .unknownCommand && unknown.fireID == nil && !unknown.isOrphan)
        #expect(unknown.eventID.hasPrefix("frame|"))
        #expect(bench.count("failed") == 1 && bench.count("unknown_commands") == 1 && bench.count("total_trades") == 0)
    }

    @Test("close_all becomes one closing for each open position, known to the tracker or only here")
    func closeAll() throws {
        var bench = bench()
        try bench.take(GoldenConfirmations.opened)
        bench.positions["843859"] = [
            ["ticket": "1", "symbol": "USDJPY", "direction": "SELL", "lot": "0.1", "current_pnl": "-2.5"],
            ["ticket": "2", "symbol": "EURUSD.r", "direction": "BUY", "lot": "0.1", "current_pnl": "4"],
        ]
        let events = try bench.take(GoldenConfirmations.closedAll)
        #expect(events.map(\.ticket) == [1, 2, 21_604_324])
        #expect(events.map(\.profit) == ["-2.50", "4.00", nil])
        #expect(events.allSatisfy { $0.kind == .closed && $0.isFinal && !$0.isOrphan })
        #expect(events.map(\.canonicalSymbol) == ["USDJPY", "EURUSD", "EURUSD"])
        #expect(bench.count("total_trades") == 3 && bench.count("unknown_profit") == 1)
        // The tracker has not heard yet; the same message again closes nothing twice.
        _ = try bench.take(GoldenConfirmations.closedAll)
        #expect(bench.count("total_trades") == 3 && bench.count("unresolved_closes") == 1)
    }

    @Test("close_all of an account without known positions is one orphan row, and counts no trade")
    func closeAllOfNothing() throws {
        var bench = bench()
        let event = try #require(try bench.take(GoldenConfirmations.closedAll).first)
        #expect(event.kind == .closedAll && event.isOrphan && bench.count("total_trades") == 0)
    }

    @Test("2.02 and 2.01 name no fire: the oldest one outstanding is answered, and said to be inferred")
    func byOrder() throws {
        var bench = bench()
        let base = try #require(bench.fires[Self.fireID])
        bench.fires = [:]
        for (name, symbol, sent, state) in [
            ("A", "EURUSD", "300", "sent"), ("B", "EURUSD", "200", "sent"), ("C", "USDJPY", "250", "sent"),
            ("D", "EURUSD", "100", "reserved"),
        ] {
            bench.fires[name] = base.merging(["symbol": symbol, "sent_at": sent, "state": state]) { _, new in new }
        }
        let first = try #require(try bench.take(GoldenConfirmations.opened202).first)
        #expect(first.fireID == "B" && first.isInferred && !first.isOrphan && first.symbol == "EURUSD")
        let second = try #require(
            try bench.take(GoldenConfirmations.opened201.replacing("20658628", with: "20658629")).first)
        #expect(second.fireID == "C" && second.symbol == "USDJPY" && second.isInferred)
        let third = try #require(
            try bench.take(GoldenConfirmations.opened202.replacing("20658628", with: "20658630")).first)
        #expect(third.fireID == "A")
        let fourth = try #require(
            try bench.take(GoldenConfirmations.opened202.replacing("20658628", with: "20658631")).first)
        #expect(fourth.fireID == nil && fourth.isOrphan && !fourth.isInferred)
    }

    @Test("2.02: a failed close of an unknown ticket is an orphan without effect")
    func failedClose() throws {
        var bench = bench()
        let event = try #require(try bench.take(GoldenConfirmations.closeFailed202).first)
        #expect(event.kind == .closeFailed && event.isOrphan && event.ticket == 99)
        #expect(try bench.take(GoldenConfirmations.closeFailed202).isEmpty)
        #expect(bench.count("close_failed") == 1 && bench.count("total_trades") == 0)
    }

    @Test("7.01 names nobody: its signal_id finds the fire and with it the user")
    func version701() throws {
        var bench = bench()
        let text =
            #"{"type":"trade_result","signal_id":"\#(Self.fireID)","status":"success","ticket":77,"#
            + #""price":1.17620,"message":"ok","balance":10.00,"equity":10.00,"margin":0.00,"#
            + #""timestamp":"2025.09.15 19:39:23"}"#
        let event = try #require(try bench.take(text).first)
        #expect(event.userUUID == "COMMANDER_DEV_001" && event.fireID == Self.fireID && !event.isOrphan)
        let stranger = try #require(try bench.take(text.replacing(Self.fireID, with: "NOBODYS")).first)
        #expect(stranger.userUUID == "unknown" && stranger.isOrphan && stranger.eventID.hasPrefix("frame|"))
        #expect(bench.count("opened") == 2)
    }

    @Test("another user's fire is not answered, and both tickets of a fire executed twice are booked")
    func strangersAndDoubles() throws {
        var bench = bench()
        let stranger = GoldenConfirmations.opened.replacing("COMMANDER_DEV_001", with: "user_1234567")
        #expect(try bench.take(stranger).first?.isOrphan == true)
        try bench.take(GoldenConfirmations.opened)
        #expect(try bench.take(GoldenConfirmations.opened.replacing("21604324", with: "21604325")).count == 1)
        #expect(bench.count("opened") == 3)
    }
}
