import Domain
import Journal
import Redis
import TestKit
import Testing

@testable import ConfirmationLogger

@Suite("Messages that are held")
struct HeldMessageTests {
    @Test(
        "only what was taken in is struck out; the sender goes with his last message",
        .enabled(if: RedisServer.isInstalled))
    func takeOut() throws {
        let redis = try RedisServer()
        let connection = RedisConnection(redis.address)
        let script = TakeOutScript.make()
        try redis.call("RPUSH", "held:u|1", "a", "b", "late")
        try redis.call("SADD", "held", "u|1", "v|2")
        func takeOut(_ count: Int) throws -> Int64? {
            try connection.call(script.arguments(keys: ["held:u|1", "held"], [String(count), "u|1"])).integer
        }
        #expect(try takeOut(2) == 1)
        #expect(try redis.call("LRANGE", "held:u|1", "0", "-1").texts == ["late"])
        #expect(try redis.members("held") == ["u|1", "v|2"])
        #expect(try takeOut(1) == 0)
        #expect(try redis.members("held") == ["v|2"])
        #expect(try takeOut(0) == 0, "nothing was held")
    }

    @Test("what came too early is known by its address, no machine takes the place of others, and all of it ends")
    func unjudged() {
        var frames = UnjudgedFrames()
        let share = UnjudgedFrames.perHost
        for sequence in 1...UInt64(share + 10) { frames.keep(sequence, from: "192.0.2.1") }
        frames.keep(90_000, from: "192.0.2.2")
        #expect(frames.take(UInt64(share)) == "192.0.2.1" && frames.take(UInt64(share)) == nil)
        #expect(frames.take(UInt64(share + 1)) == nil, "beyond its share it came from nowhere")
        frames.keep(90_001, from: "192.0.2.1")
        #expect(frames.take(90_001) == "192.0.2.1", "its share is free again")
        #expect(frames.take(90_000) == "192.0.2.2")
        frames.forget(booked: 90_000)
        #expect(frames.take(1) == "192.0.2.1")
        frames.forget(booked: 90_001)
        #expect(frames.isEmpty && frames.take(2) == nil)
    }

    @Test("the message stands beside what is to be booked, read back after a restart as well, unless it is too long")
    func kept() throws {
        let secret = SharedSecret(path: try TemporaryDirectory("secret").path + "/secret")
        for (padding, isKept) in [(0, true), (HeldMessage.longest, false)] {
            let text =
                #"{"ticket":7,"symbol":"EURUSD","result":"order_opened","type":"buy","volume":0.1,"#
                + #""open_price":"1.1","account":"1","server":"S","currency":"USD","user_uuid":"anna","note":""#
                + String(repeating: "x", count: padding) + #""}"#
            for flags: JournalFlags in [[.outside, .unjudged], [.outside]] {
                let frame = AcceptedFrame(
                    sequence: 3, receivedAt: Timestamp(milliseconds: 1), source: .confirmations, flags: flags,
                    bytes: Array(text.utf8))
                let item = WindowItem(try FrameReading.decode(frame.bytes, flags), frame, secret)
                #expect(item.confirmation != nil)
                #expect((item.unjudged?.bytes == frame.bytes) == (isKept && flags.contains(.unjudged)))
            }
        }
    }

    @Test("numbers told before anybody could judge are nobody's: a stranger's would make the owner leave out his own")
    func unjudgedNumbers() throws {
        let secret = SharedSecret(path: try TemporaryDirectory("secret").path + "/secret")
        for text in [
            #"{"ticket":7,"result":"order_opened","account":"1","user_uuid":"anna","node_id":"N","seq":500}"#,
            #"{"type":"pong","ping_id":"p","user_uuid":"anna","node_id":"N","seq":500}"#,
        ] {
            for (flags, isHeard) in [([.outside, .unjudged], false), ([.outside], true), ([], true)]
                as [(JournalFlags, Bool)]
            {
                let frame = AcceptedFrame(
                    sequence: 3, receivedAt: Timestamp(milliseconds: 1), source: .receipts, flags: flags,
                    bytes: Array(text.utf8))
                let item = WindowItem(try FrameReading.decode(frame.bytes, flags), frame, secret)
                #expect((item.receipt?.sequence == 500) == isHeard)
            }
        }
    }
}
