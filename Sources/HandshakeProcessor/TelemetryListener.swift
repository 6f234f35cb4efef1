import ServiceKit
import ZeroMQ

/// One socket of the telemetry port with its connection events: a PULL for EAs that PUSH, a SUB for EAs that PUB.
final class TelemetryListener {
    /// EAs that PUB are heard by libzmq's SUB.
    final class Subscriber {
        let socket: ZMQSocket
        let monitor: ZMQSocket
        private let message = ZMQMessage()

        init(_ environment: ServiceEnvironment, _ entry: PortList.Entry) throws {
            let configuration = environment.configuration
            let profile = SocketProfile.eaTelemetry(heartbeat: configuration.chosenHeartbeat)
            socket = try ZMQSocket(environment.context, .subscribe, profile)
            try socket.subscribe()
            monitor = try socket.monitor(environment.context, name: entry.label)
            try socket.bind(configuration.bindEndpoint(entry))
        }

        func receive(into frame: PullFrame) throws(ZMQError) -> Bool { try frame.receive(from: socket, message) }
    }

    let pull: PullListener?
    let subscriber: Subscriber?
    /// Since when, on the monotonic clock, something has been waiting that was not taken at once; nil where nothing is.
    private(set) var busySince: Int64?
    /// Frames taken since then.
    private(set) var takenWhileBusy: Int64 = 0

    init(_ environment: ServiceEnvironment, _ entry: PortList.Entry) throws {
        let configuration = environment.configuration
        if entry.socket == .sub {
            pull = nil
            subscriber = try Subscriber(environment, entry)
        } else {
            pull = try PullListener(
                configuration.bindEndpoint(entry), heartbeat: configuration.usualHeartbeat,
                leastPatience: configuration.usualPatience, custody: .process)
            subscriber = nil
        }
    }

    /// The next message, or false where none is there.
    func receive(into frame: PullFrame) throws(ZMQError) -> Bool {
        if let pull { return pull.next(into: frame) }
        return try subscriber?.receive(into: frame) ?? false
    }

    /// Notes how a turn ended: with everything taken, or with more waiting.
    func note(taken: Int, isEmpty: Bool, startedAt: Int64) {
        pull?.rest()
        guard !isEmpty else {
            busySince = nil
            takenWhileBusy = 0
            return
        }
        busySince = busySince ?? startedAt
        takenWhileBusy += Int64(taken)
    }
}
