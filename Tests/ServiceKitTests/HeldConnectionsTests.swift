import Foundation
import Glibc
import Logging
import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// A port whose process is gone, with its descriptors and without a word, and the next process on it.
@Suite("Connections that outlive their process") final class HeldConnectionsTests {
    /// What a process has; dropping it is what a kill does: descriptors are closed, nothing is said.
    private final class Process {
        let loop = Loop()
        let held: HeldConnections
        let listener: PullListener
        let frame = PullFrame()
        var taken: [String] = []
        var ends: [PullListener.End] = []
        var origins: [PullFrame.Origin] = []
        var addresses: [String?] = []
        /// Dies within its turn, before what it took is let go.
        var diesAfter = Int.max

        init(_ endpoint: String, _ path: String, known: PullFrame.Origin? = nil, openFiles: Int? = nil) throws {
            let words = [Project.product("confirmation-logger"), "--hold-connections"]
            let limited = openFiles.map { ["/bin/sh", "-c", "ulimit -n \($0); exec \(words[0]) \(words[1]) \"$0\""] }
            held = HeldConnections(path: path, words: limited ?? words, log: loop.log)
            listener = try PullListener(endpoint, heartbeat: 0)
            listener.onReady = { [held] in held.hold($0) }
            listener.onEnded = { [unowned self] in
                held.drop($0.key)
                ends.append($1)
            }
            held.onGiven = { [unowned listener] in #expect(listener.adopt($0, skipping: nil)) }
            for left in held.takeOver() {
                let skipped = left.key == known?.connection ? known?.end : nil
                #expect(listener.adopt(left, skipping: skipped))
            }
            listener.watch(on: loop.reactor, while: { [unowned self] in taken.count < diesAfter }) { [unowned self] in
                while taken.count < diesAfter, listener.next(into: frame) {
                    taken.append(String(decoding: frame.copyBytes(), as: UTF8.self))
                    if let origin = frame.origin { origins.append(origin) }
                    addresses.append(frame.peerAddress())
                }
                if taken.count < diesAfter { listener.rest() }
            }
            held.watch(on: loop.reactor)
        }

        func run(_ what: String, until condition: () -> Bool) throws {
            try loop.run(what, within: 30, until: condition)
        }
    }

    private final class Peer {
        let socket: ZMQSocket

        init(_ context: ZMQContext, _ endpoint: String) throws {
            socket = try ZMQSocket(context, .push)
            try socket.connect(endpoint)
        }
    }

    private let folder: TemporaryDirectory
    private let path: String
    private let endpoint: String
    private let context: ZMQContext
    private var process: Process?

    init() throws {
        folder = try TemporaryDirectory("held")
        path = folder.path + "/hold"
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        context = try ZMQContext()
    }

    /// The first process, with its holder at work.
    private func begin() throws -> Process {
        let process = try Process(endpoint, path)
        try process.run("a holder is there") { process.held.problem == nil }
        return process
    }

