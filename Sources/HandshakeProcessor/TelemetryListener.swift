import ServiceKit
import ZeroMQ

/// One socket of the telemetry port with its connection events: a PULL for EAs that PUSH, a SUB for EAs that PUB.
final class TelemetryListener {
    let socket: ZMQSocket
    let monitor: ZMQSocket
    /// Since when, on the monotonic clock, something has been waiting that was not taken at once; nil where nothing is.
    private(set) var busySince: Int64?
    /// Frames taken since then.
    private(set) var takenWhileBusy: Int64 = 0

    init(_ environment: ServiceEnvironment, _ entry: PortList.Entry) throws {
        let configuration = environment.configuration
        let isPublished = entry.socket == .sub
        let profile = SocketProfile.eaTelemetry(heartbeat: configuration.zmtpHeartbeatMilliseconds)
        socket = try ZMQSocket(environment.context, isPublished ? .subscribe : .pull, profile)
        if isPublished { try socket.subscribe() }
        monitor = try socket.monitor(environment.context, name: entry.label)
        try socket.bind(configuration.bindEndpoint(entry))
    }

    /// Notes how a turn ended: with everything taken, or with more waiting.
    func note(taken: Int, isEmpty: Bool, startedAt: Int64) {
        guard !isEmpty else {
            busySince = nil
            takenWhileBusy = 0
            return
        }
        busySince = busySince ?? startedAt
        takenWhileBusy += Int64(taken)
    }
}
