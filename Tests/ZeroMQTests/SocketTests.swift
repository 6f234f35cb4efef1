import TestKit
import Testing
import ZeroMQ

@Suite("Sockets") struct SocketTests {
    let context: ZMQContext

    init() throws { context = try ZMQContext() }

    @Test func aMessageGoesThereAndItsAnswerComesBack() throws {
        let server = try ZMQSocket(context, .router, quick)
        let client = try ZMQSocket(context, .dealer, quick)
        try client.connect(try server.bindSomewhere())
        #expect(try client.send("question") == .sent)
        let frames = try #require(try server.next())
        #expect(frames.count == 2)
        #expect(frames[1] == Array("question".utf8))
        #expect(try server.send(frames[0], more: true) == .sent)
        #expect(try server.send("answer") == .sent)
        #expect(try client.nextTexts() == ["answer"])
    }

    @Test func aRouterRoutesByTheIdentityAPeerGaveItself() throws {
        let router = try ZMQSocket(context, .router, quick)
        let endpoint = try router.bindSomewhere()
        let first = try ZMQSocket(context, .dealer, quick.with { $0.routingIdentifier = Array("user_1".utf8) })
        let second = try ZMQSocket(context, .dealer, quick.with { $0.routingIdentifier = Array("user_2".utf8) })
        try first.connect(endpoint)
        try second.connect(endpoint)
        _ = try first.send("hello")
        _ = try second.send("hello")
        let identities = [try router.nextTexts()?.first, try router.nextTexts()?.first].compactMap { $0 }
        #expect(identities.sorted() == ["user_1", "user_2"])
        #expect(try router.send("user_2", more: true) == .sent)
        #expect(try router.send("for the second") == .sent)
        #expect(try second.nextTexts() == ["for the second"])
        #expect(try first.next(within: 0.1) == nil)
    }

    @Test func anIdentityNobodyHasIsUnreachableAndNotSilence() throws {
        let router = try ZMQSocket(context, .router, quick)
        let endpoint = try router.bindSomewhere()
        #expect(try router.send("nobody", more: true) == .unreachable)
        // The refused message left nothing behind: the next one begins anew.
        let client = try ZMQSocket(context, .dealer, quick.with { $0.routingIdentifier = Array("somebody".utf8) })
        try client.connect(endpoint)
        _ = try client.send("here")
        _ = try router.next()
        #expect(try router.send("somebody", more: true) == .sent)
        #expect(try router.send("found") == .sent)
        #expect(try client.nextTexts() == ["found"])
    }

    @Test func withHandoverTheNewestConnectionOwnsTheIdentity() throws {
        let router = try ZMQSocket(context, .router, quick.with { $0.routerHandover = true })
        let endpoint = try router.bindSomewhere()
        let options = quick.with { $0.routingIdentifier = Array("terminal".utf8) }
        let past = try ZMQSocket(context, .dealer, options)
        try past.connect(endpoint)
        _ = try past.send("old")
        #expect(try router.nextTexts() == ["terminal", "old"])
        let present = try ZMQSocket(context, .dealer, options)
        try present.connect(endpoint)
        _ = try present.send("new")
        #expect(try router.nextTexts() == ["terminal", "new"])
        _ = try router.send("terminal", more: true)
        _ = try router.send("command")
        #expect(try present.nextTexts() == ["command"])
        #expect(try past.next(within: 0.1) == nil)
    }

    @Test func theHighWaterMarkIsAValueAndNeverAWait() throws {
        let push = try ZMQSocket(context, .push, quick.with { $0.sendHighWaterMark = 5 })
        #expect(try push.send("to nobody") == .wouldBlock)
        // A peer that connects and reads nothing: both marks and the kernel's buffers fill up.
        let pull = try ZMQSocket(context, .pull, quick.with { $0.receiveHighWaterMark = 5 })
        try push.connect(try pull.bindSomewhere())
        let large = [UInt8](repeating: 0x2E, count: 60_000)
        var sent = 0
        try eventually("the mark is reached", within: 10) {
            while sent < 5000 {
                guard try push.send(large) == .sent else { return true }
                sent += 1
            }
            return false
        }
        #expect((5..<5000).contains(sent), "\(sent) messages were taken")
        var received = 0
        while received < sent, try pull.next() != nil { received += 1 }
        #expect(received == sent, "what was accepted arrives")
    }

    @Test func framesPastTheBoundAreReadAndLetGo() throws {
        let server = try ZMQSocket(context, .router, quick)
        let client = try ZMQSocket(context, .dealer, quick)
        try client.connect(try server.bindSomewhere())
        for number in 1..<100 { _ = try client.send("frame \(number)", more: true) }
        _ = try client.send("the last")
        _ = try client.send("the next message")
        let frames = try #require(try server.nextTexts())
        #expect(frames.count == ZMQSocket.maximumFrames)
        #expect(frames[1] == "frame 1")
        #expect(try server.nextTexts()?.last == "the next message")
    }

    @Test func aFrameIsPassedOnUnchangedWithoutACopy() throws {
        let source = try ZMQSocket(context, .push, quick)
        let relayIn = try ZMQSocket(context, .pull, quick)
        let relayOut = try ZMQSocket(context, .push, quick)
        let sink = try ZMQSocket(context, .pull, quick)
        try source.connect(try relayIn.bindSomewhere())
        try relayOut.connect(try sink.bindSomewhere())
        var generator = SeededGenerator(seed: 20_261_121, for: "bytes passed on")
        let message = ZMQMessage()
        for size in [0, 1, 33, 34, 4096, 60_000] {
            let bytes = generator.bytes(size)
            _ = try source.send(bytes)
            try eventually("the frame of \(size) bytes arrives") { try relayIn.receive(message) }
            let count = message.count
            #expect(count == size)
            let hasMore = message.hasMore
            #expect(!hasMore)
            try eventually("it is passed on") { try relayOut.send(message) == .sent }
            #expect(try sink.next() == [bytes])
        }
    }

    @Test func subscribersHearTheirPrefixOnly() throws {
        let publisher = try ZMQSocket(context, .publish, quick)
        let endpoint = try publisher.bindSomewhere()
        let alerts = try ZMQSocket(context, .subscribe, quick)
        try alerts.subscribe("NODE_ALERT")
        try alerts.connect(endpoint)
        // A subscription takes a moment: publish until it is heard, then look at what came.
        var heard: [String] = []
        try eventually("the subscription works") {
            _ = try publisher.send("OTHER {}")
            _ = try publisher.send("NODE_ALERT {}")
            while let texts = try alerts.nextTexts(within: 0.01) { heard += texts }
            return !heard.isEmpty
        }
        #expect(Set(heard) == ["NODE_ALERT {}"])
    }
}
