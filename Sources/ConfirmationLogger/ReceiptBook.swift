import Domain
import Redis
import ServiceKit
import Trading

/// Which of its own numbers each sender was heard with, over restarts: what is in memory and what Redis keeps.
///
/// Redis may know less than is durable, never more: then a sender is asked for what is there already, a duplicate.
/// Owned by the loop's thread.
final class ReceiptBook {
    private let redis: RedisLink
    private var memory = ReceiptMemory()

    init(_ redis: RedisLink) { self.redis = redis }

    func isRepeated(_ confirmation: Confirmation) -> Bool { memory.isRepeated(confirmation) }

    /// A durable frame told this number.
    func heard(_ receipt: (node: String, sequence: Int64)) {
        // Asked before anything of the frame is: the answer is there before it is booked.
        if memory.heard(node: receipt.node, sequence: receipt.sequence), redis.isReady { load(receipt.node) { _ in } }
    }

    /// What is to be stored of these nodes; those that are not complete yet are left for their next message.
    func numbers(of nodes: some Sequence<String>) -> [(node: String, numbers: HeardNumbers)] {
        nodes.compactMap { node in memory.numbers(node: node).map { (node, $0) } }
    }

    /// The first number a sender has to send again; nil while Redis can't be asked.
    func next(node: String, _ done: @escaping (Int64?) -> Void) {
        if let numbers = memory.numbers(node: node) { return done(numbers.next) }
        load(node) { [unowned self] isLoaded in done(isLoaded ? memory.numbers(node: node)?.next : nil) }
    }

    private func load(_ node: String, _ done: @escaping (Bool) -> Void) {
        redis.send(["HMGET", "receipts:\(node)", "last_seq", "above"]) { [weak self] reply in
            guard let self, let fields = reply?.array, fields.count == 2 else { return done(false) }
            let stored = HeardNumbers(last: fields[0].integer ?? 0, above: fields[1].text ?? "")
            memory.complete(node: node, with: stored)
            done(true)
        }
    }
}
