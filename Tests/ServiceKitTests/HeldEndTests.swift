import Foundation
import Glibc
import TestKit
import Testing
import ZeroMQ

@testable import ServiceKit

/// An orderly end while the holder still owes an earlier process's connections, or was just lost.
@Suite(
    "The end of a process that holds connections", .serialized,
    .enabled(if: Project.isBuilt(["confirmation-logger"]), "it needs the built confirmation-logger"))
final class HeldEndTests {
    private let folder: TemporaryDirectory
    private let path: String
    private let endpoint: String
    private let context: ZMQContext
    private var process: HeldProcess?
    private var peers: [LibraryPeer] = []

    init() throws {
        folder = try TemporaryDirectory("held-end")
        path = folder.path + "/hold"
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        context = try ZMQContext()
    }

    /// A process was killed, of whose twenty connections each has ten messages nobody took. Its holder, stopped.
    private func killed() throws -> pid_t {
        process = try HeldProcess(endpoint, path)
        try process?.run("a holder is there") { process?.held.problem == nil }
        let holder = try #require(process?.held.process)
        for _ in 0..<20 {
            let peer = try LibraryPeer(context, endpoint)
            #expect(try peer.socket.send("first") == .sent)
            peers.append(peer)
        }
        try process?.run("all are held") { process?.taken.count == 20 && process?.held.count == 20 }
        process = nil
        for peer in peers { for _ in 0..<10 { #expect(try peer.socket.send("while away") == .sent) } }
        #expect(kill(holder, SIGSTOP) == 0)
        return holder
    }

    @Test("what is given while the port ends is heard to the end, and its senders are asked to leave")
    func givenWhileLeaving() throws {
        let holder = try killed()
        process = try HeldProcess(endpoint, path)
        process?.listener.leave()
        #expect(process?.held.isAwaited == true)
        #expect(kill(holder, SIGCONT) == 0)
        try process?.run("nothing was lost, and all have left") {
            process?.taken.count == 200 && process?.held.isAwaited == false && process?.listener.isLeft == true
        }
        #expect(Set(process?.taken ?? []) == ["while away"])
        process?.held.end()
        try process?.run("the holder ends") { access(path, F_OK) != 0 }
    }

    @Test("what was not given at the end stays with the holder for the next process")
    func owedAtTheEnd() throws {
        let holder = try killed()
        process = try HeldProcess(endpoint, path)
        process?.listener.leave()
        process?.held.end()
        process = nil
        #expect(kill(holder, SIGCONT) == 0)
        let next = try HeldProcess(endpoint, path)
        try next.run("nothing was lost") { next.taken.count == 200 }
        #expect(Set(next.taken) == ["while away"] && next.listener.count == 20)
        next.held.end()
        try next.run("the holder ends") { access(path, F_OK) != 0 }
    }

    @Test("a holder that was just lost ends with the process all the same")
    func justLost() throws {
        process = try HeldProcess(endpoint, path)
        try process?.run("a holder is there") { process?.held.problem == nil && process?.held.isOwed == false }
        let held = try #require(process?.held)
        close(held.socket)
        held.socket = -1
        held.end()
        try process?.run("its socket is gone") { access(path, F_OK) != 0 }
    }
}
