import Domain
import Wire

/// How many accounts a second witness was heard of, and what came out of the comparison.
struct ReconciliationCounts: Sendable {
    private(set) var accounts = 0
    private(set) var items: [AccountReconciliation.List: Int] = [:]
    /// Balance steps that nothing explains and nobody has noted.
    private(set) var unexplained = 0
    /// Open questions by kind.
    private(set) var questionsByKind: [String: Int] = [:]

    var questions: Int { questionsByKind.values.reduce(0, +) }

    init(_ snapshot: Snapshot) {
        accounts = snapshot.reconciliations.count
        for account in snapshot.reconciliations.values {
            for list in AccountReconciliation.List.allCases { items[list, default: 0] += account.items(list).count }
            unexplained += account.unexplained
        }
        for question in snapshot.openQuestions {
            questionsByKind[Schema.questions.value("kind", of: question) ?? "unknown", default: 0] += 1
        }
    }

    var json: JSON {
        var object: JSONObject = ["accounts": .integer(accounts)]
        for list in AccountReconciliation.List.allCases { object.append(list.rawValue, .integer(items[list] ?? 0)) }
        object.append("unexplained", .integer(unexplained))
        object.append("questions", .integer(questions))
        return .object(object)
    }
}

extension Snapshot {
    /// What waits for an operator.
    var openQuestions: [Record] { questions.filter { Schema.questions.value("state", of: $0) == "open" } }
}

/// `/reconciliation`: one item for each account, with the three lists, their ages and their money.
struct ReconciliationList {
    private let accounts: Set<String>?
    private let users: Set<String>?
    private let servers: Set<String>?
    private let kinds: Set<String>?
    private let sorted: String
    private let isDescending: Bool

    static let sortings = ["trouble", "account", "server", "seen_at"]

    /// - Throws: 400 for a value that does not exist, with those that do.
    init(_ parameters: [String: String]) throws(HTTPProblem) {
        accounts = try ListQuery.values(parameters, "account", words: nil)
        users = try ListQuery.values(parameters, "user", words: nil)
        servers = try ListQuery.values(parameters, "server", words: nil)
        kinds = try ListQuery.values(parameters, "kind", words: AccountReconciliation.kinds)
        let text = parameters["sort"].flatMap { $0.isEmpty ? nil : $0 } ?? "-trouble"
        isDescending = text.hasPrefix("-")
        sorted = isDescending ? String(text.dropFirst()) : text
        guard ReconciliationList.sortings.contains(sorted) else {
            let names = ReconciliationList.sortings.joined(separator: " ")
            throw .badRequest("'sort' is one of: \(names); with a leading '-' the other way round")
        }
    }

    func items(_ snapshot: Snapshot, now: Timestamp) -> [JSON] {
        let open = Dictionary(grouping: snapshot.openQuestions) { question in
            PositionKey.accountKey(
                server: Schema.questions.value("server", of: question) ?? "",
                account: Schema.questions.value("account", of: question) ?? "")
        }
        let found = snapshot.reconciliations.values.filter(matches)
        return order(found, open).map { .object(item($0, open[$0.key] ?? [], now)) }
    }

    private func matches(_ account: AccountReconciliation) -> Bool {
        func isIn(_ wanted: Set<String>?, _ name: String) -> Bool {
            wanted.map { $0.contains(account.text(name)?.lowercased() ?? "") } ?? true
        }
        guard isIn(accounts, "account"), isIn(users, "user_uuid"), isIn(servers, "server") else { return false }
        return kinds == nil || AccountReconciliation.List.allCases.contains { !shown($0, account).isEmpty }
    }

    /// With a filter by kind the lists show that kind only.
    private func shown(_ list: AccountReconciliation.List, _ account: AccountReconciliation) -> [JSONObject] {
        guard let kinds else { return account.items(list) }
        return account.items(list).filter { kinds.contains($0["kind"]?.text ?? "") }
    }

    private func order(
        _ accounts: [AccountReconciliation], _ open: [String: [Record]]
    ) -> [AccountReconciliation] {
        func rank(_ account: AccountReconciliation) -> (number: Int64, text: String) {
            switch sorted {
            case "account": return (0, account.text("account") ?? "")
            case "server": return (0, account.text("server") ?? "")
            case "seen_at": return (account.seenAt ?? 0, "")
            default:
                let weight = account.items(.onlyOurs).count + account.items(.onlyTheirs).count
                return (Int64(weight + account.unexplained + 1000 * (open[account.key]?.count ?? 0)), "")
            }
        }
        return accounts.map { (rank: rank($0), account: $0) }.sorted { left, right in
            if left.rank != right.rank { return isDescending ? left.rank > right.rank : left.rank < right.rank }
            return left.account.key < right.account.key
        }.map(\.account)
    }

    private func item(_ account: AccountReconciliation, _ questions: [Record], _ now: Timestamp) -> JSONObject {
        var item = JSONObject()
        for name in ["user_uuid", "node_id", "account", "server", "currency", "witness"] {
            item.append(name, .text(account.text(name)))
        }
        item.append("seen_at", Schema.json(account.text("seen_at"), .time))
        item.append("age_s", account.seenAt.map { .integer(max(0, now.milliseconds - $0) / 1000) } ?? .null)
        item.append("balance", Schema.json(account.text("balance"), .decimal))
        var summary = JSONObject()
        for list in AccountReconciliation.List.allCases {
            let shown = shown(list, account).map { ReconciliationList.dated($0, now) }
            item.append(list.rawValue, .array(shown.map { .object($0) }))
            summary.append(list.rawValue, .object(ReconciliationList.summary(shown)))
        }
        item.append("summary", .object(summary))
        item.append("unexplained", .array(account.steps.map(ReconciliationList.step)))
        item.append("questions", .array(questions.map { .object(Items.question($0, now: now)) }))
        return item
    }

    /// Times as everywhere, with the age in seconds.
    private static func dated(_ item: JSONObject, _ now: Timestamp) -> JSONObject {
        var item = item
        let since = item["since"]?.text.flatMap { Int64($0) }
        item["since"] = Schema.json(item["since"]?.text, .time)
        item["age_s"] = since.map { .integer(max(0, now.milliseconds - $0) / 1000) } ?? .null
        for name in ["lot", "open_price", "money"] { item[name] = Schema.json(item[name]?.text, .decimal) }
        return item
    }

    private static func summary(_ items: [JSONObject]) -> JSONObject {
        let known = items.compactMap { $0["money"]?.text.flatMap { Amount($0) } }
        let ages = items.compactMap { $0["age_s"]?.text.flatMap { Int64($0) } }
        return [
            "count": .integer(items.count),
            // A sum that leaves something out would look like the whole.
            "money": known.count == items.count ? .number(known.reduce(.zero, +).money) : .null,
            "oldest_age_s": ages.max().map { .integer($0) } ?? .null,
        ]
    }

    private static func step(_ step: JSONObject) -> JSON {
        var object = step
        for name in ["amount", "from", "to"] { object[name] = Schema.json(step[name]?.text, .decimal) }
        object["at"] = Schema.json(step["at"]?.text, .time)
        object["noted"] = .bool(step["noted"]?.bool == true)
        return .object(object)
    }
}

extension Items {
    static func question(_ record: Record, now: Timestamp) -> JSONObject {
        var item = Schema.questions.json(record)
        if item["question_id"] == .null { item["question_id"] = .string(record.identifier) }
        let asked = Schema.questions.value("asked_at", of: record).flatMap { Int64($0) }
        item.append("age_s", asked.map { .integer(max(0, now.milliseconds - $0) / 1000) } ?? .null)
        return item
    }
}
