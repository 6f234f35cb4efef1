import Domain
import Glibc
import Testing
import Wire

@testable import EASimulator

@Suite("What the broker knows")
struct BrokerLedgerTests {
    private let prices = market([("EURUSD", "1.17617", "1.17620")])

    private func answer(_ terminal: Terminal, _ command: String) -> [String] {
        terminal.expert?.receive(Array(command.utf8))
        return written(terminal)
    }

    private func account(_ ledger: BrokerLedger, _ terminal: Terminal) throws -> JSONObject {
        ledger.ended(terminal, unanswered: 0)
        let document = ledger.document(seed: 7, now: terminal.context.now)
        let items = try #require(document.object?["accounts"]?.array)
        return try #require(items.first?.object)
    }

    private func number(_ object: JSONObject, _ name: String) -> Amount {
        object[name]?.text.flatMap { Amount($0) } ?? Amount(-1_000_000)
    }

    private func balances(_ account: JSONObject) -> Bool {
        number(account, "start_balance") + number(account, "closed_profit") + number(account, "closed_swap")
            == number(account, "balance")
    }

    @Test("fires, refusals, silent closes and lost answers are all in the books, and the money adds up")
    func books() throws {
        let ledger = BrokerLedger()
        var behaviour = SimulatorBehaviour()
        behaviour.loseConfirmations = 1
        let terminal = try terminal(.v205, prices, behaviour: behaviour, ledger: ledger)
        terminal.attach()
        _ = terminal.takeOutbox()
        #expect(answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","sl":1.1750,"lot":0.1}"#).isEmpty)
        #expect(answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","lot":0.1}"#).isEmpty)
        #expect(answer(terminal, #"{"type":"fire","fire_id":"F2","symbol":"EURUSD","lot":0.001}"#).isEmpty)
        terminal.account.chargeSwap(perLot: Amount(1))
        quote(prices, 0, "1.17490", "1.17493", 1_757_954_370)
        terminal.brokerQuoted(symbol: 0)
        let account = try account(ledger, terminal)
        #expect(account["opened"]?.array?.count == 2)
        #expect(account["fires"]?.array?.compactMap { $0.object?["fire_id"]?.text } == ["F1", "F1", "F2"])
        #expect(account["fires"]?.array?.last?.object?["retcode"]?.text == "10014")
        let closed = try #require(account["closed"]?.array?.first?.object)
        #expect(closed["reason"]?.text == "SL_HIT" && closed["profit"]?.text == "-13.00")
        #expect(closed["swap"]?.text == "-0.10")
        #expect(account["open"]?.array?.count == 1)
        #expect(account["confirmations_lost"]?.array?.count == 3)
        #expect(number(account, "balance") == amount("9986.90"))
        #expect(balances(account))
    }

    @Test("a flat account: margin 0.00 and equity equal to the balance, in the next heartbeat")
    func flat() throws {
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        _ = answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","sl":1.1750,"lot":1}"#)
        #expect(terminal.figures.margin.isPositive)
        quote(prices, 0, "1.17490", "1.17493", 1_757_954_370)
        terminal.brokerQuoted(symbol: 0)
        #expect(written(terminal).isEmpty)
        terminal.expert?.onTimer()
        let heartbeat = written(terminal).first { $0.hasPrefix(#"{"type":"HEARTBEAT""#) } ?? ""
        #expect(heartbeat.contains(#""balance":9870.00,"equity":9870.00,"leverage":500,"margin":0.00,"#))
    }

    @Test("trading by hand: the same for the same seed, silent for 2.05, and in the books")
    func byHand() throws {
        var histories: [[String]] = []
        for _ in 0..<2 {
            let fresh = market([("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")])
            let ledger = BrokerLedger()
            var behaviour = SimulatorBehaviour()
            behaviour.manualTrades = 0.5
            let terminal = try terminal(.v205, fresh, behaviour: behaviour, ledger: ledger)
            terminal.attach()
            _ = terminal.takeOutbox()
            for _ in 0..<60 { terminal.tradeByHand() }
            #expect(written(terminal).isEmpty)
            let statistics = terminal.context.statistics
            #expect(statistics.manualOpens > 5 && statistics.manualCloses > 5)
            let account = try account(ledger, terminal)
            #expect(account["opened"]?.array?.count == statistics.manualOpens)
            #expect(account["fires"]?.array?.isEmpty == true)
            #expect(balances(account))
            histories.append((account["opened"]?.array ?? []).compactMap { $0.object?.compactText })
        }
        #expect(histories[0] == histories[1])
    }

    @Test("2.06H tells of a mesh position closed by hand, and is silent about the trader's own")
    func byHandReported() throws {
        let terminal = try terminal(.v206H, prices)
        terminal.attach()
        _ = answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","direction":"BUY","lot":0.1}"#)
        let mine = OrderRequest(
            symbol: terminal.profile.symbols[0], direction: .buy, lot: amount("0.01"), magic: 0, comment: "")
        _ = try terminal.account.open(mine, prices, now: 0).get()
        for position in terminal.account.positions {
            let closed = terminal.account.close(ticket: position.ticket, prices, reason: .manual, now: 9)
            terminal.booked(closed.map { [$0] } ?? [])
        }
        let lines = written(terminal)
        #expect(lines.count == 1 && lines[0].contains(#""fire_id":"F1""#) && lines[0].contains(#""MANUAL""#))
    }

    @Test("swap is charged at its times, a cent at least, and counts in the equity")
    func swap() throws {
        var behaviour = SimulatorBehaviour()
        behaviour.swapMilliseconds = 1000
        let terminal = try terminal(.v205, prices, behaviour: behaviour)
        terminal.attach()
        _ = answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","direction":"BUY","lot":0.01}"#)
        for milliseconds in [0, 500, 1000, 1400, 2000] {
            terminal.context.monotonic = Int64(milliseconds)
            terminal.chargeSwap()
        }
        #expect(terminal.account.positions.map(\.swap.money) == ["-0.02"])
        #expect(terminal.figures.equity.money == "9999.95")
    }

    @Test("the file is whole JSON")
    func file() throws {
        let path = "/tmp/ea-simulator-ledger-\(getpid()).json"
        defer { unlink(path) }
        let ledger = BrokerLedger()
        let terminal = try terminal(.v205, prices, ledger: ledger)
        terminal.attach()
        ledger.ended(terminal, unanswered: 0)
        try ledger.write(to: path, seed: 7, now: terminal.context.now)
        let reader = try LineReader(path: path)
        let line = try #require(reader.next())
        let accounts = try JSON(Array(line)).object?["accounts"]?.array
        #expect(accounts?.first?.object?["user_uuid"]?.text == "COMMANDER_DEV_001")
        #expect(throws: SimulatorError.self) {
            try ledger.write(to: "/nowhere/ledger.json", seed: 7, now: terminal.context.now)
        }
    }
}
