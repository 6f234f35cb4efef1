import Domain
import Testing
import Trading

@Suite("Confirmations: random histories against a simple model")
struct ConfirmationsPropertyTests {
    /// SplitMix64. Source: S. Vigna, prng.di.unimi.it.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    /// The sums of a history by plain addition over its trades.
    private struct Model {
        var fields: [String: [String: Int64]] = [:]

        mutating func add(_ field: String, _ amount: Int64, _ trade: Trade, currency: Bool = false) {
            for (scope, suffix) in [
                ("global", ".\(trade.currency)"), ("symbol:\(trade.symbol)", ".\(trade.currency)"),
                ("account:\(trade.account)", ".\(trade.currency)@unknown"),
            ] {
                fields[scope, default: [:]][field + (currency ? suffix : ""), default: 0] += amount
            }
        }
    }

    private struct Trade {
        var user: String
        var account: String
        var currency: String
        var symbol: String
        var ticket: Int64
        /// Profit, swap and commission of each closing, in hundredths.
        var closings: [(profit: Int64, swap: Int64, commission: Int64)]
        var lots: [Int64]
        var fails: Bool

        func report(_ kind: TradeReport.Kind) -> TradeReport {
            var report = TradeReport(kind: kind)
            (report.userUUID, report.account, report.currency, report.symbol) = (user, account, currency, symbol)
            return report
        }

        static func text(_ hundredths: Int64) -> String {
            Amount(units: hundredths * 1_000_000).text(minimumDecimals: 2)
        }

        /// Its messages in the order a terminal says them.
        var messages: [TradeReport] {
            if fails {
                var report = report(.failed)
                report.fireID = "F\(ticket)"
                return [report]
            }
            var opened = report(.opened)
            opened.ticket = ticket
            opened.lot = Trade.text(lots.reduce(0, +))
            opened.openPrice = "1.10000"
            return [opened]
                + closings.indices.map { index in
                    var closed = report(.closed)
                    closed.ticket = ticket
                    closed.lot = Trade.text(lots[index])
                    closed.profit = Trade.text(closings[index].profit)
                    closed.swap = Trade.text(closings[index].swap)
                    closed.commission = Trade.text(closings[index].commission)
                    closed.closeTime = Timestamp.brokerText(seconds: 1_757_954_363 + ticket * 100 + Int64(index))
                    return closed
                }
        }

        func count(in model: inout Model) {
            if fails {
                model.add("failed", 1, self)
                model.add("orphans", 1, self)
                return
            }
            model.add("opened", 1, self)
            model.add("orphans", 1, self)
            var total: Int64 = 0
            for closing in closings {
                let net = closing.profit + closing.swap + closing.commission
                total += net
                if net != 0 {
                    model.add(net > 0 ? "gross_profit" : "gross_loss", abs(net) * 1_000_000, self, currency: true)
                }
                if closing.swap != 0 { model.add("swap", closing.swap * 1_000_000, self, currency: true) }
                if closing.commission != 0 {
                    model.add("commission", closing.commission * 1_000_000, self, currency: true)
                }
            }
            for isMoney in [false, true] {
                model.add("total_trades", 1, self, currency: isMoney)
                model.add(total > 0 ? "wins" : total < 0 ? "losses" : "breakeven", 1, self, currency: isMoney)
            }
        }
    }

    private func trade(_ number: Int64, _ random: inout Random) -> Trade {
        let account = String(1000 + random.next() % 5)
        let parts = Int(random.next() % 3) + 1
        return Trade(
            user: "user_\(account)0000", account: account,
            currency: Int(account)?.isMultiple(of: 2) == true ? "USD" : "JPY",
            symbol: ["EURUSD", "USDJPY"][Int(random.next() % 2)], ticket: number,
            closings: (0..<parts).map { _ in
                (
                    Int64(random.next() % 20_001) - 10_000, Int64(random.next() % 3) - 1,
                    -Int64(random.next() % 2) * 35
                )
            },
            lots: (0..<parts).map { _ in Int64(random.next() % 50) + 1 }, fails: random.next() % 10 == 0)
    }

    @Test("shuffled among each other, doubled and over restarts: the same statistics, to the last unit")
    func histories() throws {
        let seed: UInt64 = 20_261_121
        print("confirmation histories: seed \(seed)")
        var random = Random(state: seed)
        for _ in 0..<60 {
            let trades = (1...40).map { trade(Int64($0), &random) }
            var model = Model()
            for trade in trades { trade.count(in: &model) }
            // One terminal's messages keep their order; those of different positions mix; each may be told again later.
            var queues = trades.map { $0.messages[...] }
            var said: [TradeReport] = []
            var bench = ConfirmationsBench()
            var order: [TradeReport] = []
            while let place = queues.indices.filter({ !queues[$0].isEmpty }).randomElement(using: &random) {
                if let next = queues[place].popFirst() {
                    order.append(next)
                    said.append(next)
                }
                if random.next() % 3 == 0, let again = said.randomElement(using: &random) { order.append(again) }
            }
            for (index, report) in order.enumerated() {
                if random.next() % 20 == 0 { bench.restart() }
                _ = bench.take(report, hash: "\(index)", at: Int64(index))
            }
            for (scope, fields) in model.fields {
                for (field, amount) in fields { #expect(bench.count(field, scope) == amount, "\(scope) \(field)") }
            }
        }
    }

    @Test(
        "wholly shuffled, closes and parts before their openings: sums and counts stay exact, each trade by its whole net",
        arguments: [1, 3])
    func shuffled(parts: Int) {
        let seed: UInt64 = 31_337
        print("shuffled confirmations, at most \(parts) parts: seed \(seed)")
        var random = Random(state: seed)
        for _ in 0..<60 {
            var trades = (1...40).map { trade(Int64($0), &random) }
            for index in trades.indices {
                trades[index].closings = Array(trades[index].closings.prefix(parts))
                trades[index].lots = Array(trades[index].lots.prefix(parts))
            }
            var model = Model()
            for trade in trades { trade.count(in: &model) }
            var bench = ConfirmationsBench()
            var order = trades.flatMap(\.messages)
            order += order
            for (index, report) in order.shuffled(using: &random).enumerated() {
                if parts > 1, random.next() % 20 == 0 { bench.restart() }
                _ = bench.take(report, hash: "\(index)", at: Int64(index))
            }
            for (scope, fields) in model.fields {
                // Whether opening or close is the orphan depends on which comes first.
                for (field, amount) in fields where field != "orphans" {
                    #expect(bench.count(field, scope) == amount, "\(scope) \(field)")
                }
                for field in ["wins", "losses", "breakeven", "total_trades"] where fields[field] == nil {
                    #expect(bench.count(field, scope) == 0, "\(scope) \(field)")
                }
            }
        }
    }
}
