import Redis

extension MeshReader {
    /// Which members the families have now: the first half of a cycle.
    final class Index {
        private(set) var activeNodes: Set<String> = []
        /// Epoch milliseconds.
        private(set) var lastSeen: [String: Int64] = [:]
        private(set) var brokerQuotes: [String: Int64] = [:]
        /// nil where this cycle did not ask for all of them.
        private(set) var allNodes: Set<String>?
        private(set) var openPositions: Set<String> = []
        private(set) var closedPositions: Set<String> = []
        private(set) var openFires: Set<String> = []
        private(set) var recentFires: Set<String> = []
        private(set) var liveSignals: Set<String> = []
        private(set) var recentSignals: Set<String> = []
        private(set) var activeAlerts: Set<String> = []
        private(set) var recentAlerts: Set<String> = []
        private(set) var scopes: Set<String> = []
        private(set) var reconciliations: Set<String> = []
        private(set) var recentQuestions: Set<String> = []
        /// nil where this cycle did not ask for them.
        private(set) var users: Set<String>?

        /// - Parameters:
        ///   - isFull: also the nodes that are no longer active.
        ///   - isSlow: also what changes seldom: the users.
        func questions(isFull: Bool, isSlow: Bool) -> [RedisQuestion] {
            func newest(_ key: String, _ count: Int) -> [String] { ["ZREVRANGE", key, "0", String(count - 1)] }
            var questions = [
                RedisQuestion(["ZRANGE", "node_last_seen", "0", "-1", "WITHSCORES"]) { [self] in
                    lastSeen = Index.scores($0)
                    activeNodes = Set(lastSeen.keys)
                },
                RedisQuestion(["ZRANGE", "broker_last_quote", "0", "-1", "WITHSCORES"]) { [self] in
                    brokerQuotes = Index.scores($0)
                },
                RedisQuestion(["SMEMBERS", "all_open_positions"]) { [self] in openPositions = Set($0.texts) },
                RedisQuestion(newest("closed_positions", closedPositionsKept)) { [self] in
                    closedPositions = Set($0.texts)
                },
                RedisQuestion(["SMEMBERS", "open_fires"]) { [self] in openFires = Set($0.texts) },
                RedisQuestion(newest("fires", MeshReader.firesKept)) { [self] in recentFires = Set($0.texts) },
                RedisQuestion(["SMEMBERS", "live_signals"]) { [self] in liveSignals = Set($0.texts) },
                RedisQuestion(newest("signals", signalsKept)) { [self] in recentSignals = Set($0.texts) },
                RedisQuestion(["SMEMBERS", "alerts_active"]) { [self] in activeAlerts = Set($0.texts) },
                RedisQuestion(newest("alerts", alertsKept)) { [self] in recentAlerts = Set($0.texts) },
                RedisQuestion(["SMEMBERS", "stats_scopes"]) { [self] in scopes = Set($0.texts) },
                RedisQuestion(["SMEMBERS", "reconciliations"]) { [self] in reconciliations = Set($0.texts) },
                RedisQuestion(newest("questions", questionsKept)) { [self] in recentQuestions = Set($0.texts) },
            ]
            if isSlow {
                questions.append(RedisQuestion(["SMEMBERS", "users"]) { [self] in users = Set($0.texts) })
            }
            if isFull {
                questions.append(
                    RedisQuestion(newest("all_nodes", inactiveNodesKept)) { [self] in allNodes = Set($0.texts) })
            }
            return questions
        }

        /// Members with their scores, which are epoch milliseconds.
        static func scores(_ reply: RedisValue) -> [String: Int64] {
            var scores: [String: Int64] = [:]
            guard let items = reply.array else { return scores }
            scores.reserveCapacity(items.count / 2)
            for index in stride(from: 0, to: items.count - 1, by: 2) {
                guard let member = items[index].text, let text = items[index + 1].text else { continue }
                scores[member] = Int64(text) ?? 0
            }
            return scores
        }
    }
}
