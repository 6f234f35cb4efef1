import Domain
import Journal
import Logging
import Redis
import ServiceKit

/// Who is believed from where, as position-tracker has it, and what was told from elsewhere until that is settled.
///
/// A message from a foreign address is journaled like any other, marked, and means nothing. It is held beside that, and
/// taken in anew when the terminal itself turns out to speak from there: a customer who moved loses nothing. Families
/// `held_confirmations` (set of `<user>|<address>`) and `held_confirmations:<user>|<address>` (list, the first
/// ``heldPerSender``, 7 days). Owned by the loop's thread.
final class TerminalAddresses {
    /// The family that position-tracker writes.
    private static let addressesKey = "terminal_addresses"
    private static let heldKey = "held_confirmations"
    private static let heldPerSender = 50
    /// Strangers choose users and addresses: more senders than this are journaled only.
    private static let senderLimit = 2000
    private static let waitingLimit = 1000
    private static let heldSeconds = 7 * 86_400
    private static let copyMilliseconds: Int64 = 5_000

    private let redis: RedisLink
    private let takeOut: RedisScript
    private let report: ServiceReport
    private let log: Logger
    private let durable: () -> UInt64
    private let release: (AcceptedFrame) -> UInt64
    private let copy: AddressCopy
    private var book = TerminalAddressBook()
    /// Whether there is a list to judge by: of Redis, or the last process' copy.
    private(set) var isLoaded = false
    private var isCopyOld = false
    private var copiedAt: Int64 = 0
    private var claims = ForeignClaims()
    private var senders: Set<HeldSender> = []
    /// Taken in anew and not on disk yet: the record that has to be durable before they are struck out, and how many.
    private var releasing: [HeldSender: (last: UInt64, count: Int)] = [:]
    /// What is to be held while Redis is away.
    private var waiting: [(HeldSender, String)] = []
    private var isAsking = false

