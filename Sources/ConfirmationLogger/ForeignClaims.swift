/// Users of whose trades somebody told under another name lately. A value; times are monotonic milliseconds.
struct ForeignClaims {
    /// Stands where an address does in `held_confirmations`; nothing is held with it.
    static let anotherUser = "another-user"
    private static let milliseconds: Int64 = 600_000
    private static let limit = 1000

    private var claimedAt: [String: Int64] = [:]

    /// Whether that is news.
    mutating func note(_ user: String, at now: Int64) -> Bool {
        let isNew = claimedAt[user] == nil
        guard !isNew || claimedAt.count < ForeignClaims.limit else { return false }
        claimedAt[user] = now
        return isNew
    }

    /// Those of whom nobody told for a while.
    mutating func takeOld(_ now: Int64) -> [String] {
        let old = claimedAt.filter { now - $0.value >= ForeignClaims.milliseconds }.map(\.key)
        for user in old { claimedAt[user] = nil }
        return old
    }
}
