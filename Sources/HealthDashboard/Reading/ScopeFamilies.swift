import Redis
import Wire

/// `stats:<scope>`: hashes whose fields are not known beforehand (one set per currency), so they are read whole.
final class ScopeFamily {
    private(set) var scopes: [String: [String: String]] = [:]
    private let budget: Int
    private var queue = RefreshQueue()
    private var hasChanged = false

    init(budget: Int) { self.budget = budget }

    var hasUrgent: Bool { queue.hasUrgent }

    /// - Parameter members: as `stats_scopes` has them, with or without the prefix `stats:`.
    func update(_ members: Set<String>) {
        let names = Set(members.map { $0.hasPrefix("stats:") ? String($0.dropFirst(6)) : $0 }).union(["global"])
        for gone in queue.update(hot: names, cold: []) where scopes.removeValue(forKey: gone) != nil {
            hasChanged = true
        }
    }

    func questions() -> [RedisQuestion] {
        queue.take(budget: budget, urgentLimit: HashFamily.urgentLimit).map { scope in
            RedisQuestion(["HGETALL", "stats:\(scope)"]) { [unowned self] reply in
                guard let fields = reply.dictionary, scopes[scope] ?? [:] != fields else { return }
                scopes[scope] = fields.isEmpty ? nil : fields
                hasChanged = true
            }
        }
    }

    func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }
}

/// `levels:<symbol>`: what citadel-monitor publishes at most every five seconds, read as seldom.
final class LevelFamily {
    static let maximumSymbols = 200

    private(set) var levels: [String: JSON] = [:]
    private var symbols: [String] = []
    private var texts: [String: String] = [:]
    private var hasChanged = false

    func indexQuestions() -> [RedisQuestion] {
        [
            RedisQuestion(["SMEMBERS", "citadel:symbols"]) { [self] reply in
                symbols = Array(reply.texts.sorted().prefix(LevelFamily.maximumSymbols))
                for gone in Set(levels.keys).subtracting(symbols) { drop(gone) }
            }
        ]
    }

    func questions() -> [RedisQuestion] {
        symbols.map { symbol in
            RedisQuestion(["GET", "levels:\(symbol)"]) { [self] reply in
                guard let text = reply.text, let value = try? JSON(text) else { return drop(symbol) }
                guard texts[symbol] != text else { return }
                texts[symbol] = text
                levels[symbol] = value
                hasChanged = true
            }
        }
    }

    private func drop(_ symbol: String) {
        texts[symbol] = nil
        if levels.removeValue(forKey: symbol) != nil { hasChanged = true }
    }

    func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }
}
