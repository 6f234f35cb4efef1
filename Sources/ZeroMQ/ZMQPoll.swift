import CZeroMQ

/// One entry of a poll: a socket or a descriptor, what is waited for, and what was found. Source: zmq_poll(3).
public struct PollItem {
    var raw: zmq_pollitem_t

    /// Waits for a socket to have something to receive.
    public init(socket: borrowing ZMQSocket) {
        raw = zmq_pollitem_t(socket: socket.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    public init(pollHandle: UnsafeMutableRawPointer) {
        raw = zmq_pollitem_t(socket: pollHandle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    /// Waits for a descriptor; a descriptor below 0 is never ready.
    public init(descriptor: Int32, writable: Bool = false) {
        let events = ZMQ_POLLIN | (writable ? ZMQ_POLLOUT : 0)
        raw = zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(events), revents: 0)
    }

    public var isReadable: Bool { raw.revents & Int16(ZMQ_POLLIN | ZMQ_POLLERR) != 0 }
    public var isWritable: Bool { raw.revents & Int16(ZMQ_POLLOUT) != 0 }
}

/// Waits until an item is ready or the time is over. Interrupted waits count as nothing ready.
///
/// - Parameter timeout: milliseconds; -1 waits without end.
/// - Returns: how many items are ready.
public func poll(_ items: inout [PollItem], timeout: Int) throws(ZMQError) -> Int {
    // PollItem is one zmq_pollitem_t and nothing else, so that the array can be handed over as it is.
    let count = items.withUnsafeMutableBufferPointer { buffer -> Int32 in
        buffer.withMemoryRebound(to: zmq_pollitem_t.self) { zmq_poll($0.baseAddress, Int32($0.count), timeout) }
    }
    if count >= 0 { return Int(count) }
    let errno = zmq_errno()
    if errno == EINTR { return 0 }
    throw ZMQError(errno: errno, operation: "zmq_poll")
}

/// Whether a message waits at a socket of this thread, by its poll handle; asks no kernel where nothing is new.
/// Source: zmq_getsockopt(3), ZMQ_EVENTS.
public func hasMessages(pollHandle: UnsafeMutableRawPointer) -> Bool {
    var events: Int32 = 0
    var size = MemoryLayout<Int32>.size
    return zmq_getsockopt(pollHandle, ZMQ_EVENTS, &events, &size) == 0 && events & Int32(ZMQ_POLLIN) != 0
}
