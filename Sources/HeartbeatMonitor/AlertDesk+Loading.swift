import Domain
import Fleet
import Redis
import ServiceKit

extension AlertDesk {
    /// Terminals that restored alerts stand for, by the alert's key.
    struct Restored {
        var members: [String: [String]] = [:]
    }

    /// Takes in what was active when the last process ended, silences and windows, then calls `done`; nil where Redis was
    /// lost meanwhile.
    func load(_ redis: RedisLink, _ done: @escaping (Restored?) -> Void) {
        redis.send(["HVALS", "silences"]) { [weak self] reply in
            for text in reply?.texts ?? [] { _ = AlertRecord.silence(text).map { self?.engine.add($0) } }
        }
        redis.send(["HVALS", "maintenance"]) { [weak self] reply in
            for text in reply?.texts ?? [] { _ = AlertRecord.window(text).map { self?.engine.add($0) } }
        }
        redis.send(["SMEMBERS", "alerts_active"]) { [weak self] reply in
            guard let self, let reply, reply.errorMessage == nil else { return done(nil) }
            let identifiers = reply.texts
            var restored = Restored()
            guard !identifiers.isEmpty else { return done(restored) }
            for (index, identifier) in identifiers.enumerated() {
                var fields: [String: String] = [:]
                redis.send(["HGETALL", "alert:\(identifier)"]) { fields = $0?.dictionary ?? [:] }
                redis.send(["SMEMBERS", "alert_members:\(identifier)"]) { [weak self] reply in
                    if reply != nil { self?.restore(identifier, fields, reply?.texts ?? [], &restored) }
                    if index == identifiers.count - 1 { done(reply == nil ? nil : restored) }
                }
            }
        }
    }

    private func restore(
        _ identifier: String, _ fields: [String: String], _ members: [String], _ restored: inout Restored
    ) {
        guard let alert = AlertRecord.alert(identifier, fields, clock) else {
            return write(["SREM", "alerts_active", identifier])
        }
        engine.restore(alert)
        if !members.isEmpty { restored.members[alert.key] = members }
    }
}
