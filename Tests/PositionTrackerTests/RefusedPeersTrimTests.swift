import Testing

@testable import PositionTracker

@Suite struct RefusedPeersTrimTests {
    @Test func whoWasTurnedAwayLongestAgoIsLetGoOf() {
        var fields: [String: String] = ["unreadable": "{"]
        for number in 1...1_000 { fields["10.0.\(number / 250).\(number % 250)"] = "{\"last_at\":\(number)}" }
        let surplus = PositionTrackerService.surplusRefused(fields)
        #expect(surplus.count == 251 && surplus.first == "unreadable")
        #expect(surplus.contains("10.0.0.1") && !surplus.contains("10.0.4.0"))
        #expect(PositionTrackerService.surplusRefused(["10.0.0.1": "{\"last_at\":1}"]).isEmpty)
    }
}
