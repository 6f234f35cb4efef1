public import Domain

/// The names of events. A name is that of the effect, so that one effect is one event however often it is told.
///
/// Parts are joined by `|` and encoded as ``KeyPart`` does:
/// - `<user>|<account>|<ticket>|opened`
/// - `<user>|<account>|<ticket>|closed|<volume of the ticket closed so far>`
/// - `<user>|<account>|<ticket>|close_failed|<frame hash>` (an attempt has no effect; told twice it is still one)
/// - `<user>|<fire_id>` without a ticket: the end of a fire that opened nothing
/// - `<user>|<fire_id>|closed`: the end of a position of which the fire alone is named
/// - `receipt|<node>|<the sender's seq>|<frame hash>` with neither, where the sender numbers its messages
/// - `frame|<frame hash>|<journal sequence>` with neither otherwise
public enum EventIdentity {
    public static func opened(user: String, account: String, ticket: Int64) -> String {
        "\(lifecycle(user: user, account: account, ticket: ticket))|opened"
    }

    public static func closed(user: String, account: String, ticket: Int64, soFar volume: Amount) -> String {
        "\(lifecycle(user: user, account: account, ticket: ticket))|closed|\(volume)"
    }

    static func attempt(_ confirmation: Confirmation, user: String, account: String, ticket: Int64) -> String {
        let position = lifecycle(user: user, account: account, ticket: ticket)
        return "\(position)|\(confirmation.report.kind.rawValue)|\(confirmation.frameHash)"
    }

    static func fire(user: String, fireID: String) -> String { "\(KeyPart.encode(user))|\(KeyPart.encode(fireID))" }

    static func fireClosed(user: String, fireID: String) -> String { "\(fire(user: user, fireID: fireID))|closed" }

    /// For what names neither a ticket nor a fire.
    static func frame(_ confirmation: Confirmation) -> String {
        let report = confirmation.report
        if let node = report.nodeID, let number = report.sequence {
            return "receipt|\(KeyPart.encode(node))|\(number)|\(confirmation.frameHash)"
        }
        return "frame|\(confirmation.frameHash)|\(confirmation.sequence)"
    }

    /// `<user>|<account>|<ticket>`: one position's life, the last part of `lifecycle:…`.
    public static func lifecycle(user: String, account: String, ticket: Int64) -> String {
        "\(KeyPart.encode(user))|\(KeyPart.encode(account))|\(ticket)"
    }

    /// What the message itself says of its effect, before anything is looked up: how repeats are recognised.
    static func spoken(_ confirmation: Confirmation) -> String {
        let report = confirmation.report
        // What a witness told first is no repeat when the terminal says it.
        let user = (report.isInferred ? "inferred|" : "") + (report.userUUID ?? report.nodeID ?? "")
        if let ticket = report.ticket, !user.isEmpty {
            let account = report.account ?? report.nodeID ?? ""
            let position = lifecycle(user: user, account: account, ticket: ticket)
            switch report.kind {
            case .opened: return "\(position)|opened"
            case .closed: return "\(position)|closed|\(TradeLifecycle.fingerprint(report))"
            default: return "\(position)|\(report.kind.rawValue)|\(confirmation.frameHash)"
            }
        }
        if let fireID = report.fireID ?? report.signalID { return "\(fire(user: user, fireID: fireID))|\(report.kind)" }
        return frame(confirmation)
    }
}
