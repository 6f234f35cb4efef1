import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// What a process has; dropping it is what a kill does: descriptors are closed, nothing is said.
final class HeldProcess {
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

/// A terminal as libzmq makes it.
final class LibraryPeer {
    let socket: ZMQSocket

    init(_ context: ZMQContext, _ endpoint: String) throws {
        socket = try ZMQSocket(context, .push)
        try socket.connect(endpoint)
    }
}
