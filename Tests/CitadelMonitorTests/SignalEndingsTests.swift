import Testing

@testable import CitadelMonitor

@Suite("Ended signals")
struct SignalEndingsTests {
    @Test("the oldest is forgotten, whatever was heard again in between")
    func oldest() {
        var endings = SignalEndings(capacity: 3)
        for name in ["a", "b", "c"] { endings.remember(name, ended: "expired") }
        endings.remember("a", ended: "invalidated")
        #expect(endings.count == 3 && endings["a"] == "invalidated")
        endings.remember("d", ended: "expired")
        #expect(endings["a"] == nil && endings["b"] == "expired" && endings["d"] == "expired" && endings.count == 3)
        for number in 0..<1_000 { endings.remember("s\(number)", ended: "expired") }
        #expect(endings.count == 3 && endings["s997"] != nil && endings["s999"] != nil && endings["s996"] == nil)
    }
}
