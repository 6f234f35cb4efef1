import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("Lists: what is shown, which part of it, in which order")
struct ListTests {
    @Test("Decimals stay the text that is stored, times become RFC 3339, nonsense becomes null")
    func values() {
        #expect(Schema.json("1.10", .decimal) == .number("1.10"))
        #expect(Schema.json("+5", .decimal) == .number("5"))
        for nonsense in ["nan", "inf", "1,5", "abc", ""] { #expect(Schema.json(nonsense, .decimal) == .null) }
        #expect(Schema.json("1795000000000", .time) == .string("\(Fixtures.now)"))
        #expect(Schema.json("yesterday", .time) == .null)
        #expect(Schema.json("EURUSD, XAUUSD", .words) == .array([.string("EURUSD"), .string("XAUUSD")]))
        #expect(Schema.json(nil, .words) == .array([]))
        #expect(Schema.json(#"{"a":1}"#, .json).object?["a"] == .number("1"))
        #expect(Schema.json("{broken", .json) == .string("{broken"))
    }

    @Test("A node has every field of the contract, null where nothing is known")
    func nodeFields() {
        let item = Schema.nodes.json(Fixtures.node("n1", ["balance": "100.50", "leverage": "200"]))
        let promised = [
            "node_id", "user_uuid", "account", "server", "broker", "currency", "leverage", "balance", "equity",
            "version", "status", "liveness", "last_heartbeat",
        ]
        for name in promised { #expect(item[name] != nil, "\(name) is missing") }
        #expect(item["balance"] == .number("100.50"))
        #expect(item["leverage"] == .number("200"))
        #expect(item["equity"] == .null)
    }

    @Test("A position has every field of the contract; an open one lasts until now")
    func positionFields() {
        let opened = String(Fixtures.now.milliseconds - 61_500)
        let record = Fixtures.record("s|1|7", .positions, ["state": "open", "opened_at": opened, "ticket": "7"])
        let item = Items.position(record, now: Fixtures.now)
        let promised = [
            "user_uuid", "account", "server", "ticket", "fire_id", "symbol", "direction", "lot", "open_price", "sl",
            "tp", "state", "current_pnl", "max_profit", "max_loss", "profit", "opened_at", "closed_at", "duration_s",
        ]
        for name in promised { #expect(item[name] != nil, "\(name) is missing") }
        #expect(item["duration_s"] == .number("61"))
        #expect(item["position"] == .string("s|1|7"))
    }

    @Test("A bad limit, offset or sort is refused by name; a stranger is ignored")
    func badParameters() throws {
        let bad = [
            ("limit", "0"), ("limit", "1001"), ("limit", "ten"), ("offset", "-1"), ("offset", ""), ("sort", "colour"),
        ]
        for (name, value) in bad {
            let error = #expect(throws: HTTPProblem.self) { try ListQuery([name: value], .nodes) }
            #expect(error?.status == 400)
            #expect(error?.message.contains("'\(name)'") == true)
        }
        let query = try ListQuery(["colour": "red", "limit": "1000"], .nodes)
        #expect(query.limit == 1000)
        let usual = try ListQuery([:], .nodes)
        #expect(usual.limit == 100 && usual.offset == 0)
    }

    @Test("Numbers are sorted as numbers, what has no value stands last in both directions")
    func order() throws {
        let nodes = [("a", "9.5"), ("b", "100"), ("c", nil), ("d", "-3")].map { name, balance in
            Fixtures.node(name, balance.map { ["balance": $0] } ?? [:])
        }
        let rising = try ListQuery(["sort": "balance"], .nodes).page(of: nodes, .nodes, now: Fixtures.now)
        #expect(rising.records.map(\.identifier) == ["d", "a", "b", "c"])
        let falling = try ListQuery(["sort": "-balance"], .nodes).page(of: nodes, .nodes, now: Fixtures.now)
        #expect(falling.records.map(\.identifier) == ["b", "a", "d", "c"])
    }

    @Test("Filters compare whole values, several with commas; q finds parts of words")
    func filters() throws {
        let nodes = [
            Fixtures.node("a", ["broker": "IC Markets", "server": "IC-Live7", "symbols": "EURUSD,XAUUSD"]),
            Fixtures.node("b", ["broker": "FTMO", "server": "FTMO-2", "status": "timeout", "symbols": "USDJPY"]),
            Fixtures.node("c", ["broker": "Vantage", "server": "V-1", "chart_symbol": "xauusd"]),
        ]
        func found(_ parameters: [String: String]) throws -> [String] {
            try ListQuery(parameters, .nodes).page(of: nodes, .nodes, now: Fixtures.now).records.map(\.identifier)
        }
        #expect(try found(["broker": "ic markets"]) == ["a"])
        #expect(try found(["broker": "IC-Live7,FTMO"]) == ["a", "b"])
        #expect(try found(["symbol": "XAUUSD"]) == ["a", "c"])
        #expect(try found(["symbol": "XAU"]) == [])
        #expect(try found(["status": "active", "q": "liVE"]) == ["a"])
        #expect(try found(["q": "none of them"]) == [])
        let known = [
            Fixtures.node("d", ["session_id": "9f3c-77", "peer_address": "203.0.113.7"]),
            Fixtures.node("e", ["session_id": "9f3c-78", "peer_address": "198.51.100.4"]),
        ]
        for (text, names) in [("9F3C-78", ["e"]), ("203.0.113", ["d"]), ("9f3c", ["d", "e"])] {
            let page = try ListQuery(["q": text], .nodes).page(of: known, .nodes, now: Fixtures.now)
            #expect(page.records.map(\.identifier) == names)
        }
    }

    @Test("Pages of an arbitrary list never overlap and leave nothing out")
    func pages() throws {
        var generator = SeededGenerator(seed: 20_261_121)
        let nodes = (0..<523).map { number in
            Fixtures.node("node\(number)", ["equity": String(Int.random(in: 0..<20, using: &generator))])
        }.shuffled(using: &generator)
        var seen: [String] = []
        for offset in stride(from: 0, to: 600, by: 60) {
            let query = try ListQuery(["limit": "60", "offset": "\(offset)", "sort": "-equity"], .nodes)
            let page = query.page(of: nodes, .nodes, now: Fixtures.now)
            #expect(page.total == 523)
            seen += page.records.map(\.identifier)
        }
        #expect(seen.count == 523)
        #expect(Set(seen) == Set(nodes.map(\.identifier)))
    }
}
