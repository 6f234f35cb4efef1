import Domain

extension CauseFinder {
    private struct Candidate {
        let trait: SharedTrait
        let value: String
        let lost: [String]
        let total: Int
        /// Balance of how many of the waiting it explains and how many of its own are lost, 0 to 1.
        let fit: Double
        /// How much more often its terminals are lost than those of the fleet.
        let lift: Double
        let explained: Double
    }

    /// Puts the waiting troubles down to what explains them, one cause after the other; the rest stands alone.
    mutating func decide(_ now: Timestamp, _ population: FleetPopulation) {
        var waiting = Set(members.filter { $0.value.place == .pending }.keys)
        var population = population
        for nodeID in waiting { if let detail = members[nodeID]?.trouble.detail { population.add(detail) } }
        let fleet = max(1, population.total)
        while waiting.count >= settings.minimum, let best = best(waiting, population, fleet) {
            open(best, waiting, now)
            waiting.subtract(best.lost)
        }
        if waiting.count >= settings.minimum, let restart = recentRestart(now) {
            openRest(waiting, .mesh, restart.service, "\(restart.service) \(restart.why)", restart.service, fleet, now)
        } else if waiting.count > settings.individualLimit {
            openRest(waiting, .fleet, "various", "they share no broker, subnet or version", nil, fleet, now)
        } else {
            for nodeID in waiting { members[nodeID]?.place = .alone }
        }
    }

    private func best(_ waiting: Set<String>, _ population: FleetPopulation, _ fleet: Int) -> Candidate? {
        var candidates: [Candidate] = []
        let all = Double(waiting.count)
        for trait in SharedTrait.allCases {
            var groups: [String: [String]] = [:]
            for nodeID in waiting {
                guard let detail = members[nodeID]?.trouble.detail, let value = trait.value(detail) else { continue }
                groups[value, default: []].append(nodeID)
            }
            for (value, lost) in groups where lost.count >= settings.minimum {
                let total = max(lost.count, population.count(trait, value))
                let explained = Double(lost.count) / all
                let covered = Double(lost.count) / Double(total)
                candidates.append(
                    Candidate(
                        trait: trait, value: value, lost: lost, total: total,
                        fit: 2 * explained * covered / (explained + covered),
                        lift: covered / (all / Double(fleet)), explained: explained))
            }
        }
        let good = candidates.filter { $0.fit >= 0.5 || ($0.explained >= 0.6 && $0.lift >= 3 && $0.lost.count >= 5) }
        return good.max {
            // A hair's breadth is no difference: the order of the traits decides, then the name.
            if abs($0.fit - $1.fit) > 0.001 { return $0.fit < $1.fit }
            return ($0.trait.rawValue, $0.value) > ($1.trait.rawValue, $1.value)
        }
    }

    private mutating func open(_ candidate: Candidate, _ waiting: Set<String>, _ now: Timestamp) {
        let isOurs = candidate.trait == .fleet ? recentRestart(now) : nil
        let scope = isOurs == nil ? candidate.trait.scope : .mesh
        let name = isOurs?.service ?? candidate.value
        let key = "\(groupType):\(scope.rawValue):\(name)"
        var cause = Cause(
            key: key, trait: isOurs == nil ? candidate.trait : nil, value: name, service: isOurs?.service,
            openedAt: now, firstAt: candidate.lost.compactMap { members[$0]?.since }.min() ?? now, lastChange: now)
        cause.total = candidate.total
        cause.shared = shared(candidate.lost, but: candidate.trait)
        if let isOurs { cause.shared.insert("\(isOurs.service) \(isOurs.why)", at: 0) }
        open(cause)
        for nodeID in candidate.lost { join(nodeID, key, now) }
    }

    private mutating func openRest(
        _ waiting: Set<String>, _ scope: Alert.Scope, _ name: String, _ why: String, _ service: String?, _ total: Int,
        _ now: Timestamp
    ) {
        let key = "\(groupType):\(scope.rawValue):\(name)"
        var cause = Cause(
            key: key, trait: nil, value: name, service: service, openedAt: now,
            firstAt: waiting.compactMap { members[$0]?.since }.min() ?? now, lastChange: now)
        cause.total = total
        cause.shared = [why]
        open(cause)
        for nodeID in waiting { join(nodeID, key, now) }
    }

    /// What else all of them have in common, in words.
    private func shared(_ nodeIDs: [String], but trait: SharedTrait) -> [String] {
        SharedTrait.allCases.filter { $0 != .fleet && $0 != trait }.compactMap { other in
            let values = Set(nodeIDs.map { members[$0].flatMap { other.value($0.trouble.detail) } })
            guard values.count == 1, let value = values.first.flatMap({ $0 }) else { return nil }
            return other.words(value)
        }
    }

    // MARK: - The alert for a cause

    func condition(_ cause: Cause) -> Condition {
        let what = CauseFinder.words[groupType] ?? groupType.replacing("_", with: " ")
        let place = cause.trait.map { $0.words(cause.value) } ?? (cause.service ?? "the fleet")
        let reason = cause.reasons.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
        var words = place
        let others = cause.shared.joined(separator: ", ")
        if cause.trait == nil { words = others.isEmpty ? place : others }
        var message = "\(cause.peak) of \(max(cause.total, cause.peak)) terminals \(what): \(words)"
        if cause.trait != nil, !others.isEmpty { message += " (all of them: \(others))" }
        if !reason.isEmpty { message += "; mostly: \(reason)" }
        let scope: Alert.Scope = cause.service != nil ? .mesh : cause.trait?.scope ?? .fleet
        var story = AlertStory(scope, cause.value, cause: words, count: cause.peak)
        story.heldBack = cause.peak
        var fields: [String: String] = [:]
        switch scope {
        case .server, .broker, .subnet, .version: fields[scope.rawValue] = cause.value
        case .mesh: fields["service"] = cause.service
        default: break
        }
        // Always the same one, or the alert would change with each look.
        let sample = cause.members.min().flatMap { members[$0]?.trouble }
        if scope == .server { fields["broker"] = sample?.detail.broker }
        return Condition(
            key: cause.key, type: groupType, severity: .critical, message: message, fields: fields, story: story)
    }

    private static let words = [
        "nodes_lost": "were lost", "terminal_flooding": "flood", "chart_frozen": "have a chart that stands still",
        "trading_disabled": "refuse to trade",
        "commands_unheard": "hear no commands", "wrong_symbols": "have symbols nobody knows here",
    ]
}
