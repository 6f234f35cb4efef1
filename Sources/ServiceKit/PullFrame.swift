public import ZeroMQ

/// One message of a PULL port. Its bytes are lent: they are good until the next message is asked for.
///
/// Reused for all messages of a port; owned by the loop's thread.
public final class PullFrame {
    /// The message's bytes; of several frames, the first one's.
    private var bytes = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    /// All frames of a message that has several, else nothing.
    public private(set) var parts: [[UInt8]] = []
    /// Where in a peer's stream a message ends.
    public struct Origin: Sendable, Equatable {
        /// The kernel's own number of the connection.
        public let connection: UInt64
        /// Bytes of the stream up to and with the message.
        public let end: UInt64

        public init(connection: UInt64, end: UInt64) {
            self.connection = connection
            self.end = end
        }
    }

    /// Where the message stood; nil for one of libzmq's.
    public private(set) var origin: Origin?
    private var connection: PullConnection?
    private var descriptor: Int32 = -1
    private var address: String?
    /// Where the bytes of a libzmq message are kept meanwhile.
    private var kept: [UInt8] = []

    public init() {}

    /// Whether the message has more than one frame.
    public var isMultipart: Bool { !parts.isEmpty }

    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !parts.isEmpty { return try lend(parts[0], body) }
        return connection == nil ? try lend(kept, body) : try body(bytes)
    }

    private func lend<Result, Failure: Error>(
        _ array: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = array.withUnsafeBufferPointer { buffer -> Swift.Result<Result, Failure> in
            do throws(Failure) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    public func copyBytes() -> [UInt8] { withBytes { Array($0) } }

    /// Copies of all frames, of which a port of ours lets 16 through.
    public func copyFrames() -> [[UInt8]] { parts.isEmpty ? [copyBytes()] : parts }

    /// The descriptor of the connection it came on, or -1.
    public var sourceDescriptor: Int32 { connection?.descriptor ?? descriptor }

    /// The sender's address without port, or nil.
    public func peerAddress() -> String? { connection == nil ? address : connection?.address }

    // MARK: - Filling

    @inline(__always)
    func lend(_ bytes: UnsafeBufferPointer<UInt8>, of connection: PullConnection, _ origin: Origin) {
        self.bytes = bytes
        self.origin = origin
        if self.connection !== connection { self.connection = connection }
        if !parts.isEmpty { parts = [] }
    }

    func take(_ parts: [[UInt8]], of connection: PullConnection, _ origin: Origin) {
        self.parts = parts
        self.origin = origin
        self.connection = connection
    }

    /// Takes a message from a socket of libzmq, if one is there.
    public func receive(from socket: borrowing ZMQSocket, _ message: borrowing ZMQMessage) throws(ZMQError) -> Bool {
        guard let frames = try socket.receiveFrames(message) else { return false }
        connection = nil
        origin = nil
        parts = frames.count > 1 ? frames : []
        kept = frames.first ?? []
        descriptor = message.sourceDescriptor
        address = message.peerAddress()
        return true
    }

    /// The connection ended: nothing of it is held any longer.
    func forget(_ ended: PullConnection) {
        if connection === ended { connection = nil }
    }
}
