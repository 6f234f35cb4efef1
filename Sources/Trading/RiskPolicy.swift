public import Domain

/// Slots and the risk multiplier of one tier.
public struct Tier: Sendable, Equatable {
    public let name: String
    public let slots: Int
    public let multiplier: Amount

    public init(name: String, slots: Int, multiplier: Amount) {
        self.name = name
        self.slots = slots
        self.multiplier = multiplier
    }
}

/// What `deploy/config/tiers.yaml` says: tiers, risk, and how fires are let through.
public struct RiskPolicy: Sendable, Equatable {
    public var tiers: [String: Tier]
    public var defaultTier: String
    /// Percent of equity.
    public var basePercent: Amount
    public var capPercent: Amount
    /// Score thresholds with their multipliers, highest first; the last one also serves where there is no score.
    public var citadel: [(score: Amount, multiplier: Amount)]
    public var citadelTimeoutMilliseconds: Int64
    public var minimumProtectionScore: Amount
    public var allowsNoStop: Bool
    public var lifetimeMilliseconds: Int64
    public var quoteWithinMilliseconds: Int64
    public var outstandingPerTerminal: Int
    /// Fires per user and minute; 0 is no limit.
    public var perUserPerMinute: Int
    /// Percent of equity a user may lose and have at stake in one UTC day; 0 is off.
    public var dailyLossPercent: Amount = .zero
    /// Percent of equity a user may have at stake at once; 0 is off.
    public var openRiskPercent: Amount = .zero
    /// When the mesh puts its own brake on; nil is never.
    public var automaticBrake: AutomaticBrake?
    /// Whether users nobody registered may trade: not where the EA ports are open to the world.
    public var firesAtUnregistered: Bool = true
    /// What terminals find on the command port: with a ROUTER they are reached by a learned identity, else by UUID.
    public var commandListeners = CommandListeners()

    public init(
        tiers: [Tier], defaultTier: String, basePercent: Amount, capPercent: Amount,
        citadel: [(score: Amount, multiplier: Amount)], citadelTimeoutMilliseconds: Int64 = 50,
        minimumProtectionScore: Amount = .zero, allowsNoStop: Bool = false, lifetimeMilliseconds: Int64 = 30_000,
        quoteWithinMilliseconds: Int64 = 5_000, outstandingPerTerminal: Int = 1, perUserPerMinute: Int = 0
    ) {
        self.tiers = Dictionary(tiers.map { ($0.name, $0) }) { first, _ in first }
        self.defaultTier = defaultTier
        self.basePercent = basePercent
        self.capPercent = capPercent
        self.citadel = citadel.sorted { $0.score > $1.score }
        self.citadelTimeoutMilliseconds = citadelTimeoutMilliseconds
        self.minimumProtectionScore = minimumProtectionScore
        self.allowsNoStop = allowsNoStop
        self.lifetimeMilliseconds = lifetimeMilliseconds
        self.quoteWithinMilliseconds = quoteWithinMilliseconds
        self.outstandingPerTerminal = outstandingPerTerminal
        self.perUserPerMinute = perUserPerMinute
    }

    public func tier(_ name: String) -> Tier {
        tiers[name] ?? tiers[defaultTier] ?? Tier(name: name, slots: 1, multiplier: Amount(1))
    }

    /// CITADEL's part of the risk: unknown or stale protection takes the most careful multiplier.
    public func citadelMultiplier(_ score: Amount?) -> Amount {
        guard let score else { return citadel.last?.multiplier ?? Amount(1) }
        return citadel.first { score >= $0.score }?.multiplier ?? citadel.last?.multiplier ?? Amount(1)
    }

    /// The largest risk of one trade in percent of equity.
    public func percentCap(user: User, score: Amount?) -> Amount {
        min(capPercent, base(of: user) * tier(user.tier).multiplier * citadelMultiplier(score))
    }

    /// The percent the multipliers start from.
    public func base(of user: User) -> Amount { user.riskPercent ?? basePercent }

    public static func == (left: RiskPolicy, right: RiskPolicy) -> Bool {
        left.tiers == right.tiers && left.defaultTier == right.defaultTier && left.basePercent == right.basePercent
            && left.capPercent == right.capPercent && left.citadel.elementsEqual(right.citadel, by: ==)
    }
}

/// A user as the tracker knows him.
public struct User: Sendable, Equatable {
    public enum State: String, Sendable { case active, suspended }

    public let uuid: String
    public var tier: String
    /// The user's own base in percent; nil takes the policy's.
    public var riskPercent: Amount?
    /// The user's own daily-loss cap in percent, 0 for none; nil takes the policy's.
    public var dailyLossPercent: Amount?
    /// The user's own open-risk cap in percent, 0 for none; nil takes the policy's.
    public var openRiskPercent: Amount?
    public var state: State
    /// Whether somebody registered this user, rather than a terminal having claimed the name.
    public var isRegistered: Bool
    public var createdAt: Timestamp
    /// From where his terminal may speak, and the account it must name where an operator said so.
    public var addresses = AddressRule.learned
    public var account: String?
    public var server: String?

    public init(
        uuid: String, tier: String, riskPercent: Amount? = nil, state: State = .active, isRegistered: Bool = false,
        createdAt: Timestamp
    ) {
        self.uuid = uuid
        self.tier = tier
        self.riskPercent = riskPercent
        self.state = state
        self.isRegistered = isRegistered
        self.createdAt = createdAt
    }
}
