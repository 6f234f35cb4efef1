import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("The window: overview, history, stages, forms, freshness")
struct WindowTests {
    @Test("An overview of a version tells only what changed after it; of any other, everything")
    func deltas() throws {
        var snapshot = Fixtures.snapshot()
        snapshot.version = 12
        snapshot.partVersions = [.health: 12, .positions: 9, .nodes: 11]
        func parts(_ since: String?) throws -> Set<String> {
            let body = try Fixtures.body("/overview", since.map { ["since": $0] } ?? [:], snapshot)
            return Set(body["parts"]?.object?.fields.map(\.name) ?? [])
        }
        let all = try parts(nil)
        #expect(all == Set(OverviewAnswer.parts.map(\.rawValue)))
        #expect(try parts("\(snapshot.instance).10") == ["health", "nodes"])
        #expect(try parts("\(snapshot.instance).12").isEmpty)
        // Another run of the dashboard, a version of the future, nonsense: the truth is the whole.
        for since in ["other.12", "\(snapshot.instance).13", "x", "\(snapshot.instance)."] {
            #expect(try parts(since) == all, "\(since)")
        }
        let body = try Fixtures.body("/overview", ["parts": "health"], snapshot)
        #expect(body["version"] == .string("\(snapshot.instance).12"))
        #expect(body["parts"]?.object?.fields.map(\.name) == ["health"])
    }

    @Test("A ring keeps the newest, in order, and takes nothing from a clock that stepped back")
    func ring() {
        var ring = HistoryRing(capacity: 5)
        for time in [1, 2, 3, 3, 2, 4, 5, 6, 7] { ring.append(HistorySample(time: Int64(time), values: [:])) }
        #expect(ring.since(0).map(\.time) == [3, 4, 5, 6, 7])
        #expect(ring.since(6).map(\.time) == [6, 7])
        #expect(ring.count == 5 && ring.last?.time == 7)
    }

