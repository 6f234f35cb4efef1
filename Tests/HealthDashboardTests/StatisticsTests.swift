import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("Statistics and metrics")
struct StatisticsTests {
    private let fields = [
        "total_trades": "5", "opened": "6", "failed": "1", "total_trades.USD": "3", "wins.USD": "2", "losses.USD": "1",
        "gross_profit.USD": "1250000000", "gross_loss.USD": "250000001", "largest_win.USD": "1000000000",
        "largest_loss.USD": "250000001", "total_duration_s.USD": "90", "timed_trades.USD": "2", "total_trades.EUR": "2",
        "wins.EUR": "2", "gross_profit.EUR": "100000000", "last_updated": "1795000000000",
    ]

    @Test("One item for each currency, exact to the last digit")
    func currencies() throws {
        let items = Statistics.items(scope: "symbol:EURUSD", fields)
        #expect(items.map { $0["currency"] } == [.string("EUR"), .string("USD")])
        let dollars = try #require(items.last)
        #expect(dollars["scope"] == .string("EURUSD"))
        #expect(dollars["kind"] == .string("symbol"))
        #expect(dollars["gross_profit"] == .number("12.50"))
        #expect(dollars["gross_loss"] == .number("2.50000001"))
        #expect(dollars["net_profit"] == .number("9.99999999"))
        #expect(dollars["win_rate"] == .number("0.6667"))
        #expect(dollars["profit_factor"] == .number("5"))
        #expect(dollars["average_duration_s"] == .number("45.0"))
        #expect(items.first?["profit_factor"] == .null, "nothing was lost in EUR")
        #expect(items.first?["win_rate"] == .number("1.0"))
    }

    @Test("An account's scope says at which server; encoded names are shown as they are")
    func account() {
        let items = Statistics.items(scope: "account:843859", ["total_trades.USD@A%7CB": "1", "wins.USD@A%7CB": "1"])
        #expect(items.first?["scope"] == .string("843859"))
        #expect(items.first?["server"] == .string("A|B"))
        #expect(items.first?["currency"] == .string("USD"))
    }

    @Test("Where nothing was recorded the whole answers zeros, an unknown symbol nothing")
    func nothing() throws {
        let snapshot = Fixtures.snapshot()
        let item = try #require(Statistics.items(snapshot, [:]).first)
        #expect(item["scope"] == .string("global"))
        #expect(item["total_trades"] == .number("0"))
        #expect(item["net_profit"] == .number("0.00"))
        #expect(item["currency"] == .null)
        #expect(Statistics.items(snapshot, ["symbol": "EURUSD"]).isEmpty)
    }

    @Test("A symbol is found in any case")
    func symbol() {
        var snapshot = Fixtures.snapshot()
        snapshot.statistics = ["symbol:EURUSD": fields]
        #expect(Statistics.items(snapshot, ["symbol": "eurusd"]).count == 2)
        #expect(Statistics.items(snapshot, ["scope": "symbol"]).count == 2)
    }

    @Test("Every metric has its help and type once, labels are escaped, nobody's name is in them")
    func metrics() {
        var snapshot = Fixtures.snapshot(
            Fixtures.services { service, report in
                if service == .nodeRegistry { report["rejected"] = #"{"a\"b\\c\nd":3}"# }
            })
        snapshot.nodes = [Fixtures.node("NODE_1", ["user_uuid": "secret-user", "account": "843859"])]
        snapshot.summarise()
        let text = MetricsText(snapshot, now: Fixtures.now).text
        #expect(text.contains(#"mesh_rejected_total{service="node-registry",reason="a\"b\\c\nd"} 3"#))
        #expect(text.contains(#"mesh_up{service="position-tracker"} 1"#))
        #expect(text.contains(#"mesh_nodes{status="active"} 1"#))
        for name in ["NODE_1", "secret-user", "843859"] { #expect(!text.contains(name)) }
        var types: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                types[String(line.split(separator: " ")[2]), default: 0] += 1
            } else if !line.hasPrefix("#") {
                let name = String(line.prefix { $0 != "{" && $0 != " " })
                #expect(types[name] == 1, "\(name) has no type before its samples")
            }
        }
        #expect(types.count > 15)
        #expect(types.values.allSatisfy { $0 == 1 })
    }
}
