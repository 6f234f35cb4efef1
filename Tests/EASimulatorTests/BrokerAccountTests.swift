import Domain
import Testing

@testable import EASimulator

@Suite("The simulated broker's arithmetic")
struct BrokerAccountTests {
    private let market = EASimulatorTests.market([
        ("EURUSD", "1.17000", "1.17010"), ("USDJPY", "147.000", "147.010"), ("XAUUSD", "3340.00", "3340.20"),
        ("EURJPY", "172.000", "172.010"), ("XAGUSD", "38.000", "38.020"),
    ])

    private func account(_ currency: String = "USD", balance: Int = 10_000, leverage: Int = 500) -> BrokerAccount {
        BrokerAccount(
            currency: currency, leverage: leverage, balance: Amount(balance), tickets: TicketBook(seed: 1))
    }

    private func request(
        _ symbol: Int, _ direction: Direction, _ lot: String, stop: String = "0", target: String = "0"
    ) -> OrderRequest {
        OrderRequest(
            symbol: profile(market).symbols[symbol], direction: direction, lot: amount(lot), stopLoss: amount(stop),
            takeProfit: amount(target), magic: 1, comment: "F1")
    }

    private func profile(_ market: Market) -> TerminalProfile { EASimulatorTests.profile(.v205, market) }

    /// Opens at the suite's prices and closes at others.
    private func profit(
        _ symbol: Int, _ direction: Direction, lot: String, bid: String, ask: String, currency: String = "USD"
    ) throws -> String {
        var account = account(currency, balance: 100_000)
        let position = try account.open(request(symbol, direction, lot), market, now: 0).get()
        quote(market, symbol, bid, ask, 1_757_954_364)
        let result = account.close(ticket: position.ticket, market, reason: .command, now: 60)
        let closed = try #require(result)
        #expect(account.balance == Amount(100_000) + closed.profit)
        #expect(closed.heldSeconds == 60)
        return closed.profit.money
    }

    @Test("a buy gains from the ask to the bid")
    func euroDollar() throws {
        #expect(try profit(0, .buy, lot: "0.10", bid: "1.17110", ask: "1.17120") == "10.00")
    }

    @Test("a sell gains from the bid to the ask")
    func sell() throws {
        #expect(try profit(0, .sell, lot: "0.10", bid: "1.16890", ask: "1.16900") == "10.00")
    }

    @Test("yen profits become dollars at the pair's own price")
    func dollarYen() throws {
        // 0.500 x 100,000 = 50,000 JPY at 147.520.
        #expect(try profit(1, .buy, lot: "1", bid: "147.510", ask: "147.520") == "338.94")
    }

    @Test("gold is a hundred ounces, silver five thousand")
    func metals() throws {
        #expect(try profit(2, .buy, lot: "0.01", bid: "3341.20", ask: "3341.40") == "1.00")
        #expect(try profit(4, .sell, lot: "0.10", bid: "37.900", ask: "37.920") == "40.00")
    }

    @Test("a euro account gets dollars converted at the ask")
    func euroAccount() throws {
        #expect(try profit(2, .buy, lot: "0.10", bid: "3351.90", ask: "3352.10", currency: "EUR") == "99.99")
    }

    @Test("margin, free margin and level")
    func margin() throws {
        var account = account()
        #expect(account.figures(market).marginLevel == .zero)
        _ = try account.open(request(0, .buy, "1"), market, now: 0).get()
        let figures = account.figures(market)
        #expect(figures.margin.money == "234.02")
        #expect(figures.equity.money == "9990.00")
        #expect(figures.freeMargin == figures.equity - figures.margin)
        #expect(figures.marginLevel.money == "4268.87")
    }

    @Test("tickets have ten digits and grow")
    func tickets() throws {
        var account = account()
        let first = try account.open(request(0, .buy, "0.01"), market, now: 0).get()
        let second = try account.open(request(0, .buy, "0.01"), market, now: 0).get()
        #expect(String(first.ticket).count == 10)
        #expect(first.ticket > Int64(Int32.max))
        #expect(second.ticket > first.ticket)
    }

    @Test(
        "what the broker refuses",
        arguments: [
            ("0.09447600000000202", "0", TradeRefusal.invalidVolume), ("0", "0", .invalidVolume),
            ("101", "0", .invalidVolume), ("0.10", "1.17005", .invalidStops), ("90", "0", .noMoney),
        ])
    func refusals(lot: String, stop: String, refusal: TradeRefusal) {
        var account = account(balance: 1000)
        let result = account.open(request(0, .buy, lot, stop: stop), market, now: 0)
        #expect(result == .failure(refusal))
        #expect(account.positions.isEmpty)
    }

    @Test("a stop closes at market, a target at its price")
    func triggers() throws {
        var account = account()
        _ = try account.open(request(0, .buy, "0.10", stop: "1.16900", target: "1.17200"), market, now: 0).get()
        quote(market, 0, "1.17199", "1.17209", 1_757_954_364)
        #expect(account.closeTriggered(symbol: 0, market, now: 5).isEmpty)
        quote(market, 0, "1.17250", "1.17260", 1_757_954_365)
        let gain = account.closeTriggered(symbol: 0, market, now: 9)
        #expect(gain.map(\.reason) == [.takeProfit])
        #expect(gain.map(\.price) == [amount("1.172")])
        quote(market, 0, "1.17000", "1.17010", 1_757_954_366)
        _ = try account.open(request(0, .sell, "0.10", stop: "1.17100"), market, now: 10).get()
        quote(market, 0, "1.17140", "1.17150", 1_757_954_367)
        let loss = account.closeTriggered(symbol: 0, market, now: 11)
        #expect(loss.map(\.reason) == [.stopLoss])
        #expect(loss.map(\.profit.money) == ["-15.00"])
        #expect(account.positions.isEmpty)
        #expect(account.balance.money == "10004.00")
    }

    @Test("the worst position goes when the margin level is too low")
    func stopOut() throws {
        var account = account(balance: 300, leverage: 500)
        _ = try account.open(request(0, .buy, "1"), market, now: 0).get()
        #expect(account.closeForMargin(market, now: 1).isEmpty)
        quote(market, 0, "1.16800", "1.16810", 1_757_954_370)
        #expect(account.closeForMargin(market, now: 2).map(\.reason) == [.stopOut])
    }

    @Test("an order's comment is cut at 31 characters")
    func comment() throws {
        var account = account()
        var order = request(0, .buy, "0.01")
        order.comment = "ELITE_SNIPER_GBPJPY_1757886793_TRAIL"
        let position = try account.open(order, market, now: 0).get()
        #expect(position.comment == "ELITE_SNIPER_GBPJPY_1757886793_")
    }
}
