import Glibc
import ServiceKit
import TestKit
import Testing

/// What a peer may send without holding up anybody else.
@Suite("Floods of a PULL port") final class PullListenerFloodTests {
    private let loop = Loop()
    private let endpoint: String
    private var listener: PullListener?
    private let frame = PullFrame()
    private var taken: [String] = []
    private var ends: [PullListener.End] = []
    private var turns = 0
    private var ready = 0
    private var isWanted = true

    init() throws {
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
    }

    /// Opens the port; whoever keeps what was not handed over, its peers see no difference.
    private func open(_ custody: PullListener.Custody) throws {
        let listener = try PullListener(endpoint, heartbeat: 0, custody: custody)
        self.listener = listener
        listener.onEnded = { [unowned self] _, end in ends.append(end) }
        listener.onReady = { [unowned self] _ in ready += 1 }
        listener.watch(on: loop.reactor, while: { [unowned self] in isWanted }) { [unowned self, unowned listener] in
            turns += 1
            for _ in 0..<100 where listener.next(into: frame) {
                taken.append(String(decoding: frame.copyBytes(), as: UTF8.self))
            }
            listener.rest()
        }
    }

    private func message(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + text.utf8 }

    @Test(arguments: PullListener.Custody.allCases)
    func urgentDataCostsItsSenderTheConnection(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready + message("first"))
        try loop.run("it is heard", within: 30) { taken == ["first"] }
        // Half a frame, the mark, and what the kernel counts though no look reaches it.
        peer.send([2, 0, 0, 0, 0, 0, 0, 3, 232] + [UInt8](repeating: 1, count: 100))
        peer.sendUrgent(7)
        peer.send([UInt8](repeating: 1, count: 1000))
        let other = try RawPeer(endpoint)
        defer { other.end() }
        other.send(RawPeer.greeting + RawPeer.ready + message("second"))
        try loop.run("it is cut, and others go on", within: 30) {
            ends == [.broken("urgent_data")] && taken == ["first", "second"]
        }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func commandsWithoutEndHoldUpNobody(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        isWanted = false
        let commands = (0..<10_000).flatMap { _ in [4, 2, 1, 0x58] as [UInt8] }
        peer.send(RawPeer.greeting + RawPeer.ready)
        peer.send(commands)
        peer.send(message("behind"))
        try loop.run(milliseconds: 50)
        turns = 0
        isWanted = true
        try loop.run("all are taken", within: 30) { taken == ["behind"] }
        // In one turn the loop would have served nobody else for as long as they come.
        #expect(turns >= 3)
        #expect(ends.isEmpty)
    }

    @Test(
        arguments: [[4, 0], [4, 1, 0], [4, 1, 7], [4, 5, 4, 0x50, 0x49, 0x4E, 0x47]] as [[UInt8]],
        PullListener.Custody.allCases)
    func aCommandThatIsNoneCostsItsSenderTheConnection(command: [UInt8], _ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready + command)
        try loop.run("it is cut", within: 30) { ends == [.broken("zmtp_peer_error")] }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func handshakesOfACrowdAreManyTurns(_ custody: PullListener.Custody) throws {
        try open(custody)
        isWanted = false
        let peers = try (0..<300).map { _ in try RawPeer(endpoint) }
        for (number, peer) in peers.enumerated() {
            peer.send(RawPeer.greeting + RawPeer.ready + (number == 299 ? message("last") : []))
        }
        turns = 0
        isWanted = true
        try loop.run("all are there", within: 30) { taken == ["last"] && listener?.count == 300 }
        #expect(turns >= 4)
        for peer in peers { peer.end() }
        try loop.run("all are gone", within: 30) { listener?.count == 0 }
    }

