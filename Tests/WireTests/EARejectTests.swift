import Domain
import Testing
import Wire

@Suite struct EARejectTests {
    @Test(arguments: ["", "\0", " \n\0\0", "\u{FEFF}"])
    func emptyFrames(text: String) {
        #expect(reject(text)?.reason == "empty_frame")
    }

    @Test(arguments: [
        ("hello there", "not_json"), ("<html>", "not_json"), ("GET / HTTP/1.1", "not_json"),
        (#"{"type":"TICK",}"#, "not_json"), (#"{"type":"TICK"} {}"#, "not_json"), ("{'type':'TICK'}", "not_json"),
        (#"GARBAGE {"type":"pong"}"#, "not_json"), (#"TICK EURUSD 1.1"#, "not_json"), ("tru", "truncated"),
        (#"{"type":"TICK""#, "truncated"), ("{", "truncated"), (#"{"type":"TI"#, "truncated"),
        (#"{"type":"heartbeat","balance":nan}"#, "not_a_number"),
        (#"{"type":"heartbeat","balance":-nan(ind)}"#, "not_a_number"),
        (#"{"type":"heartbeat","balance":inf}"#, "not_a_number"),
        (#"{"type":"heartbeat","balance":-inf}"#, "not_a_number"),
        ("[1,2]", "not_an_object"), (#"[{"type":"TICK"}]"#, "not_an_object"), ("12", "not_an_object"),
        (#""text""#, "not_an_object"), ("true", "not_an_object"), ("null", "not_an_object"),
    ])
    func whatIsNoMessage(text: String, reason: String) {
        #expect(reject(text)?.reason == reason)
    }

    @Test func nestingIsBounded() {
        let deep = #"{"type":"# + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "}"
        #expect(reject(deep)?.reason == "too_deep")
        #expect(reject(String(repeating: "{\"a\":", count: 5000))?.reason == "too_deep")
    }

    @Test func lengthIsBounded() {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: EADecoder.maximumBytes + 1)
        #expect(reject(long)?.reason == "too_long")
        #expect(reject(Array(long.dropLast()))?.reason == "not_json")
    }

    @Test(arguments: [
        (#"{"a":1}"#, "missing_field", "type"), (#"{}"#, "missing_field", "type"),
        (#"{"symbol":"EURUSD","bid":1.1}"#, "missing_field", "type"),
        (#"{"type":7}"#, "unknown", ""), (#"{"type":""}"#, "bad_value", "type"), (#"{"type":[]}"#, "bad_value", "type"),
        (#"{"type":"TICK","bid":1.1,"ask":1.2}"#, "missing_field", "symbol"),
        (#"{"type":"TICK","symbol":"EURUSD","ask":1.2}"#, "missing_field", "bid"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":1.2}"#, "missing_field", "ask"),
        (#"{"type":"TICK","symbol":"","bid":1.1,"ask":1.2}"#, "bad_value", "symbol"),
        (#"{"type":"TICK","symbol":"A\nB","bid":1.1,"ask":1.2}"#, "bad_value", "symbol"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":0,"ask":1.2}"#, "bad_value", "bid"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":1.1,"ask":-1.2}"#, "bad_value", "ask"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":"nan","ask":1.2}"#, "bad_value", "bid"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":1e999,"ask":1.2}"#, "bad_value", "bid"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":1e-20,"ask":1.2}"#, "bad_value", "bid"),
        (#"{"type":"TICK","symbol":"EURUSD","bid":true,"ask":1.2}"#, "bad_value", "bid"),
        (#"{"type":"TICK","symbol":["EURUSD"],"bid":1.1,"ask":1.2}"#, "bad_value", "symbol"),
        (
            #"{"type":"OHLC","symbol":"EURUSD","timeframe":"M1","open":1,"high":1,"low":1,"close":1}"#,
            "missing_field", "time"
        ),
        (
            #"{"type":"OHLC","symbol":"EURUSD","timeframe":"M1","time":0,"open":1,"high":1,"low":1,"close":1}"#,
            "bad_value", "time"
        ),
        (
            #"{"type":"OHLC","symbol":"X","timeframe":"M1","time":1757965140,"open":1,"high":0,"low":1,"close":1}"#,
            "bad_value", "high"
        ),
        (#"{"type":"candle_batch","symbol":"EURUSD"}"#, "missing_field", "M1"),
        (#"{"type":"candle_batch","symbol":"EURUSD","M5":[{"time":1757965140,"open":1}]}"#, "missing_field", "M5[0]"),
        (#"{"type":"candle_batch","symbol":"EURUSD","M1":{}}"#, "bad_value", "M1"),
        (#"{"type":"heartbeat","balance":"12,5"}"#, "bad_value", "balance"),
        (#"{"type":"heartbeat","balance":999999999999}"#, "bad_value", "balance"),
        (#"{"type":"heartbeat","equity":{}}"#, "bad_value", "equity"),
        (#"{"type":"heartbeat","node_id":""}"#, "bad_value", "node_id"),
        (#"{"type":"heartbeat","user_uuid":"a\u0000b"}"#, "bad_value", "user_uuid"),
        (#"{"type":"heartbeat","node_id":"a\u007f"}"#, "bad_value", "node_id"),
        (#"{"type":"heartbeat","account":false}"#, "bad_value", "account"),
        (#"{"type":"handshake","server":"a\tb"}"#, "bad_value", "server"),
        (#"{"type":"handshake","symbol_list":"EURUSD,\u0007"}"#, "bad_value", "symbol_list"),
        (#"{"type":"HEARTBEAT","positions":[{"ticket":1},{"symbol":"EURUSD"}]}"#, "bad_value", "positions[1]"),
        (#"{"type":"HEARTBEAT","positions":[7]}"#, "bad_value", "positions[0]"),
        (#"{"type":"confirmation","ticket":1}"#, "missing_field", "status"),
        (#"{"type":"confirmation","status":"perhaps"}"#, "bad_value", "status"),
        (#"{"type":"confirmation","status":"success","ticket":"x"}"#, "bad_value", "ticket"),
        (#"{"type":"confirmation","status":"success","ticket":99999999999999999999}"#, "bad_value", "ticket"),
        (#"{"type":"confirmation","status":"success","lot":"much"}"#, "bad_value", "lot"),
        (#"{"type":"confirmation","status":"success","seq":1.5}"#, "bad_value", "seq"),
        (#"{"type":"buy","ticket":1}"#, "missing_field", "status"),
        (#"{"type":"buy","ticket":1,"result":"eh"}"#, "bad_value", "result"),
        (#"{"type":"position_closed","profit":1.0}"#, "missing_field", "ticket"),
        (#"{"type":"resume"}"#, "missing_field", "node_id"),
    ])
    func whatIsWrongIsNamed(text: String, reason: String, field: String) throws {
        if reason == "unknown" {
            #expect(try read(text) == .unknown(type: "7"))
            return
        }
        let found = try #require(reject(text))
        #expect(found.reason == reason)
        #expect(found.detail.hasPrefix(field), "\(found.detail)")
    }

    @Test func identifiersHaveALimit() throws {
        let longest = String(repeating: "é", count: 128)
        #expect(try readReport(#"{"type":"heartbeat","node_id":"\#(longest)"}"#).nodeID == longest)
        #expect(reject(#"{"type":"heartbeat","node_id":"\#(longest)x"}"#)?.reason == "bad_value")
    }

    @Test func theTypeIsNamedWhereItIsKnown() {
        #expect(reject(#"{"type":"TICK","bid":1.1,"ask":1.2}"#)?.type == "TICK")
        #expect(reject("{")?.type == nil)
    }

    @Test func detailsArePrintableAndBounded() throws {
        let text = #"{"type":"heartbeat","node_id":"\u0007\#(String(repeating: "y", count: 4000))"}"#
        let detail = try #require(reject(text)?.detail)
        #expect(detail.count < 100)
        #expect(detail.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func jsonErrorsSayWhere() {
        #expect(reject(#"{"type":"TICK",}"#)?.detail == "not JSON at byte 15: unexpected")
    }

    @Test func anAskBelowTheBidIsTheMarketsWord() throws {
        #expect(try readTick(#"{"type":"TICK","symbol":"X","bid":1.2,"ask":1.1}"#).ask < Amount(2))
    }
}
