import ServiceKit
public import Wire
public import ZeroMQ

/// A client of one request port: asks and waits, as a script with a REQ socket does. One thread owns it.
public final class Client {
    public struct NoAnswer: Error, CustomStringConvertible {
        public let description: String
    }

    private let socket: ZMQSocket
    private let message = ZMQMessage()
    private let usesDelimiter: Bool
    private let endpoint: String

    /// - Parameter usesDelimiter: whether an empty frame goes ahead, as a REQ socket would send.
    public init(_ context: ZMQContext, _ endpoint: String, usesDelimiter: Bool = false) throws(ZMQError) {
        let options = SocketOptions().with {
            $0.linger = 0
            $0.maximumMessageSize = -1
        }
        socket = try ZMQSocket(context, .dealer, options)
        try socket.connect(endpoint)
        self.usesDelimiter = usesDelimiter
        self.endpoint = endpoint
    }

    /// - Throws: ``NoAnswer`` after so many seconds, or when the answer is no JSON object.
    public func ask(_ object: JSONObject, within seconds: Double = 3) throws -> JSONObject {
        try send([object.bytes])
        guard let reply = try receive(within: seconds) else {
            throw NoAnswer(description: "\(endpoint) did not answer \(object.compactText) within \(seconds) s")
        }
        guard let payload = reply.last, let object = try JSON(payload).object else {
            throw NoAnswer(description: "\(endpoint) answered what is no object: \(reply)")
        }
        return object
    }

    /// Sends raw frames, after the delimiter where this client uses one.
    public func send(_ frames: [[UInt8]]) throws(ZMQError) {
        let all = (usesDelimiter ? [[]] : []) + frames
        for (index, frame) in all.enumerated() { _ = try socket.send(frame, more: index + 1 < all.count) }
    }

    /// The frames of the next answer, or nil when none comes in time.
    public func receive(within seconds: Double) throws(ZMQError) -> [[UInt8]]? {
        var items = [PollItem(socket: socket)]
        guard try poll(&items, timeout: Int(seconds * 1000)) > 0 else { return nil }
        return try socket.receiveFrames(message)
    }
}

/// A subscriber that keeps what it heard. One thread owns it.
public final class Subscriber {
    private let socket: ZMQSocket
    private let message = ZMQMessage()
    /// Whole messages in the order of their arrival; each has one frame by the contract.
    public private(set) var heard: [[UInt8]] = []

    public init(_ context: ZMQContext, _ endpoint: String, topic: String = "") throws(ZMQError) {
        socket = try ZMQSocket(context, .subscribe, SocketProfile.subscriber.with { $0.linger = 0 })
        try socket.subscribe(topic)
        try socket.connect(endpoint)
    }

    /// Takes what has arrived.
    @discardableResult
    public func listen() throws(ZMQError) -> [[UInt8]] {
        while let frames = try socket.receiveFrames(message) { heard.append(frames.flatMap { $0 }) }
        return heard
    }

    public var texts: [String] { heard.map { String(decoding: $0, as: UTF8.self) } }

    /// The objects behind a topic word.
    public func objects(topic: String) -> [JSONObject] {
        texts.compactMap { text in
            guard text.hasPrefix(topic + " ") else { return nil }
            return (try? JSON(String(text.dropFirst(topic.count + 1))))?.object
        }
    }
}
