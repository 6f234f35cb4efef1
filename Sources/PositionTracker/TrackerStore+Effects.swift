import Domain
import ServiceKit
import Trading

// How each decision looks as Redis commands.

extension TrackerStore {
    func recordDenial(_ fire: Fire) {
        guard !isCrowded else { return report.count("denials_not_recorded") }
        write(
            .state(key: fire.key, of: ["absent", FireState.denied.rawValue]),
            [
                ["HSET", fire.key] + fire.row, ["EXPIRE", fire.key, TrackerStore.keepSeconds],
                ["ZADD", "fires", String(fire.createdAt.milliseconds), fire.fireID],
                ["HINCRBY", "ledger", "denied", "1"], forgetOld("fires", before: fire.createdAt),
            ])
    }

    /// An index forgets what its rows' expiry has taken.
    private func forgetOld(_ index: String, before now: Timestamp) -> [String] {
        let days90: Int64 = 90 * 86_400_000
        return ["ZREMRANGEBYSCORE", index, "-inf", String(now.milliseconds - days90)]
    }

    func move(_ fire: Fire, releasesSlot: Bool, _ completion: @escaping (Bool) -> Void = { _ in }) {
        let origins = FireState.origins(of: fire.state).map(\.rawValue)
        write(.state(key: fire.key, of: origins), moveCommands(fire, releasesSlot: releasesSlot), completion)
    }

    private func moveCommands(_ fire: Fire, releasesSlot: Bool) -> [[String]] {
        var commands = [["HSET", fire.key] + fire.moveRow]
        if releasesSlot { commands.append(["HDEL", "slots:\(fire.userUUID)", fire.fireID]) }
        if fire.state.isFinal {
            commands.append(["SREM", "open_fires", fire.fireID])
            commands.append(["EXPIRE", fire.key, TrackerStore.keepSeconds])
            commands.append(forgetOld("fires", before: fire.createdAt))
        }
        return commands + ledgerCommands(fire)
    }

    /// `sent` counts what may have left; `unknown` is how many are so now.
    private func ledgerCommands(_ fire: Fire) -> [[String]] {
        let before = fire.timeline.dropLast().map(\.state)
        func increment(_ field: String, by amount: Int = 1) -> [String] {
            ["HINCRBY", "ledger", field, String(amount)]
        }
        var commands: [[String]] = []
        switch fire.state {
        case .sent: commands.append(increment("sent"))
        case .unknown:
            commands.append(increment("unknown"))
            if !before.contains(FireState.sent.rawValue) { commands.append(increment("sent")) }
        case .filled, .rejected, .neverExecuted:
            commands.append(increment(fire.state.rawValue))
            if before.contains(FireState.unknown.rawValue) { commands.append(increment("unknown", by: -1)) }
            if !before.contains(FireState.sent.rawValue), !before.contains(FireState.unknown.rawValue) {
                commands.append(increment("sent"))
            }
        case .expired, .denied: commands.append(increment(fire.state.rawValue))
        case .reserved, .sending, .acknowledged: break
        }
        return commands
    }

    /// What a booked event changed and its acknowledgement, in one step.
    func apply(_ effect: EventEffect) {
        var commands: [[String]] = []
        if let fire = effect.fire { commands += moveCommands(fire, releasesSlot: effect.releasesSlot) }
        for position in effect.opened { commands += openCommands(position) }
        for position in effect.closed { commands += closeCommands(position) }
        for position in effect.reduced { commands.append(["HSET", position.redisKey] + position.row) }
        write(.entry(effect.entryID), commands)
    }

    func openCommands(_ position: Position) -> [[String]] {
        let name = position.key.description
        var commands = [
            ["HSET", position.redisKey] + position.row, ["SADD", "all_open_positions", name],
            ["SADD", "user_positions:\(position.userUUID)", name],
            ["SADD", "account_positions:\(position.key.accountKey)", name],
        ]
        // What nobody here fired takes no slot: it is exposure somebody else chose.
        if !position.isOrphan { commands.append(["HSET", "slots:\(position.userUUID)", position.slotField, name]) }
        return commands
    }

    func closeCommands(_ position: Position) -> [[String]] {
        let name = position.key.description
        return [
            ["HSET", position.redisKey] + position.row, ["SREM", "all_open_positions", name],
            ["SREM", "user_positions:\(position.userUUID)", name],
            ["SREM", "account_positions:\(position.key.accountKey)", name],
            ["ZADD", "closed_positions", String(position.closedAt?.milliseconds ?? 0), name],
            ["HDEL", "slots:\(position.userUUID)", position.slotField],
            ["EXPIRE", position.redisKey, TrackerStore.keepSeconds],
            forgetOld("closed_positions", before: position.closedAt ?? position.openedAt),
        ]
    }

    func writeFigures(_ positions: [Position]) {
        let commands = positions.filter { !$0.figures.isEmpty }.map { ["HSET", $0.redisKey] + $0.figures }
        if !commands.isEmpty { write(.always, commands) }
    }

    func writeUser(_ user: User) {
        write(.always, [["HSET", "user:\(user.uuid)"] + user.row, ["SADD", "users", user.uuid]])
    }

    func writeBrake(_ scope: BrakeScope, _ setting: Brakes.Setting) {
        let name = scope.description
        guard setting.state != .active else { return write(.always, [["HDEL", "brake", name]]) }
        let fields = "\(setting.state.rawValue)|\(setting.setAt.milliseconds)|\(setting.reason)"
        write(.always, [["HSET", "brake", name, fields]])
    }

    /// The audit trail: appended, never changed.
    func audit(_ event: String, _ fields: [String: String], now: Timestamp) {
        guard !isCrowded else { return report.count("audit_not_recorded") }
        let pairs = fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        write(
            .always,
            [
                ["XADD", "events:audit", "MAXLEN", "~", "100000", "*", "event", event, "time", "\(now.milliseconds)"]
                    + pairs
            ])
    }
}
