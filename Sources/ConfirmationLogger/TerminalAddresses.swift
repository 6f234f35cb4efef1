import Domain
import Foundation
import Journal
import Logging
import Redis
import ServiceKit
import Trading
import Wire

/// Who is believed from where, as position-tracker has it, and what was told from elsewhere until that is settled.
///
/// A message from a foreign address is journaled like any other and decided to mean nothing. It is held beside that, and
/// taken in anew when the terminal itself turns out to speak from there: a customer who moved loses nothing. Families
/// `held_confirmations:<user>` (list, the newest ``heldPerUser``, 7 days) and `held_confirmations` (set of users). Owned by the loop's thread.
final class TerminalAddresses {
    /// The family that position-tracker writes.
    private static let key = "terminal_addresses"
    private static let usersKey = "held_confirmations"
    static let heldPerUser = 50
    private static let heldSeconds = 7 * 86_400
    private static let refreshMilliseconds: Int64 = 1000

    private let redis: RedisLink
    private let report: ServiceReport
    private let log: Logger
    private let release: (AcceptedFrame) -> Void
    private var book = TerminalAddressBook()
    private var users: Set<String> = []
    private var isAsking = false

    /// - Parameter release: takes a held message in anew.
    init(_ redis: RedisLink, _ environment: ServiceEnvironment, release: @escaping (AcceptedFrame) -> Void) {
        self.redis = redis
        self.release = release
        report = environment.report
        log = environment.log
        redis.onReady.append { [unowned self] in
            redis.send(["SMEMBERS", TerminalAddresses.usersKey]) { [weak self] reply in
                guard let self, let reply, reply.errorMessage == nil else { return }
                let texts = reply.texts
                users.formUnion(texts)
                refresh()
            }
        }
        redis.onLost.append { [unowned self] in isAsking = false }
        environment.reactor.every(milliseconds: TerminalAddresses.refreshMilliseconds) { [unowned self] in refresh() }
    }

    /// Why the message is not believed, or nil.
    func objection(to user: String?, from address: String?) -> String? { book.objection(to: user, from: address) }

    private func refresh() {
        guard !isAsking, redis.isReady else { return }
        isAsking = true
        redis.send(["HGETALL", TerminalAddresses.key]) { [weak self] reply in
            guard let self else { return }
            isAsking = false
            guard let texts = reply?.texts else { return }
            var fresh: [String: String] = [:]
            for index in stride(from: 0, to: texts.count - 1, by: 2) { fresh[texts[index]] = texts[index + 1] }
            let moved = book.replace(with: fresh)
            for user in moved.intersection(users) { lookAgain(user) }
        }
        report.problem(
            "foreign_confirmations",
            users.isEmpty
                ? nil
                : "confirmations for \(users.count) users came from addresses their terminals do not speak from and are held: "
                    + users.sorted().prefix(5).joined(separator: ", "))
    }

    // MARK: - What is held

    /// Keeps a message that is not believed; the journal has it anyway.
    func hold(_ frame: AcceptedFrame, user: String, address: String) {
        users.insert(user)
        let key = "\(TerminalAddresses.usersKey):\(user)"
        let held = JSONObject(
            dictionaryLiteral: ("address", .string(address)), ("source", .integer(frame.source.rawValue)),
            ("flags", .integer(frame.flags.rawValue)),
            ("received_at", .integer(frame.receivedAt.milliseconds)),
            ("frame", .string(Data(frame.bytes).base64EncodedString())))
        redis.send(["RPUSH", key, String(decoding: held.bytes, as: UTF8.self)])
        redis.send(["LTRIM", key, String(-TerminalAddresses.heldPerUser), "-1"])
        redis.send(["EXPIRE", key, String(TerminalAddresses.heldSeconds)])
        redis.send(["SADD", TerminalAddresses.usersKey, user])
        redis.send(["EXPIRE", TerminalAddresses.usersKey, String(TerminalAddresses.heldSeconds)])
    }

    /// The terminal speaks from another address than before: what was told from there was its own.
    private func lookAgain(_ user: String) {
        let key = "\(TerminalAddresses.usersKey):\(user)"
        redis.send(["LRANGE", key, "0", "-1"]) { [weak self] reply in
            guard let self, let texts = reply?.texts else { return }
            var left = texts.count
            for text in texts {
                guard let (frame, address) = TerminalAddresses.read(text),
                    book.objection(to: user, from: address) == nil
                else { continue }
                // Taken first, struck out then: done twice is done once, since the effect has one name.
                release(frame)
                redis.send(["LREM", key, "1", text])
                report.count("held_released")
                left -= 1
            }
            log.notice(
                "a terminal speaks from another address: what was told from there is taken in",
                metadata: ["user": "\(user)", "taken": "\(texts.count - left)", "held": "\(left)"])
            guard left == 0 else { return }
            users.remove(user)
            redis.send(["SREM", TerminalAddresses.usersKey, user])
        }
    }

    private static func read(_ text: String) -> (AcceptedFrame, String)? {
        guard let object = (try? JSON(Array(text.utf8)))?.object, let address = object["address"]?.text,
            let source = object["source"]?.text.flatMap({ UInt8($0) }),
            let flags = object["flags"]?.text.flatMap({ UInt16($0) }),
            let received = object["received_at"]?.text.flatMap({ Int64($0) }),
            let bytes = object["frame"]?.text.flatMap({ Data(base64Encoded: $0) })
        else { return nil }
        return (
            AcceptedFrame(
                sequence: 0, receivedAt: Timestamp(milliseconds: received),
                source: JournalSource(rawValue: source),
                flags: JournalFlags(rawValue: flags), bytes: Array(bytes), peer: address),
            address
        )
    }
}
