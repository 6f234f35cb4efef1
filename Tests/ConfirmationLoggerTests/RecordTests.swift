import Domain
import Testing
import Trading
import Wire

@testable import ConfirmationLogger

@Suite("What the logger keeps and publishes")
struct RecordTests {
    @Test("a decision is read back as it was made")
    func decision() throws {
        var event = Scripts.closed(7, Amount("-1.25") ?? .zero, duration: 5)
        event.message = "\"quoted\" \\ \u{1F600}\n"
        event.fingerprint = "f"
        event.closedVolume = Amount("0.1")
        let record = try #require(DecisionRecord(DecisionRecord(frame: 12, events: [event, event]).bytes))
        #expect(record.frame == 12 && record.events == [event, event])
        #expect(DecisionRecord(Array("{}".utf8)) == nil)
    }

    @Test("several frames are kept apart; one with content is read, more are refused")
    func frames() throws {
        let pong = Array(#"{"type":"pong","ping_id":"1"}"#.utf8)
        for frames in [[pong], [[], pong], [pong, []]] {
            let (bytes, flags) = FrameReading.packed(frames)
            #expect(flags.isEmpty == (frames.count == 1))
            #expect(try FrameReading.decode(bytes, flags) == .pong(Pong(pingID: "1")))
        }
        let (bytes, flags) = FrameReading.packed([pong, pong])
        #expect { try FrameReading.decode(bytes, flags) } throws: { ($0 as? EAReject)?.reason == "frame_count" }
    }

    @Test("the live event has numbers where the fields are numbers, text elsewhere")
    func published() throws {
        var event = Scripts.closed(7, Amount("2.5") ?? .zero)
        event.lot = "0.10"
        let object = TradeEventPublisher.object(event)
        #expect(object["ticket"] == .number("7") && object["lot"] == .number("0.10"))
        #expect(object["account"] == .string("1") && object["kind"] == .string("closed"))
        #expect(object["orphan"] == .number("0") && object["symbol"] == nil)
    }
}