    @Test("A sample comes back from its text as it was, and money stays the text it is")
    func sampleText() {
        let sample = HistorySample(time: 9, values: ["equity.USD": "10.10", "ticks_per_s": "3.5"])
        #expect(HistorySample(text: sample.text) == sample)
        #expect(sample.text.contains("10.10"))
        for nonsense in ["", "{}", "[1]", #"{"t":"x"}"#] { #expect(HistorySample(text: nonsense) == nil) }
    }

    @Test("Of a minute rates are the mean, everything else how it stood at the end")
    func minute() {
        let samples = [("1.0", "20"), ("2.0", "21"), ("6.0", "19")].enumerated().map { index, values in
            HistorySample(
                time: 60_000 + Int64(index) * 1000, values: ["ticks_per_s": values.0, "terminals": values.1])
        }
        let summary = History.summary(samples)
        #expect(summary?.time == 60_000)
        #expect(summary?.values == ["ticks_per_s": "3.0", "terminals": "19"])
    }

    @Test("History comes in columns; what was not measured is null")
    func columns() throws {
        var snapshot = Fixtures.snapshot()
        let now = Fixtures.now.milliseconds
        snapshot.history.seconds.append(HistorySample(time: now - 2000, values: ["terminals": "1"]))
        snapshot.history.seconds.append(
            HistorySample(time: now - 1000, values: ["terminals": "2", "equity.USD": "5.50"]))
        let body = try Fixtures.body("/history", ["range": "1h"], snapshot)
        #expect(body["times"]?.array?.count == 2)
        #expect(body["series"]?.object?["terminals"]?.array == [.number("1"), .number("2")])
        #expect(body["series"]?.object?["equity.USD"]?.array == [.null, .number("5.50")])
        #expect(throws: HTTPProblem.self) { try Fixtures.answer("/history", ["range": "2h"], snapshot) }
    }

    @Test("Percentiles are values that were measured; a histogram counts each fire once")
    func stages() {
        let fires = (1...100).map { number in
            Fixtures.record(
                "f\(number)", .fires,
                ["sent_at": "1000", "answered_at": String(1000 + number), "created_at": "990", "applied_at": "1200"])
        }
        let items = StageLatencies(fires).items.compactMap(\.object)
        let terminal = items.first { $0["stage"] == .string("terminal") }
        #expect(terminal?["p50_ms"] == .number("50"))
        #expect(terminal?["p99_ms"] == .number("99"))
        #expect(terminal?["max_ms"] == .number("100"))
        #expect(items.first { $0["stage"] == .string("slot") }?["p50_ms"] == .null)
        var histograms = StageHistograms()
        histograms.take(fires)
        histograms.take(fires)
        #expect(histograms.byStage[.terminal]?.counts.reduce(0, +) == 100)
        #expect(histograms.byStage[.terminal]?.sum == 5050)
        var snapshot = Fixtures.snapshot()
        snapshot.stages = histograms
        let text = MetricsText(snapshot, now: Fixtures.now).text
        #expect(text.contains(#"mesh_stage_seconds_bucket{stage="terminal",le="0.05"} 50"#))
        #expect(text.contains(#"mesh_stage_seconds_bucket{stage="terminal",le="+Inf"} 100"#))
        #expect(text.contains(#"mesh_stage_seconds_count{stage="terminal"} 100"#))
    }

    @Test("Own numbers of services have base units and proper endings")
    func names() {
        let cases: [(String, MetricsText.Kind, String)] = [
            ("ticks", .counter, "mesh_service_ticks_total"),
            ("last_fsync_us", .gauge, "mesh_service_last_fsync_seconds"),
            ("oldest_unread_ms", .gauge, "mesh_service_oldest_unread_seconds"),
            ("fires_oldest_age_s", .gauge, "mesh_service_fires_oldest_age_seconds"),
            ("journal_bytes", .gauge, "mesh_service_journal_bytes"), ("a\"b", .gauge, "mesh_service_a_b"),
        ]
        for (own, kind, name) in cases { #expect(OwnMetric(own, kind).name == name) }
        #expect(OwnMetric("last_fsync_us", .gauge).sample(2500, "x").value == "0.0025")
    }

    @Test("Exposure is per symbol, long and short apart, money per currency")
    func exposure() throws {
        func position(_ id: String, _ fields: [String: String]) -> Record {
            Fixtures.record(
                id, .positions, ["state": "open", "canonical_symbol": "EURUSD"].merging(fields) { _, new in new })
        }
        let records = [
            position("a", ["direction": "BUY", "lot": "0.30", "current_pnl": "1.10", "currency": "USD"]),
            position("b", ["direction": "SELL", "lot": "0.10", "current_pnl": "-2.00", "currency": "EUR"]),
            position("c", ["direction": "BUY", "lot": "9", "state": "closed"]),
        ]
        let item = try #require(Exposure.bySymbol(records).first?.json.object)
        #expect(item["net_lots"] == .number("0.20") && item["positions"] == .number("2"))
        #expect(item["unrealised"] == .object(["EUR": .number("-2.00"), "USD": .number("1.10")]))
    }

    @Test("A win rate is of what was won or lost; sessions follow the hour a trade was opened")
    func performance() {
        let closed = [("5.00", "0"), ("-1.00", "28800000"), ("0.00", "28800000"), (nil, "28800000")].enumerated().map {
            Fixtures.record(
                "\($0)", .positions,
                ["state": "closed", "canonical_symbol": "EURUSD", "currency": "USD", "opened_at": $1.1]
                    .merging($1.0.map { ["profit": $0] } ?? [:]) { _, new in new })
        }
        let items = Performance(closed).items.compactMap(\.object)
        let symbol = items.first { $0["by"] == .string("symbol") }
        #expect(symbol?["trades"] == .number("4") && symbol?["win_rate"] == .number("0.5"))
        #expect(symbol?["unknown_profit"] == .number("1"))
        #expect(
            items.filter { $0["by"] == .string("session") }.map { $0["name"] } == [.string("tokyo"), .string("london")])
    }
}
