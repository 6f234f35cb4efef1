public import Domain

/// What came of a close request.
public struct CloseResult: Sendable, Equatable {
    public var userUUID: String
    public var commands: Int
    public var withdrawn: [String]
    /// Set where nothing could be sent.
    public var denial: Denial?
    /// The terminal will read it only when its chart symbol ticks again.
    public var isMarketQuiet: Bool
    /// Tickets of hybrids that stand for further positions whose tickets are not known yet: those are not closed.
    public var hybridPartsUnknown: [Int64] = []

    /// Nothing was sent.
    public static func nothing(to user: String) -> CloseResult {
        CloseResult(userUUID: user, commands: 0, withdrawn: [], denial: nil, isMarketQuiet: false)
    }
}

extension PositionTrackerEngine {
    /// Closes one ticket. Closes pass every queue and every brake but HALTED, which somebody who says `force` passes too.
    public func close(
        ticket: Int64, of user: String, force: Bool = false, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> CloseResult {
        let symbol = position(ticket: ticket, of: user)?.canonicalSymbol
        if !force, let denial = halt(of: user, symbols: symbol.map { [$0] } ?? [], now) {
            return CloseResult(userUUID: user, denial)
        }
        var result = send([.closeTicket(ticket)], to: user, now: now, into: &outputs)
        if result.denial == nil, position(ticket: ticket, of: user)?.standsForParts == true {
            result.hybridPartsUnknown = [ticket]
        }
        return result
    }

    /// Closes everything of a user and withdraws what still waits for him.
    public mutating func closeAll(
        of user: String, force: Bool = false, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> CloseResult {
        let withdrawn = withdrawAll(
            of: user, by: "close_all", reason: "withdrawn by close_all", now: now, into: &outputs)
        let symbols = (positionsByUser[user] ?? []).compactMap { positions[$0]?.canonicalSymbol }
        let denial = force ? nil : halt(of: user, symbols: symbols, now)
        var result =
            denial.map { CloseResult(userUUID: user, $0) } ?? send([.closeAll], to: user, now: now, into: &outputs)
        result.withdrawn = withdrawn
        return result
    }

    /// Closes every open position in a symbol, ticket by ticket, and withdraws every fire in it that has not left: what
    /// waits must not open one behind the back of who closes them. One result for each user who had either. A hybrid of
    /// which not every ticket is known is closed with everything else of its user's where that is all in the symbol.
    public mutating func closeAll(
        symbol: String, force: Bool = false, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> [CloseResult] {
        let canonical = catalogue.canonical(symbol)
        let withdrawn = withdrawAll(
            inSymbol: canonical, by: "close_all", reason: "withdrawn by close_all \(canonical)", now: now,
            into: &outputs)
        let affected = Dictionary(
            grouping: positions.values.filter { $0.canonicalSymbol == canonical }, by: \.userUUID)
        var results: [CloseResult] = []
        for user in Set(affected.keys).union(withdrawn.keys).sorted() {
            var result = CloseResult.nothing(to: user)
            if let positions = affected[user] {
                let unknown = positions.filter(\.standsForParts).map(\.key.ticket).sorted()
                let isAll = !unknown.isEmpty && hasNothing(of: user, beside: canonical)
                let commands =
                    isAll
                    ? [TerminalCommand.closeAll]
                    : positions.map(\.key.ticket).sorted().map(TerminalCommand.closeTicket)
                let denial = force ? nil : halt(of: user, symbols: [canonical], now)
                result =
                    denial.map { CloseResult(userUUID: user, $0) }
                    ?? send(commands, to: user, now: now, into: &outputs)
                if !isAll, result.denial == nil { result.hybridPartsUnknown = unknown }
            }
            result.withdrawn = withdrawn[user] ?? []
            results.append(result)
        }
        return results
    }

    public func ping(_ pingID: String, user: String, now: Timestamp, into outputs: inout [TrackerOutput]) -> CloseResult
    {
        send([.ping(pingID)], to: user, now: now, into: &outputs)
    }

    private func send(
        _ commands: [TerminalCommand], to user: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> CloseResult {
        var result = CloseResult(userUUID: user, commands: 0, withdrawn: [], denial: nil, isMarketQuiet: false)
        guard let terminal = terminals[user], terminal.isActive else {
            result.denial = Denial(.nodeOffline, "no terminal of '\(user)' is connected")
            return result
        }
        guard !terminal.isDoubtful(now) else {
            result.denial = Denial(.identityConflict, terminal.conflictReason ?? "somebody else speaks under this name")
            return result
        }
        guard let identity = route(to: terminal) else {
            result.denial =
                pullDoubt(terminal).map { Denial(.identityConflict, $0) }
                ?? Denial(.nodeOffline, unreachableReason(terminal))
            return result
        }
        for command in commands { outputs.append(.send(identity: identity, userUUID: user, command)) }
        result.commands = commands.count
        do throws(Denial) { try checkMarket(terminal, now) } catch { result.isMarketQuiet = true }
        return result
    }

    // MARK: - Positions that did not come through a fire

    /// Adds a position somebody reports by hand; refuses one that is there.
    public mutating func open(_ position: Position) -> Bool {
        guard positions[position.key] == nil else { return false }
        insert(position)
        return true
    }

    /// A figure for a position without quotes of its own.
    public mutating func updateProfit(_ key: PositionKey, to profit: Amount) -> Bool {
        guard var position = positions[key] else { return false }
        position.currentProfit = profit
        position.maximumProfit = max(position.maximumProfit ?? .zero, profit)
        position.maximumLoss = min(position.maximumLoss ?? .zero, profit)
        positions[key] = position
        dirtyPositions.insert(key)
        return true
    }

    /// Ends a position in our books only: the terminal is told nothing. Where it held a hybrid's slot the heir does now.
    public mutating func forceClose(
        _ key: PositionKey, profit: String?, price: String?, reason: String, now: Timestamp
    ) -> (position: Position, day: DayBooking?, heir: Position?)? {
        guard var position = removePosition(key) else { return nil }
        position.state = .closed
        position.closedAt = max(now, position.openedAt)
        position.closePrice = price
        let text = profit ?? position.currentProfit?.money
        let source = profit != nil ? "message" : position.currentProfit != nil ? "quote" : "unknown"
        let closing = Closing(
            name: position.openedLot.description, lot: position.lot, profit: text.flatMap { Amount($0) }, source: source
        )
        position.book(closing, text: text)
        position.closeReason = reason
        let day = book(
            // What nobody knows counts as the loss at the stop here, as a closing's does that a terminal tells.
            closing.profit ?? -(position.risk ?? .zero), position.currency ?? "USD", user: position.userUUID,
            at: now,
            // Booked like a witness's word: the terminal's own, should it still come, counts instead of it.
            eventID: EventIdentity.closed(
                user: position.userUUID, account: key.account, ticket: key.ticket, soFar: position.openedLot),
            isInferred: true, isCorrection: false)
        let heir = passSlot(of: &position)
        return (position, day, heir)
    }

    /// The open position of a user's ticket, whatever server it is on.
    public func position(ticket: Int64, of user: String) -> Position? {
        positions.values.first { $0.key.ticket == ticket && $0.userUUID == user }
    }
}
