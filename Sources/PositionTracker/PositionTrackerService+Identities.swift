import Domain
import Logging
import Redis
import ServiceKit
import Trading
import Wire

// What is known of terminals' ways and of doubts about them, kept over a restart of ours: 2.05 says nothing for up to 30 s
// after it, and a doubt that only an operator ends must not end by a crash.
extension PositionTrackerService {
    /// As long as a node is remembered.
    static let identitySeconds = "2592000"
    /// user_uuid -> the address its terminal was believed at last. confirmation-logger reads it.
    static let addressesKey = "terminal_addresses"
    /// user_uuid -> a doubt that only an operator ends.
    static let conflictsKey = "identity_conflicts"
    private static let conflictSeconds = "31536000"

    static func identityKey(_ nodeID: String) -> String { "terminal_identity:\(nodeID)" }

    /// Not kept in the journal: where Redis forgot it the next frame brings it back.
    func rememberIdentity(_ node: String, _ user: String, _ identity: [UInt8], _ heardAt: Timestamp) {
        guard redis.isReady else { return }
        let key = PositionTrackerService.identityKey(node)
        redis.send([
            "HSET", key, "node_id", node, "user_uuid", user, "identity", hexadecimal(identity), "heard_at",
            String(heardAt.milliseconds),
        ])
        redis.send(["EXPIRE", key, PositionTrackerService.identitySeconds])
        keepAddress(of: user)
    }

    /// A row of `terminal_identity:<node_id>`, for a node that node-registry calls active.
    func restoreIdentity(_ row: [String: String]) {
        guard let node = row["node_id"], let user = row["user_uuid"],
            let identity = row["identity"].flatMap(bytes(hexadecimal:))
        else { return }
        engine.restore(identity: identity, user: user, node: node, isLinked: true)
    }

    func loadConflicts() {
        redis.send(["HGETALL", PositionTrackerService.conflictsKey]) { [unowned self] reply in
            for (user, text) in reply?.dictionary ?? [:] {
                guard let object = try? JSON(Array(text.utf8)).object, let conflict = IdentityConflict(object) else {
                    report.reject("unreadable_conflict")
                    continue
                }
                engine.restore(conflict: conflict, user: user)
            }
        }
    }

    // MARK: - Doubts

    func carryOut(_ action: TerminalAction) {
        switch action {
        case .probe(let number):
            report.count("connections_probed")
            terminals?.probe(number)
        case .cut(let number):
            report.count("connections_cut")
            terminals?.cut(number)
        case .trusted(let user, _, _): keepAddress(of: user)
        case .conflict(let user, let node, let conflict):
            report.count("conflicts_found")
            environment.log.warning(
                "identity conflict",
                metadata: [
                    "user": "\(user)", "conflict": "\(conflict.kind.rawValue)", "why": "\(conflict.text)",
                    "action": "\(conflict.kind.action(user: user))",
                ])
            keep(conflict, user)
            registry.sendReliably(conflict.registryFields(user: user, node: node))
            store.audit(
                "identity_conflict",
                ["user_uuid": user, "conflict": conflict.kind.rawValue, "why": conflict.text],
                now: SystemClock.now())
        case .cleared(let user, let node, let kind, let actor, let reason):
            forget(conflictOf: user)
            registry.sendReliably([
                "type": .string("conflict_cleared"), "node_id": .string(node), "user_uuid": .string(user),
                "conflict": .string(kind.rawValue), "by": .string(actor), "reason": .string(reason),
            ])
        }
    }

    /// What Redis would not hear now it hears when it is back: a doubt that was cleared must not come back by a restart.
    private func forget(conflictOf user: String) {
        guard redis.isReady else {
            clearedWhileAway.insert(user)
            return
        }
        redis.send(["HDEL", PositionTrackerService.conflictsKey, user])
    }

    private func keep(_ conflict: IdentityConflict, _ user: String) {
        guard conflict.until == nil, redis.isReady else { return }
        redis.send(["HSET", PositionTrackerService.conflictsKey, user, conflict.json.compactText])
        redis.send(["EXPIRE", PositionTrackerService.conflictsKey, PositionTrackerService.conflictSeconds])
    }

