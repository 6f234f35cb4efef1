import CZeroMQ

/// The descriptors of the TCP connections that a connecting socket made. Source: zmq_socket_monitor(3), CONNECTED.
///
/// For who has to do something to a connection that libzmq offers no way for. Owned by the socket's thread.
public final class ZMQConnectionDescriptors {
    private let events: ZMQSocket
    private let message = ZMQMessage()
    private var newest: Int32?

    /// Call it before the socket connects.
    ///
    /// - Parameter name: unique in the process; becomes an inproc endpoint.
    public init(of socket: borrowing ZMQSocket, _ context: ZMQContext, name: String) throws(ZMQError) {
        let endpoint = "inproc://connected-\(name)"
        guard zmq_socket_monitor(socket.handle, endpoint, ZMQ_EVENT_CONNECTED) == 0 else {
            throw .last("zmq_socket_monitor", name)
        }
        events = try ZMQSocket(context, .pair, SocketOptions().with { $0.linger = 0 })
        try events.connect(endpoint)
    }

    /// The newest connection's descriptor, nil before the first.
    public func current() throws(ZMQError) -> Int32? {
        while let frames = try events.receiveFrames(message) {
            // Frame 1: 16-bit event and 32-bit value in host order.
            guard let head = frames.first, head.count >= 6 else { continue }
            newest = Int32(bitPattern: (2..<6).reduce(UInt32(0)) { $0 | UInt32(head[$1]) << (8 * UInt32($1 - 2)) })
        }
        return newest
    }
}
