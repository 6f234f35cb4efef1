import Domain
import ServiceKit
import Trading

/// Reads `deploy/config/tiers.yaml`.
enum TierFile {
    /// - Throws: ``ConfigurationError`` naming the field.
    static func load(path: String) throws(ConfigurationError) -> RiskPolicy {
        let root = try ConfigurationFile.mapping(path: path)
        guard let rows = root["tiers"] as? [String: Any], !rows.isEmpty else {
            throw ConfigurationError(path, "it needs a mapping named 'tiers'")
        }
        var tiers: [Tier] = []
        for (name, value) in rows.sorted(by: { $0.key < $1.key }) {
            guard let fields = value as? [String: Any], let slots = fields["slots"] as? Int, (1...1000).contains(slots)
            else { throw ConfigurationError(path, "tier \(name): 'slots' must be a number from 1 to 1000") }
            tiers.append(
                Tier(name: name, slots: slots, multiplier: try amount(fields, "multiplier", "tier \(name)", path)))
        }
        guard let defaultTier = root["default_tier"] as? String, rows[defaultTier] != nil else {
            throw ConfigurationError(path, "'default_tier' must name one of the tiers")
        }
        guard let risk = root["risk"] as? [String: Any] else { throw ConfigurationError(path, "it needs 'risk'") }
        guard let steps = risk["citadel"] as? [[String: Any]], !steps.isEmpty else {
            throw ConfigurationError(path, "risk: 'citadel' must list scores with multipliers")
        }
        var citadel: [(score: Amount, multiplier: Amount)] = []
        for step in steps {
            let multiplier = try amount(step, "multiplier", "risk.citadel", path)
            guard let score = step["score"].flatMap({ Amount("\($0)") }) else {
                throw ConfigurationError(path, "risk.citadel: 'score' must be a number")
            }
            citadel.append((score, multiplier))
        }
        let fires = root["fires"] as? [String: Any] ?? [:]
        var policy = RiskPolicy(
            tiers: tiers, defaultTier: defaultTier, basePercent: try amount(risk, "base_percent", "risk", path),
            capPercent: try amount(risk, "cap_percent", "risk", path), citadel: citadel,
            citadelTimeoutMilliseconds: Int64(risk["citadel_timeout_ms"] as? Int ?? 50),
            minimumProtectionScore: risk["minimum_protection_score"].flatMap { Amount("\($0)") } ?? .zero,
            allowsNoStop: risk["allow_no_stop"] as? Bool ?? false,
            lifetimeMilliseconds: Int64(fires["default_lifetime_ms"] as? Int ?? 30_000),
            quoteWithinMilliseconds: Int64(fires["quote_within_ms"] as? Int ?? 5_000),
            outstandingPerTerminal: max(1, fires["outstanding_per_terminal"] as? Int ?? 1),
            perUserPerMinute: fires["per_user_per_minute"] as? Int ?? 0)
        policy.dailyLossPercent = try percent(risk, "daily_loss_pct", path)
        policy.openRiskPercent = try percent(risk, "open_risk_pct", path)
        policy.automaticBrake = try automaticBrake(root["brake"], path)
        return policy
    }

    /// A cap in percent; 0, or nothing said, is off.
    private static func percent(
        _ fields: [String: Any], _ key: String, _ path: String
    ) throws(ConfigurationError) -> Amount {
        guard let value = fields[key] else { return .zero }
        guard let percent = Amount("\(value)"), !percent.isNegative, percent <= Amount(100) else {
            throw ConfigurationError(path, "risk: '\(key)' must be a number from 0 to 100")
        }
        return percent
    }

    private static func automaticBrake(_ value: Any?, _ path: String) throws(ConfigurationError) -> AutomaticBrake? {
        guard let value else { return nil }
        guard let fields = value as? [String: Any] else { throw ConfigurationError(path, "'brake' must be a mapping") }
        guard let minimum = fields["minimum_outcomes"] as? Int, minimum >= 0 else {
            throw ConfigurationError(path, "brake: 'minimum_outcomes' must be a number, 0 for no automatic brake")
        }
        guard let window = fields["window_s"] as? Int, (1...3600).contains(window) else {
            throw ConfigurationError(path, "brake: 'window_s' must be a number from 1 to 3600")
        }
        guard let share = fields["share"].flatMap({ Amount("\($0)") }), share.isPositive, share <= Amount(1) else {
            throw ConfigurationError(path, "brake: 'share' must be above 0 and at most 1")
        }
        guard minimum > 0 else { return nil }
        return AutomaticBrake(windowMilliseconds: Int64(window) * 1000, minimum: minimum, share: share)
    }

    private static func amount(
        _ fields: [String: Any], _ key: String, _ place: String, _ path: String
    ) throws(ConfigurationError) -> Amount {
        guard let value = fields[key].flatMap({ Amount("\($0)") }), value.isPositive else {
            throw ConfigurationError(path, "\(place): '\(key)' must be a number above 0")
        }
        return value
    }
}
