/// The server's side of one ZMTP connection of a terminal, from the first byte to its messages.
///
/// A value without a socket: bytes of the peer go in, what is to be done comes out. The mesh answers as a ROUTER, a PULL
/// or a PUSH, with the NULL mechanism. It exists because libzmq's ROUTER sends to a *name*, and a name can be taken over by
/// whoever connects under it, silently (docs/fleet.md): here a command goes to one connection.
///
/// Sources: RFC 23/ZMTP 3.0 and RFC 37/ZMTP 3.1 (rfc.zeromq.org), RFC 15/ZMTP 2.0 for libzmq 3.
public struct ZMTPPeer: Sendable {
    public enum Event: Sendable, Equatable {
        /// Bytes that go to the peer now.
        case send([UInt8])
        /// The handshake is done. `identity` is empty where the peer gave itself none.
        case ready(identity: [UInt8], socketType: String)
        /// A whole message, frame by frame.
        case message([[UInt8]])
        /// The peer answered a PING.
        case pong
        /// A peer our part can't serve. It was not told who we are: told so, a PULL would never come back.
        case unsuited(socketType: String)
        /// The connection is to be closed; the word is stable and counted.
        case failed(String)
    }

    private enum Phase: Sendable {
        case signature, greeting, handshake, oldType, oldIdentity, traffic, handedOver, ended
    }

