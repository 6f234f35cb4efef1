import Domain
import Foundation
import Testing

@testable import PositionTracker
@testable import Trading

@Suite("What the ledger reads and writes") struct LedgerFileTests {
    private func load(_ change: (String) -> String) throws -> RiskPolicy {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "deploy/config/tiers.yaml"), encoding: .utf8)
        let file = FileManager.default.temporaryDirectory.appending(path: "tiers-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try change(text).write(to: file, atomically: true, encoding: .utf8)
        return try TierFile.load(path: file.path)
    }

    @Test("the shipped tiers.yaml: caps off, the automatic brake on")
    func shipped() throws {
        let policy = try load { $0 }
        #expect(policy.dailyLossPercent.isZero && policy.openRiskPercent.isZero)
        #expect(
            policy.automaticBrake
                == AutomaticBrake(windowMilliseconds: 60_000, minimum: 10, share: try #require(Amount("0.5"))))
    }

    @Test("caps and the brake are read; 0 outcomes switch the brake off; nonsense is refused")
    func settings() throws {
        let policy = try load {
            $0.replacingOccurrences(of: "daily_loss_pct: \"0\"", with: "daily_loss_pct: 4.5")
                .replacingOccurrences(of: "open_risk_pct: \"0\"", with: "open_risk_pct: \"6\"")
                .replacingOccurrences(of: "minimum_outcomes: 10", with: "minimum_outcomes: 0")
        }
        #expect(policy.dailyLossPercent == Amount("4.5") && policy.openRiskPercent == Amount(6))
        #expect(policy.automaticBrake == nil)
        for (from, bad) in [
            ("open_risk_pct: \"0\"", "open_risk_pct: -1"), ("share: \"0.5\"", "share: 2"),
            ("window_s: 60", "window_s: 0"),
        ] {
            #expect(throws: (any Error).self, "\(bad)") {
                _ = try load { $0.replacingOccurrences(of: from, with: bad) }
            }
        }
    }

    private func dictionary(_ fields: [String]) -> [String: String] {
        var row: [String: String] = [:]
        for index in stride(from: 0, to: fields.count, by: 2) { row[fields[index]] = fields[index + 1] }
        return row
    }

    @Test("a fire's row keeps its moments, factors, arithmetic, quotes and the late flag")
    func fireRow() throws {
        var fire = Fire(
            fireID: "row-2", userUUID: "u", nodeID: "n", server: "s", account: "1", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: try #require(Amount("0.10")), state: .unknown,
            createdAt: Timestamp(milliseconds: 1000), expiresAt: Timestamp(milliseconds: 31_000))
        fire.isLate = true
        fire.factors = #"{"trend":{"score":7,"weight":0.5,"contribution":3.5}}"#
        fire.quoteBid = Amount("1.08500")
        fire.quoteAsk = Amount("1.08510")
        for (index, moment) in FireMoment.allCases.enumerated() {
            fire.times[moment] = Timestamp(milliseconds: Int64(2000 + index))
        }
        let one = try #require(Amount("1"))
        fire.risk = RiskAssessment(
            lot: fire.lot, lossPerLot: Amount(510), amount: Amount(51), percent: one, capPercent: one,
            equity: Amount(5100), currency: "EUR", entryPrice: one, stopPips: Amount(51), conversionRate: one,
            tierMultiplier: one, citadelMultiplier: one)
        let read = try #require(Fire(row: dictionary(fire.row)))
        #expect(read == fire)
        #expect(dictionary(fire.moveRow)["late"] == "1" && dictionary(fire.moveRow)["unknown_at"] != nil)
    }

    @Test("users with caps of their own, and positions with their risk, are read back as written")
    func otherRows() throws {
        var user = User(uuid: "u", tier: "MAJOR", createdAt: Timestamp(milliseconds: 5))
        user.openRiskPercent = .zero
        #expect(User(row: dictionary(user.row)) == user)
        var position = Position(
            key: PositionKey(server: "s", account: "1", ticket: 7), userUUID: "u", nodeID: "n", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .sell, lot: try #require(Amount("0.06")),
            openPrice: try #require(Amount("1.085")), openPriceText: "1.085", openedAt: Timestamp(milliseconds: 9))
        position.openedLot = try #require(Amount("0.10"))
        position.risk = Amount("30.60")
        position.source = "inferred"
        position.contradicts = .neverExecuted
        position.closings.put(Closing(name: "0.04", lot: Amount("0.04"), profit: Amount("-0.4"), source: "message"))
        position.closings.put(Closing(name: "0.1", lot: nil, profit: nil, source: "balance_step"))
        #expect(Position(row: dictionary(position.row)) == position)
    }

    @Test("a closing that came before its opening is read back as written")
    func earlyClose() {
        var close = EarlyClose(
            key: PositionKey(server: "a|b", account: "1", ticket: 7), closedAt: Timestamp(milliseconds: 9),
            isFinal: true)
        close.closings.put(Closing(name: "0.04", lot: Amount("0.04"), profit: Amount("-4.20"), source: "message"))
        close.closings.put(Closing(name: "1", lot: Amount("0.96"), profit: nil, source: nil))
        close.reason = "SL \"hit\""
        #expect(EarlyClose(text: close.text) == close)
        #expect(EarlyClose(text: "{}") == nil)
    }
}
