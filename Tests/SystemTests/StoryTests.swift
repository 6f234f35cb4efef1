import Domain
import ServiceKit
import TestKit
import Testing
import Wire

private let eurusdFile = Project.data("eurusd_oanda_2014-05-01_15_ticks.csv.gz")
private let terminalFile = Project.data("ea_ticks_2025-08-21.jsonl.gz")
private let areProductsBuilt = TestMesh.areServicesBuilt && Project.isBuilt(["ea-simulator"]) && RedisServer.isInstalled

/// The whole day once, on real prices, through the real executables: nothing is lost, nothing is doubled, sums agree.
@Suite("The story", .serialized, .enabled(if: areProductsBuilt, "the executables or redis-server are missing"))
struct StoryTests {
    @Test(.enabled(if: eurusdFile != nil, "../shared/data has no EURUSD ticks"), .timeLimit(.minutes(3)))
    func onTheRealTicksOfEURUSD() throws {
        let day = try TradingDay(
            ticks: try #require(eurusdFile), terminals: 5, ["--symbol", "EURUSD", "--speed", "20"])
        try day.connect(tier: "LIEUTENANT")
        for round in 1...6 {
            try trade(
                day, round, canonical: "EURUSD", broker: "EURUSD", round.isMultiple(of: 2) ? .sell : .buy,
                distance: Amount(units: 2_000_000))
        }
        try verify(day, rounds: 6, name: "EURUSD 2014")
    }

    @Test(.enabled(if: terminalFile != nil, "../shared/data has no terminal's ticks"), .timeLimit(.minutes(3)))
    func onTheRealTicksOfATerminal() throws {
        let day = try TradingDay(
            ticks: try #require(terminalFile), terminals: 3,
            ["--symbols", "EURUSD,USDJPY,XAUUSD", "--symbol-suffix", ".r", "--chart", "EURUSD", "--speed", "30"])
        try day.connect(tier: "COMMANDER")
        let distances = ["EURUSD": "0.02", "USDJPY": "3", "XAUUSD": "40"]
        for (number, symbol) in distances.keys.sorted().enumerated() {
            try trade(
                day, number + 1, canonical: symbol, broker: symbol + ".r", .buy,
                distance: try #require(Amount(distances[symbol] ?? "")))
        }
        try verify(day, rounds: 3, name: "terminal 2025")
    }

    /// A signal is scored, published, fired at everybody by its id, confirmed, followed and closed.
    private func trade(
        _ day: TradingDay, _ round: Int, canonical: String, broker: String, _ direction: Direction, distance: Amount
    ) throws {
        let signal = "STORY_\(canonical)_\(round)"
        try day.waitForMarket(canonical)
        let scored = try day.submit(
            signal, canonical: canonical, broker: broker, direction, distance: distance)
        #expect(scored["ok"] == .bool(true), "\(scored.compactText)")
        let score = try #require(scored["protection_score"]?.text.flatMap { Amount($0) })
        #expect(score >= Amount(1) && score <= Amount(10))
        try day.eventually("the signal is published scored") {
            day.published.objects(topic: "ELITE_GUARD_SIGNAL").contains {
                $0["signal_id"]?.text == signal && $0["protection_score"] != nil
            }
        } until: {
            $0
        }
        let count = day.users.count
        let reply = try day.fire("round-\(round)", signal: signal, lot: "0.02")
        #expect(reply["sent"]?.text == String(count), "\(reply.compactText)")
        try day.eventually(
            "every terminal has traded \(round)", { try day.told("traded").count }, until: { $0 == round * count })
        try day.eventually("all fires of round \(round) are filled") {
            try (1...count).compactMap { try day.mesh.redis.hash("fire:round-\(round).\($0)")["state"] }
        } until: {
            $0 == [String](repeating: "filled", count: count)
        }
        let open = try day.eventually("the positions are followed", { try day.positions("open") }) { items in
            items.count == count && items.allSatisfy { $0["current_pnl"] != .null && $0["max_loss"] != .null }
        }
        #expect(
            open.allSatisfy {
                $0["symbol"]?.text == broker && $0["fire_id"]?.text?.hasPrefix("round-\(round).") == true
            })
        try day.closeAll(expecting: count)
    }

    /// The terminals' own books, the events, the positions, the statistics and the ledger tell the same.
    private func verify(_ day: TradingDay, rounds: Int, name: String) throws {
        let count = rounds * day.users.count
        try day.eventually("/stats counts every trade", { try day.http.get("/stats").items.first }) {
            $0?["total_trades"]?.text == String(count)
        }
        let events = try day.eventually("every event was told", { day.events.objects(topic: "TRADE_EVENT") }) {
            $0.count >= 2 * count
        }
        let fires = try day.told("command").compactMap { $0["text"]?.text }.compactMap { (try? JSON($0))?.object }
            .filter { $0["type"]?.text == "fire" }.compactMap { $0["fire_id"]?.text }
        #expect(fires.count == count && Set(fires).count == count, "each command reached its terminal once")
        #expect(Set(events.compactMap { $0["event_id"]?.text }).count == 2 * count && events.count == 2 * count)

        let closed = try day.positions("closed")
        #expect(closed.count == count)
        let books = Dictionary(
            try day.told("closed").map { ($0["ticket"]?.text ?? "", $0["profit"]?.text.flatMap { Amount($0) }) },
            uniquingKeysWith: { first, _ in first })
        var total = Amount(0)
        for position in closed {
            let ticket = position["ticket"]?.text ?? ""
            let profit = try #require(position["profit"]?.text.flatMap { Amount($0) })
            let booked = try #require(books[ticket] ?? nil)
            if position["profit_source"]?.text == "quote" {
                // A balance that did not move is no proof of a profit of zero: the last quote stands, and says so.
                #expect(booked.isZero && profit.magnitude < Amount(1), "ticket \(ticket): \(profit), booked \(booked)")
            } else {
                #expect(profit == booked, "ticket \(ticket) by \(position["profit_source"]?.text ?? "")")
            }
            total = total + profit
        }
        let statistics = try #require(try day.http.get("/stats").items.first)
        #expect(statistics["net_profit"]?.text.flatMap { Amount($0) } == total, "\(statistics.compactText)")
        let health = try #require(try day.http.get("/health").object)
        #expect(health["ledger"]?.object?["unaccounted"]?.text == "0", "\(health.compactText)")
        for user in day.users {
            let slots = try day.orders.ask(["type": .string("slots"), "user_uuid": .string(user)])
            #expect(slots["slots_used"]?.text == "0", "\(slots.compactText)")
        }
        let confirmations = try day.told("confirmation").count
        let ticks = day.relay.heard.count
        let summary = try day.end()
        print(
            "\(name): \(ticks) ticks and bars relayed, \(count) fires, \(count) trades, \(events.count) events of "
                + "\(confirmations) confirmations, net \(total.money) USD; \(summary)")
        for service in ServiceName.startOrder.reversed() {
            #expect(try day.mesh.terminate(service) == .exited(0), "\(service.rawValue) drains and exits 0")
        }
    }
}
