import CZeroMQ

/// What happened to a connection of a monitored socket. Source: zmq_socket_monitor(3).
public struct ConnectionEvent: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case listening, accepted, handshakeSucceeded, handshakeFailed, disconnected, closed, other
    }

    public let kind: Kind
    /// The connection's descriptor for `accepted`, `disconnected`, `closed`; see ``ZMQMessage/sourceDescriptor``.
    public let descriptor: Int32
}

extension ZMQSocket {
    /// Starts reporting connection events and returns the PAIR socket that delivers them, for the same thread.
    ///
    /// - Parameter name: unique in the process; becomes an inproc endpoint.
    public func monitor(_ context: ZMQContext, name: String) throws(ZMQError) -> ZMQSocket {
        let endpoint = "inproc://monitor-\(name)"
        let events =
            ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED
            | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        guard zmq_socket_monitor(handle, endpoint, events) == 0 else { throw .last("zmq_socket_monitor", name) }
        let pair = try ZMQSocket(context, .pair, SocketOptions().with { $0.receiveHighWaterMark = 0 })
        try pair.connect(endpoint)
        return pair
    }

    /// The next event from a socket made by ``monitor(_:name:)``, or nil when none waits.
    public func receiveConnectionEvent(_ message: borrowing ZMQMessage) throws(ZMQError) -> ConnectionEvent? {
        guard let frames = try receiveFrames(message) else { return nil }
        // Frame 1: 16-bit event and 32-bit value in host order; frame 2: the address.
        guard let head = frames.first, head.count >= 6 else { return ConnectionEvent(kind: .other, descriptor: -1) }
        let event = Int32(head[0]) | Int32(head[1]) << 8
        let value = (2..<6).reduce(UInt32(0)) { $0 | UInt32(head[$1]) << (8 * UInt32($1 - 2)) }
        return ConnectionEvent(kind: kind(of: event), descriptor: Int32(bitPattern: value))
    }

    private func kind(of event: Int32) -> ConnectionEvent.Kind {
        switch event {
        case ZMQ_EVENT_ACCEPTED: .accepted
        case ZMQ_EVENT_LISTENING: .listening
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            .handshakeFailed
        case ZMQ_EVENT_DISCONNECTED: .disconnected
        case ZMQ_EVENT_CLOSED: .closed
        default: .other
        }
    }
}
