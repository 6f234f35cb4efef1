import CZeroMQ

/// One frame, owned. Bytes are lent through a closure; the frame is released in `deinit` on every path.
///
/// Reused for many receives: each ``ZMQSocket/receive(_:)`` releases what it held. Source: zmq_msg_init(3).
public struct ZMQMessage: ~Copyable {
    // 64 bytes that libzmq fills; heap-allocated so that its address stays the same while the value moves.
    let raw: UnsafeMutablePointer<zmq_msg_t>

    public init() {
        raw = .allocate(capacity: 1)
        zmq_msg_init(raw)
    }

    deinit {
        zmq_msg_close(raw)
        raw.deallocate()
    }

    /// Bytes in the frame.
    public var count: Int { zmq_msg_size(raw) }

    /// Whether more frames of the same message follow. Source: zmq_msg_more(3).
    public var hasMore: Bool { zmq_msg_more(raw) != 0 }

    /// Lends the bytes for the duration of the closure.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    var bytes: UnsafeBufferPointer<UInt8> {
        let size = zmq_msg_size(raw)
        guard size > 0, let data = zmq_msg_data(raw) else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: data.assumingMemoryBound(to: UInt8.self), count: size)
    }

    /// A copy of the bytes.
    public borrowing func copyBytes() -> [UInt8] { Array(bytes) }

    /// The descriptor of the TCP connection the frame came in on, or -1.
    ///
    /// ZMQ_SRCFD is the only way to tell which of many PUSH peers spoke; it pairs with the descriptor in
    /// monitor events. Source: zmq_msg_get(3).
    public var sourceDescriptor: Int32 { zmq_msg_get(raw, ZMQ_SRCFD) }

    /// The peer's address without its port, or nil. Source: zmq_msg_gets(3), "Peer-Address".
    public borrowing func peerAddress() -> String? {
        guard let text = zmq_msg_gets(raw, "Peer-Address") else { return nil }
        return String(cString: text)
    }
}
