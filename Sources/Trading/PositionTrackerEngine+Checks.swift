import Domain

extension PositionTrackerEngine {
    /// Everything that can be said of one target without asking anybody. The order is the order of what an operator
    /// would want to hear first.
    mutating func check(
        _ request: FireRequest, fireID: String, userUUID: String, now: Timestamp
    ) throws(Denial) -> FireCandidate {
        guard stateIsAvailable else {
            throw Denial(
                .stateUnavailable,
                "the ledger can't be written now (Redis is away, or the disk of its journal is full); nothing is fired "
                    + "until it can")
        }
        let expiresAt = request.expiresAt ?? now.adding(milliseconds: policy.lifetimeMilliseconds)
        guard expiresAt > now else { throw Denial(.expired, "expires_at_ms lies in the past") }
        guard expiresAt - now <= PositionTrackerEngine.longestLifetimeMilliseconds else {
            throw Denial(.expired, "expires_at_ms lies more than an hour ahead: what waits so long is another trade")
        }
        let user = try eligibleUser(userUUID, now)
        let terminal = try reachableTerminal(userUUID, now)
        if request.hybrid != nil { try checkHybrid(terminal) }
        let canonical = quotes.canonical(request.symbol)
        try checkBrake(user, terminal, canonical)
        guard let instrument = catalogue.instruments[canonical] else {
            throw Denial(.unknownSymbol, "'\(request.symbol)' is not in symbols.yaml")
        }
        let symbol = try brokerSymbol(request.symbol, canonical, terminal)
        try checkMarket(terminal, now)
        let server = terminal.server ?? ""
        guard let quote = quotes.quote(node: terminal.nodeID, symbol: symbol),
            now - quote.receivedAt <= PositionTrackerEngine.tradedSymbolWithinMilliseconds
        else { throw Denial(.marketQuiet, "\(terminal.nodeID) has not quoted \(symbol) for a minute") }
        let market = request.direction == .buy ? quote.ask : quote.bid
        try checkSides(request, quote, symbol)
        guard let equity = terminal.equity ?? terminal.balance else {
            throw Denial(.riskExceeded, "the account's equity is not known yet; the next heartbeat brings it")
        }
        let currency = terminal.currency ?? "USD"
        guard
            let rate = quotes.conversion(
                from: instrument.quoteCurrency, to: currency, node: terminal.nodeID, server: server, now: now)
        else {
            throw Denial(
                .riskExceeded,
                "the risk can't be computed: no quote converts \(instrument.quoteCurrency) to \(currency)")
        }
        try throttle(userUUID, now)
        return FireCandidate(
            fireID: fireID, user: user, terminal: terminal, symbol: symbol, canonicalSymbol: canonical,
            // Terminals trade at market whatever `entry` says: the risk is from there.
            instrument: instrument, entry: market, quote: quote, equity: equity, currency: currency,
            conversionRate: rate)
    }

    static let longestLifetimeMilliseconds: Int64 = 3_600_000
    /// The traded symbol itself may tick seldom; past this its price is not a basis for a stop.
    static let tradedSymbolWithinMilliseconds: Int64 = 60_000

    private func eligibleUser(_ uuid: String, _ now: Timestamp) throws(Denial) -> User {
        let user = user(uuid, now: now)
        guard user.isRegistered || policy.firesAtUnregistered else {
            throw Denial(.userUnknown, "'\(uuid)' is not registered; use meshctl user add")
        }
        guard users[uuid] != nil || terminals[uuid] != nil else {
            throw Denial(.userUnknown, "nobody here has seen the user '\(uuid)'")
        }
        guard user.state == .active else { throw Denial(.userSuspended, "'\(uuid)' is suspended") }
        return user
    }

