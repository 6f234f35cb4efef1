import Domain
import Wire

/// Where one row of the ledger stands at a moment: whether its outcome is known, in time, and what is at stake.
struct FireStanding: Sendable {
    /// States in which a fire has left and nobody knows yet what became of it.
    static let unaccountedStates: Set<String> = ["sent", "acknowledged", "unknown"]
    static let accountedStates: Set<String> = ["filled", "rejected", "never_executed"]
    /// Longer than any terminal of ours takes: the deadline of a row that names none.
    static let answerMilliseconds: Int64 = 60_000

    let state: String
    let isUnaccounted: Bool
    /// Unaccounted past its deadline.
    let isOverdue: Bool
    /// Its answer came after its deadline; it is booked as what happened all the same.
    let isLate: Bool
    /// Since it left, or since it was asked for; nil for one that is over.
    let ageMilliseconds: Int64?
    private let riskText: String?

    /// - Parameter row: a field's text by its name in `fire:<fire_id>`.
    init(now: Timestamp, _ row: (String) -> String?) {
        func time(_ name: String) -> Int64? { row(name).flatMap { Int64($0) } }
        riskText = row("risk")
        state = row("state") ?? ""
        isLate = ["1", "true"].contains(row("late") ?? "")
        let left = time("sending_at") ?? time("sent_at") ?? time("created_at")
        let deadline = time("expires_at") ?? left.map { $0 + FireStanding.answerMilliseconds }
        // Without any time of its own an unknown row has waited for too long already.
        let isPast = deadline.map { $0 < now.milliseconds } ?? (state == "unknown")
        // What is about to leave counts once its time is over: then whoever sent it has died.
        isUnaccounted = FireStanding.unaccountedStates.contains(state) || (state == "sending" && isPast)
        isOverdue = isUnaccounted && isPast
        ageMilliseconds = isUnaccounted ? left.map { max(0, now.milliseconds - $0) } : nil
    }

    init(_ record: Record, now: Timestamp) {
        self.init(now: now) { Schema.fires.value($0, of: record) }
    }

    /// What its stop would cost, in the account's currency; nil where the row does not say: no stop, no figure.
    var risk: (amount: Amount, currency: String)? {
        guard let risk = riskText.flatMap({ try? JSON($0) })?.object,
            let amount = risk["amount"]?.text.flatMap({ Amount($0) }), amount.isPositive
        else { return nil }
        return (amount, risk["currency"]?.text ?? "unknown")
    }

    /// What an item of `/fires` says beside its row.
    func extend(_ item: inout JSONObject) {
        item.append("unaccounted", .bool(isUnaccounted))
        item.append("overdue", .bool(isOverdue))
        item.append("age_s", ageMilliseconds.map { .integer($0 / 1000) } ?? .null)
    }
}
