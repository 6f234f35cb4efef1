import Testing
import Wire
import ZeroMQ

@testable import EASimulator

@Suite("Receipts: what a channel sends, keeps and sends again")
struct ReceiptTests {
    /// The mesh's side: a ROUTER that answers what a test tells it to.
    private struct Server: ~Copyable {
        let socket: ZMQSocket
        let endpoint: String
        let scratch = ZMQMessage()

        init(_ context: ZMQContext) throws {
            let socket = try ZMQSocket(context, .router)
            endpoint = try bindFree(socket)
            self.socket = socket
        }

        /// The next request, with the frames its answer begins with.
        func next() throws -> (envelope: [[UInt8]], text: String)? {
            guard let frames = try socket.receiveFrames(scratch), let last = frames.last else { return nil }
            return (Array(frames.dropLast()), String(decoding: last, as: UTF8.self))
        }

        func answer(_ envelope: [[UInt8]], _ text: String) throws {
            for frame in envelope { _ = try socket.send(frame, more: true) }
            _ = try socket.send(text)
        }
    }

    /// Lets both sides work until so many requests were seen; `reply` answers each, nil withholds.
    private func talk(
        _ channel: inout ReceiptChannel, _ server: borrowing Server, clock: inout Int64, requests: Int,
        reply: (Int, String) -> String?
    ) throws -> (seen: [String], answers: [ReceiptChannel.Answer]) {
        var seen: [String] = []
        var answers: [ReceiptChannel.Answer] = []
        let deadline = ContinuousClock.now + .seconds(20)
        var isOver = false
        while ContinuousClock.now < deadline, !isOver {
            if channel.isDue(now: clock) { try channel.send(now: clock, isLost: false) }
            while let request = try server.next() {
                seen.append(request.text)
                if let text = reply(seen.count, request.text) {
                    try server.answer(request.envelope, text)
                } else {
                    // Time for a repetition.
                    clock += 2000
                }
            }
            while let answer = try channel.receive() { answers.append(answer) }
            isOver = seen.count >= requests && (channel.isIdle || answers.count >= requests)
            var nothing = [PollItem(descriptor: -1)]
            _ = try poll(&nothing, timeout: 1)
        }
        return (seen, answers)
    }

    private func sequence(_ text: String) -> Int64 { CommandText(frame: Array(text.utf8)).integer("seq") }

    private func stored(_ text: String) -> String {
        text.contains("resume")
            ? #"{"ok":true,"next_seq":1}"# : #"{"ok":true,"seq":\#(sequence(text)),"duplicate":false}"#
    }

    @Test("resume first, then one at a time; what is not answered comes again", arguments: ReceiptSocket.allCases)
    func order(kind: ReceiptSocket) throws {
        let context = try ZMQContext()
        let server = try Server(context)
        var clock: Int64 = 0
        var channel = try ReceiptChannel(context, endpoint: server.endpoint, nodeID: "NODE_1_1", kind: kind)
        for number in 1...3 { channel.add(Array(#"{"ticket":\#(number)}"#.utf8)) }
        // The second request is answered at its repetition only.
        let talk = try talk(&channel, server, clock: &clock, requests: 5) { count, text in
            count == 2 ? nil : stored(text)
        }
        #expect(talk.seen.map { sequence($0) } == [0, 1, 1, 2, 3])
        #expect(talk.seen[1] == #"{"ticket":1,"seq":1}"# && talk.seen[2] == talk.seen[1])
        #expect(talk.answers.first == .resumed(next: 1) && channel.isIdle)
        #expect(channel.unanswered.isEmpty)
    }

    @Test("after a reconnection the server's number decides: stored ones are dropped, lost ones sent again")
    func resume() throws {
        let context = try ZMQContext()
        let server = try Server(context)
        var clock: Int64 = 0
        var channel = try ReceiptChannel(context, endpoint: server.endpoint, nodeID: "NODE_1_1", kind: .req)
        for number in 1...2 { channel.add(Array(#"{"ticket":\#(number)}"#.utf8)) }
        _ = try talk(&channel, server, clock: &clock, requests: 3) { _, text in stored(text) }
        channel.add(Array(#"{"ticket":3}"#.utf8))
        channel.add(Array(#"{"ticket":4}"#.utf8))
        try channel.reconnect()
        #expect(channel.unanswered == [Array(#"{"ticket":3}"#.utf8), Array(#"{"ticket":4}"#.utf8)])
        // The third arrived before the line broke, its answer did not.
        let later = try talk(&channel, server, clock: &clock, requests: 2) { _, text in
            text.contains("resume") ? #"{"ok":true,"next_seq":4}"# : stored(text)
        }
        #expect(later.seen.map { sequence($0) } == [0, 4])
        // A server that lost its memory gets everything again.
        try channel.reconnect()
        let again = try talk(&channel, server, clock: &clock, requests: 4) { _, text in
            text.contains("resume") ? #"{"ok":true,"next_seq":2}"# : stored(text)
        }
        #expect(again.seen.map { sequence($0) } == [0, 2, 3, 4])
    }

    @Test("state_unavailable is asked again; what can't be read is not")
    func errors() throws {
        let context = try ZMQContext()
        let server = try Server(context)
        var clock: Int64 = 0
        var channel = try ReceiptChannel(context, endpoint: server.endpoint, nodeID: "NODE_1_1")
        channel.add(Array(#"{"ticket":1}"#.utf8))
        channel.add(Array(#"{"ticket":2}"#.utf8))
        var answers: [ReceiptChannel.Answer] = []
        var seen: [Int64] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while !channel.isIdle, ContinuousClock.now < deadline {
            if channel.isDue(now: clock) { try channel.send(now: clock, isLost: false) }
            while let request = try server.next() {
                seen.append(sequence(request.text))
                let text =
                    seen.count == 2
                    ? #"{"ok":false,"seq":1,"error":{"code":"state_unavailable","message":"no Redis"}}"#
                    : seen.last == 2
                        ? #"{"ok":false,"seq":2,"error":{"code":"bad_request","message":"no"}}"#
                        : stored(request.text)
                try server.answer(request.envelope, text)
            }
            while let answer = try channel.receive() {
                answers.append(answer)
                if case .delayed = answer { clock += 2000 }
            }
            var nothing = [PollItem(descriptor: -1)]
            _ = try poll(&nothing, timeout: 1)
        }
        #expect(seen == [0, 1, 1, 2])
        #expect(
            answers == [
                .resumed(next: 1), .delayed(reason: "state_unavailable"), .stored(sequence: 1, isDuplicate: false),
                .refused(sequence: 2, reason: "bad_request"),
            ])
    }
}