    /// Byte by byte, over several frames, and with a message behind it in the same segment.
    @Test(arguments: PullListener.Custody.allCases)
    func aMessageInPiecesComesWhole(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready)
        for byte in message("in pieces") {
            peer.send([byte])
            try loop.run(milliseconds: 2)
        }
        try loop.run("it is whole", within: 30) { taken == ["in pieces"] }
        let long = String(repeating: "x", count: 40_000)
        let head: [UInt8] = [2, 0, 0, 0, 0, 0, 0] + [UInt8(long.utf8.count >> 8), UInt8(long.utf8.count & 255)]
        peer.send(message("before") + head + long.utf8.prefix(20_000))
        try loop.run("what stands before it is told", within: 30) { taken.last == "before" }
        peer.send(Array(long.utf8.dropFirst(20_000)) + message("behind"))
        try loop.run("the rest is told", within: 30) { taken == ["in pieces", "before", long, "behind"] }
        #expect(ends.isEmpty)
    }

    /// What peers begin and do not end is bounded: those who come when the room is taken are served from the kernel.
    @Test func whatIsBegunHasItsBound() throws {
        try open(.process)
        let begin = [2, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + [UInt8](repeating: 1, count: 100)
        let peers = try (0..<300).map { _ in try RawPeer(endpoint) }
        defer { for peer in peers { peer.end() } }
        for peer in peers { peer.send(RawPeer.greeting + RawPeer.ready) }
        try loop.run("all may speak", within: 30) { ready == 300 }
        for peer in peers { peer.send(begin) }
        try loop.run("all have begun", within: 30) { (listener?.begunBytes ?? 0) >= 16 << 20 }
        try loop.run("and are still there", within: 30) { listener?.count == 300 }
        #expect((listener?.begunBytes ?? 0) <= (16 << 20) + (66 << 10))
        let honest = try RawPeer(endpoint)
        defer { honest.end() }
        honest.send(RawPeer.greeting + RawPeer.ready + message("whole"))
        try loop.run("it is heard", within: 30) { taken == ["whole"] }
        for (number, peer) in peers.enumerated() where number % 2 == 0 {
            peer.send([UInt8](repeating: 1, count: 0xFFFF - 100))
        }
        try loop.run("those that go on are heard", within: 30) { taken.count == 151 }
        for peer in peers { peer.end() }
        try loop.run("nothing is kept of the others", within: 30) {
            listener?.count == 1 && listener?.begunBytes == 0
        }
    }

    @Test(arguments: PullListener.Custody.allCases)
    func aMessageOfTooManyFramesCostsItsSenderTheConnection(_ custody: PullListener.Custody) throws {
        try open(custody)
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready + (0..<65).flatMap { _ in [1, 0] as [UInt8] })
        try loop.run("it is cut", within: 30) { ends == [.broken("too_many_frames")] }
    }
}

/// Who is let in at all.
@Suite("The door of a PULL port") final class PullListenerDoorTests {
    private let loop = Loop()
    private let endpoint: String
    private var refusals: [PullListener.Refusal] = []
    private var listener: PullListener?

    init() throws { endpoint = "tcp://127.0.0.1:\(try FreePorts.next())" }

    private func open(_ door: PullListener.Door) throws {
        let listener = try PullListener(endpoint, heartbeat: 0, door: door)
        let frame = PullFrame()
        listener.onRefused = { [unowned self] in refusals.append($0) }
        listener.watch(on: loop.reactor) {
            while listener.next(into: frame) {}
            listener.rest()
        }
        self.listener = listener
    }

    @Test func anAddressMayNotHaveMoreThanItsPart() throws {
        try open(PullListener.Door(mostDescriptors: .max, mostOfOneAddress: 2))
        let strangers = try (0..<5).map { _ in try RawPeer(endpoint, from: 0x7F00_0002) }
        try loop.run("three are refused", within: 30) { refusals.count == 3 && listener?.count == 2 }
        #expect(Set(refusals) == [.address])
        #expect(listener?.refusalText?.contains("address") == true)
        // This machine's own services may.
        let own = try (0..<5).map { _ in try RawPeer(endpoint) }
        try loop.run("they are let in", within: 30) { listener?.count == 7 }
        for peer in strangers { peer.end() }
        try loop.run("the others have left", within: 30) { listener?.count == 5 }
        let again = try RawPeer(endpoint, from: 0x7F00_0002)
        try loop.run("it is let in", within: 30) { listener?.count == 6 }
        #expect(refusals.count == 3)
        for peer in own + [again] { peer.end() }
    }

    @Test func whatIsAboveTheProcesssLimitIsRefusedAtOnce() throws {
        try open(PullListener.Door(mostDescriptors: 0, mostOfOneAddress: .max))
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        try loop.run("it is refused", within: 30) { refusals == [.full] }
        #expect(listener?.count == 0 && listener?.refusalText?.contains("files") == true)
    }

    @Test func someDescriptorsAreKeptForThisProcess() {
        let limit = raiseOpenFileLimit()
        let door = PullListener.Door.ofThisProcess
        #expect(Int(door.mostDescriptors) < limit && Int(door.mostDescriptors) >= limit / 2)
        #expect(door.mostOfOneAddress <= Int(door.mostDescriptors) / 2)
    }
}
