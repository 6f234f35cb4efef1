import Domain
import Redis
import Wire

/// One account of the second witness: what we say is open there, beside what the terminal says.
///
/// Source: `reconciliation:<server>|<account>`, field `json`, written by position-tracker.
struct AccountReconciliation: Sendable, Equatable {
    enum List: String, Sendable, CaseIterable {
        case matched
        /// A position of ours that the witness does not have: a slot that leaks.
        case onlyOurs = "only_ours"
        /// A position at the broker that is none of ours: by hand, foreign, or an orphan.
        case onlyTheirs = "only_theirs"
    }

    static let kinds = ["matched", "ghost", "manual", "foreign", "orphan"]

    /// `<server>|<account>`, as the key spells it.
    let key: String
    /// Everything beside the three lists.
    let head: JSONObject
    let lists: [List: [JSONObject]]

    init?(key: String, _ text: String) {
        guard let object = (try? JSON(text))?.object else { return nil }
        self.key = key
        var lists: [List: [JSONObject]] = [:]
        for list in List.allCases { lists[list] = object[list.rawValue]?.array?.compactMap(\.object) ?? [] }
        self.lists = lists
        var head = object
        for list in List.allCases { head[list.rawValue] = nil }
        self.head = head
    }

    func items(_ list: List) -> [JSONObject] { lists[list] ?? [] }
    /// Balance steps that nothing explains, those an operator has noted included.
    var steps: [JSONObject] { head["unexplained"]?.array?.compactMap(\.object) ?? [] }
    var unexplained: Int { steps.count { $0["noted"]?.bool != true } }
    var seenAt: Int64? { head["seen_at"]?.text.flatMap { Int64($0) } }
    func text(_ name: String) -> String? { head[name]?.text }
}

/// `reconciliation:<server>|<account>`: documents, so they are kept parsed. Owned by the loop's thread.
final class ReconciliationFamily {
    private(set) var accounts: [String: AccountReconciliation] = [:]
    private let budget: Int
    private var queue = RefreshQueue()
    private var texts: [String: String] = [:]
    private var hasChanged = false

    init(budget: Int) { self.budget = budget }

    var hasUrgent: Bool { queue.hasUrgent }

    func markAll() { queue.markAll() }

    /// - Parameter members: as the set `reconciliations` has them, with or without the prefix `reconciliation:`.
    func update(_ members: Set<String>) {
        let prefix = "reconciliation:"
        let names = Set(members.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 })
        for gone in queue.update(hot: names, cold: []) { drop(gone) }
    }

    func questions() -> [RedisQuestion] {
        queue.take(budget: budget, urgentLimit: HashFamily.urgentLimit).map { key in
            RedisQuestion(["HGET", "reconciliation:\(key)", "json"]) { [unowned self] reply in take(key, reply.text) }
        }
    }

    func take(_ key: String, _ text: String?) {
        guard queue.contains(key), texts[key] != text else { return }
        guard let text, let account = AccountReconciliation(key: key, text) else { return drop(key) }
        texts[key] = text
        accounts[key] = account
        hasChanged = true
    }

    private func drop(_ key: String) {
        texts[key] = nil
        if accounts.removeValue(forKey: key) != nil { hasChanged = true }
    }

    func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }
}
