import Glibc
import ServiceKit
import TestKit
import Testing

/// What a peer may send without holding up anybody else.
@Suite("Floods of a PULL port") final class PullListenerFloodTests {
    private let loop = Loop()
    private let endpoint: String
    private let listener: PullListener
    private let frame = PullFrame()
    private var taken: [String] = []
    private var ends: [PullListener.End] = []
    private var turns = 0
    private var isWanted = true

    init() throws {
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        listener = try PullListener(endpoint, heartbeat: 0)
        listener.onEnded = { [unowned self] _, end in ends.append(end) }
        listener.watch(on: loop.reactor, while: { [unowned self] in isWanted }) { [unowned self] in
            turns += 1
            for _ in 0..<100 where listener.next(into: frame) {
                taken.append(String(decoding: frame.copyBytes(), as: UTF8.self))
            }
            listener.rest()
        }
    }

    private func message(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + text.utf8 }

    @Test func urgentDataCostsItsSenderTheConnection() throws {
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

    @Test func commandsWithoutEndHoldUpNobody() throws {
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

    @Test(arguments: [[4, 0], [4, 1, 0], [4, 1, 7], [4, 5, 4, 0x50, 0x49, 0x4E, 0x47]] as [[UInt8]])
    func aCommandThatIsNoneCostsItsSenderTheConnection(command: [UInt8]) throws {
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready + command)
        try loop.run("it is cut", within: 30) { ends == [.broken("zmtp_peer_error")] }
    }

    @Test func handshakesOfACrowdAreManyTurns() throws {
        isWanted = false
        let peers = try (0..<300).map { _ in try RawPeer(endpoint) }
        for (number, peer) in peers.enumerated() {
            peer.send(RawPeer.greeting + RawPeer.ready + (number == 299 ? message("last") : []))
        }
        turns = 0
        isWanted = true
        try loop.run("all are there", within: 30) { taken == ["last"] && listener.count == 300 }
        #expect(turns >= 4)
        for peer in peers { peer.end() }
        try loop.run("all are gone", within: 30) { listener.count == 0 }
    }

    @Test func aMessageOfTooManyFramesCostsItsSenderTheConnection() throws {
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
