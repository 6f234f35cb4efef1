import Domain
import Journal
import Redis
import ServiceKit
import Trading

// How each decision looks as Redis commands. Expiries are moments, not durations: written again from the journal, a row
// ends when it would have ended.

extension TrackerStore {
    /// A moment so many seconds from now, as EXPIREAT takes it.
    static func expiry(_ seconds: Int64) -> String { String(SystemClock.now().seconds + seconds) }

    private func keepUntilExpiry(_ key: String) -> [String] {
        [TrackerScripts.keepCommand, key, TrackerStore.expiry(TrackerStore.keepSeconds)]
    }

    /// A row that is not over any more has no end.
    static func endless(_ key: String) -> [String] { ["HDEL", TrackerScripts.unarchivedKey, key] }

    /// An index forgets what its rows' expiry has taken: nothing that is not archived.
    private func forgetOld(_ index: String, before now: Timestamp) -> [String] {
        let end = min(now.milliseconds - TrackerStore.keepSeconds * 1000, journal.archive.before.milliseconds)
        return ["ZREMRANGEBYSCORE", index, "-inf", String(end)]
    }

    private func countCommands(from before: FireState?, to after: FireState) -> [[String]] {
        LedgerCounts.changes(from: before, to: after).map { ["HINCRBY", "ledger", $0.field, String($0.by)] }
    }

    // MARK: - Fires

    func recordDenial(_ fire: Fire) {
        guard !isCrowded else { return report.count("denials_not_recorded") }
        write(
            .state(key: fire.key, of: ["absent", FireState.denied.rawValue]),
            [
                ["HSET", fire.key] + fire.row, keepUntilExpiry(fire.key),
                ["ZADD", "fires", String(fire.createdAt.milliseconds), fire.fireID],
                forgetOld("fires", before: fire.createdAt),
            ] + countCommands(from: nil, to: .denied))
    }

    /// Moves a fire's row if Redis has it in the state it comes from.
    func move(_ fire: Fire, releasesSlot: Bool, _ completion: @escaping (Bool) -> Void = { _ in }) {
        put(LedgerRecord(.write, [moveStep(fire, releasesSlot: releasesSlot)])) { outcome in
            if case .done = outcome { completion(true) } else { completion(false) }
        }
    }

    func moveStep(_ fire: Fire, releasesSlot: Bool, contradicts: Bool = false) -> LedgerStep {
        var commands = [["HSET", fire.key] + fire.moveRow]
        if releasesSlot { commands.append(["HDEL", "slots:\(fire.userUUID)", fire.fireID]) }
        if fire.isOver {
            commands.append(["SREM", "open_fires", fire.fireID])
            commands.append(keepUntilExpiry(fire.key))
            commands.append(forgetOld("fires", before: fire.createdAt))
            if fire.isRevisable {
                let over = fire.times[.resolved] ?? fire.createdAt
                commands.append(["ZADD", TrackerStore.settledKey, String(over.milliseconds), fire.fireID])
                commands.append(forgetOld(TrackerStore.settledKey, before: over))
            } else if fire.previousState.isFinal {
                commands.append(["ZREM", TrackerStore.settledKey, fire.fireID])
            }
        } else if fire.previousState.isFinal {
            commands += [["PERSIST", fire.key], TrackerStore.endless(fire.key)]
        }
        if contradicts { commands.append(["HINCRBY", "ledger", TrackerStore.contradictedField, "1"]) }
        return LedgerStep(
            .state(key: fire.key, of: [fire.previousState.rawValue]),
            commands + countCommands(from: fire.previousState, to: fire.state))
    }

    // MARK: - Positions

    func openCommands(_ position: Position) -> [[String]] {
        let name = position.key.description
        var commands = [
            ["HSET", position.redisKey] + position.row, ["PERSIST", position.redisKey],
            TrackerStore.endless(position.redisKey), ["SADD", "all_open_positions", name],
            ["SADD", "user_positions:\(position.userUUID)", name],
            ["SADD", "account_positions:\(position.key.accountKey)", name],
        ]
        if position.takesSlot { commands.append(["HSET", "slots:\(position.userUUID)", position.slotField, name]) }
        return commands
    }

    func closeCommands(_ position: Position) -> [[String]] {
        let name = position.key.description
        return [
            ["HSET", position.redisKey] + position.row, ["SREM", "all_open_positions", name],
            ["SREM", "user_positions:\(position.userUUID)", name],
            ["SREM", "account_positions:\(position.key.accountKey)", name],
            ["ZADD", "closed_positions", String(position.closedAt?.milliseconds ?? 0), name],
            ["HDEL", "slots:\(position.userUUID)", position.slotField], keepUntilExpiry(position.redisKey),
            forgetOld("closed_positions", before: position.closedAt ?? position.openedAt),
        ]
    }

    /// What a closing realised, in its user's day. Absolute values: doing it twice is doing it once.
    func dayCommands(_ day: DayBooking) -> [[String]] {
        let key = "user_day:\(day.userUUID)"
        let first: [[String]] = day.startsDay ? [["DEL", key]] : []
        return first + [
            ["HSET", key] + day.fields.flatMap { [$0.name, $0.value] },
            ["EXPIREAT", key, TrackerStore.expiry(TrackerStore.dayKeepSeconds)], ["SADD", "user_days", day.userUUID],
        ]
    }

    /// Figures of quotes: of use now or not at all, and only in a row that is there.
    func writeFigures(_ positions: [Position]) {
        let steps = positions.filter { !$0.figures.isEmpty }.map {
            LedgerStep(.exists(key: $0.redisKey), [["HSET", $0.redisKey] + $0.figures])
        }
        for start in stride(from: 0, to: steps.count, by: 64) {
            writeUnjournaled(Array(steps[start..<min(start + 64, steps.count)]))
        }
    }

    // MARK: - Users, brakes, audit

    func writeUser(_ user: User) {
        write(.always, [["HSET", "user:\(user.uuid)"] + user.row, ["SADD", "users", user.uuid]])
    }

    func writeBrake(
        _ scope: BrakeScope, _ setting: Brakes.Setting, _ completion: @escaping (Bool) -> Void = { _ in }
    ) {
        let name = scope.description
        guard setting.state != .active else { return write(.always, [["HDEL", "brake", name]], completion) }
        let fields = "\(setting.state.rawValue)|\(setting.setAt.milliseconds)|\(setting.reason)"
        write(.always, [["HSET", "brake", name, fields]], completion)
    }

    /// The audit trail: appended, never changed.
    func audit(_ event: String, _ fields: [String: String], now: Timestamp) {
        guard !isCrowded else { return report.count("audit_not_recorded") }
        let pairs = fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        let head = ["XADD", "events:audit", "MAXLEN", "~", "100000", nextAuditID(now)]
        write(.always, [head + ["event", event, "time", "\(now.milliseconds)"] + pairs])
    }

    // MARK: - Upkeep

    /// `user_days` forgets users whose day has expired. The rows end by themselves, the set would not.
    func forgetOldDays() {
        guard phase == .open else { return }
        link.send(["SSCAN", "user_days", daysCursor, "COUNT", "200"]) { [unowned self] reply in
            let parts = reply?.array ?? []
            daysCursor = parts.first?.text ?? "0"
            for user in parts.last?.texts ?? [] where parts.count == 2 {
                link.send(["EXISTS", "user_day:\(user)"]) { [unowned self] reply in
                    guard reply?.integer == 0 else { return }
                    write(.absent(key: "user_day:\(user)"), [["SREM", "user_days", user]])
                }
            }
        }
    }
}