    /// Sent as soon as a connection is there: the signature and our version, before which a peer says no more.
    public static let opening: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3]
    /// A frame that is larger costs its sender the connection.
    public static let maximumFrame = 64 * 1024
    /// Frames of one message that are kept; further ones are read and let go.
    public static let maximumFrames = 16
    private static let maximumMessage = 4 * maximumFrame
    private static let maximumCommand = 1024
    private static let maximumIdentity = 255
    private static let types: [UInt8: String] = [
        0: "PAIR", 1: "PUB", 2: "SUB", 3: "REQ", 4: "REP", 5: "DEALER", 6: "ROUTER", 7: "PULL", 8: "PUSH",
    ]

    private let role: Role
    private var phase = Phase.signature
    private var buffer: [UInt8] = []
    private var start = 0
    private var frames: [[UInt8]] = []
    private var messageBytes = 0
    private var type = ""

    public init(as role: Role = .router) { self.role = role }

    /// How many bytes came behind the handshake and were not looked at; for a PULL, once it is ready.
    public mutating func takeRest() -> Int {
        defer { buffer = [] }
        return buffer.count - start
    }

    /// Takes what arrived, in any portions.
    public mutating func take(_ bytes: [UInt8], into events: inout [Event]) {
        guard phase != .ended else { return }
        buffer += bytes
        while step(&events) {}
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
    }

    /// One frame as it stands on the wire.
    public static func frame(_ payload: [UInt8]) -> [UInt8] { head(flags: 0, payload.count) + payload }

    /// Whether a part of a frame or of a message has come and the rest has not.
    public var isMidMessage: Bool { waiting > 0 || !frames.isEmpty }

    /// Whether the peer may be asked by ``ping``: ZMTP 2 has no commands. libzmq 4.2 answers it and calls itself 3.0, so
    /// that the minor version says nothing of it.
    public private(set) var takesCommands = false

    /// A question any libzmq since 4.2 answers without its program's doing. It asks for no time-out of the peer's.
    public static let ping: [UInt8] = command("PING", [0, 0])

    /// The answer to a PING with this context, of which 16 bytes are taken.
    public static func pong(to context: [UInt8]) -> [UInt8] { command("PONG", Array(context.prefix(16))) }

    private static func command(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let content = [UInt8(name.utf8.count)] + Array(name.utf8) + body
        return head(flags: 4, content.count) + content
    }

    private static func head(flags: UInt8, _ count: Int) -> [UInt8] {
        if count < 256 { return [flags, UInt8(count)] }
        return [flags | 2] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
    }

    // MARK: - Steps

    private var waiting: Int { buffer.count - start }
    private func byte(_ index: Int) -> UInt8 { buffer[start + index] }

    /// Whether something was taken from the buffer.
    private mutating func step(_ events: inout [Event]) -> Bool {
        switch phase {
        case .signature: return signature(&events)
        case .greeting: return greeting(&events)
        case .oldType: return oldType(&events)
        case .handshake, .oldIdentity, .traffic: return frame(&events)
        case .handedOver, .ended: return false
        }
    }

    private mutating func fail(_ reason: String, _ events: inout [Event]) -> Bool {
        phase = .ended
        buffer = []
        start = 0
        frames = []
        events.append(.failed(reason))
        return false
    }

    private mutating func signature(_ events: inout [Event]) -> Bool {
        guard waiting > 0 else { return false }
        guard byte(0) == 0xFF else { return fail("no_zmtp", &events) }
        guard waiting >= 10 else { return false }
        guard byte(9) & 1 == 1 else { return fail("no_zmtp", &events) }
        guard waiting >= 11 else { return false }
        if byte(10) >= 3 {
            phase = .greeting
            takesCommands = true
            // Minor version 1, mechanism NULL, and 32 bytes that say nothing.
            events.append(.send([1] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)))
        } else {
            phase = .oldType
            start += 11
            // Without a name of our own.
            events.append(.send([role.number, 0, 0]))
        }
        return true
    }

    private mutating func greeting(_ events: inout [Event]) -> Bool {
        guard waiting >= 64 else { return false }
        let mechanism = buffer[start + 12..<start + 32]
        guard mechanism.elementsEqual(Array("NULL".utf8) + [UInt8](repeating: 0, count: 16)) else {
            return fail("zmtp_mechanism", &events)
        }
        start += 64
        phase = .handshake
        return true
    }

    private mutating func oldType(_ events: inout [Event]) -> Bool {
        guard waiting >= 1 else { return false }
        type = ZMTPPeer.types[byte(0)] ?? "unknown"
        start += 1
        phase = .oldIdentity
        return true
    }

    private mutating func frame(_ events: inout [Event]) -> Bool {
        guard waiting >= 2 else { return false }
        let flags = byte(0)
        guard flags & 0xF8 == 0 else { return fail("zmtp_frame", &events) }
        var length = Int(byte(1))
        var head = 2
        if flags & 2 != 0 {
            guard waiting >= 9 else { return false }
            head = 9
            guard (1...5).allSatisfy({ byte($0) == 0 }) else { return fail("frame_too_long", &events) }
            length = (6...8).reduce(0) { $0 << 8 | Int(byte($1)) }
        }
        let limit =
            phase == .traffic && flags & 4 == 0
            ? ZMTPPeer.maximumFrame : phase == .oldIdentity ? ZMTPPeer.maximumIdentity : ZMTPPeer.maximumCommand
        guard length <= limit else { return fail("frame_too_long", &events) }
        guard waiting >= head + length else { return false }
        let body = Array(buffer[start + head..<start + head + length])
        start += head + length
        switch phase {
        case .handshake: return ready(flags, body, &events)
        case .oldIdentity:
            settle(identity: body, &events)
            return phase == .traffic
        default: return flags & 4 != 0 ? command(body, &events) : message(flags, body, &events)
        }
    }

    // MARK: - Handshake

    private mutating func ready(_ flags: UInt8, _ body: [UInt8], _ events: inout [Event]) -> Bool {
        guard flags & 4 != 0, let (name, rest) = ZMTPPeer.named(body[...]), name.uppercased() == "READY" else {
            return fail("zmtp_handshake", &events)
        }
        var identity: [UInt8] = []
        var properties = rest
        while !properties.isEmpty {
            guard let (name, after) = ZMTPPeer.named(properties), after.count >= 4 else {
                return fail("zmtp_handshake", &events)
            }
            let length = after.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let values = after.dropFirst(4)
            guard length <= values.count else { return fail("zmtp_handshake", &events) }
            switch name.lowercased() {
            case "socket-type": type = String(decoding: values.prefix(length).prefix(32), as: UTF8.self).uppercased()
            case "identity": identity = Array(values.prefix(length))
            default: break
            }
            properties = values.dropFirst(length)
        }
        guard identity.count <= ZMTPPeer.maximumIdentity else { return fail("zmtp_handshake", &events) }
        if role.suited.contains(type) {
            let name = Array(role.name.utf8)
            let own = [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(name.count)] + name
            events.append(.send(ZMTPPeer.command("READY", own + [8] + Array("Identity".utf8) + [0, 0, 0, 0])))
        }
        settle(identity: identity, &events)
        return phase == .traffic
    }

    private mutating func settle(identity: [UInt8], _ events: inout [Event]) {
        guard role.suited.contains(type) else {
            phase = .ended
            buffer = []
            start = 0
            events.append(.unsuited(socketType: type))
            return
        }
        phase = role == .pull ? .handedOver : .traffic
        events.append(.ready(identity: identity, socketType: type))
    }

    /// A short name behind its length, and what follows it.
    private static func named(_ bytes: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>)? {
        guard let length = bytes.first, length > 0, bytes.count > Int(length) else { return nil }
        let rest = bytes.dropFirst()
        return (String(decoding: rest.prefix(Int(length)), as: UTF8.self), rest.dropFirst(Int(length)))
    }

    // MARK: - Traffic

    private mutating func command(_ body: [UInt8], _ events: inout [Event]) -> Bool {
        guard let (name, rest) = ZMTPPeer.named(body[...]) else { return fail("zmtp_frame", &events) }
        switch name.uppercased() {
        case "PING":
            // Its time-out in two bytes, then a context that goes back as it came.
            guard rest.count >= 2 else { return fail("zmtp_frame", &events) }
            events.append(.send(ZMTPPeer.pong(to: Array(rest.dropFirst(2)))))
        case "PONG": events.append(.pong)
        case "ERROR": return fail("zmtp_peer_error", &events)
        default: break
        }
        return true
    }

    private mutating func message(_ flags: UInt8, _ body: [UInt8], _ events: inout [Event]) -> Bool {
        messageBytes += body.count
        guard messageBytes <= ZMTPPeer.maximumMessage else { return fail("frame_too_long", &events) }
        if frames.count < ZMTPPeer.maximumFrames { frames.append(body) }
        if flags & 1 == 0 {
            events.append(.message(frames))
            frames.removeAll(keepingCapacity: true)
            messageBytes = 0
        }
        return true
    }
}
