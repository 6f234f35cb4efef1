import Domain
import Redis
import ServiceKit
import Trading

/// Which of its own numbers each sender was heard with, over restarts: what is in memory and what Redis keeps.
///
/// Redis may know less than is durable, never more: then a sender is asked for what is there already, a duplicate.
/// A number counts only where the node is the user's who names it: whoever tells numbers in another's name would make him
/// leave out what nobody has. So whose they are is kept beside them (`owner`), and what was another's is forgotten once
/// the node is somebody's. Owned by the loop's thread.
final class ReceiptBook {
    typealias Receipt = (node: String, sequence: Int64, user: String?)

    private static let waitingLimit = 10_000
    private static let ownerLimit = 50_000

    /// Whose a node's numbers are.
    private struct Owner {
        /// Whose node it is as node-registry has it, an empty text where it is nobody's.
        var name: String
        /// Who told its numbers: an empty text for a service of this machine that named nobody, ``others`` where those were
        /// several, or somebody without a name on another machine; nil: nobody yet.
        var speaker: String?
    }

    /// Whose numbers nobody is to go on with. As `owner` in Redis too.
    private static let others = "*"

    private let redis: RedisLink
    private var memory = ReceiptMemory()
    private var owners: [String: Owner] = [:]
    /// Heard before it was known whose the node is.
    private var waiting: [String: [(sequence: Int64, user: String?)]] = [:]
    private var waitingCount = 0
    private var loading: Set<String> = []

    init(_ redis: RedisLink) { self.redis = redis }

    func isRepeated(_ confirmation: Confirmation) -> Bool { memory.isRepeated(confirmation) }

    /// A durable frame told this number.
    func heard(_ receipt: Receipt) {
        if let known = owners[receipt.node], !known.name.isEmpty || known.speaker == ReceiptBook.speaker(receipt.user) {
            guard ReceiptBook.isOwn(receipt.user, known.name) else { return }
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

    private static func speaker(_ user: String?) -> String {
        guard let user else { return "" }
        return user.isEmpty ? others : user
    }

    private static func isOwn(_ user: String?, _ owner: String) -> Bool {
        guard let user, !owner.isEmpty else { return true }
        return user == owner
    }

    /// What is to be stored of these nodes, and who told it; those that are not complete yet are left for their next
    /// message.
    func numbers(of nodes: some Sequence<String>) -> [(node: String, speaker: String, numbers: HeardNumbers)] {
        nodes.compactMap { node in
            guard let owner = owners[node], let numbers = memory.numbers(node: node) else { return nil }
            return (node, owner.name.isEmpty ? owner.speaker ?? "" : owner.name, numbers)
        }
    }

    /// The first number a sender has to send again; nil while Redis can't be asked.
    func next(node: String, _ done: @escaping (Int64?) -> Void) {
        // A node of nobody's may be somebody's by now, who is not to leave out what others told for it.
        if waiting[node] == nil, owners[node]?.name.isEmpty == false, let numbers = memory.numbers(node: node) {
            return done(numbers.next)
        }
        load(node) { [unowned self] isLoaded in
            // What others told for a node of nobody's is not left out by whoever asks: he tells it once more.
            let isOthers = owners[node].map { $0.name.isEmpty && $0.speaker == ReceiptBook.others } ?? false
            done(isLoaded ? isOthers ? 1 : memory.numbers(node: node)?.next : nil)
        }
    }

    private func load(_ node: String, _ done: @escaping (Bool) -> Void) {
        var owner: String?
        redis.send(["HGET", "node:\(node)", "user_uuid"]) { reply in
            if let reply, reply.errorMessage == nil { owner = reply.text ?? "" }
        }
        redis.send(["HMGET", "receipts:\(node)", "last_seq", "above", "owner"]) { [weak self] reply in
            guard let self else { return }
            loading.remove(node)
            guard let owner, let fields = reply?.array, fields.count == 3 else { return done(false) }
            take(node, owner: owner, fields)
            done(true)
        }
    }

    /// Whose the node is and what is stored of it, of one moment: what others told for it is forgotten here and there
    /// before anything of it is taken in again.
    private func take(_ node: String, owner: String, _ fields: [RedisValue]) {
        let late = waiting.removeValue(forKey: node) ?? []
        waitingCount -= late.count
        // Rows of earlier versions don't say whose they are.
        let earlier = [owners[node]?.speaker, fields[2].text].compactMap(\.self)
        var stored = HeardNumbers(last: fields[0].integer ?? 0, above: fields[1].text ?? "")
        if !owner.isEmpty, earlier.contains(where: { $0 != owner }) {
            memory.forget(node: node)
            redis.send(["DEL", "receipts:\(node)"])
            stored = HeardNumbers()
        }
        let speakers = Set(earlier + late.map { ReceiptBook.speaker($0.user) })
        if owners.count >= ReceiptBook.ownerLimit { owners.removeAll() }
        owners[node] = Owner(
            name: owner, speaker: owner.isEmpty ? (speakers.count > 1 ? ReceiptBook.others : speakers.first) : owner)
        for one in late where ReceiptBook.isOwn(one.user, owner) {
            _ = memory.heard(node: node, sequence: one.sequence)
        }
        memory.complete(node: node, with: stored)
    }
}
