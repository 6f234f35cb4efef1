import TestKit
import ZeroMQ

/// Short helpers on real sockets; loopback only.
extension ZMQSocket {
    /// Binds to a free port and returns the endpoint to connect to.
    func bindSomewhere() throws -> String {
        let endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        try bind(endpoint)
        return endpoint
    }

    /// The next whole message, or nil when none comes in time.
    func next(within seconds: Double = 3) throws(ZMQError) -> [[UInt8]]? {
        let message = ZMQMessage()
        var items = [PollItem(socket: self)]
        guard try poll(&items, timeout: Int(seconds * 1000)) > 0 else { return nil }
        return try receiveFrames(message)
    }

    func nextTexts(within seconds: Double = 3) throws(ZMQError) -> [String]? {
        try next(within: seconds)?.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Collects connection events of a monitor until one of this kind came.
    func event(_ kind: ConnectionEvent.Kind, within seconds: Double = 3) throws -> ConnectionEvent {
        let message = ZMQMessage()
        return try eventuallyValue("a \(kind) event", within: seconds) {
            while let event = try receiveConnectionEvent(message) {
                if event.kind == kind { return event }
            }
            return nil
        }
    }
}

let quick = SocketOptions().with { $0.linger = 0 }
