import Citadel
import Domain
import Testing
import Wire

@testable import CitadelMonitor

@Suite("A signal's curve")
struct SignalCurveTests {
    private func live() throws -> LiveSignal {
        var engine = CitadelEngine(instruments: [:])
        var outputs: [CitadelOutput] = []
        let signal = TradingSignal(
            signalIdentifier: "S1", symbol: "EURUSD", direction: .buy, entryPrice: 1.085, stopLoss: 1.083,
            takeProfit: 1.09, createdMilliseconds: Fixture.now.milliseconds)
        _ = try engine.submit(signal, now: Fixture.now.milliseconds, into: &outputs)
        return try #require(engine.liveSignal("S1"))
    }

    private func row(_ record: SignalRecord) -> [String: String] {
        let fields = record.row
        return Dictionary(
            uniqueKeysWithValues: stride(from: 0, to: fields.count, by: 2).map { (fields[$0], fields[$0 + 1]) })
    }

    @Test("the row carries it as [[time, score], …], and it comes back from there")
    func roundTrip() throws {
        var live = try live()
        live.curve.append(CurvePoint(timeMilliseconds: Fixture.now.milliseconds + 65_000, score: 2.5))
        let record = SignalRecord(live, fields: try Fixture.object(#"{"signal_id":"S1","own":1}"#))
        let text = try #require(row(record)["curve"])
        #expect(text == "[[\(Fixture.now.milliseconds),\(live.answer.protectionScore)],[1757954428000,2.5]]")
        let back = try #require(SignalRecord.restore(row(record)))
        #expect(back.live.curve == live.curve && back.record.curve == live.curve)
        #expect(back.live.startSpread == live.startSpread)
    }

    @Test("a row of an earlier version, without a curve, comes back with its first point")
    func earlierRow() throws {
        let live = try live()
        var fields = row(SignalRecord(live, fields: JSONObject()))
        for damaged in [nil, "[]", "[[5,9],[4,9]]"] {
            fields["curve"] = damaged
            #expect(try #require(SignalRecord.restore(fields)).live.curve == live.curve)
        }
    }

    @Test("an end is the last point, with its time and reason in the row")
    func ending() throws {
        var engine = CitadelEngine(instruments: [:])
        var outputs: [CitadelOutput] = []
        let live = try live()
        _ = try engine.submit(live.signal, now: Fixture.now.milliseconds, into: &outputs)
        var record = SignalRecord(live, fields: try Fixture.object(#"{"signal_id":"S1","own":1}"#))
        let end = Fixture.now.milliseconds + 3_600_000
        outputs.removeAll()
        engine.advance(to: end, into: &outputs)
        let update = try #require(
            outputs.compactMap { if case .signalUpdated(let update) = $0 { update } else { nil } }.last)
        record.apply(update)
        let row = row(record)
        #expect(row["ended_at"] == String(end) && row["update_reason"] == "its time is over")
        #expect(record.curve.last == CurvePoint(timeMilliseconds: end, score: update.score))
        #expect(record.curve.count == 2 && row["state"] == "expired")
        #expect(record.published["own"] == .number("1") && record.published["update"] == .string("expired"))
    }

    @Test(
        "what is no curve is none",
        arguments: ["", "[]x", "{}", "[[1]]", "[[1,11]]", "[[2,5],[1,5]]", #"[["a",5]]"#, "[1,2]", "[[1,null]]"])
    func damaged(text: String) { #expect(Curve.points(text) == nil) }
}
