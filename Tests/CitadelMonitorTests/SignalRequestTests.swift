import Citadel
import Domain
import Testing
import Wire

@testable import CitadelMonitor

@Suite("Signals")
struct SignalRequestTests {
    static let whole =
        #"{"signal_id":"ELITE_1","pair":"EURUSD","symbol":"EURUSD","direction":"buy","confidence":78.50,"#
        + #""entry_price":1.08500,"stop_loss":1.08300,"take_profit":1.09000,"rsi":{"m5":[1.10,2]},"#
        + #""timestamp":"2025-09-15T16:39:20.123456+00:00","expires_at":1757957963,"request_id":9,"protection_score":3}"#

    private func signal(_ text: String, feed: MarketFeed = Fixture.feed()) throws -> SignalRequest {
        try SignalRequest(
            Fixture.object(text), now: Fixture.now, lifetime: 3_600_000, feed: feed, price: { _ in nil })
    }

    private func without(_ name: String, adding text: String = "") throws -> String {
        var object = try Fixture.object(Self.whole)
        object[name] = nil
        let rest = object.compactText.dropLast()
        return text.isEmpty ? "\(rest)}" : "\(rest),\(text)}"
    }

    @Test("fields keep their order and their number texts; what is ours is left out")
    func passedThrough() throws {
        let request = try signal(Self.whole)
        #expect(
            request.fields.compactText
                == #"{"signal_id":"ELITE_1","pair":"EURUSD","symbol":"EURUSD","direction":"BUY","confidence":78.50,"#
                + #""entry_price":1.08500,"stop_loss":1.08300,"take_profit":1.09000,"rsi":{"m5":[1.10,2]},"#
                + #""timestamp":"2025-09-15T16:39:20.123456+00:00","expires_at":1757957963}"#)
        #expect(request.signal.createdMilliseconds == 1_757_954_360_123)
        #expect(request.signal.expiresMilliseconds == 1_757_957_963_000)
        #expect(request.signal.direction == .buy && request.signal.confidence == 78.5)
    }

    @Test("old names get the contract's beside them; a missing end is an hour after the beginning")
    func aliases() throws {
        let request = try signal(
            #"{"signal_id":"A","symbol":"EURUSD.r","direction":"SELL","entry":"1.0850","sl":1.09,"tp":"1.080"}"#)
        #expect(request.signal.symbol == "EURUSD" && request.signal.stopLoss == 1.09)
        #expect(request.fields["symbol"] == .string("EURUSD.r") && request.fields["sl"] == .number("1.09"))
        #expect(request.fields["entry_price"] == .number("1.0850") && request.fields["take_profit"] == .number("1.080"))
        #expect(request.fields["expires_at"] == .string("2025-09-15T17:39:23.000Z"))
        #expect(request.fields["timestamp"] == .string("2025-09-15T16:39:23.000Z"))
    }

    @Test(
        "times: RFC 3339, without a zone, seconds, milliseconds, as text",
        arguments: [
            #""2025-09-15T17:00:00Z""#, #""2025-09-15T19:00:00+02:00""#, #""2025-09-15T17:00:00.000000""#,
            "1757955600", "1757955600000", #""1757955600""#, "1757955600.0",
        ])
    func times(text: String) throws {
        let request = try signal(without("expires_at", adding: "\"expires_at\":\(text)"))
        #expect(request.signal.expiresMilliseconds == 1_757_955_600_000)
        // What went out can be read by everybody.
        let published = try #require(request.fields["expires_at"]?.text)
        #expect(Timestamp(rfc3339: published) != nil || JSON.isNumber(published))
    }

    @Test(
        "what is not a signal is refused with its reason",
        arguments: [
            ("signal_id", "", "bad_signal_id"), ("signal_id", #""signal_id":"a b""#, "bad_signal_id"),
            ("signal_id", #""signal_id":"é""#, "bad_signal_id"), ("symbol", #""pair2":1"#, "ok"),
            ("symbol", #""symbol":"NOPE""#, "unknown_symbol"), ("direction", "", "bad_direction"),
            ("direction", #""direction":"UP""#, "bad_direction"), ("entry_price", "", "bad_entry_price"),
            ("stop_loss", #""stop_loss":"x""#, "bad_stop_loss"), ("take_profit", #""tp":{}"#, "bad_take_profit"),
            ("expires_at", #""expires_at":"soon""#, "bad_expires_at"),
            ("expires_at", #""expires_at":4102444800"#, "bad_expires_at"),
            ("timestamp", #""timestamp":"today""#, "bad_timestamp"),
        ])
    func refused(field: String, instead: String, code: String) throws {
        let text = try without(field, adding: instead)
        guard code != "ok" else {
            #expect(try signal(text).signal.symbol == "EURUSD")
            return
        }
        let error = try #require(throws: QueryError.self) { try signal(text) }
        #expect(error.code == code)
    }

    @Test("an id of 64 characters is the longest; thousands of fields are none of a signal's")
    func bounds() throws {
        let longest = String(repeating: "x", count: 64)
        #expect(
            try signal(without("signal_id", adding: "\"signal_id\":\"\(longest)\"")).signal.signalIdentifier == longest)
        #expect(throws: QueryError.self) { try signal(without("signal_id", adding: "\"signal_id\":\"\(longest)x\"")) }
        let many = (0..<300).map { "\"f\($0)\":1" }.joined(separator: ",")
        let error = try #require(throws: QueryError.self) { try signal("{\(many)}") }
        #expect(error.code == "too_many_fields")
    }

    @Test("published, updated, ended, and taken back after a restart")
    func record() throws {
        let request = try signal(Self.whole)
        let answer = try Fixture.answer()
        let live = LiveSignal(signal: request.signal, answer: answer, expiresMilliseconds: 1_757_957_963_000)
        var record = SignalRecord(live, fields: request.fields)
        let text = String(decoding: record.frame, as: UTF8.self)
        #expect(text.hasPrefix(#"ELITE_GUARD_SIGNAL {"signal_id":"ELITE_1","pair":"EURUSD","#))
        #expect(record.published["update"] == nil && record.published["citadel"]?.object?["factors"] != nil)
        #expect(record.published["protection_score"]?.text == "\(answer.protectionScore)")

        let row = record.row
        let fields = Dictionary(
            stride(from: 0, to: row.count, by: 2).map { (row[$0], row[$0 + 1]) },
            uniquingKeysWith: { first, _ in first })
        #expect(fields["entry_price"] == "1.08500" && fields["state"] == "live" && fields["symbol"] == "EURUSD")
        #expect(fields["expires_at"] == "1757957963000" && fields["json"] == record.published.compactText)
        let back = try #require(SignalRecord.restore(fields))
        #expect(back.live == live && back.record.fields == record.fields && back.record.frame == record.frame)
        #expect(SignalRecord.restore(["engine": "{}", "request": "{}"]) == nil)

        record.expire(at: Fixture.now)
        #expect(record.state == .expired && record.published["update"] == .string("expired"))
        #expect(record.published.compactText.hasPrefix(request.fields.compactText.dropLast()))
    }
}
