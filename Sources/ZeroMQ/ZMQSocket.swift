import CZeroMQ

/// One socket, owned by one thread, closed in `deinit` on every path. It keeps its context alive.
///
/// Source: zmq_socket(3), zmq_bind(3), zmq_connect(3), zmq_msg_send(3), zmq_msg_recv(3).
public struct ZMQSocket: ~Copyable {
    public enum SendResult: Sendable, Equatable {
        case sent
        /// EAGAIN: the high-water mark is reached.
        case wouldBlock
        /// EHOSTUNREACH: a ROUTER has no peer of that identity.
        case unreachable
    }

    let handle: UnsafeMutableRawPointer
    private let context: ZMQContext
    public let type: SocketType

    public init(_ context: ZMQContext, _ type: SocketType, _ options: SocketOptions = SocketOptions())
        throws(ZMQError)
    {
        guard let fresh = zmq_socket(context.handle, type.rawValue) else { throw .last("zmq_socket", "\(type)") }
        do throws(ZMQError) {
            try OptionSetter(handle: fresh).apply(options, type)
        } catch {
            zmq_close(fresh)
            throw error
        }
        handle = fresh
        self.context = context
        self.type = type
    }

    deinit { zmq_close(handle) }

    // MARK: - Endpoints

    public func bind(_ endpoint: String) throws(ZMQError) {
        guard zmq_bind(handle, endpoint) == 0 else { throw .last("bind", endpoint) }
    }

    public func connect(_ endpoint: String) throws(ZMQError) {
        guard zmq_connect(handle, endpoint) == 0 else { throw .last("connect", endpoint) }
    }

    /// A SUB's prefix filter; the empty prefix takes everything.
    public func subscribe(_ prefix: String = "") throws(ZMQError) {
        try OptionSetter(handle: handle).set(ZMQ_SUBSCRIBE, Array(prefix.utf8), "ZMQ_SUBSCRIBE")
    }

    /// The endpoint that was bound last, with the port the system chose for `:*`. Source: ZMQ_LAST_ENDPOINT.
    public func lastEndpoint() throws(ZMQError) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        var size = buffer.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &size) == 0 else {
            throw .last("zmq_getsockopt", "ZMQ_LAST_ENDPOINT")
        }
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// What `zmq_poll` wants. Valid while the socket lives; the reactor that polls it owns the socket's owner.
    public var pollHandle: UnsafeMutableRawPointer { handle }

    // MARK: - Messages

    /// Takes one frame if one is there; false when none is (EAGAIN).
    public func receive(_ message: borrowing ZMQMessage) throws(ZMQError) -> Bool {
        while true {
            if receiveNow(message) >= 0 { return true }
            let errno = lastErrno()
            if errno == EAGAIN { return false }
            if errno != EINTR { throw ZMQError(errno: errno, operation: "zmq_msg_recv") }
        }
    }

    func receiveNow(_ message: borrowing ZMQMessage) -> Int32 { zmq_msg_recv(message.raw, handle, ZMQ_DONTWAIT) }

    func lastErrno() -> Int32 { zmq_errno() }

    /// Passes a received frame on without copying its bytes. On anything but `.sent` the frame stays with the caller.
    public func send(_ message: borrowing ZMQMessage, more: Bool = false) throws(ZMQError) -> SendResult {
        while true {
            if sendNow(message, more) >= 0 { return .sent }
            if let result = try refusal() { return result }
        }
    }

    func sendNow(_ message: borrowing ZMQMessage, _ more: Bool) -> Int32 {
        zmq_msg_send(message.raw, handle, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
    }

    /// Sends a copy of the bytes as one frame; never blocks.
    public func send(_ bytes: UnsafeBufferPointer<UInt8>, more: Bool = false) throws(ZMQError) -> SendResult {
        while true {
            if zmq_send(handle, bytes.baseAddress, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 {
                return .sent
            }
            if let result = try refusal() { return result }
        }
    }

    public func send(_ bytes: [UInt8], more: Bool = false) throws(ZMQError) -> SendResult {
        let result: Result<SendResult, ZMQError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(ZMQError) { return .success(try send(buffer, more: more)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    public func send(_ text: String, more: Bool = false) throws(ZMQError) -> SendResult {
        try send(Array(text.utf8), more: more)
    }

    /// Why a send did not go: nil means interrupted, try again.
    func refusal() throws(ZMQError) -> SendResult? {
        let errno = zmq_errno()
        switch errno {
        case EINTR: return nil
        case EAGAIN: return .wouldBlock
        case EHOSTUNREACH: return .unreachable
        default: throw ZMQError(errno: errno, operation: "zmq_send")
        }
    }

    /// How many frames of one message are kept; no protocol here has more than three.
    public static let maximumFrames = 16

    /// Receives a whole message as copied frames, or nil when none waits. `message` is scratch space.
    ///
    /// Frames past ``maximumFrames`` are read and let go, so that a hostile message costs no memory here.
    public func receiveFrames(_ message: borrowing ZMQMessage) throws(ZMQError) -> [[UInt8]]? {
        guard try receive(message) else { return nil }
        var frames = [message.copyBytes()]
        while message.hasMore {
            // The frames of one message arrive together: a missing one is an error of libzmq, not a wait.
            guard try receive(message) else { throw ZMQError(errno: EAGAIN, operation: "zmq_msg_recv") }
            if frames.count < ZMQSocket.maximumFrames { frames.append(message.copyBytes()) }
        }
        return frames
    }
}
