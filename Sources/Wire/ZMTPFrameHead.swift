extension ZMTPPeer {
    /// What the mesh is to the peer.
    public enum Role: Sendable {
        case router
        /// Its owner reads the frames itself, behind the handshake: forty thousand a second make no arrays.
        case pull
        case push

        var name: String {
            switch self {
            case .router: "ROUTER"
            case .pull: "PULL"
            case .push: "PUSH"
            }
        }
        var suited: Set<String> {
            switch self {
            case .router: ["DEALER", "REQ", "ROUTER"]
            case .pull: ["PUSH"]
            case .push: ["PULL"]
            }
        }
        /// As ZMTP 2 numbers socket types.
        var number: UInt8 {
            switch self {
            case .router: 6
            case .pull: 7
            case .push: 8
            }
        }
    }
}

/// The head of one ZMTP frame, read from what has arrived without making anything. Source: RFC 23/ZMTP 3.0, framing.
public struct ZMTPFrameHead: Sendable, Equatable {
    public enum Reading: Sendable, Equatable {
        case whole(ZMTPFrameHead)
        /// So many bytes, from the frame's first on, have to be there before more can be said.
        case needs(Int)
        /// The connection is to be closed; the word is stable and counted.
        case refused(String)
    }

    public let isCommand: Bool
    /// Whether another frame of the same message follows.
    public let hasMore: Bool
    /// Bytes in front of the body, and of the body.
    public let size: Int
    public let length: Int

    /// - Parameter bytes: what waits, from a frame's first byte on; any number of frames.
    @inline(__always)
    public static func read(_ bytes: UnsafeBufferPointer<UInt8>, maximum: Int = ZMTPPeer.maximumFrame) -> Reading {
        guard bytes.count >= 2 else { return .needs(2) }
        let flags = bytes[0]
        guard flags & 0xF8 == 0 else { return .refused("zmtp_frame") }
        var length = Int(bytes[1])
        var size = 2
        if flags & 2 != 0 {
            size = 9
            guard bytes.count >= 9 else { return .needs(9) }
            guard bytes[1] == 0, bytes[2] == 0, bytes[3] == 0, bytes[4] == 0, bytes[5] == 0 else {
                return .refused("frame_too_long")
            }
            length = Int(bytes[6]) << 16 | Int(bytes[7]) << 8 | Int(bytes[8])
        }
        guard length <= maximum else { return .refused("frame_too_long") }
        guard bytes.count >= size + length else { return .needs(size + length) }
        return .whole(
            ZMTPFrameHead(isCommand: flags & 4 != 0, hasMore: flags & 1 != 0, size: size, length: length))
    }
}

/// How far a message of one or more frames, or a command, reaches. Source: RFC 23/ZMTP 3.0, framing.
public enum ZMTPMessageHead: Sendable, Equatable {
    /// So many bytes, from the message's first on, have to be there before more can be said.
    case needs(Int)
    /// The connection is to be closed; the word is stable and counted.
    case refused(String)
    /// Bytes of the command's body, at its end, and of all of it.
    case command(body: Int, size: Int)
    /// Bytes in front of the first frame's body, of all of it, and how many frames it has.
    case message(head: Int, size: Int, frames: Int)

    /// Frames without an end are no message: each further one is looked at again with all before it, so the bytes
    /// a message can make its reader look at are these times ``mostBytes``.
    public static let mostFrames = 64
    /// The longest message, of one frame or of several, with room for the heads of some long frames.
    public static let mostBytes = ZMTPPeer.maximumFrame + 9 * 16

    /// - Parameter bytes: what waits, from a message's first byte on; any number of messages.
    @inline(__always)
    public static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> ZMTPMessageHead {
        switch ZMTPFrameHead.read(bytes) {
        case .needs(let needed): return .needs(needed)
        case .refused(let reason): return .refused(reason)
        case .whole(let head):
            let size = head.size + head.length
            if head.isCommand { return head.hasMore ? .refused("zmtp_frame") : .command(body: head.length, size: size) }
            return head.hasMore ? several(bytes, head) : .message(head: head.size, size: size, frames: 1)
        }
    }

    private static func several(_ bytes: UnsafeBufferPointer<UInt8>, _ first: ZMTPFrameHead) -> ZMTPMessageHead {
        var size = first.size + first.length
        for frames in 2...mostFrames {
            switch ZMTPFrameHead.read(UnsafeBufferPointer(rebasing: bytes[size...])) {
            case .needs(let needed):
                guard size + needed <= mostBytes else { return .refused("frame_too_long") }
                return .needs(size + needed)
            case .refused(let reason): return .refused(reason)
            case .whole(let head):
                guard !head.isCommand else { return .refused("zmtp_frame") }
                size += head.size + head.length
                guard size <= mostBytes else { return .refused("frame_too_long") }
                if !head.hasMore { return .message(head: first.size, size: size, frames: frames) }
            }
        }
        return .refused("too_many_frames")
    }

    /// Copies of a whole message's frames.
    public static func parts(_ bytes: UnsafeBufferPointer<UInt8>) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var place = 0
        while place < bytes.count, parts.count < mostFrames,
            case .whole(let head) = ZMTPFrameHead.read(UnsafeBufferPointer(rebasing: bytes[place...]))
        {
            parts.append(Array(bytes[place + head.size..<place + head.size + head.length]))
            place += head.size + head.length
        }
        return parts
    }
}
