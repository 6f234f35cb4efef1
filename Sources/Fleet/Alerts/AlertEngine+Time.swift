public import Domain

extension AlertEngine {
    /// Raises what outlasted its cool-down, ends flapping that is over, repeats what nobody acknowledged, forgets old
    /// troubles. Once a second or so.
    public mutating func tick(at now: Timestamp, wall given: Timestamp? = nil, into effects: inout [Effect]) {
        let wall = given ?? now
        for (key, trouble) in troubles {
            if let waiting = trouble.waiting {
                // What flaps has to stay for a whole cool-down to be told by itself again.
                let isFlapping = flappingKey(waiting).map { active[$0] != nil } ?? false
                let since = isFlapping ? trouble.lastChange : trouble.lastRaised ?? now
                guard now - since >= rules.rule(waiting.type).coolDown else { continue }
                troubles[key]?.waiting = nil
                troubles[key]?.lastRaised = now
                publish(waiting, now, wall, &effects)
            } else if now - trouble.lastChange > rules.flappingWindow, active[key] == nil {
                troubles[key] = nil
            }
        }
        endFlapping(now, &effects)
        remind(now, wall, &effects)
    }

    private mutating func endFlapping(_ now: Timestamp, _ effects: inout [Effect]) {
        for (key, alert) in active {
            // A flapping alert's key is its type before the key of what flaps.
            guard key.hasPrefix("\(alert.type):"), alert.type.hasSuffix("_flapping") else { continue }
            let subject = String(key.dropFirst(alert.type.utf8.count + 1))
            let lastChange = troubles[subject]?.lastChange ?? alert.raisedAt
            if now - lastChange > rules.flappingWindow {
                resolve(key, message: "calm for an hour", at: now, into: &effects)
            }
        }
    }

    private mutating func remind(_ now: Timestamp, _ wall: Timestamp, _ effects: inout [Effect]) {
        for (key, known) in active {
            var alert = known
            alert.mute = muting.mute(alert, at: wall)
            let rule = rules.rule(alert.type)
            // What grew worse in a silence is told when it ends, as what began in it; somebody acknowledged less.
            let grewWorse = alert.toldSeverity.map { $0 < alert.severity } ?? false
            let isDue = alert.notifiedAt.map { rule.repeatEvery > 0 && now - $0 >= rule.repeatEvery } ?? true
            if alert.mute == nil, grewWorse || isDue && alert.acknowledgedAt == nil {
                alert.noteNotified(at: now)
                active[key] = alert
                effects.append(.reminded(alert))
            } else if alert.mute != known.mute {
                active[key] = alert
                effects.append(.noted(alert))
            }
        }
    }

    /// What is active, waits out its cool-down, or has begun to fail, by the beginning of its key.
    public func openKeys(_ prefix: String) -> [String] {
        troubles.compactMap { key, trouble in
            guard key.hasPrefix(prefix) else { return nil }
            return trouble.failures > 0 || trouble.waiting != nil || active[key] != nil ? key : nil
        }
    }

    // MARK: - What people do

    /// Somebody looks after it: it is not repeated. False where no such alert is active.
    public mutating func acknowledge(
        _ alertID: String, by person: String, at now: Timestamp, into effects: inout [Effect]
    ) -> Bool {
        guard var alert = active.values.first(where: { $0.alertID == alertID }) else { return false }
        // The first counts: an entry that is read twice changes nothing.
        guard alert.acknowledgedAt == nil else { return true }
        alert.acknowledgedAt = now
        alert.acknowledgedBy = person
        active[alert.key] = alert
        effects.append(.noted(alert))
        return true
    }

    public mutating func add(_ silence: AlertSilence) -> Bool { muting.add(silence) }
    public mutating func add(_ window: MaintenanceWindow) -> Bool { muting.add(window) }
    public mutating func removeSilence(_ identifier: String) -> Bool { muting.removeSilence(identifier) }
    public mutating func removeWindows(_ identifierOrScope: String) -> [String] {
        muting.removeWindows(identifierOrScope)
    }
    public mutating func removeExpiredMutes(wall: Timestamp) -> (silences: [String], windows: [String]) {
        muting.removeExpired(at: wall)
    }
}
