public import Domain

// Who speaks on the command port, and what an operator says about it.
extension PositionTrackerEngine {
    /// A frame of a terminal on the command port: learn who speaks there. Returns what is wrong, if anything is.
    ///
    /// - Parameter link: the connection it came on; nil where the port does not tell connections apart.
    public mutating func heard(
        _ report: TerminalReport, identity: [UInt8], on link: TerminalLink? = nil, now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> String? {
        guard let user = report.userUUID, let node = report.nodeID else { return nil }
        var claim = TerminalClaim(user: user, node: node, identity: identity, link: link)
        claim.account = report.account
        claim.server = report.server
        if let known = users[user] {
            claim.rule = known.addresses
            claim.boundAccount = known.account
            claim.boundServer = known.server
        }
        let registered = users
        let conflict = fence(into: &outputs) {
            $0.hear(claim, now: now, isRegistered: { registered[$0] != nil }, into: &$1)
        }
        // Somebody else under this name must not change the account's figures either.
        guard conflict == nil else {
            outputs.append(.count("identity_conflicts"))
            for terminal in terminals.forgetKept(identity: identity, user: user) {
                outputs.append(.forgetIdentity(nodeID: terminal))
            }
            return conflict
        }
        terminals.update(user: user, node: node) { terminal in
            terminal.isActive = true
            PositionTrackerEngine.merge(report, into: &terminal)
        }
        if terminals.shouldKeep(identity: identity, user: user, now: now) {
            outputs.append(.rememberIdentity(nodeID: node, userUUID: user, identity: identity, heardAt: now))
        }
        return nil
    }

    /// A connection is there and claims an identity; nobody has spoken on it.
    public mutating func opened(_ link: TerminalLink, identity: [UInt8], now: Timestamp) {
        terminals.opened(link, identity: identity, now: now)
    }

    /// A connection gave a sign of life of its own accord or because it was asked.
    public mutating func alive(_ link: TerminalLink, now: Timestamp, into outputs: inout [TrackerOutput]) {
        fence(into: &outputs) { $0.alive(link.number, now: now, into: &$1) }
    }

    public mutating func lost(_ link: TerminalLink, now: Timestamp, into outputs: inout [TrackerOutput]) {
        fence(into: &outputs) { $0.lost(link.number, now: now, into: &$1) }
    }

    /// Time passes for connections that were asked and doubts that end by themselves.
    public mutating func advanceIdentities(to now: Timestamp, into outputs: inout [TrackerOutput]) {
        fence(into: &outputs) { $0.advance(to: now, into: &$1) }
    }

    /// An operator ends a doubt. Returns what it was, or nil where there is none.
    public mutating func clearConflict(
        of user: String, by actor: String, reason: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> ConflictKind? {
        let kind = fence(into: &outputs) { $0.clear(user, by: actor, reason: reason, now: now, into: &$1) }
        guard let kind else { return nil }
        outputs.append(
            .audit(
                event: "conflict_cleared",
                ["user_uuid": user, "conflict": kind.rawValue, "by": actor, "reason": reason]))
        return kind
    }

    /// An identity learned before our restart: used until the terminal is heard again.
    ///
    /// - Parameter isLinked: whether the port tells connections apart; then it is used on the one connection that claims it
    ///   from the address the user is known at.
    public mutating func restore(identity: [UInt8], user: String, node: String, isLinked: Bool = false) {
        terminals.restore(identity: identity, user: user, node: node, isLinked: isLinked)
    }

    /// From where a user's terminal was believed before our restart.
    public mutating func restore(address: String, user: String) {
        terminals.restore(address: address, user: user)
    }

    /// Users, addresses and nodes of before our restart are there: of names that are nobody's the surplus goes.
    public mutating func forgetStrangers() {
        let registered = users
        terminals.forgetStrangers { registered[$0] != nil }
    }

    /// A doubt that only an operator ends, written down before our restart.
    public mutating func restore(conflict: IdentityConflict, user: String) {
        terminals.restore(conflict: conflict, user: user)
    }

    /// Takes a user's registration away; his terminal, if one is there, is seen like one nobody registered.
    public mutating func remove(user: String) {
        users[user] = nil
        terminals.forgetAddress(of: user)
    }

    /// What node-registry says: a node came, changed or went.
    public mutating func nodeChanged(_ report: TerminalReport, isActive: Bool, now: Timestamp? = nil) {
        guard let user = report.userUUID, let node = report.nodeID else { return }
        guard isActive else {
            quotes.forget(node: node)
            return terminals.end(node: node)
        }
        terminals.update(user: user, node: node) { terminal in
            terminal.isActive = true
            PositionTrackerEngine.merge(report, into: &terminal)
        }
        if let now { terminals.look(after: user, now: now) }
    }

    @discardableResult
    mutating func fence<Result>(
        into outputs: inout [TrackerOutput], _ body: (inout TerminalRegister, inout [TerminalAction]) -> Result
    ) -> Result {
        var actions: [TerminalAction] = []
        let result = body(&terminals, &actions)
        outputs += actions.map(TrackerOutput.terminal)
        return result
    }

    private static func merge(_ report: TerminalReport, into terminal: inout Terminal) {
        if let server = report.server { terminal.server = server }
        if let account = report.account { terminal.account = account }
        if let currency = report.currency { terminal.currency = currency }
        if let balance = report.balance.flatMap({ Amount($0) }) { terminal.balance = balance }
        if let equity = report.equity.flatMap({ Amount($0) }) { terminal.equity = equity }
        if let chart = report.chartSymbol { terminal.chartSymbol = chart }
        if !report.symbols.isEmpty { terminal.symbols = report.symbols }
        if let version = report.version { terminal.version = version }
    }
}