    private func reachableTerminal(_ uuid: String, _ now: Timestamp) throws(Denial) -> Terminal {
        guard let terminal = terminals[uuid] else {
            throw Denial(.nodeOffline, "no terminal of '\(uuid)' has connected")
        }
        if terminal.isDoubtful(now) {
            throw Denial(.identityConflict, terminal.conflictReason ?? "somebody else speaks under this name")
        }
        guard terminal.isActive else { throw Denial(.nodeOffline, "\(terminal.nodeID) is not connected") }
        guard route(to: terminal) != nil else {
            if let doubt = pullDoubt(terminal) { throw Denial(.identityConflict, doubt) }
            throw Denial(.nodeOffline, unreachableReason(terminal))
        }
        return terminal
    }

    func brake(_ user: User, _ terminal: Terminal, _ canonical: String) -> Brakes.Setting? {
        var scopes: [BrakeScope] = [.all, .tier(user.tier), .symbol(canonical), .user(user.uuid)]
        if let server = terminal.server { scopes.append(.broker(server)) }
        return brakes.tightest(scopes)?.setting
    }

    private func checkBrake(_ user: User, _ terminal: Terminal, _ canonical: String) throws(Denial) {
        guard let setting = brake(user, terminal, canonical) else { return }
        throw Denial(
            setting.state == .halted ? .halted : .reducingOnly, "brake \(setting.state.rawValue): \(setting.reason)")
    }

    /// The name the terminal's own broker has for what was asked.
    private func brokerSymbol(_ asked: String, _ canonical: String, _ terminal: Terminal) throws(Denial) -> String {
        let server = terminal.server ?? ""
        let name: String? =
            if quotes.quote(node: terminal.nodeID, symbol: asked) != nil || terminal.symbols.contains(asked) {
                asked
            } else {
                quotes.brokerName(of: canonical, node: terminal.nodeID, server: server)
                    ?? terminal.symbols.first { catalogue.canonical($0) == canonical }
            }
        guard let name else { throw Denial(.unknownSymbol, "\(server) has no name for \(asked) that we have heard") }
        // The terminal finds a value's end at the next quote and reads its own code page.
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { throw Denial(.unknownSymbol, "'\(name)' can't be written in a command") }
        return name
    }

    /// 2.05 reads one command per tick of its chart symbol: without ticks an order would trade when they return.
    func checkMarket(_ terminal: Terminal, _ now: Timestamp) throws(Denial) {
        guard let chart = terminal.chartSymbol else {
            throw Denial(
                .marketQuiet, "the chart symbol of \(terminal.nodeID) is not known yet; its handshake brings it")
        }
        guard let advanced = terminal.chartAdvancedAt, now - advanced <= policy.quoteWithinMilliseconds else {
            throw Denial(
                .marketQuiet,
                "\(chart), the chart symbol, has not moved on for \(policy.quoteWithinMilliseconds / 1000) s; "
                    + "the terminal would read the order when it does")
        }
    }

    /// The terminal drops a stop or target on the wrong side silently and trades without it: never let that happen.
    private func checkSides(_ request: FireRequest, _ quote: Quote, _ symbol: String) throws(Denial) {
        let isBuy = request.direction == .buy
        let spot = "\(symbol) is at \(quote.bid)/\(quote.ask)"
        if let stop = request.stopLoss, !stop.isZero {
            guard isBuy ? stop < quote.bid : stop > quote.ask else {
                throw Denial(
                    .stopWrongSide, "stop \(stop) is on the wrong side for \(request.direction.rawValue): \(spot)")
            }
        } else if !policy.allowsNoStop {
            throw Denial(.noStop, "give a stop (sl); the operator may allow fires without one in tiers.yaml")
        }
        if let target = request.takeProfit, !target.isZero {
            guard isBuy ? target > quote.ask : target < quote.bid else {
                throw Denial(
                    .stopWrongSide, "target \(target) is on the wrong side for \(request.direction.rawValue): \(spot)")
            }
        }
    }

    private mutating func throttle(_ uuid: String, _ now: Timestamp) throws(Denial) {
        guard policy.perUserPerMinute > 0 else { return }
        let recent = (recentFires[uuid] ?? []).filter { now - $0 < 60_000 }
        guard recent.count < policy.perUserPerMinute else {
            throw Denial(.throttled, "more than \(policy.perUserPerMinute) fires in a minute")
        }
        recentFires[uuid] = recent + [now]
    }
}
