import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// A PULL port on plain sockets, as libzmq's own peers see it.
@Suite("A PULL port of our own") final class PullListenerTests {
    private let loop = Loop()
    private let context: ZMQContext
    private let endpoint: String
    private var listener: PullListener?
    private let frame = PullFrame()
    private var taken: [[[UInt8]]] = []
    private var ends: [PullListener.End] = []
    private var isWanted = true

    init() throws {
        context = try ZMQContext()
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
    }

    /// Opens the port; whoever keeps what was not handed over, its peers see no difference.
    private func open(_ custody: PullListener.Custody) throws {
        let listener = try PullListener(endpoint, heartbeat: 0, custody: custody)
        self.listener = listener
        listener.onEnded = { [unowned self] _, end in ends.append(end) }
        listener.watch(on: loop.reactor, while: { [unowned self] in isWanted }) { [unowned self, unowned listener] in
            for _ in 0..<100 where listener.next(into: frame) { taken.append(frame.copyFrames()) }
            listener.rest()
        }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func thousandsOfMessagesComeInOrder(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try ZMQSocket(context, .push, SocketOptions().with { $0.sendHighWaterMark = 0 })
        try peer.connect(endpoint)
        let messages = (0..<5_000).map { [UInt8](repeating: UInt8($0 % 251), count: 1 + $0 % 700) }
        for message in messages { #expect(try peer.send(message) == .sent) }
        try loop.run("all are taken", within: 30) { taken.count == messages.count }
        #expect(taken == messages.map { [$0] })
    }

    /// The kernel keeps whole segments while a part of one is unread; the window must not close on the rest of a message.
    @Test(arguments: [(300, 5_000), (9_000, 400), (60_000, 60)], PullListener.Custody.allCases)
    func burstsOfSeveralPeersComeWhole(_ burst: (length: Int, count: Int), _ custody: PullListener.Custody) throws {
        try open(custody)
        let (length, count) = burst
        var peers: [Peer] = []
        for number in 0..<8 {
            let peer = Peer(try ZMQSocket(context, .push, SocketOptions().with { $0.sendHighWaterMark = 0 }))
            try peer.socket.connect(endpoint)
            for index in 0..<count {
                let message = [UInt8(number)] + [UInt8](repeating: UInt8(index % 251), count: length + index % 7)
                #expect(try peer.socket.send(message) == .sent)
            }
            peers.append(peer)
        }
        try loop.run("all are taken", within: 60) { taken.count == 8 * count }
        for number in 0..<8 {
            let heard = taken.compactMap { $0[0].first == UInt8(number) ? $0[0].last : nil }
            #expect(heard == (0..<count).map { UInt8($0 % 251) })
        }
    }

    private final class Peer {
        let socket: ZMQSocket

        init(_ socket: consuming ZMQSocket) { self.socket = socket }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func aMessageOfTwoFramesComesWhole(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try ZMQSocket(context, .push)
        try peer.connect(endpoint)
        #expect(try peer.send("one", more: true) == .sent)
        #expect(try peer.send("two") == .sent)
        try loop.run("it is taken", within: 30) { !taken.isEmpty }
        #expect(taken == [[Array("one".utf8), Array("two".utf8)]])
    }

    @Test(arguments: PullListener.Custody.allCases)
    func aPeerOfAnotherKindIsTurnedAway(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try ZMQSocket(context, .dealer)
        try peer.connect(endpoint)
        try loop.run("it is turned away", within: 30) { ends.contains(.handshake("socket type DEALER")) }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func aFrameThatIsTooLongCostsItsSenderTheConnection(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try ZMQSocket(context, .push)
        try peer.connect(endpoint)
        #expect(try peer.send([UInt8](repeating: 1, count: 64 * 1024 + 1)) == .sent)
        try loop.run("it is cut", within: 30) { ends.contains(.broken("frame_too_long")) }
        #expect(taken.isEmpty)
    }

    @Test(arguments: PullListener.Custody.allCases)
    func whatNobodyWantsStaysWithItsSender(_ custody: PullListener.Custody) throws {
        try open(custody)
        isWanted = false
        let peer = try ZMQSocket(context, .push)
        try peer.connect(endpoint)
        #expect(try peer.send("tick") == .sent)
        try loop.run("it waits for a while", within: 30) { loop.reactor.oldestUnread >= 50 }
        #expect(taken.isEmpty)
        isWanted = true
        try loop.run("it is taken, and nothing waits", within: 30) {
            taken.count == 1 && loop.reactor.oldestUnread == 0
        }
    }
}
