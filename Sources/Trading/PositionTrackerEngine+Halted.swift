import Domain

// HALTED: nothing leaves by itself, closes included; somebody who looked says `force`.
extension PositionTrackerEngine {
    /// Why no close of a user's positions in these symbols may leave now; nil where nothing halts it.
    func halt(of userUUID: String, symbols: [String], _ now: Timestamp) -> Denial? {
        var scopes: [BrakeScope] = [.all, .user(userUUID), .tier(user(userUUID, now: now).tier)]
        if let server = terminals[userUUID]?.server { scopes.append(.broker(server)) }
        scopes += Set(symbols).sorted().map(BrakeScope.symbol)
        guard let (scope, setting) = brakes.tightest(scopes), setting.state == .halted else { return nil }
        return Denial(
            .halted,
            "brake HALTED on \(scope): \(setting.reason); it stops closes too. Set it to REDUCING, or say 'force': true"
        )
    }
}

extension CloseResult {
    /// One that did not leave.
    init(userUUID: String, _ denial: Denial) {
        self.init(userUUID: userUUID, commands: 0, withdrawn: [], denial: denial, isMarketQuiet: false)
    }
}
