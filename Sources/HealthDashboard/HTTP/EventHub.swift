import Synchronization
import Wire

/// Tells every listener of `/events` what changed. A slow listener gets what it missed as one message, never a queue.
final class EventHub: Sendable {
    static let maximumListeners = 200

    /// One listener: what it has not been told yet, and a bell.
    final class Listener: Sendable {
        let bell: AsyncStream<Void>
        private let ring: AsyncStream<Void>.Continuation
        private struct Pending {
            var version: UInt64 = 0
            var parts: Set<Part> = []
            var isHeartbeatDue = false
        }
        private let pending = Mutex(Pending())

        fileprivate init() { (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

        fileprivate func tell(_ parts: Set<Part>, version: UInt64) {
            pending.withLock {
                $0.parts.formUnion(parts)
                $0.version = version
            }
            ring.yield()
        }

        fileprivate func beat() {
            pending.withLock { $0.isHeartbeatDue = true }
            ring.yield()
        }

        fileprivate func end() { ring.finish() }

        /// The text to send now; nil when there is nothing new.
        func take() -> String? {
            let taken = pending.withLock { pending in
                defer { pending = Pending() }
                return pending
            }
            if !taken.parts.isEmpty { return EventHub.message(taken.parts, version: taken.version) }
            return taken.isHeartbeatDue ? ": alive\n\n" : nil
        }
    }

    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var next: UInt64 = 0
        var isClosed = false
    }
    private let state = Mutex(State())

    /// A new listener, which is told everything at once; nil when there are too many or the process ends.
    func join(version: UInt64) -> (identifier: UInt64, listener: Listener)? {
        let joined = state.withLock { state -> (UInt64, Listener)? in
            guard !state.isClosed, state.listeners.count < EventHub.maximumListeners else { return nil }
            state.next += 1
            let listener = Listener()
            state.listeners[state.next] = listener
            return (state.next, listener)
        }
        joined?.1.tell(Set(Part.allCases), version: version)
        return joined
    }

    func leave(_ identifier: UInt64) { state.withLock { $0.listeners[identifier] = nil } }

    var count: Int { state.withLock { $0.listeners.count } }
    /// Whether nobody more is taken now.
    var isFull: Bool { state.withLock { $0.isClosed || $0.listeners.count >= EventHub.maximumListeners } }

    func publish(_ parts: Set<Part>, version: UInt64) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.tell(parts, version: version) }
    }

    /// A comment that keeps proxies from closing a silent connection.
    func beat() { for listener in state.withLock({ Array($0.listeners.values) }) { listener.beat() } }

    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in all { listener.end() }
    }

    /// Source: the HTML standard, "Server-sent events".
    static func message(_ parts: Set<Part>, version: UInt64) -> String {
        let names = Part.allCases.filter { parts.contains($0) }.map { JSON.string($0.rawValue) }
        let data: JSON = .object(["version": .integer(version), "parts": .array(names)])
        return "event: refresh\nid: \(version)\ndata: \(data.compactText)\n\n"
    }
}
