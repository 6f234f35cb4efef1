import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// Signs of life: only a peer that gave one when it was asked is judged by its silence.
@Suite("Heartbeats of a PULL port of our own") final class PullHeartbeatTests {
    private static let pong: [UInt8] = [4, 5, 4] + Array("PONG".utf8)

    private let loop = Loop()
    private let context: ZMQContext
    private let endpoint: String
    private let listener: PullListener
    private let frame = PullFrame()
    private var taken: [String] = []
    private var ends: [PullListener.End] = []

    init() throws {
        context = try ZMQContext()
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        listener = try PullListener(endpoint, heartbeat: 100)
        listener.onEnded = { [unowned self] _, end in ends.append(end) }
        listener.watch(on: loop.reactor) { [unowned self] in
            for _ in 0..<100 where listener.next(into: frame) {
                taken += frame.copyFrames().map { String(decoding: $0, as: UTF8.self) }
            }
            listener.rest()
        }
    }

    @Test func whoAnsweredOnceAndDoesNoLongerIsCutAndNobodyElse() throws {
        let library = try ZMQSocket(context, .push)
        try library.connect(endpoint)
        let mute = try RawPeer(endpoint)
        mute.send(RawPeer.greeting + RawPeer.ready)
        try loop.run("both are there", within: 30) { listener.count == 2 }
        // One after the other, so that the others were asked and waited for longer than each of them.
        for number in 1...2 {
            let frozen = try RawPeer(endpoint)
            frozen.send(RawPeer.greeting + RawPeer.ready + PullHeartbeatTests.pong)
            try loop.run("who answered is cut", within: 30) { ends.count == number }
            frozen.end()
        }
        #expect(ends == [.silent, .silent])
        #expect(listener.count == 2)
        mute.send([0, 4] + Array("mute".utf8))
        #expect(try library.send(Array("library".utf8)) == .sent)
        try loop.run("both are heard", within: 30) { taken.count == 2 }
        #expect(taken.sorted() == ["library", "mute"])
        mute.end()
    }
}
