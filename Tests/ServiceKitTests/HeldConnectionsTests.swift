import Foundation
import Glibc
import Logging
import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// A port whose process is gone, with its descriptors and without a word, and the next process on it.
@Suite("Connections that outlive their process") final class HeldConnectionsTests {
    private let folder: TemporaryDirectory
    private let path: String
    private let endpoint: String
    private let context: ZMQContext
    private var process: HeldProcess?

    init() throws {
        folder = try TemporaryDirectory("held")
        path = folder.path + "/hold"
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        context = try ZMQContext()
    }

    /// The first process, with its holder at work.
    private func begin() throws -> HeldProcess {
        let process = try HeldProcess(endpoint, path)
        try process.run("a holder is there") { process.held.problem == nil }
        return process
    }

    /// A peer that has sent four messages, of which the process took "a" and "bb" and no more; and where it stands.
    private func peerOfWhichHalfIsTaken() throws -> (RawPeer, PullFrame.Origin) {
        process = try begin()
        process?.diesAfter = 2
        let peer = try RawPeer(endpoint)
        let messages = ["a", "bb", "ccc", "dddd"].flatMap { text -> [UInt8] in [0, UInt8(text.utf8.count)] + text.utf8 }
        peer.send(RawPeer.greeting + RawPeer.ready + messages)
        try process?.run("two are taken") { process?.taken == ["a", "bb"] && process?.held.count == 1 }
        return (peer, try #require(process?.origins.last))
    }

    @Test func whatIsSentWhileNobodyIsThereComesToTheNextProcess() throws {
        process = try begin()
        let peers = try (0..<50).map { _ in try LibraryPeer(context, endpoint) }
        for peer in peers { #expect(try peer.socket.send("first") == .sent) }
        try process?.run("all are there") { process?.taken.count == 50 && process?.held.count == 50 }
        process = nil
        for peer in peers { for _ in 0..<20 { #expect(try peer.socket.send("while away") == .sent) } }
        let next = try HeldProcess(endpoint, path)
        try next.run("nothing was lost") { next.taken.count == 1000 }
        #expect(Set(next.taken) == ["while away"])
        // The very connections they had.
        #expect(next.listener.count == 50 && next.ends.isEmpty)
        #expect(Set(next.origins.map(\.connection)).count == 50)
        next.held.end()
    }

    @Test func whoLeavesIsGoneThoughHisConnectionWasHeld() throws {
        process = try begin()
        let other = try LibraryPeer(context, endpoint)
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
        let next = try HeldProcess(endpoint, path, known: last)
        try next.run("the others come") { next.taken.count >= 2 }
        #expect(next.taken == ["d", "e"])
        next.held.end()
    }

    @Test(arguments: [false, true]) func whoEndedHisSideMeanwhileIsHeardToTheEnd(isReset: Bool) throws {
        let (peer, last) = try peerOfWhichHalfIsTaken()
        process = nil
        // By a reset the kernel forgets whose it was.
        peer.end(isReset: isReset)
        let next = try HeldProcess(endpoint, path, known: last)
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
        let next = try HeldProcess(endpoint, path)
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
        process = try HeldProcess(endpoint, path)
        try process?.run("the first long one is whole") { process?.taken.count == 1 }
        #expect(process?.taken == [String(decoding: body, as: UTF8.self)])
        process = nil
        peer.send(Array(all[40_000...]))
        let next = try HeldProcess(endpoint, path)
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
        let next = try HeldProcess(endpoint, path)
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
        let peers = try (0..<20).map { _ in try LibraryPeer(context, endpoint) }
        for peer in peers { #expect(try peer.socket.send("first") == .sent) }
        try process?.run("all are held") { process?.taken.count == 20 && process?.held.count == 20 }
        process = nil
        for peer in peers { for _ in 0..<10 { #expect(try peer.socket.send("while away") == .sent) } }
        // For longer than the start waits.
        #expect(kill(holder, SIGSTOP) == 0)
        process = try HeldProcess(endpoint, path)
        #expect(process?.listener.count == 0 && process?.held.isOwed == true)
        #expect(kill(holder, SIGCONT) == 0)
        try process?.run("nothing was lost") { process?.taken.count == 200 }
        #expect(process?.listener.count == 20 && process?.ends.isEmpty == true)
        #expect(process?.held.isOwed == false && process?.held.count == 20)
        // All of them are held on, by the same holder.
        process = nil
        let last = try HeldProcess(endpoint, path)
        #expect(last.listener.count == 20)
        last.held.end()
    }

    @Test func connectionsTheHolderHasNoRoomForAreSaid() throws {
        process = try HeldProcess(endpoint, path, openFiles: 12)
        try process?.run("a holder is there") { process?.held.problem == nil }
        let peers = try (0..<20).map { _ in try RawPeer(endpoint) }
        for peer in peers { peer.send(RawPeer.greeting + RawPeer.ready) }
        try process?.run("that is said") { process?.held.problem?.contains("not held") == true }
        try process?.run("they are not counted") { (1..<20).contains(process?.held.count ?? 0) }
        process?.held.end()
        for peer in peers { peer.end() }
    }

    @Test func whoEndedHisSideAfterWeEndedOursIsHeardToTheEnd() throws {
        let (peer, last) = try peerOfWhichHalfIsTaken()
        // Killed while it drains.
        process?.listener.leave()
        peer.endSide()
        try process?.loop.run(milliseconds: 100)
        process = nil
        let next = try HeldProcess(endpoint, path, known: last)
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
