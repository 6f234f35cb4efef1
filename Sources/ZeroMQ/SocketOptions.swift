import CZeroMQ

/// The socket patterns this product uses. Source: zmq_socket(3).
public enum SocketType: Sendable, Equatable {
    case publish, subscribe, push, pull, router, dealer, request, reply, pair
    /// Raw TCP: every connection has an address of its own, whatever its peer calls itself.
    case stream

    var rawValue: Int32 {
        switch self {
        case .publish: ZMQ_PUB
        case .subscribe: ZMQ_SUB
        case .push: ZMQ_PUSH
        case .pull: ZMQ_PULL
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        case .request: ZMQ_REQ
        case .reply: ZMQ_REP
        case .pair: ZMQ_PAIR
        case .stream: ZMQ_STREAM
        }
    }
}

/// Every option that is set before a socket binds or connects: our defaults, never libzmq's by accident.
///
/// Times are milliseconds, sizes bytes, marks messages *per peer*. Source: zmq_setsockopt(3).
public struct SocketOptions: Sendable, Equatable {
    /// ZMQ_LINGER: how long closing waits for unsent messages. Bounded, so that a dead peer never hangs an exit.
    public var linger: Int32 = 500
    /// ZMQ_SNDHWM, per peer.
    public var sendHighWaterMark: Int32 = 1000
    /// ZMQ_RCVHWM, per peer.
    public var receiveHighWaterMark: Int32 = 1000
    /// ZMQ_RCVBUF: what the kernel holds for each peer; nil leaves it to the kernel, which grows it.
    public var receiveBuffer: Int32?
    /// ZMQ_MAXMSGSIZE: a larger frame costs its sender the connection, nobody else anything.
    public var maximumMessageSize: Int64 = 64 * 1024
    /// ZMQ_BACKLOG: thousands of terminals come back at once after an outage.
    public var backlog: Int32 = 4096
    /// ZMQ_HANDSHAKE_IVL: a client that connects and says nothing is let go.
    public var handshakeInterval: Int32 = 10_000
    /// ZMQ_HEARTBEAT_IVL; nil leaves ZMTP heartbeats off.
    public var heartbeatInterval: Int32?
    /// ZMQ_ROUTER_MANDATORY: an unroutable message is an error, not silence.
    public var routerMandatory = true
    /// ZMQ_ROUTER_HANDOVER: a terminal that restarted takes its identity over from its half-open past.
    public var routerHandover = false
    /// ZMQ_ROUTING_ID for DEALER and REQ.
    public var routingIdentifier: [UInt8] = []
    /// ZMQ_TCP_KEEPALIVE with a 30 s idle time: a peer whose machine vanished is noticed within two minutes.
    public var tcpKeepAlive = true
    /// ZMQ_TCP_MAXRT, milliseconds for which what was sent may be unacknowledged: while it is, keep-alive does not probe. Ends
    /// a peer that reads nothing for so long too. nil leaves it to the kernel, a quarter of an hour.
    public var unacknowledgedPatience: Int32?
    /// ZMQ_IMMEDIATE: queue only to completed connections.
    public var immediate = false
    /// ZMQ_RECONNECT_IVL.
    public var reconnectInterval: Int32 = 100
    /// ZMQ_RECONNECT_IVL_MAX.
    public var reconnectIntervalMaximum: Int32 = 2000

    public init() {}

    /// A copy with changes, so that a use site reads as one expression.
    public func with(_ change: (inout SocketOptions) -> Void) -> SocketOptions {
        var copy = self
        change(&copy)
        return copy
    }
}

/// Applies ``SocketOptions`` to a raw socket, before it binds or connects.
struct OptionSetter {
    let handle: UnsafeMutableRawPointer

    func apply(_ options: SocketOptions, _ type: SocketType) throws(ZMQError) {
        try set(ZMQ_LINGER, options.linger, "ZMQ_LINGER")
        try set(ZMQ_SNDHWM, options.sendHighWaterMark, "ZMQ_SNDHWM")
        try set(ZMQ_RCVHWM, options.receiveHighWaterMark, "ZMQ_RCVHWM")
        try set(ZMQ_MAXMSGSIZE, options.maximumMessageSize, "ZMQ_MAXMSGSIZE")
        try set(ZMQ_BACKLOG, options.backlog, "ZMQ_BACKLOG")
        try set(ZMQ_HANDSHAKE_IVL, options.handshakeInterval, "ZMQ_HANDSHAKE_IVL")
        try set(ZMQ_RECONNECT_IVL, options.reconnectInterval, "ZMQ_RECONNECT_IVL")
        try set(ZMQ_RECONNECT_IVL_MAX, options.reconnectIntervalMaximum, "ZMQ_RECONNECT_IVL_MAX")
        if let bytes = options.receiveBuffer { try set(ZMQ_RCVBUF, bytes, "ZMQ_RCVBUF") }
        if options.immediate { try set(ZMQ_IMMEDIATE, Int32(1), "ZMQ_IMMEDIATE") }
        if let interval = options.heartbeatInterval {
            try set(ZMQ_HEARTBEAT_IVL, interval, "ZMQ_HEARTBEAT_IVL")
            try set(ZMQ_HEARTBEAT_TIMEOUT, interval * 3, "ZMQ_HEARTBEAT_TIMEOUT")
        }
        if options.tcpKeepAlive {
            try set(ZMQ_TCP_KEEPALIVE, Int32(1), "ZMQ_TCP_KEEPALIVE")
            try set(ZMQ_TCP_KEEPALIVE_IDLE, Int32(30), "ZMQ_TCP_KEEPALIVE_IDLE")
            try set(ZMQ_TCP_KEEPALIVE_INTVL, Int32(15), "ZMQ_TCP_KEEPALIVE_INTVL")
            try set(ZMQ_TCP_KEEPALIVE_CNT, Int32(4), "ZMQ_TCP_KEEPALIVE_CNT")
        }
        if let patience = options.unacknowledgedPatience { try set(ZMQ_TCP_MAXRT, patience, "ZMQ_TCP_MAXRT") }
        if type == .router {
            try set(ZMQ_ROUTER_MANDATORY, Int32(options.routerMandatory ? 1 : 0), "ZMQ_ROUTER_MANDATORY")
            try set(ZMQ_ROUTER_HANDOVER, Int32(options.routerHandover ? 1 : 0), "ZMQ_ROUTER_HANDOVER")
        }
        if !options.routingIdentifier.isEmpty {
            try set(ZMQ_ROUTING_ID, options.routingIdentifier, "ZMQ_ROUTING_ID")
        }
    }

    func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value, _ name: String) throws(ZMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw .last("zmq_setsockopt", name)
        }
    }

    func set(_ option: Int32, _ value: [UInt8], _ name: String) throws(ZMQError) {
        guard zmq_setsockopt(handle, option, value, value.count) == 0 else { throw .last("zmq_setsockopt", name) }
    }
}
