import Domain
import Testing
import Trading
import Wire

@Suite("Confirmations: the own form, parts, and any order")
struct ConfirmationsLifecycleTests {
    private func own(_ result: String, _ volume: String, _ rest: String) -> String {
        #"{"ticket":9,"symbol":"USDJPY","result":"\#(result)","type":"sell","volume":\#(volume),"account":"555","#
            + #""user_uuid":"user_12345678","node_id":"NODE_555_1",\#(rest)}"#
    }

    @Test("profit, swap and commission of the message make the net; duration is the terminal's own")
    func ownForm() throws {
        var bench = ConfirmationsBench()
        try bench.take(own("order_opened", "0.10", #""open_price":147.366,"open_time":"2025.09.15 10:00:00""#))
        let closed = try #require(
            try bench.take(
                own(
                    "order_closed", "0.10",
                    #""open_price":147.366,"close_price":147.200,"profit":11.27,"swap":-0.50,"commission":-0.7,"#
                        + #""open_time":"2025.09.15 10:00:00","close_time":"2025.09.15 11:00:05""#)
            ).first)
        #expect(closed.profit == "11.27" && closed.swap == "-0.50" && closed.commission == "-0.7")
        #expect(closed.netProfit == Amount("10.07") && closed.profitSource == .message && closed.duration == 3605)
        #expect(bench.count("gross_profit.unknown") == 1_007_000_000 && bench.count("swap.unknown") == -50_000_000)
    }

    @Test("parts are closings of their own; the position counts once, by all of them together")
    func parts() throws {
        var bench = ConfirmationsBench()
        try bench.take(own("order_opened", "0.10", #""open_price":147.366"#))
        let first = own("order_closed", "0.04", #""profit":10.00,"close_time":"2025.09.15 11:00:00""#)
        let second = own("order_closed", "0.04", #""profit":-3.00,"close_time":"2025.09.15 11:00:01""#)
        let last = own("order_closed", "0.02", #""profit":-8.00,"close_time":"2025.09.15 11:00:02""#)
        #expect(try bench.take(first).first?.isFinal == false)
        #expect(try bench.take(first).isEmpty)
        bench.restart()
        #expect(try bench.take(second).first?.eventID == "user_12345678|555|9|closed|0.08")
        #expect(try bench.take(first).isEmpty)
        #expect(bench.count("total_trades") == 0 && bench.count("gross_profit.unknown") == 1_000_000_000)
        let closed = try #require(try bench.take(last).first)
        #expect(closed.isFinal && closed.isCounted && closed.positionProfit == Amount("-1"))
        // The same end in another dialect, later, is the same end.
        let other =
            #"{"type":"position_closed","uuid":"user_12345678","account":"555","ticket":9,"#
            + #""reason":"SL_HIT","pnl":-8.00}"#
        #expect(try bench.take(other).isEmpty)
        #expect(bench.count("total_trades") == 1 && bench.count("losses") == 1)
        #expect(
            bench.count("gross_profit.unknown") == 1_000_000_000 && bench.count("gross_loss.unknown") == 1_100_000_000)
    }

    @Test("where only the tracker tells how much was opened, parts of one size are closings of their own")
    func partsOfUnseenOpening() throws {
        var bench = ConfirmationsBench()
        func row(_ left: String, opened: String? = "0.20") -> [String: String] {
            var row = ["ticket": "9", "server": "S", "symbol": "USDJPY", "direction": "SELL", "lot": left]
            row["opened_lot"] = opened
            return row
        }
        let first = own("order_closed", "0.10", #""profit":10.00,"close_time":"2025.09.15 11:00:00""#)
        let second = own("order_closed", "0.10", #""profit":-3.00,"close_time":"2025.09.15 11:00:01""#)
        bench.positions["555"] = [row("0.20")]
        let part = try #require(try bench.take(first).first)
        #expect(part.eventID == "user_12345678|555|9|closed|0.1" && !part.isFinal && part.lot == "0.10")
        for isRestarted in [false, true] {
            var bench = bench
            if isRestarted { bench.restart() }
            // The row's `lot` is what is left.
            bench.positions["555"] = [row("0.10")]
            let end = try #require(try bench.take(second).first)
            #expect(end.eventID == "user_12345678|555|9|closed|0.2" && end.isFinal && end.isCounted)
            #expect(end.lot == "0.10" && end.positionProfit == Amount("7"))
            #expect(try bench.take(first).isEmpty && bench.take(second).isEmpty)
            #expect(bench.count("total_trades") == 1 && bench.count("wins") == 1)
            #expect(bench.count("gross_profit.unknown") == 1_000_000_000)
            #expect(bench.count("gross_loss.unknown") == 300_000_000)
        }
        // A closing of the rest that says no volume closes what is left.
        var whole = bench
        whole.positions["555"] = [row("0.10")]
        let rest =
            #"{"type":"position_closed","uuid":"user_12345678","account":"555","ticket":9,"#
            + #""reason":"SL_HIT","pnl":-3.00}"#
        let last = try #require(try whole.take(rest).first)
        #expect(last.eventID == "user_12345678|555|9|closed|0.2" && last.isFinal && last.lot == "0.1")
        // A row of an older mesh says only what is left: one that is closed at once ends as ever.
        var older = ConfirmationsBench()
        older.positions["555"] = [row("0.10", opened: nil)]
        #expect(try older.take(first).first?.isFinal == true)
    }

    @Test("the answer to a fire lost: the first part proves it, the second one ends it with money of its own")
    func partsOfUnansweredFire() throws {
        var bench = ConfirmationsBench()
        let first = own("order_closed", "0.10", #""profit":10.00,"close_time":"2025.09.15 11:00:00""#)
        let second = own("order_closed", "0.10", #""profit":-3.00,"close_time":"2025.09.15 11:00:01""#)
        // Nobody knows of a position: as far as anybody knows this is all of it.
        #expect(try bench.take(first).first?.isFinal == true)
        bench.positions["555"] = [["ticket": "9", "lot": "0.10", "opened_lot": "0.20"]]
        let end = try #require(try bench.take(second).first)
        #expect(end.eventID == "user_12345678|555|9|closed|0.2" && end.isFinal && end.positionProfit == Amount("7"))
        bench.restart()
        #expect(try bench.take(first).isEmpty && bench.take(second).isEmpty)
        #expect(bench.count("total_trades") == 1 && bench.count("wins") == 1 && bench.count("losses") == 0)
        #expect(
            bench.count("gross_profit.unknown") == 1_000_000_000 && bench.count("gross_loss.unknown") == 300_000_000)
    }

    @Test("a close whose opening was never seen is an orphan and counts; the opening may still come")
    func closeFirst() throws {
        var bench = ConfirmationsBench()
        let close = own("order_closed", "0.10", #""profit":5.00,"close_time":"2025.09.15 11:00:00""#)
        let closed = try #require(try bench.take(close).first)
        #expect(closed.isOrphan && closed.isFinal && closed.isCounted)
        #expect(try bench.take(own("order_opened", "0.10", #""open_price":147.366"#)).count == 1)
        #expect(try bench.take(close).isEmpty)
        #expect(bench.count("total_trades") == 1 && bench.count("wins") == 1 && bench.count("opened") == 1)
    }

    @Test("a position known only by its fire is closed by it")
    func closeByFire() throws {
        var bench = ConfirmationsBench()
        bench.fires["F"] = [
            "user_uuid": "user_12345678", "account": "555", "server": "S", "symbol": "EURUSD", "ticket": "9",
            "state": "filled",
        ]
        let close = #"{"type":"position_closed","uuid":"user_12345678","fire_id":"F","reason":"TP_HIT","profit":4.20}"#
        let closed = try #require(try bench.take(close).first)
        #expect(closed.ticket == 9 && closed.account == "555" && closed.reason == "TP_HIT")
    }

    @Test("an event survives its fields, and so does a position's life")
    func fields() throws {
        var bench = ConfirmationsBench()
        try bench.take(own("order_opened", "0.10", #""open_price":147.366,"sl":148.000,"tp":146,"comment":"x""#))
        try bench.take(own("order_closed", "0.04", #""profit":10.00,"swap":-1"#))
        for event in bench.trades.values {
            let texts = Dictionary(event.fields.map { ($0.name, $0.value) }) { first, _ in first }
            #expect(TradeEvent(fields: texts) == event)
            #expect(texts.count == event.fields.count)
        }
        let fields = try #require(bench.lifecycles["user_12345678|555|9"])
        let life = try #require(TradeLifecycle(fields: fields))
        #expect(Dictionary(life.fields.map { ($0.name, $0.value) }) { first, _ in first } == fields)
    }

    @Test("what was decided is taken in as it stands, twice as well as once")
    func absorbed() throws {
        var bench = ConfirmationsBench()
        try bench.take(own("order_opened", "0.10", #""open_price":147.366"#))
        try bench.take(own("order_closed", "0.04", #""profit":10.00"#))
        let events = bench.trades.values.sorted { $0.sequence < $1.sequence }
        var once = ConfirmationEngine(catalogue: ConfirmationsBench.catalogue)
        once.absorb(events, [])
        once.absorb(events, [])
        let known = once.lifecycle(after: events[1])
        let life = try #require(known)
        #expect(life.lifecycle == TradeLifecycle(fields: try #require(bench.lifecycles[life.key])))
    }

    @Test("repeats are known at once on the receipts port, before anything was looked up")
    func receipts() throws {
        var memory = ReceiptMemory()
        func confirmation(_ text: String, _ sequence: UInt64) throws -> Trading.Confirmation {
            guard case .trade(let report) = try EADecoder.decode(Array(text.utf8)) else {
                throw EAReject(reason: "no_trade", detail: text)
            }
            return Trading.Confirmation(
                sequence: sequence, receivedAt: Timestamp(milliseconds: 0), sourcePort: "ea-receipts", frameHash: text,
                report: report)
        }
        let texts = [
            GoldenConfirmations.opened, GoldenConfirmations.closed, GoldenConfirmations.failed,
            GoldenConfirmations.closeFailed202, own("order_closed", "0.04", #""profit":1"#),
            own("order_closed", "0.04", #""profit":2"#),
        ]
        for (index, text) in texts.enumerated() {
            let repeated = memory.isRepeated(try confirmation(text, UInt64(index)))
            #expect(!repeated)
        }
        for (index, text) in texts.enumerated() {
            let repeated = memory.isRepeated(try confirmation(text, UInt64(index + 9)))
            #expect(repeated)
        }
    }

    @Test("a sender goes on at the first number that may be missing, however much was heard behind it")
    func numbers() {
        var memory = ReceiptMemory()
        func next(after numbers: [Int64]) -> Int64? {
            for number in numbers { _ = memory.heard(node: "N", sequence: number) }
            return memory.numbers(node: "N")?.next
        }
        #expect(next(after: [2]) == nil)
        memory.complete(node: "N", with: HeardNumbers())
        #expect(next(after: []) == 1)
        #expect(next(after: [1]) == 3)
        #expect(next(after: [5, 6, 9]) == 3)
        #expect(next(after: [3, 4]) == 7)
        #expect(next(after: [7, 8]) == 10)
        #expect(next(after: Array(20..<532)) == 10)
        #expect(next(after: Array(532..<3000)) == 10)
        #expect(next(after: [.max, -4, 0]) == 10)
        #expect(memory.numbers(node: "N")?.aboveText == "20-2999")
        #expect(next(after: Array((10...19).reversed())) == 3000)
        // Gaps without end are not kept apart: the lowest is given up.
        #expect(next(after: (0..<400).map { 4000 + 2 * $0 }) == 4287)
    }

    @Test("what earlier processes heard joins what this one did, and nothing that fell between them is passed over")
    func restarts() throws {
        // One process heard 1, 2 and 4; the next one 5 to 8; 3 was lost in a socket between them.
        var first = ReceiptMemory()
        first.complete(node: "N", with: HeardNumbers())
        for number in [1, 2, 4] as [Int64] {
            let isMissing = first.heard(node: "N", sequence: number)
            #expect(!isMissing)
        }
        let known = first.numbers(node: "N")
        let stored = try #require(known)
        #expect(stored.next == 3 && stored.aboveText == "4")
        var second = ReceiptMemory()
        for number in [5, 6, 7, 8] as [Int64] {
            let isMissing = second.heard(node: "N", sequence: number)
            #expect(isMissing)
        }
        let before = second.numbers(node: "N")
        #expect(before == nil)
        second.complete(node: "N", with: HeardNumbers(last: stored.next - 1, above: stored.aboveText))
        let complete = second.numbers(node: "N")
        #expect(complete?.next == 3)
        _ = second.heard(node: "N", sequence: 3)
        let filled = second.numbers(node: "N")
        #expect(filled?.next == 9)
    }
}
