import Domain

/// How many commands a terminal may not have read yet, at most: it reads one a tick of its chart symbol, while none it
/// lets them wait. Source: ea-wire 2.
struct UnreadCommands: Sendable, Equatable {
    var count = 0
    /// The last moment its chart is known to have moved on that was counted.
    var lastTick: Timestamp?
}

extension ReconciliationEngine {
    /// More wait at no terminal: libzmq keeps a thousand of them.
    static let mostUnread = 2_000

    /// A command was handed to libzmq. It is called behind what it answers, in the order of sending.
    ///
    /// - Parameter fireID: the fire's, if it is one: then so many are read before it.
    public mutating func commanded(_ user: String, fireID: String? = nil, _ tracker: PositionTrackerEngine) {
        var waiting = unread[user] ?? UnreadCommands(lastTick: tracker.terminals[user]?.chartAdvancedAt)
        if let fireID { aheadOfFires[fireID] = waiting.count }
        waiting.count = min(waiting.count + 1, ReconciliationEngine.mostUnread)
        unread[user] = waiting
    }

    /// A second in which a chart moved on had a tick at least: one command less.
    mutating func read(_ tracker: PositionTrackerEngine) {
        for (user, waiting) in unread {
            guard let advanced = tracker.terminals[user]?.chartAdvancedAt, advanced != waiting.lastTick else {
                continue
            }
            unread[user] = waiting.count > 1 ? UnreadCommands(count: waiting.count - 1, lastTick: advanced) : nil
        }
        // A fire that is no longer under way is watched by nobody.
        if !aheadOfFires.isEmpty { aheadOfFires = aheadOfFires.filter { tracker.fires[$0.key] != nil } }
    }
}
