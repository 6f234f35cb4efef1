import Domain

/// A message that tells of what is another user's: the fire, the position or the terminal it names.
///
/// Names are no proof, and a message is judged by where it came from for the user it *claims*
/// (``TerminalAddressBook``). Whoever claims himself and names a stranger's ticket passes that; here he does not. Decided
/// from the message and the look-up alone, so that a replay decides the same. Source: docs/fleet.md.
public struct ForeignClaim: Sendable, Equatable {
    /// Whose it is; `unknown` where nobody's.
    public let owner: String
    /// Whether somebody can be named whose it is.
    public var isKnown: Bool { owner != Party.unknownUser }
    /// In words for an operator.
    public let text: String
    /// Whether it is in the owner's own name, held until it is known from where he speaks.
    public let isHeld: Bool

    public init(owner: String, text: String, isHeld: Bool = false) {
        self.owner = owner
        self.text = text
        self.isHeld = isHeld
    }
}

extension ConfirmationEngine {
    /// Whose fire, position or terminal the message tells of, where that is not the sender's; nil where nothing is held
    /// against it. What nobody here knows belongs to nobody: it is booked as an orphan.
    ///
    /// - Parameter isOutside: whether it came from another machine. Only services on this one speak for terminals that
    ///   can't name their users (7.01); from outside a message that names nobody tells nothing of anybody's.
    public static func foreignClaim(
        _ confirmation: Confirmation, _ context: ConfirmationContext, isOutside: Bool
    ) -> ForeignClaim? {
        let report = confirmation.report
        guard !report.isInferred else { return nil }
        var owned: [(owner: String?, what: String)] = []
        // A known terminal that says it carried out another's fire has a position all the same: it is booked as its own
        // user's orphan and answers nothing of that fire. Dropping it would hide money.
        let isOwnTrade =
            report.kind == .opened && report.userUUID != nil && context.node["user_uuid"] == report.userUUID
        if let fire = report.fireID ?? report.signalID, !isOwnTrade {
            owned.append((context.fire["user_uuid"], "the fire '\(fire.prefix(40))'"))
        }
        if let ticket = report.ticket, report.kind != .closedAll {
            let position = context.positions.first { $0["ticket"] == String(ticket) }
            owned.append((position?["user_uuid"], "the position \(ticket)"))
        }
        if report.nodeID != nil { owned.append((context.node["user_uuid"], "the terminal it names")) }
        let speaker = named(report.userUUID)
        if speaker == nil, isOutside {
            // Also of what nobody owns yet: the next tickets of an account can be guessed.
            let owner = owned.lazy.compactMap { named($0.owner) }.first ?? Party.unknownUser
            return ForeignClaim(owner: owner, text: "it names no user and comes from another machine")
        }
        // A service of this one names the terminal on whose connection it heard it (7.01).
        guard let claimed = speaker ?? named(context.node["user_uuid"]) else {
            // A terminal of nobody's was fired at by nobody.
            guard report.nodeID != nil, let owner = named(context.fire["user_uuid"]) else { return nil }
            return ForeignClaim(owner: owner, text: "a terminal of no user tells of a fire of '\(owner)'")
        }
        for case (let owner?, let what) in owned where named(owner) != nil {
            if owner != claimed {
                return ForeignClaim(
                    owner: owner, text: "'\(claimed.prefix(64))' tells of \(what), which is of '\(owner)'")
            }
        }
        return isOutside ? foreignAccount(of: claimed, report, context) : nil
    }

    /// An account that is another user's: an operator bound it to him, whoever runs a terminal in it, or his terminal runs
    /// it, and the sender has no terminal there, no fire, no position and no earlier trade. What was the sender's before
    /// the account was bound to another is his to tell to its end.
    private static func foreignAccount(
        of claimed: String, _ report: TradeReport, _ context: ConfirmationContext
    ) -> ForeignClaim? {
        guard let account = context.account else { return nil }
        let holder = context.accountNode
        let bound = (holder["bound_to"] ?? "").split(separator: " ").map(String.init)
        let ownsTrade = ownsTrade(claimed, account, report, context)
        if let owner = bound.first, !bound.contains(claimed), !ownsTrade {
            return foreign(claimed, account, owner, "is bound to '\(owner)'")
        }
        guard let owner = named(holder["user_uuid"]), owner != claimed, holder["account"] == account else { return nil }
        let hasTerminal =
            context.node["user_uuid"] == claimed && context.node["account"] == account
            && (report.server == nil || report.server == context.node["server"])
        return hasTerminal || ownsTrade
            ? nil : foreign(claimed, account, owner, "is run by the terminal of '\(owner)'")
    }

    /// Whether the fire, the position or its life is the sender's own, in that account.
    private static func ownsTrade(
        _ claimed: String, _ account: String, _ report: TradeReport, _ context: ConfirmationContext
    ) -> Bool {
        let isOwnFire =
            context.fire["user_uuid"] == claimed && (context.fire["account"] ?? account) == account
            && isHere(context.fire, report, context)
        // Lives are looked up under the sender's own name, a position under the server the message is about.
        return isOwnFire || context.positions.contains { $0["user_uuid"] == claimed }
            || context.lifecycles.values.contains { isHere($0, report, context) }
    }

    /// Whether a row is of the server the message is about. Logins repeat between brokers, and a life is named by its login
    /// and ticket alone: what was told of one broker's account opens none of another's. One that tells no server is only
    /// gone on with by messages that name none either.
    private static func isHere(_ row: [String: String], _ report: TradeReport, _ context: ConfirmationContext) -> Bool {
        guard let server = row["server"] else { return report.server == nil }
        return server == (report.server ?? context.server ?? server)
    }

    private static func foreign(_ claimed: String, _ account: String, _ owner: String, _ why: String) -> ForeignClaim {
        ForeignClaim(
            owner: owner,
            text: "'\(claimed.prefix(64))' tells of the account \(account.prefix(32)), which \(why)")
    }

    /// A name that is one: `unknown` is what nobody is called.
    private static func named(_ user: String?) -> String? {
        guard let user, !user.isEmpty, user != Party.unknownUser else { return nil }
        return user
    }

    /// The look-up without positions of other users: `close_all` of one must not close another's in the same account.
    static func own(_ context: ConfirmationContext, of report: TradeReport) -> ConfirmationContext {
        guard report.kind == .closedAll, let user = report.userUUID else { return context }
        var own = context
        own.positions = context.positions.filter { row in
            guard let owner = row["user_uuid"], owner != Party.unknownUser else { return true }
            return owner == user
        }
        return own
    }
}