    @Test func whatIsSentWhileNobodyIsThereComesToTheNextProcess() throws {
        process = try begin()
        let peers = try (0..<50).map { _ in try Peer(context, endpoint) }
        for peer in peers { #expect(try peer.socket.send("first") == .sent) }
        try process?.run("all are there") { process?.taken.count == 50 && process?.held.count == 50 }
        process = nil
        for peer in peers { for _ in 0..<20 { #expect(try peer.socket.send("while away") == .sent) } }
        let next = try Process(endpoint, path)
        try next.run("nothing was lost") { next.taken.count == 1000 }
        #expect(Set(next.taken) == ["while away"])
        // The very connections they had.
        #expect(next.listener.count == 50 && next.ends.isEmpty)
        #expect(Set(next.origins.map(\.connection)).count == 50)
        next.held.end()
    }

    @Test func whoLeavesIsGoneThoughHisConnectionWasHeld() throws {
        process = try begin()
        let other = try Peer(context, endpoint)
        do {
            let peer = try RawPeer(endpoint)
            peer.send(RawPeer.greeting + RawPeer.ready + [0, 3] + Array("one".utf8))
            try process?.run("it is held") { process?.taken == ["one"] && process?.held.count ?? 0 >= 1 }
            peer.end()
        }
        try process?.run("it is gone") { process?.ends == [.byPeer] }
        try process?.run("nothing calls for the loop any more") { process?.loop.reactor.oldestUnread == 0 }
        #expect(try other.socket.send("two") == .sent)
        try process?.run("others go on") { process?.taken.last == "two" && process?.held.count == 1 }
        process?.held.end()
    }

    @Test func whatWasTakenAndStandsInTheKernelStillIsNotTakenAgain() throws {
        process = try begin()
        process?.diesAfter = 3
        let peer = try ZMQSocket(context, .push)
        try peer.connect(endpoint)
        for text in ["a", "b", "c", "d", "e"] { #expect(try peer.send(text) == .sent) }
        try process?.run("three are taken") { process?.taken == ["a", "b", "c"] && process?.held.count == 1 }
        let last = try #require(process?.origins.last)
        process = nil
        let next = try Process(endpoint, path, known: last)
        try next.run("the others come") { next.taken.count >= 2 }
        #expect(next.taken == ["d", "e"])
        next.held.end()
    }

    @Test(arguments: [false, true]) func whoEndedHisSideMeanwhileIsHeardToTheEnd(isReset: Bool) throws {
        process = try begin()
        process?.diesAfter = 2
        let peer = try RawPeer(endpoint)
        let messages = ["a", "bb", "ccc", "dddd"].flatMap { text -> [UInt8] in [0, UInt8(text.utf8.count)] + text.utf8 }
        peer.send(RawPeer.greeting + RawPeer.ready + messages)
        try process?.run("two are taken") { process?.taken == ["a", "bb"] && process?.held.count == 1 }
        let last = try #require(process?.origins.last)
        process = nil
        // By a reset the kernel forgets whose it was.
        peer.end(isReset: isReset)
        let next = try Process(endpoint, path, known: last)
        try next.run("the others come, and then the end") { next.ends == [.byPeer] }
        #expect(next.addresses == ["127.0.0.1", "127.0.0.1"])
        #expect(next.taken == ["ccc", "dddd"])
        next.held.end()
    }

    @Test func aMessageOfWhichHalfHadComeIsWholeInTheNextProcess() throws {
        process = try begin()
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        peer.send(RawPeer.greeting + RawPeer.ready + [0, 4] + Array("on".utf8))
        try process?.run("its handshake is done") { process?.held.count == 1 }
        process = nil
        peer.send(Array("ce".utf8))
        let next = try Process(endpoint, path)
        try next.run("it comes") { next.taken == ["once"] }
        next.held.end()
    }

    /// Longer than one look, and in several frames: what is there of it stays with the kernel over the restart.
    @Test func aLongMessageThatARestartCutsIsWholeInTheNextProcess() throws {
        process = try begin()
        let peer = try RawPeer(endpoint)
        defer { peer.end() }
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 30_000)
        let long = [2, 0, 0, 0, 0, 0, 0, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
        let several = [1, 3] + Array("one".utf8) + long
        let all = [0, 5] + Array("first".utf8) + long + several + [0, 4] + Array("last".utf8)
        peer.send(RawPeer.greeting + RawPeer.ready + all.prefix(20_000))
        try process?.run("it begins") { process?.taken == ["first"] && process?.held.count == 1 }
        process = nil
        peer.send(Array(all[20_000..<40_000]))
        process = try Process(endpoint, path)
        try process?.run("the first long one is whole") { process?.taken.count == 1 }
        #expect(process?.taken == [String(decoding: body, as: UTF8.self)])
        process = nil
        peer.send(Array(all[40_000...]))
        let next = try Process(endpoint, path)
        try next.run("the others come") { next.taken.count == 2 }
        #expect(next.taken == ["one", "last"] && next.ends.isEmpty)
        next.held.end()
    }

    @Test func anotherHolderGetsWhatTheFirstOneHad() throws {
        process = try begin()
        let peer = try ZMQSocket(context, .push)
        try peer.connect(endpoint)
        #expect(try peer.send("a") == .sent)
        try process?.run("it is held") { process?.held.count == 1 && process?.taken.count == 1 }
        let first = try #require(process?.held.process)
        #expect(kill(first, SIGKILL) == 0)
        try process?.run("that is said") { process?.held.problem != nil }
        try process?.run("another one is there") { process?.held.problem == nil && process?.held.process != first }
        process = nil
        #expect(try peer.send("b") == .sent)
        let next = try Process(endpoint, path)
        try next.run("nothing was lost") { next.taken == ["b"] }
        next.held.end()
    }

    @Test func anOrderlyEndEndsTheHolderToo() throws {
        process = try begin()
        #expect(access(path, F_OK) == 0)
        process?.held.end()
        try process?.run("its socket is gone") { access(path, F_OK) != 0 }
        // Nobody starts another one.
        try process?.loop.run(milliseconds: 600)
        #expect(access(path, F_OK) != 0)
    }

    @Test func aSecondHolderLeavesThePathToTheFirst() throws {
        process = try begin()
        let first = try #require(process?.held.process)
        let second = Foundation.Process()
        second.executableURL = URL(filePath: Project.product("confirmation-logger"))
        second.arguments = ["--hold-connections", path]
        try second.run()
        defer { second.terminate() }
        try process?.run("the second one ends") { !second.isRunning }
        try process?.loop.run(milliseconds: 1500)
        #expect(access(path, F_OK) == 0 && process?.held.problem == nil && process?.held.process == first)
        process?.held.end()
    }

    @Test func aHolderWhosePathIsGoneEndsThoughItHasAService() throws {
        process = try begin()
        let first = try #require(process?.held.process)
        unlink(path)
        try process?.run("another one is there") {
            process?.held.process != first && process?.held.process != 0 && process?.held.problem == nil
        }
        #expect(kill(first, 0) != 0)
        process?.held.end()
    }

    @Test func aHolderThatHangsIsReplaced() throws {
        _ = raiseOpenFileLimit()
        process = try begin()
        let first = try #require(process?.held.process)
        #expect(kill(first, SIGSTOP) == 0)
        // More than a socket takes while nobody reads it.
        let peers = try (0..<400).map { _ in try RawPeer(endpoint) }
        for peer in peers { peer.send(RawPeer.greeting + RawPeer.ready) }
        try process?.run("all are held by another one") {
            process?.held.count == 400 && process?.held.process != first && process?.held.problem == nil
        }
        #expect(kill(first, 0) != 0)
        process?.held.end()
        for peer in peers { peer.end() }
    }

    @Test func aHolderThatHangsIsReplacedThoughNobodySpeaks() throws {
        process = try begin()
        let peers = try (0..<3).map { _ in try RawPeer(endpoint) }
        for peer in peers { peer.send(RawPeer.greeting + RawPeer.ready) }
        try process?.run("they are held") { process?.held.count == 3 }
        let first = try #require(process?.held.process)
        #expect(kill(first, SIGSTOP) == 0)
        try process?.run("all are held by another one") {
            process?.held.count == 3 && process?.held.process != first && process?.held.problem == nil
        }
        #expect(kill(first, 0) != 0)
        let second = process?.held.process
        // One that is there is left alone.
        try process?.loop.run(milliseconds: 4000)
        #expect(process?.held.process == second && process?.held.problem == nil)
        process?.held.end()
        for peer in peers { peer.end() }
    }

    @Test func whatTheHolderGivesLateIsGoneOnWithToo() throws {
        process = try begin()
        let holder = try #require(process?.held.process)
        let peers = try (0..<20).map { _ in try Peer(context, endpoint) }
        for peer in peers { #expect(try peer.socket.send("first") == .sent) }
        try process?.run("all are held") { process?.taken.count == 20 && process?.held.count == 20 }
        process = nil
        for peer in peers { for _ in 0..<10 { #expect(try peer.socket.send("while away") == .sent) } }
        // For longer than the start waits.
        #expect(kill(holder, SIGSTOP) == 0)
        process = try Process(endpoint, path)
        #expect(process?.listener.count == 0 && process?.held.isOwed == true)
        #expect(kill(holder, SIGCONT) == 0)
        try process?.run("nothing was lost") { process?.taken.count == 200 }
        #expect(process?.listener.count == 20 && process?.ends.isEmpty == true)
        #expect(process?.held.isOwed == false && process?.held.count == 20)
        // All of them are held on, by the same holder.
        process = nil
        let last = try Process(endpoint, path)
        #expect(last.listener.count == 20)
        last.held.end()
    }

    @Test func connectionsTheHolderHasNoRoomForAreSaid() throws {
        process = try Process(endpoint, path, openFiles: 12)
        try process?.run("a holder is there") { process?.held.problem == nil }
        let peers = try (0..<20).map { _ in try RawPeer(endpoint) }
        for peer in peers { peer.send(RawPeer.greeting + RawPeer.ready) }
        try process?.run("that is said") { process?.held.problem?.contains("not held") == true }
        try process?.run("they are not counted") { (1..<20).contains(process?.held.count ?? 0) }
        process?.held.end()
        for peer in peers { peer.end() }
    }

    @Test func whoEndedHisSideAfterWeEndedOursIsHeardToTheEnd() throws {
        process = try begin()
        process?.diesAfter = 2
        let peer = try RawPeer(endpoint)
        let messages = ["a", "bb", "ccc", "dddd"].flatMap { text -> [UInt8] in [0, UInt8(text.utf8.count)] + text.utf8 }
        peer.send(RawPeer.greeting + RawPeer.ready + messages)
        try process?.run("two are taken") { process?.taken == ["a", "bb"] && process?.held.count == 1 }
        let last = try #require(process?.origins.last)
        // Killed while it drains.
        process?.listener.leave()
        peer.endSide()
        try process?.loop.run(milliseconds: 100)
        process = nil
        let next = try Process(endpoint, path, known: last)
        try next.run("the others come, and then the end") { next.ends == [.byPeer] }
        #expect(next.taken == ["ccc", "dddd"])
        next.held.end()
        peer.end()
    }

    @Test func aPathThatIsTooLongIsSaid() {
        let held = HeldConnections(
            path: "/tmp/" + String(repeating: "x", count: 120), words: ["/bin/false"], log: Loop().log)
        #expect(held.takeOver().isEmpty)
        #expect(held.problem?.contains("too long") == true)
    }
}

/// A PUSH by hand.
final class RawPeer {
    static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
    static let ready: [UInt8] =
        [4, 26, 5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, 4] + Array("PUSH".utf8)

    private let descriptor: Int32

    struct Failure: Error {}

    /// - Parameter source: the address it speaks from.
    init(_ endpoint: String, from source: UInt32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        if let source {
            address.sin_addr.s_addr = source.bigEndian
            let bound = withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else { throw Failure() }
        }
        address.sin_port = (UInt16(endpoint.split(separator: ":").last ?? "") ?? 0).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure() }
    }

    func send(_ bytes: [UInt8]) { _ = write(descriptor, bytes, bytes.count) }

    func sendUrgent(_ byte: UInt8) {
        var byte = byte
        _ = Glibc.send(descriptor, &byte, 1, Int32(MSG_OOB))
    }

    /// Ends its side, and reads on.
    func endSide() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func end(isReset: Bool = false) {
        if isReset {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
        close(descriptor)
    }
}