    /// A Redis that was emptied gets them again.
    func keepConflicts() {
        let now = SystemClock.now()
        var doubtful: Int64 = 0
        for (user, terminal) in engine.terminals.byUser {
            guard let conflict = terminal.conflict, conflict.isActive(now) else { continue }
            doubtful += 1
            keep(conflict, user)
        }
        report.gauges["identity_conflicts"] = doubtful
        guard redis.isReady else { return }
        for user in clearedWhileAway where engine.terminals[user]?.conflict == nil {
            redis.send(["HDEL", PositionTrackerService.conflictsKey, user])
        }
        clearedWhileAway.removeAll()
    }

    /// `clear_conflict`: an operator says that a terminal may be believed again.
    func clearConflict(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        let reason = try fields.text("reason", maximum: 200)
        let actor = try fields.optionalText("by", else: "operator") ?? "operator"
        var kind: ConflictKind?
        decide { engine, now, outputs in
            kind = engine.clearConflict(of: user, by: actor, reason: reason, now: now, into: &outputs)
        }
        guard let kind else {
            throw OrderError(code: "no_conflict", message: "nothing is in doubt about '\(user)'")
        }
        let isReachable = engine.terminals[user]?.identity != nil
        orders?.reply(
            request,
            [
                "user_uuid": .string(user), "cleared": .string(kind.rawValue), "reachable": .bool(isReachable),
                "recorded": .bool(redis.isReady),
            ])
    }

    /// `conflicts`: every doubt of this moment.
    func conflicts(_ request: Request) {
        let now = SystemClock.now()
        let rows = engine.terminals.byUser.values.filter { $0.conflict?.isActive(now) == true }
            .sorted { $0.userUUID < $1.userUUID }
        let items = rows.prefix(1000).compactMap { terminal -> JSON? in
            terminal.conflict.map { .object($0.registryFields(user: terminal.userUUID, node: terminal.nodeID)) }
        }
        orders?.reply(request, ["total": .integer(rows.count), "items": .array(Array(items))])
    }

    /// `remove_user`: his registration goes, what he traded stays.
    func removeUser(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let uuid = try fields.text("user_uuid")
        guard engine.users[uuid] != nil else {
            throw OrderError(code: "user_unknown", message: "'\(uuid)' is not registered")
        }
        let positions = engine.positions.values.count { $0.userUUID == uuid }
        let fires = engine.fires.values.count { $0.userUUID == uuid }
        guard positions == 0, fires == 0 else {
            throw OrderError(
                code: "user_busy",
                message:
                    "'\(uuid)' has \(positions) open positions and \(fires) fires that are not over; suspend him first")
        }
        engine.remove(user: uuid)
        keepAddress(of: uuid)
        keepBoundAccounts()
        store.write(.always, [["DEL", "user:\(uuid)"], ["SREM", "users", uuid]])
        store.audit("user_removed", ["user_uuid": uuid], now: request.receivedAt)
        orders?.reply(request, ["user_uuid": .string(uuid), "removed": .bool(true), "recorded": .bool(redis.isReady)])
    }

    /// From where and with which account a user's terminal may speak; an empty text or `default` takes it back.
    func bind(_ user: inout User, _ fields: OrderFields) throws(OrderError) {
        if let text = fields.object["addresses"]?.text {
            guard let rule = AddressRule(text: text == "default" ? "learned" : text) else {
                throw .bad("addresses", "must be addresses with commas between them, 'any' or 'learned'")
            }
            user.addresses = rule
        }
        if let account = try binding("account", fields) { user.account = account.isEmpty ? nil : account }
        if let server = try binding("server", fields) { user.server = server.isEmpty ? nil : server }
    }

    private func binding(_ name: String, _ fields: OrderFields) throws(OrderError) -> String? {
        guard let text = fields.object[name]?.text else { return nil }
        return text.isEmpty || text == "default" ? "" : try fields.text(name)
    }

    // MARK: - Bytes

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
