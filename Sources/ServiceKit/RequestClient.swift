import DequeModule
public import Wire
public import ZeroMQ

/// A DEALER to one of the mesh's request ports: many requests under way, each answered or timed out.
///
/// `request_id` tells replies apart. Owned by the loop's thread.
public final class RequestClient {
    public typealias Completion = (JSONObject?) -> Void

    private struct Waiting {
        let completion: Completion
        let deadline: Int64
    }

    /// Not a tuple: a closure that goes through a generic container as part of one is wrapped anew at each passage, and
    /// these go around for as long as the peer is away.
    private struct Reliable {
        let object: JSONObject
        let completion: Completion
    }

    private let socket: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport
    private var waiting: [String: Waiting] = [:]
    private var nextIdentifier: UInt64 = 0
    private var reliable: Deque<Reliable> = []
    private var reliableOutstanding = 0

    /// - Parameter queuesWhileAway: whether requests wait in the socket for a server that is not there. Without it they
    ///   fail at once: for those that must not be carried out after their caller was told that they failed. It can't be
    ///   combined with ``sendReliably(_:_:)``, which would try again without a pause.
    public init(
        context: ZMQContext, endpoint: String, reactor: Reactor, report: ServiceReport, queuesWhileAway: Bool = true
    ) throws {
        // A restarted process must not hear answers meant for its past: libzmq's own routing id is new each time.
        let options = SocketProfile.requestClient.with { $0.immediate = !queuesWhileAway }
        socket = try ZMQSocket(context, .dealer, options)
        try socket.connect(endpoint)
        self.report = report
        reactor.watch(socket) { [unowned self] in try drain() }
        reactor.every(milliseconds: 10) { [unowned self] in expire() }
    }

    public var outstanding: Int { waiting.count }

    /// Sends a request; the completion gets the reply object, or nil when none came in time.
    public func send(_ object: JSONObject, timeout milliseconds: Int64, _ completion: @escaping Completion) {
        guard !transmit(object, timeout: milliseconds, completion) else { return }
        report.count("requests_not_sent")
        completion(nil)
    }

    /// Whether libzmq took the request; otherwise the completion is not called.
    private func transmit(
        _ object: JSONObject, timeout milliseconds: Int64, _ completion: @escaping Completion
    ) -> Bool {
        nextIdentifier += 1
        let identifier = String(nextIdentifier)
        var object = object
        object["request_id"] = .string(identifier)
        let deadline = SystemClock.monotonicMilliseconds() + milliseconds
        do throws(ZMQError) {
            guard try socket.send(object.bytes) == .sent else { return false }
        } catch {
            return false
        }
        waiting[identifier] = Waiting(completion: completion, deadline: deadline)
        return true
    }

    /// Repeats a request until it is answered. For requests that do the same when they come twice.
    public func sendReliably(_ object: JSONObject, _ completion: @escaping Completion = { _ in }) {
        reliable.append(Reliable(object: object, completion: completion))
        pumpReliable()
    }

    /// How many reliable requests have no answer yet.
    public var undelivered: Int { reliable.count + reliableOutstanding }

    private func pumpReliable() {
        // Few at a time: a registry that comes back meets a queue, not a flood.
        while reliableOutstanding < 200, let entry = reliable.first {
            let isSent = transmit(entry.object, timeout: 1000) { [unowned self] reply in
                reliableOutstanding -= 1
                if let reply { entry.completion(reply) } else { reliable.append(entry) }
            }
            // The mark is reached: the next beat tries again. Trying on here would never end while the peer is away.
            guard isSent else { return }
            reliable.removeFirst()
            reliableOutstanding += 1
        }
    }

    private func drain() throws {
        for _ in 0..<1024 {
            guard let frames = try socket.receiveFrames(message) else { return }
            guard let payload = frames.last, let object = (try? JSON(payload))?.object,
                let identifier = object["request_id"]?.text
            else {
                report.count("replies_unreadable")
                continue
            }
            waiting.removeValue(forKey: identifier)?.completion(object)
        }
    }

    private func expire() {
        pumpReliable()
        guard !waiting.isEmpty else { return }
        let now = SystemClock.monotonicMilliseconds()
        for (identifier, entry) in waiting where entry.deadline <= now {
            waiting[identifier] = nil
            report.count("requests_timed_out")
            entry.completion(nil)
        }
    }
}
