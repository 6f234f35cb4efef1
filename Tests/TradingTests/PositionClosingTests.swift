import Domain
import Testing

@testable import Trading

@Suite("A position closed in parts") struct PositionClosingTests {
    private var fixture = TrackerFixture()
    private let opened = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]

    init() throws {
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
    }

    private mutating func apply(
        _ kind: TradeReport.Kind, _ entry: String, soFar: String? = nil, lot: String = "0.10", profit: String? = nil,
        _ extra: [String: String] = [:]
    ) throws -> EventEffect {
        var fields = opened.merging(extra) { $1 }
        fields["lot"] = lot
        fields["closed_volume"] = soFar
        fields["final"] = soFar == "0.1" ? "1" : "0"
        fields["profit"] = profit
        fields["profit_source"] = profit == nil ? "unknown" : extra["profit_source"] ?? "message"
        let fireID = kind == .opened ? "f1" : nil
        let event = try #require(fixture.event(kind, entry: entry, fireID: fireID, ticket: 77, extra: fields))
        fixture.outputs = []
        fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        return try #require(fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }.last)
    }

    @Test("ends with the exact sum, and the least certain of its sources")
    mutating func sum() throws {
        _ = try apply(.opened, "1")
        let first = try apply(.closed, "2", soFar: "0.04", lot: "0.04", profit: "-0.40")
        #expect(first.reduced.first?.profit == nil && first.reduced.first?.closings.list.count == 1)
        let last = try apply(
            .closed, "3", soFar: "0.1", lot: "0.06", profit: "-0.60000001", ["profit_source": "balance_step"])
        #expect(last.closed.first?.profit == "-1.00000001")
        #expect(last.closed.first?.profitSource == "balance_step")
    }

    @Test("is unknown while one part is, in whatever order it is told")
    mutating func unknown() throws {
        _ = try apply(.opened, "1")
        _ = try apply(.closed, "2", soFar: "0.04", lot: "0.04")
        let last = try apply(.closed, "3", soFar: "0.1", lot: "0.06", profit: "-0.60")
        #expect(last.closed.first?.profit == nil && last.closed.first?.profitSource == "unknown")
    }

    @Test("a correction while it is open, and one after it was closed, move the sum and open nothing")
    mutating func corrections() throws {
        _ = try apply(.opened, "1")
        _ = try apply(.closed, "2", soFar: "0.04", lot: "0.04", ["source": "inferred"])
        let open = try apply(
            .closed, "3", soFar: "0.04", lot: "0.04", profit: "-0.41", ["source": "merged", "correction": "1"])
        let told = try #require(open.corrected.first)
        #expect(!told.isClosed && told.fields.isEmpty && told.closing?.profit == Amount("-0.41"))
        let last = try apply(.closed, "4", soFar: "0.1", lot: "0.06", profit: "-0.60")
        #expect(last.closed.first?.profit == "-1.01")
        let after = try apply(
            .closed, "5", soFar: "0.04", lot: "0.04", profit: "-0.42",
            ["source": "merged", "correction": "1", "close_price": "1.2", "reason": "SL"])
        let moved = try #require(after.corrected.first)
        #expect(moved.isClosed && moved.closing?.name == "0.04" && moved.closing?.profit == Amount("-0.42"))
        // The end's own price and reason are not this part's.
        #expect(moved.fields.map(\.name) == ["source"])
        #expect(after.opened.isEmpty && after.closed.isEmpty && fixture.engine.positions.isEmpty)
    }

    @Test("parts told before the opening count once each, told again or not, and corrected or not")
    mutating func early() throws {
        _ = try apply(.closed, "1", soFar: "0.04", lot: "0.04", ["source": "inferred"])
        _ = try apply(.closed, "2", soFar: "0.04", lot: "0.04", ["source": "inferred"])
        _ = try apply(
            .closed, "3", soFar: "0.04", lot: "0.04", profit: "-0.41", ["source": "merged", "correction": "1"])
        let effect = try apply(.opened, "4")
        #expect(effect.opened.first?.lot == Amount("0.06") && effect.closed.isEmpty)
        let last = try apply(.closed, "5", soFar: "0.1", lot: "0.06", profit: "-0.60")
        #expect(last.closed.first?.profit == "-1.01")
    }

    @Test("what an operator closes in our books adds to the parts before")
    mutating func byHand() throws {
        _ = try apply(.opened, "1")
        _ = try apply(.closed, "2", soFar: "0.04", lot: "0.04", profit: "-0.40")
        let key = try #require(fixture.engine.positions.keys.first)
        let closed = fixture.engine.forceClose(key, profit: "1.00", price: nil, reason: "FORCED", now: fixture.now)
        #expect(closed?.position.profit == "0.60")
    }
}
