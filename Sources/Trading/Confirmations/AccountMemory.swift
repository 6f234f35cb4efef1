import Domain

/// What the recent confirmations of one account told: its balance after the last one, and which tickets are open.
struct AccountMemory: Sendable, Equatable {
    /// Nil where the terminal has not said it, or said one that may not contain its last closing yet.
    var balance: Amount?
    var balanceAt = Timestamp(milliseconds: 0)
    /// Opened and not closed, by what was booked here.
    var open: Set<Int64> = []
    /// Closed a short while ago: the tracker may still list them.
    var closed: [Int64] = []

    /// Enough for what can be under way between this service and the tracker.
    static let keptClosed = 256
    static let keptOpen = 1024

    mutating func absorb(_ event: TradeEvent) {
        if event.source == .inferred, event.kind == .closed {
            // Its money moved at a moment nobody knows: only a later heartbeat tells the balance before the next one.
            balance = nil
            balanceAt = max(balanceAt, event.receivedAt)
        } else if let text = event.balance, let amount = Amount(text), event.receivedAt >= balanceAt {
            balanceAt = event.receivedAt
            // A closing whose money is not in the balance yet would be seen as the next one's.
            let isSettled =
                event.kind != .closed || event.profitSource == .message || event.profitSource == .balanceStep
            balance = isSettled ? amount : nil
        }
        guard let ticket = event.ticket else { return }
        if event.kind == .opened, !closed.contains(ticket), open.count < AccountMemory.keptOpen { open.insert(ticket) }
        if event.kind == .closed, event.isFinal {
            open.remove(ticket)
            if !closed.contains(ticket) { closed.append(ticket) }
            if closed.count > AccountMemory.keptClosed { closed.removeFirst() }
        }
    }

    /// The balance before a message that arrived then: the newer of this memory's and the last heartbeat's.
    func balance(before moment: Timestamp, node: [String: String]) -> Amount? {
        let heartbeat = node["last_heartbeat"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        // A heartbeat that came after the closing may contain it.
        if let heartbeat, heartbeat > balanceAt, heartbeat <= moment, let text = node["balance"] {
            return Amount(text)
        }
        return balance
    }
}

/// Seconds of whatever clock a terminal wrote, for differences on one clock.
enum TerminalTime {
    static func seconds(_ text: String?) -> Int64? {
        guard let text else { return nil }
        if let seconds = Timestamp.brokerSeconds(text) { return seconds }
        if let number = Int64(text), number > 0 { return number >= 100_000_000_000 ? number / 1000 : number }
        return Timestamp(rfc3339: text)?.seconds
    }
}
