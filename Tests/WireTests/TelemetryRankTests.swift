import Domain
import Testing
import Wire

@Suite("What a telemetry frame is worth") struct TelemetryRankTests {
    private func rank(_ text: String) -> TelemetryRank {
        Array(text.utf8).withUnsafeBufferPointer { TelemetryRank(frame: $0) }
    }

    /// The rank a frame has once it has been read.
    private func rankAsRead(_ text: String) throws -> TelemetryRank {
        switch try read(text) {
        case .tick: .tick
        case .bars: .bar
        case .trade, .pong: .trade
        case .report, .disconnect, .resume, .unknown: .report
        }
    }

    @Test("the first bytes of every golden line say what reading it says")
    func goldenLines() throws {
        for line in Golden.all { #expect(rank(line.text) == (try rankAsRead(line.text)), "\(line.text)") }
    }

    @Test("other forms in the field")
    func otherForms() {
        #expect(rank(#"TICK {"symbol":"EURUSD","bid":1.1,"ask":1.2}"#) == .tick)
        #expect(rank("TICK EURUSD 1.1 1.2") == .tick)
        #expect(rank(#"OHLC {"symbol":"EURUSD"}"#) == .bar)
        // 7.01cp has no type.
        #expect(rank(#"{"symbol":"EURUSD","bid":1.15548,"ask":1.15561,"spread":0.00013,"volume":0}"#) == .tick)
        #expect(rank("") == .report)
        #expect(rank("GET / HTTP/1.1") == .report)
    }

    @Test("nothing that speaks of a trade passes for less, wherever it says so")
    func trades() {
        #expect(rank(#"{"symbol":"EURUSD","result":"order_closed","ticket":7}"#) == .trade)
        #expect(rank(#"{"fire_id":"F","result":"failed"}"#) == .trade)
        #expect(rank(#"{"type":"position_closed","ticket":7}"#) == .trade)
        #expect(rank(#"{"node_id":"N","type":"confirmation","status":"success"}"#) == .trade)
        #expect(rank(#"{"type":"error","signal_id":"S","error":"Invalid symbol: x"}"#) == .trade)
    }
}