    /// - Parameters:
    ///   - durable: up to which record the journal is on disk.
    ///   - release: takes a held message in anew; returns its record's number.
    init(
        _ redis: RedisLink, takeOut: RedisScript, _ environment: ServiceEnvironment, durable: @escaping () -> UInt64,
        release: @escaping (AcceptedFrame) -> UInt64
    ) {
        self.redis = redis
        self.takeOut = takeOut
        self.durable = durable
        self.release = release
        report = environment.report
        log = environment.log
        copy = AddressCopy(environment.configuration.varDirectory + "/terminal-addresses.json")
        if let known = copy.read() {
            book.replace(with: known)
            isLoaded = true
        }
        redis.onReady.append { [unowned self] in
            redis.send(["SMEMBERS", TerminalAddresses.heldKey]) { [weak self] reply in
                guard let self, let reply, reply.errorMessage == nil else { return }
                for sender in reply.texts.compactMap({ HeldSender($0) }) {
                    if sender.address == ForeignClaims.anotherUser {
                        _ = claims.note(sender.user, at: SystemClock.monotonicMilliseconds())
                    } else {
                        senders.insert(sender)
                    }
                }
            }
            let late = waiting
            waiting = []
            for (sender, text) in late { write(sender, text) }
            refresh()
        }
        redis.onLost.append { [unowned self] in isAsking = false }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in refresh() }
    }

    func mayObject(to address: String) -> Bool { book.mayObject(to: address) }

    /// Why the message is not believed, or nil.
    func objection(to user: String?, from address: String?) -> String? { book.objection(to: user, from: address) }

    /// Somebody told of this user's trades under another name: said for a while, since nothing of it is held.
    func note(foreign owner: String) {
        report.count("foreign_claims")
        let now = SystemClock.monotonicMilliseconds()
        guard claims.note(owner, at: now), redis.isReady else { return }
        let sender = HeldSender(user: owner, address: ForeignClaims.anotherUser)
        redis.send(["SADD", TerminalAddresses.heldKey, sender.text])
        redis.send(["EXPIRE", TerminalAddresses.heldKey, String(TerminalAddresses.heldSeconds)])
    }

    private func forgetClaims(_ now: Int64) {
        guard redis.isReady else { return }
        for user in claims.takeOld(now) {
            let sender = HeldSender(user: user, address: ForeignClaims.anotherUser)
            redis.send(["SREM", TerminalAddresses.heldKey, sender.text])
        }
    }

    private func writeCopy(_ now: Int64) {
        guard isCopyOld, now - copiedAt >= TerminalAddresses.copyMilliseconds else { return }
        isCopyOld = false
        copiedAt = now
        copy.write(book.addresses)
    }

    private func refresh() {
        let now = SystemClock.monotonicMilliseconds()
        strikeOut()
        forgetClaims(now)
        writeCopy(now)
        let users = Set(senders.map(\.user)).sorted()
        report.problem(
            "foreign_confirmations",
            users.isEmpty
                ? nil
                : "what was told of \(users.count) users from addresses their terminals do not speak from is held: "
                    + users.prefix(5).joined(separator: ", "))
        guard !isAsking, redis.isReady else { return }
        isAsking = true
        redis.send(["HGETALL", TerminalAddresses.addressesKey]) { [weak self] reply in
            guard let self else { return }
            isAsking = false
            guard let reply, reply.errorMessage == nil else { return }
            let texts = reply.texts
            var fresh: [String: String] = [:]
            for index in stride(from: 0, to: texts.count - 1, by: 2) { fresh[texts[index]] = texts[index + 1] }
            if book.replace(with: fresh) { isCopyOld = true }
            isLoaded = true
            for sender in senders where releasing[sender] == nil {
                if book.objection(to: sender.user, from: sender.address) == nil { takeIn(sender) }
            }
        }
    }

    // MARK: - What is held

    /// Keeps a message that is not believed; the journal has it anyway.
    func hold(_ frame: AcceptedFrame, user: String, address: String) {
        let sender = HeldSender(user: user, address: address)
        guard frame.bytes.count <= HeldMessage.longest,
            senders.contains(sender) || senders.count < TerminalAddresses.senderLimit
        else { return report.count("held_not_kept") }
        let text = HeldMessage.text(frame)
        senders.insert(sender)
        guard !redis.isReady else { return write(sender, text) }
        guard waiting.count < TerminalAddresses.waitingLimit else { return report.count("held_not_kept") }
        waiting.append((sender, text))
    }

    private func write(_ sender: HeldSender, _ text: String) {
        redis.send(["RPUSH", sender.key(TerminalAddresses.heldKey), text])
        // The first ones stay: what comes after them says the same, or will be resolved with them. Those that are taken in
        // and not struck out yet take nobody's place.
        let most = TerminalAddresses.heldPerSender + (releasing[sender]?.count ?? 0)
        redis.send(["LTRIM", sender.key(TerminalAddresses.heldKey), "0", String(most - 1)])
        redis.send(["EXPIRE", sender.key(TerminalAddresses.heldKey), String(TerminalAddresses.heldSeconds)])
        redis.send(["SADD", TerminalAddresses.heldKey, sender.text])
        redis.send(["EXPIRE", TerminalAddresses.heldKey, String(TerminalAddresses.heldSeconds)])
    }

    /// The addresses from which something is held of a user, in order.
    func heldAddresses(of user: String) -> [String] {
        senders.filter { $0.user == user && releasing[$0] == nil }.map(\.address).sorted()
    }

    /// An operator's word on what is held of a user: taken in as if his terminal had said it, or let go.
    ///
    /// - Parameters:
    ///   - address: only what came from there; nil for every address.
    ///   - done: gets how many messages that were, and from how many addresses; nil where Redis did not answer for one of
    ///     them, and then it is to be said again: done twice is done once.
    func settle(
        _ user: String, from address: String?, isAccepted: Bool,
        _ done: @escaping ((messages: Int, addresses: Int)?) -> Void
    ) {
        guard redis.isReady else { return done(nil) }
        let own = senders.filter {
            $0.user == user && releasing[$0] == nil && (address == nil || $0.address == address)
        }
        guard !own.isEmpty else { return done((0, 0)) }
        var (messages, left, isWhole) = (0, own.count, true)
        for sender in own {
            let finish = { (count: Int?) in
                messages += count ?? 0
                isWhole = isWhole && count != nil
                left -= 1
                if left == 0 { done(isWhole ? (messages, own.count) : nil) }
            }
            if isAccepted { takeIn(sender, finish) } else { letGo(sender, finish) }
        }
    }

    private func letGo(_ sender: HeldSender, _ done: @escaping (Int?) -> Void) {
        var count: Int?
        // Before it is sent: what is told from there from now on is held anew.
        senders.remove(sender)
        redis.send(["LLEN", sender.key(TerminalAddresses.heldKey)]) { count = $0?.integer.map(Int.init) }
        redis.send(["DEL", sender.key(TerminalAddresses.heldKey)])
        redis.send(["SREM", TerminalAddresses.heldKey, sender.text]) { [weak self] reply in
            guard let reply, reply.errorMessage == nil else {
                self?.senders.insert(sender)
                return done(nil)
            }
            done(count)
        }
    }

    /// The terminal speaks from there after all, or may speak from anywhere: what was told from there was its own.
    ///
    /// - Parameter done: gets how many messages that were; nil where Redis did not say, and nothing is changed then.
    private func takeIn(_ sender: HeldSender, _ done: @escaping (Int?) -> Void = { _ in }) {
        redis.send(["LRANGE", sender.key(TerminalAddresses.heldKey), "0", "-1"]) { [weak self] reply in
            guard let self, let reply, reply.errorMessage == nil, releasing[sender] == nil else { return done(nil) }
            var last: UInt64 = 0
            for text in reply.texts {
                guard let frame = HeldMessage.frame(text, sender.address) else { continue }
                last = max(last, release(frame))
                report.count("held_released")
            }
            releasing[sender] = (last, reply.texts.count)
            done(reply.texts.count)
            log.notice(
                "a terminal speaks from another address: what was told from there is taken in",
                metadata: ["user": "\(sender.user)", "address": "\(sender.address)", "taken": "\(reply.texts.count)"])
        }
    }

    /// Struck out only when it is on disk: done twice is done once, since the effect has one name. And only what was taken:
    /// more may have come from there since.
    private func strikeOut() {
        guard redis.isReady else { return }
        let upTo = durable()
        for (sender, taken) in releasing where taken.last <= upTo {
            releasing[sender] = nil
            senders.remove(sender)
            let keys = [sender.key(TerminalAddresses.heldKey), TerminalAddresses.heldKey]
            redis.run(takeOut, keys: keys, [String(taken.count), sender.text]) { [weak self] reply in
                if reply?.integer != 0 { self?.senders.insert(sender) }
            }
        }
    }
}
