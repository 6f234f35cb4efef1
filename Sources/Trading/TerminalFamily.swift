public import Domain

// By which way a terminal hears commands: what its family brings, and what `ports.yaml` serves.

extension Terminal {
    public var family: EAFamily { EAFamily(version: version) }
}

extension PositionTrackerEngine {
    /// By which socket a user's terminal takes its commands, of those that are served.
    public func commandSocket(of user: String) -> EAFamily.CommandSocket {
        let listeners = policy.commandListeners
        guard listeners.hasRouter else {
            let isPublished = listeners.hasPublisher && !listeners.ownPush.contains(user)
            return isPublished ? .subscribe : .pull
        }
        guard let terminal = terminals[user], terminal.identity == nil else { return .dealer }
        let socket = terminal.family.commandSocket()
        return socket == .unknown ? .dealer : socket
    }

    /// The bytes that route a command to a terminal, or nil while they are not known.
    func route(to terminal: Terminal) -> [UInt8]? {
        if policy.commandListeners.hasRouter, let identity = terminal.identity { return identity }
        let socket = commandSocket(of: terminal.userUUID)
        guard socket != .dealer, hearing(of: terminal).isHeard else { return nil }
        if socket == .pull, pullLink(of: terminal.userUUID) == nil { return nil }
        return Array(terminal.userUUID.utf8)
    }

    /// Why a terminal can't be sent anything, in words.
    func unreachableReason(_ terminal: Terminal) -> String {
        let hearing = hearing(of: terminal)
        guard hearing.isHeard else { return "\(terminal.nodeID) hears no commands: \(hearing.reason)" }
        if commandSocket(of: terminal.userUUID) == .pull {
            return "no PULL of \(terminal.nodeID) is connected where it takes its commands"
        }
        return "\(terminal.nodeID) has not spoken on the command port yet; 2.05 does with its next heartbeat"
    }

    /// The entry price that makes an EA trade in a fire's direction: 2.02 and 2.01 take no notice of `direction` and buy
    /// where `entry` is nearer the ask than the bid (2.01 sells at 0). A percent beyond the quote, so that it still says
    /// the same when the price has moved. Source: ea-wire 3.
    ///
    /// - Returns: nil where the family reads `direction`; `.some(nil)` where it doesn't and no quote tells what to write.
    public func directionEntry(of fire: Fire) -> String?? {
        guard let terminal = terminals[fire.userUUID], terminal.family == .v202 || terminal.family == .v201 else {
            return nil
        }
        guard let quote = quotes.quote(node: terminal.nodeID, symbol: fire.symbol) else { return .some(nil) }
        let isBuy = fire.direction == .buy
        let price = isBuy ? quote.ask : quote.bid
        guard let percent = price.divided(by: Amount(100)) else { return .some(nil) }
        return (isBuy ? price + percent : price - percent).rounded(decimals: quote.decimals)
            .text(minimumDecimals: quote.decimals)
    }

    func hearing(of terminal: Terminal) -> CommandHearing {
        let listeners = policy.commandListeners
        // Counting is only worth its while where the number matters.
        let pulling =
            listeners.hasPush
            ? terminals.byUser.values.count { other in
                guard other.isActive, !listeners.ownPush.contains(other.userUUID) else { return false }
                return !listeners.hasRouter || (other.identity == nil && other.family.commandSocket() == .pull)
            } : 0
        return CommandHearing(terminal.family, user: terminal.userUUID, pulling: pulling, listeners)
    }
}
