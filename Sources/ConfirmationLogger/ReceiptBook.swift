import Domain
import Redis
import ServiceKit
import Trading

/// Which of its own numbers each sender was heard with, over restarts: what is in memory and what Redis keeps.
///
/// Redis may know less than is durable, never more: then a sender is asked for what is there already, a duplicate.
/// A number counts only where the node is the user's who names it: whoever tells numbers in another's name would make him
/// leave out what nobody has. Owned by the loop's thread.
final class ReceiptBook {
    typealias Receipt = (node: String, sequence: Int64, user: String?)

    private static let waitingLimit = 10_000
    private static let ownerLimit = 50_000

    private let redis: RedisLink
    private var memory = ReceiptMemory()
    /// Whose node each is as node-registry has it, an empty text where it has none, and who was heard for it then.
    private var owners: [String: (owner: String, user: String?)] = [:]
    /// Heard before it was known whose the node is.
    private var waiting: [String: [(sequence: Int64, user: String?)]] = [:]
    private var waitingCount = 0
    private var loading: Set<String> = []

    init(_ redis: RedisLink) { self.redis = redis }

    func isRepeated(_ confirmation: Confirmation) -> Bool { memory.isRepeated(confirmation) }

    /// A durable frame told this number.
    func heard(_ receipt: Receipt) {
        if let known = owners[receipt.node], !known.owner.isEmpty || known.user == receipt.user {
            guard ReceiptBook.isOwn(receipt.user, known.owner) else { return }
            // Asked before anything of the frame is: the answer is there before it is booked.
            if memory.heard(node: receipt.node, sequence: receipt.sequence) { loadOnce(receipt.node) }
            return
        }
        // Not heard is heard later, as a duplicate.
        guard waitingCount < ReceiptBook.waitingLimit else { return loadOnce(receipt.node) }
        waitingCount += 1
        waiting[receipt.node, default: []].append((receipt.sequence, receipt.user))
        loadOnce(receipt.node)
    }

    private func loadOnce(_ node: String) {
        guard redis.isReady, loading.insert(node).inserted else { return }
        load(node) { _ in }
    }

    private static func isOwn(_ user: String?, _ owner: String) -> Bool {
        guard let user, !owner.isEmpty else { return true }
        return user == owner
    }

    /// What is to be stored of these nodes; those that are not complete yet are left for their next message.
    func numbers(of nodes: some Sequence<String>) -> [(node: String, numbers: HeardNumbers)] {
        nodes.compactMap { node in memory.numbers(node: node).map { (node, $0) } }
    }

    /// The first number a sender has to send again; nil while Redis can't be asked.
    func next(node: String, _ done: @escaping (Int64?) -> Void) {
        if waiting[node] == nil, let numbers = memory.numbers(node: node) { return done(numbers.next) }
        load(node) { [unowned self] isLoaded in done(isLoaded ? memory.numbers(node: node)?.next : nil) }
    }

    private func load(_ node: String, _ done: @escaping (Bool) -> Void) {
        redis.send(["HGET", "node:\(node)", "user_uuid"]) { [weak self] reply in
            guard let self, let reply, reply.errorMessage == nil else { return }
            let owner = reply.text ?? ""
            // Who told numbers of a node before it was anybody's was not the one whose it is now.
            if let earlier = owners[node], earlier.owner != owner, !owner.isEmpty, earlier.user != owner {
                memory.forget(node: node)
                redis.send(["DEL", "receipts:\(node)"])
            }
            if owners.count >= ReceiptBook.ownerLimit { owners.removeAll() }
            owners[node] = (owner, waiting[node]?.last?.user)
        }
        redis.send(["HMGET", "receipts:\(node)", "last_seq", "above"]) { [weak self] reply in
            guard let self else { return }
            loading.remove(node)
            guard let fields = reply?.array, fields.count == 2 else { return done(false) }
            let owner = owners[node]?.owner ?? ""
            for one in waiting.removeValue(forKey: node) ?? [] {
                waitingCount -= 1
                if ReceiptBook.isOwn(one.user, owner) { _ = memory.heard(node: node, sequence: one.sequence) }
            }
            let stored = HeardNumbers(last: fields[0].integer ?? 0, above: fields[1].text ?? "")
            memory.complete(node: node, with: stored)
            done(true)
        }
    }
}
