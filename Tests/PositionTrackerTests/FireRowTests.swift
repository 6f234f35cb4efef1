import Domain
import Testing

@testable import PositionTracker
@testable import Trading

@Suite("ledger rows")
struct FireRowTests {
    @Test("a row that was written is read back as it was")
    func roundTrip() throws {
        var fire = Fire(
            fireID: "row-1", userUUID: "USER_0001", nodeID: "NODE_1_2", server: "Demo", account: "1",
            symbol: "EURUSD.r",
            canonicalSymbol: "EURUSD", direction: .sell, lot: try #require(Amount("0.07")), state: .sent,
            createdAt: Timestamp(milliseconds: 1000), expiresAt: Timestamp(milliseconds: 31_000))
        fire.stopLoss = "1.1000"
        fire.timeline = [TimelineEntry(state: "reserved", at: Timestamp(milliseconds: 1000), by: "slot script")]
        var row: [String: String] = [:]
        for index in stride(from: 0, to: fire.row.count, by: 2) { row[fire.row[index]] = fire.row[index + 1] }
        let read = try #require(Fire(row: row))
        #expect(read.fireID == fire.fireID && read.state == .sent && read.lot == fire.lot && read.stopLoss == "1.1000")
        #expect(read.timeline == fire.timeline)
    }

    @Test(
        "a denied one says the lot that was asked for, or none where it was to be computed", arguments: ["0.30", "0"])
    func denied(lot: String) throws {
        let fire = Fire(
            fireID: "row-2", userUUID: "USER_0001", nodeID: "", server: "", account: "", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: try #require(Amount(lot)), state: .denied,
            createdAt: Timestamp(milliseconds: 1000), expiresAt: Timestamp(milliseconds: 1000))
        let index = fire.row.firstIndex(of: "lot")
        #expect(index.map { fire.row[$0 + 1] } == (lot == "0" ? nil : "0.30"))
        #expect(RiskCalculator.Size.cap.asked == nil && RiskCalculator.Size.percent(Amount(1)).asked == nil)
        #expect(RiskCalculator.Size.lot(fire.lot).asked == fire.lot)
    }
}
