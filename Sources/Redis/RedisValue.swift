import CHiredis

/// A reply of Redis, copied out of hiredis. An error *reply* is data: the connection lives on.
///
/// Source: Redis serialization protocol specification (RESP2), hiredis `redisReply`.
public enum RedisValue: Sendable, Equatable {
    case string([UInt8])
    case status(String)
    case integer(Int64)
    case array([RedisValue])
    case null
    case error(String)

    init(_ reply: UnsafePointer<redisReply>) {
        switch reply.pointee.type {
        case REDIS_REPLY_STRING: self = .string(Self.bytes(reply))
        case REDIS_REPLY_STATUS: self = .status(String(decoding: Self.bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: self = .error(String(decoding: Self.bytes(reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: self = .integer(reply.pointee.integer)
        case REDIS_REPLY_ARRAY:
            var items: [RedisValue] = []
            items.reserveCapacity(reply.pointee.elements)
            for index in 0..<reply.pointee.elements {
                if let element = reply.pointee.element[index] { items.append(RedisValue(element)) }
            }
            self = .array(items)
        default: self = .null
        }
    }

    private static func bytes(_ reply: UnsafePointer<redisReply>) -> [UInt8] {
        guard let text = reply.pointee.str else { return [] }
        let buffer = UnsafeRawBufferPointer(start: text, count: Int(reply.pointee.len))
        return Array(buffer)
    }

    /// Text of a string or status; invalid UTF-8 is replaced, since keys and fields of ours are text.
    public var text: String? {
        switch self {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        case .integer(let number): String(number)
        default: nil
        }
    }

    public var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .string, .status: text.flatMap { Int64($0) }
        default: nil
        }
    }

    public var array: [RedisValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    public var errorMessage: String? {
        if case .error(let message) = self { message } else { nil }
    }

    /// The reply of HGETALL (or any flat list of pairs) as a dictionary; nil for another shape.
    public var dictionary: [String: String]? {
        guard let items = array, items.count.isMultiple(of: 2) else { return nil }
        var result: [String: String] = [:]
        result.reserveCapacity(items.count / 2)
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let key = items[index].text, let value = items[index + 1].text else { return nil }
            result[key] = value
        }
        return result
    }

    /// The texts of a list reply; elements that have no text are left out.
    public var texts: [String] { (array ?? []).compactMap(\.text) }
}

/// A lost or refused connection. After one the connection is closed and made anew; error replies are not this.
public struct RedisConnectionError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable { case connect, input, output, endOfFile, protocolViolation, timeout, other }
    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    init(_ context: UnsafePointer<redisContext>) {
        let text = withUnsafeBytes(of: context.pointee.errstr) { buffer in
            String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        }
        let code: Code =
            switch context.pointee.err {
            case REDIS_ERR_IO: .input
            case REDIS_ERR_EOF: .endOfFile
            case REDIS_ERR_PROTOCOL: .protocolViolation
            default: .other
            }
        self.init(code: code, message: text)
    }

    public var description: String { "Redis: \(message)" }
}
