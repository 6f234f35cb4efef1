import Testing
import Wire

/// The ROUTER's part of ZMTP, spoken by us: every byte of it may come from a stranger.
@Suite("One ZMTP connection") struct ZMTPPeerTests {
    private static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)

    private static func ready(_ type: String, _ identity: [UInt8]) -> [UInt8] {
        var body: [UInt8] = [5] + Array("READY".utf8)
        for (name, value) in [("Socket-Type", Array(type.utf8)), ("Identity", identity)] {
            body += [UInt8(name.utf8.count)] + Array(name.utf8) + [0, 0, 0, UInt8(value.count)] + value
        }
        return [4, UInt8(body.count)] + body
    }

    private static func take(_ bytes: [UInt8], inPortionsOf count: Int = .max) -> [ZMTPPeer.Event] {
        var peer = ZMTPPeer()
        var events: [ZMTPPeer.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            peer.take(Array(rest.prefix(count)), into: &events)
            rest = rest.dropFirst(count)
        }
        return events
    }

    private static func said(_ events: [ZMTPPeer.Event]) -> [ZMTPPeer.Event] {
        events.filter { if case .send = $0 { false } else { true } }
    }

    @Test(
        "a DEALER's handshake and messages come out the same in portions of any size",
        arguments: [1, 2, 3, 7, 64, 4096])
    func portions(count: Int) {
        let long = [UInt8](repeating: 0x61, count: 300)
        var bytes = ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", Array("user_1".utf8))
        bytes += [0, 2, 0x68, 0x69] + ZMTPPeer.frame(long) + [1, 0] + [0, 1, 0x78] + [4, 5, 4] + Array("PONG".utf8)
        #expect(
            ZMTPPeerTests.said(ZMTPPeerTests.take(bytes, inPortionsOf: count)) == [
                .ready(identity: Array("user_1".utf8), socketType: "DEALER"), .message([[0x68, 0x69]]),
                .message([long]), .message([[], [0x78]]), .pong,
            ])
    }

    @Test("a PULL is not told who we are, so that it comes back when it is served what it can use")
    func unsuited() {
        let events = ZMTPPeerTests.take(ZMTPPeerTests.greeting + ZMTPPeerTests.ready("PULL", []))
        #expect(ZMTPPeerTests.said(events) == [.unsuited(socketType: "PULL")])
        let sent = events.compactMap { if case .send(let bytes) = $0 { bytes } else { nil } }.flatMap { $0 }
        #expect(!sent.contains(4), "no command was sent")
    }

    @Test("to a PULL we are a PUSH, and to nobody else")
    func push() {
        func take(_ type: String) -> [ZMTPPeer.Event] {
            var peer = ZMTPPeer(as: .push)
            var events: [ZMTPPeer.Event] = []
            let pong: [UInt8] = [4, 5, 4] + Array("PONG".utf8)
            peer.take(ZMTPPeerTests.greeting + ZMTPPeerTests.ready(type, []) + pong, into: &events)
            return events
        }
        let events = take("PULL")
        #expect(ZMTPPeerTests.said(events) == [.ready(identity: [], socketType: "PULL"), .pong])
        let sent = events.compactMap { if case .send(let bytes) = $0 { bytes } else { nil } }.flatMap { $0 }
        #expect(String(decoding: sent, as: UTF8.self).contains("PUSH"))
        #expect(ZMTPPeerTests.said(take("DEALER")) == [.unsuited(socketType: "DEALER")])
    }

    @Test("a PING is answered with its own context")
    func ping() {
        let bytes =
            ZMTPPeerTests.greeting + ZMTPPeerTests.ready("REQ", []) + [4, 10, 4] + Array("PING".utf8) + [0, 9, 1, 2, 3]
        #expect(ZMTPPeerTests.take(bytes).last == .send([4, 8, 4] + Array("PONG".utf8) + [1, 2, 3]))
    }

    @Test("libzmq 3 is served: its older handshake has no commands")
    func older() {
        let bytes: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, 5, 0, 3, 0x61, 0x62, 0x63, 0, 1, 0x7A]
        #expect(
            ZMTPPeerTests.said(ZMTPPeerTests.take(bytes)) == [
                .ready(identity: [0x61, 0x62, 0x63], socketType: "DEALER"), .message([[0x7A]]),
            ])
    }

    @Test(
        "what is no ZMTP, or too much of it, ends the connection with a word",
        arguments: [
            (Array("GET / HTTP/1.1\r\n".utf8), "no_zmtp"),
            ([UInt8](repeating: 0, count: 40), "no_zmtp"),
            (
                [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("CURVE".utf8) + [UInt8](repeating: 0, count: 47),
                "zmtp_mechanism"
            ),
            (ZMTPPeerTests.greeting + [0, 5, 1, 2, 3, 4, 5], "zmtp_handshake"),
            (ZMTPPeerTests.greeting + [4, 7, 5] + Array("READY".utf8) + [11], "zmtp_handshake"),
            (
                ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", []) + [2, 0, 0, 0, 0, 0, 1, 0, 1],
                "frame_too_long"
            ),
            (
                ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", []) + [2, 0xFF, 0, 0, 0, 0, 0, 0, 0],
                "frame_too_long"
            ),
            (ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", []) + [0xF0, 1, 1], "zmtp_frame"),
        ] as [([UInt8], String)])
    func refused(bytes: [UInt8], word: String) {
        #expect(ZMTPPeerTests.take(bytes).last == .failed(word))
    }

    @Test("every cut of a good dialogue gives the same events as the whole of it")
    func everyOffset() {
        let bytes =
            ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", [7])
            + ZMTPPeer.frame([UInt8](repeating: 9, count: 700))
            + ZMTPPeer.frame([1])
        let whole = ZMTPPeerTests.take(bytes)
        for cut in bytes.indices {
            var peer = ZMTPPeer()
            var events: [ZMTPPeer.Event] = []
            peer.take(Array(bytes[..<cut]), into: &events)
            #expect(Array(whole.prefix(events.count)) == events, "cut at \(cut)")
            peer.take(Array(bytes[cut...]), into: &events)
            #expect(events == whole, "cut at \(cut)")
        }
    }

    @Test(
        "100,000 random dialogues, from nothing or behind a good beginning: one end at most, and nothing after it",
        arguments: [1, 2, 3, 4] as [UInt64])
    func fuzz(seed: UInt64) {
        print("seed \(seed)")
        var generator = Generator(state: seed)
        let begun = ZMTPPeerTests.greeting + ZMTPPeerTests.ready("DEALER", [1, 2])
        var wrong = 0
        for round in 0..<25_000 {
            var bytes: [UInt8] = round % 3 == 0 ? [] : round % 3 == 1 ? ZMTPPeerTests.greeting : begun
            var random = generator.next()
            for _ in 0..<(Int(random & 63) + 1) {
                random = random &* 6_364_136_223_846_793_005 &+ 1
                // Flags and short lengths come often, so that deep places are reached.
                let byte = UInt8(truncatingIfNeeded: random >> 33)
                bytes.append(random & 0x700 == 0 ? byte & 7 : byte)
            }
            if round % 5 == 0 { bytes = Array(bytes.prefix(Int(generator.next() % UInt64(bytes.count)) + 1)) }
            let events = ZMTPPeerTests.take(bytes, inPortionsOf: Int(generator.next() % 64) + 1)
            let end = events.firstIndex { if case .failed = $0 { true } else { false } }
            if let end, end != events.count - 1 { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}
