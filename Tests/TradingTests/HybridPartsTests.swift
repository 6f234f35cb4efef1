import Domain
import Testing

@testable import Trading

/// A hybrid's three positions from the fire's answer to the last one's end: slot, fire and money.
@Suite("Hybrid parts") struct HybridPartsTests {
    private var fixture = TrackerFixture(version: "2.06H")

    init() {
        var request = TrackerFixture.request(lot: "0.20")
        request.hybrid = HybridPlan(first: 10, second: 20, trail: 15)
        _ = fixture.fire(request)
    }

    @discardableResult
    private mutating func apply(
        _ kind: TradeReport.Kind, _ ticket: Int64, lot: String, _ source: String, _ extra: [String: String] = [:]
    ) throws -> EventEffect {
        let entry = "\(kind)\(ticket)\(fixture.outputs.count)"
        let fields = ["symbol": "EURUSD", "direction": "BUY", "lot": lot, "source": source, "open_price": "1.08510"]
        let event = try #require(
            fixture.event(
                kind, entry: entry, fireID: "f1", ticket: ticket, extra: fields.merging(extra) { $1 }))
        fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        return try #require(effects.last)
    }

    private func part(_ ticket: Int64) -> Position? { fixture.engine.position(ticket: ticket, of: "user_1") }

    /// All three in the books, the first with its own lot.
    private mutating func openAll() throws {
        try apply(.opened, 5, lot: "0.20", "message")
        let key = try #require(part(5)?.key)
        _ = fixture.engine.adjustLot(key, to: try #require(Amount("0.05")))
        try apply(.opened, 6, lot: "0.05", "inferred")
        try apply(.opened, 7, lot: "0.10", "inferred")
    }

    @Test("the slot goes from each part that ends to one that is open, and is free with the last")
    mutating func slot() throws {
        try openAll()
        for (ended, heir) in [(Int64(5), Int64(6)), (6, 7)] {
            let effect = try apply(.closed, ended, lot: "0.05", "message", ["profit": "5.00"])
            let position = try #require(effect.closed.first)
            #expect(position.slotField == position.key.description && !position.takesSlot, "its end frees no slot")
            #expect(effect.opened.map(\.key.ticket) == [heir], "written again, with the slot")
            #expect(effect.opened.allSatisfy { $0.takesSlot && $0.slotField == "f1" && !$0.isOrphan })
            #expect(part(heir)?.hybridPart == .first)
        }
        let last = try apply(.closed, 7, lot: "0.10", "message", ["profit": "5.00"])
        #expect(last.opened.isEmpty && last.closed.first?.slotField == "f1")
    }

    @Test("a further part that ends takes nothing from the first; an operator's end passes the slot on as well")
    mutating func byHand() throws {
        try openAll()
        let effect = try apply(.closed, 6, lot: "0.05", "message", ["profit": "5.00"])
        #expect(effect.opened.isEmpty && effect.closed.first?.slotField.hasSuffix("6") == true)
        #expect(part(5)?.slotField == "f1")
        let key = try #require(part(5)?.key)
        let closed = fixture.engine.forceClose(key, profit: "1.00", price: nil, reason: "FORCED", now: fixture.now)
        #expect(closed?.heir?.key.ticket == 7 && closed?.heir?.slotField == "f1")
        #expect(closed?.position.takesSlot == false && part(7)?.hybridPart == .first)
    }

    @Test("a part that is found behind the first one's end is the fire's, and holds its slot")
    mutating func behind() throws {
        try apply(.opened, 5, lot: "0.20", "message")
        try apply(.closed, 5, lot: "0.20", "message", ["profit": "5.00"])
        #expect(fixture.engine.positions.isEmpty)
        let second = try apply(.opened, 6, lot: "0.05", "inferred").opened.first
        let found = try #require(second)
        #expect(found.fireID == "f1" && !found.isOrphan && found.stopLoss == "1.08")
        #expect(found.hybridPart == .first && found.takesSlot && found.slotField == "f1")
        let third = try apply(.opened, 7, lot: "0.10", "inferred").opened.first
        #expect(third?.hybridPart == .further && third?.fireID == "f1" && third?.takesSlot == false)
    }

    @Test(
        "what differs in symbol or direction, or is of another account, is no part, before and behind the end",
        arguments: [["direction": "SELL"], ["symbol": "USDJPY", "open_price": "150.00"], ["account": "99"]])
    mutating func strangers(extra: [String: String]) throws {
        try apply(.opened, 5, lot: "0.20", "message")
        let early = try apply(.opened, 6, lot: "0.05", "inferred", extra).opened.first
        #expect(early?.hybridPart == nil && early?.isOrphan != false)
        try apply(.closed, 5, lot: "0.20", "message", ["profit": "5.00"])
        let late = try apply(.opened, 7, lot: "0.05", "inferred", extra).opened.first
        #expect(late?.hybridPart == nil && late?.isOrphan != false)
    }

    @Test("over a restart the ledger's row says what the fire was")
    mutating func restarted() throws {
        var fire = try #require(fixture.engine.fires["f1"])
        let isTaken = fire.take(.filled, at: fixture.now, by: "terminal")
        #expect(isTaken)
        var fresh = TrackerFixture()
        fresh.engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: fresh.now))
        fresh.connect()
        fixture = fresh
        fixture.engine.note(hybrid: fire)
        let found = try apply(.opened, 6, lot: "0.05", "inferred").opened.first
        #expect(found?.hybridPart == .first && found?.fireID == "f1")
    }

    @Test("no part has the command's target, which the terminal does not read, whoever tells of it")
    mutating func target() throws {
        let tp = ["tp": "1.095"]
        let first = try apply(.opened, 5, lot: "0.20", "inferred", tp).opened.first
        #expect(first?.hybridPart == .first && first?.takeProfit == nil && first?.stopLoss == "1.08")
        let further = try apply(.opened, 6, lot: "0.05", "inferred", tp).opened.first
        #expect(further?.hybridPart == .further && further?.takeProfit == nil)
        let told = tp.merging(["correction": "1"]) { $1 }
        let effect = try apply(.opened, 5, lot: "0.20", "merged", told)
        #expect(effect.corrected.first?.fields.map(\.name).contains("tp") == false)
        #expect(part(5)?.takeProfit == nil)
    }
}
