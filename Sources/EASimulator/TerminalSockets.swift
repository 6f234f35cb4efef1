import ServiceKit
import ZeroMQ

/// Which of the mesh's EA ports a message goes to.
enum EAPort: Sendable, Equatable { case commands, telemetry, confirmations }

/// One terminal's connections, opened in the order in which EAs open them. One thread owns them.
struct TerminalSockets: ~Copyable {
    private let telemetry: ZMQSocket
    private let commands: ZMQSocket
    private let confirmations: ZMQSocket?
    private let scratch: ZMQMessage
    /// Only where connections are left half-open.
    private let descriptors: [ZMQConnectionDescriptors]

    init(_ context: ZMQContext, _ endpoints: Endpoints, _ profile: TerminalProfile, _ behaviour: SimulatorBehaviour)
        throws(ZMQError)
    {
        // libzmq's defaults, as EAs have them: 1000 messages each way, no keepalive, no limit of our own.
        let options = SocketOptions().with {
            // An EA waits for ever when it ends; a fleet can't.
            $0.linger = behaviour.exitsAbruptly || profile.version == .v701 ? 0 : 2000
            $0.tcpKeepAlive = false
            $0.maximumMessageSize = -1
            $0.handshakeInterval = 30_000
            $0.reconnectIntervalMaximum = 0
            if behaviour.isNeverReconnecting { $0.reconnectInterval = -1 }
        }
        let telemetry = try ZMQSocket(context, .push, options)
        var descriptors: [ZMQConnectionDescriptors] = []
        func watch(_ socket: borrowing ZMQSocket) throws(ZMQError) {
            guard behaviour.isNeverReconnecting else { return }
            descriptors.append(
                try ZMQConnectionDescriptors(of: socket, context, name: String(UInt64.random(in: 0 ... .max))))
        }
        try watch(telemetry)
        try telemetry.connect(endpoints.telemetry)
        let identity = profile.routingIdentifier(isCut: behaviour.cutsIdentity)
        let commands =
            try profile.version.isDealer
            ? ZMQSocket(context, .dealer, options.with { $0.routingIdentifier = identity })
            : ZMQSocket(context, .pull, options)
        try watch(commands)
        try commands.connect(endpoints.commands(of: profile))
        let confirmations = try TerminalSockets.confirmations(context, endpoints, profile, options)
        // Assigned last: a value that can't be copied must not be half there when something throws.
        self.telemetry = telemetry
        self.commands = commands
        self.confirmations = confirmations
        self.descriptors = descriptors
        scratch = ZMQMessage()
    }

    /// Makes the kernel deaf for what comes on the connections: nothing is acknowledged and nothing ends, as when the
    /// cable is pulled.
    func pullCable() throws(ZMQError) {
        for connection in descriptors {
            if let descriptor = try connection.current() { ListeningSocket.closeDoor(descriptor) }
        }
    }

    /// 7.01 has no such socket; what it confirms goes to the telemetry port.
    private static func confirmations(
        _ context: ZMQContext, _ endpoints: Endpoints, _ profile: TerminalProfile, _ options: SocketOptions
    ) throws(ZMQError) -> ZMQSocket? {
        guard profile.version != .v701 else { return nil }
        let socket = try ZMQSocket(context, .push, options)
        try socket.connect(endpoints.confirmations)
        return consume socket
    }

    /// Never blocks; false where an EA would now block.
    func send(_ bytes: [UInt8], to port: EAPort) throws(ZMQError) -> Bool {
        switch port {
        case .telemetry: return try telemetry.send(bytes) == .sent
        case .commands: return try commands.send(bytes) == .sent
        case .confirmations:
            guard confirmations != nil else { return try telemetry.send(bytes) == .sent }
            return try confirmations?.send(bytes) == .sent
        }
    }

    /// One frame, as one `zmq_recv` takes it: parts of a message come one by one.
    func receive() throws(ZMQError) -> [UInt8]? {
        guard try commands.receive(scratch) else { return nil }
        return scratch.copyBytes()
    }
}
