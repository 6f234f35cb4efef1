import Redis

/// The hashes of one family that the dashboard knows, kept up to date within a budget of reads. Owned by the loop.
final class HashFamily {
    let schema: Schema
    private let prefix: String
    private let budget: Int
    private var queue = RefreshQueue()
    private var records: [String: Record] = [:]
    /// Whether anything is different since the last ``publish()``.
    private(set) var hasChanged = true
    private var published: [Record] = []

    /// What one cycle reads of new or changed members at most: a first load comes in slices of this.
    static let urgentLimit = 2000

    /// - Parameter budget: how many hashes are read each second while nothing is urgent.
    init(_ schema: Schema, prefix: String, budget: Int) {
        self.schema = schema
        self.prefix = prefix
        self.budget = budget
    }

    var hot: Set<String> { queue.hot }
    var hasUrgent: Bool { queue.hasUrgent }

    func update(hot: Set<String>, cold: Set<String>) {
        let before = queue.hot
        for member in queue.update(hot: hot, cold: cold) where records.removeValue(forKey: member) != nil {
            hasChanged = true
        }
        if before != hot { hasChanged = true }
    }

    /// Those of the known records that are so.
    func members(where isWanted: (Record) -> Bool) -> Set<String> {
        Set(records.values.lazy.filter(isWanted).map(\.identifier))
    }

    func mark(_ member: String) { queue.mark(member) }
    func markAll() { queue.markAll() }

    /// The reads of this cycle.
    func questions() -> [RedisQuestion] {
        queue.take(budget: budget, urgentLimit: HashFamily.urgentLimit).map { member in
            RedisQuestion(["HMGET", prefix + member] + schema.keys) { [unowned self] reply in take(member, reply) }
        }
    }

    private func take(_ member: String, _ reply: RedisValue) {
        guard queue.contains(member), let values = reply.array?.map(\.text), values.count == schema.fields.count else {
            return
        }
        guard values.contains(where: { $0 != nil }) else {
            if records.removeValue(forKey: member) != nil { hasChanged = true }
            return
        }
        if let known = records[member], known.values == values { return }
        records[member] = Record(identifier: member, values: values)
        hasChanged = true
    }

    /// The records as they are now, for a snapshot.
    func publish() -> [Record] {
        if hasChanged { published = Array(records.values) }
        hasChanged = false
        return published
    }
}
