import Domain
import Foundation
import Journal
import Redis
import Wire

/// Who told of a user, and from where.
struct HeldSender: Hashable {
    /// Stands for an address nobody knows any more: it came before Redis was there, and the process that took it is gone.
    static let unknownAddress = "unknown"

    let user: String
    let address: String

    init(user: String, address: String) {
        self.user = user
        self.address = address
    }

    init?(_ text: String) {
        guard let bar = text.lastIndex(of: "|") else { return nil }
        self.init(user: String(text[..<bar]), address: String(text[text.index(after: bar)...]))
    }

    var text: String { "\(user)|\(address)" }
    func key(_ family: String) -> String { "\(family):\(text)" }
}

/// A message that is held until it is known whether its user's terminal said it.
enum HeldMessage {
    /// Longer ones are journaled only; a confirmation has a few hundred bytes.
    static let longest = 4096

    static func text(_ frame: AcceptedFrame) -> String {
        let object = JSONObject(
            dictionaryLiteral: ("source", .integer(frame.source.rawValue)),
            ("flags", .integer(frame.flags.subtracting([.foreign, .unjudged]).rawValue)),
            ("received_at", .integer(frame.receivedAt.milliseconds)),
            ("frame", .string(Data(frame.bytes).base64EncodedString())))
        return String(decoding: object.bytes, as: UTF8.self)
    }

    static func frame(_ text: String, _ address: String) -> AcceptedFrame? {
        guard let object = (try? JSON(Array(text.utf8)))?.object,
            let source = object["source"]?.text.flatMap({ UInt8($0) }),
            let flags = object["flags"]?.text.flatMap({ UInt16($0) }),
            let received = object["received_at"]?.text.flatMap({ Int64($0) }),
            let bytes = object["frame"]?.text.flatMap({ Data(base64Encoded: $0) })
        else { return nil }
        return AcceptedFrame(
            sequence: 0, receivedAt: Timestamp(milliseconds: received), source: JournalSource(rawValue: source),
            flags: JournalFlags(rawValue: flags), bytes: Array(bytes), peer: address)
    }
}

/// Takes the first ones of a sender's list out, and the sender where nothing is left; answers how many senders stay.
enum TakeOutScript {
    static func make() -> RedisScript { RedisScript(name: "take-out", source: source) }

    private static let source = """
        redis.call('LTRIM', KEYS[1], ARGV[1], -1)
        if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
        redis.call('SREM', KEYS[2], ARGV[2])
        return 0
        """
}
