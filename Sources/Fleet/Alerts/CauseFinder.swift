public import Domain

/// One alert for one cause: terminals' troubles of one type, put together where they share it.
///
/// New troubles wait a moment for company. Then the trait is taken that explains them best: that most of them share, and
/// that few others have (the balance of both, as precision and recall are balanced). What no trait explains is told one
/// by one. A cause that was found takes in whatever of it comes later, and is over when all its terminals are back; if
/// only a few stay away, it is over as well and they are told one by one.
///
/// A value; the caller brings a time that never steps. Each look gives what is to be raised and what is over, and the
/// alert engine takes it as often as it comes.
public struct CauseFinder: Sendable {
    /// Stragglers of a cause that is otherwise over are told one by one after so long, milliseconds.
    static let stragglerPatience: Int64 = 300_000
    /// How often the end of a trouble is told, since a rule may want several.
    private static let endings = 5

    struct Member: Sendable {
        var trouble: NodeTrouble
        var since: Timestamp
        var place: Place
    }

    enum Place: Sendable, Equatable {
        case pending
        case alone
        case cause(String)
    }

    struct Cause: Sendable {
        let key: String
        let trait: SharedTrait?
        let value: String
        /// What of ours it is put down to: then it takes in everything until it is too old.
        var service: String?
        let openedAt: Timestamp
        var members: Set<String> = []
        var peak = 0
        var total = 0
        var reasons: [String: Int] = [:]
        var shared: [String] = []
        var firstAt: Timestamp
        var lastChange: Timestamp

        mutating func take(_ nodeID: String, _ reason: String, _ now: Timestamp) {
            members.insert(nodeID)
            reasons[reason, default: 0] += 1
            peak = max(peak, members.count)
            lastChange = now
        }
    }

    public struct Look: Sendable {
        public var raise: [Condition] = []
        public var resolve: [(key: String, message: String)] = []
        /// Causes whose terminals changed: key and the terminals, to be kept for the next process.
        public var changed: [(key: String, members: Set<String>)] = []
    }

    public let type: String
    public let groupType: String
    let settings: CauseSettings
    var members: [String: Member] = [:]
    var causes: [String: Cause] = [:]
    private var ended: [String: (message: String, left: Int)] = [:]
    private var changed: Set<String> = []
    private var restart: (service: String, why: String, at: Timestamp)?

    /// - Parameter groupType: the type of the alert for many.
    public init(type: String, groupType: String? = nil, settings: CauseSettings = CauseSettings()) {
        self.type = type
        self.groupType = groupType ?? type
        self.settings = settings
    }

    public var count: Int { members.count }
    /// All terminals that have this trouble.
    public var nodeIDs: [String] { Array(members.keys) }

    // MARK: - What happened

    public mutating func add(_ trouble: NodeTrouble, at now: Timestamp) {
        guard members[trouble.nodeID] == nil else { return }
        ended[trouble.key] = nil
        members[trouble.nodeID] = Member(trouble: trouble, since: now, place: .pending)
    }

    /// The trouble is over, in words.
    public mutating func remove(_ nodeID: String, _ message: String, at now: Timestamp) {
        guard let member = members.removeValue(forKey: nodeID) else { return }
        switch member.place {
        case .pending: break
        case .alone: ended[member.trouble.key] = (message, CauseFinder.endings)
        case .cause(let key):
            causes[key]?.members.remove(nodeID)
            causes[key]?.lastChange = now
            changed.insert(key)
        }
    }

    /// One of ours that terminals connect to was started anew: losses soon after are put down to it.
    public mutating func noteRestart(_ service: String, _ why: String, at now: Timestamp) {
        restart = (service, why, now)
    }

    // MARK: - Looks, once a second

    /// - Parameter population: all terminals that are heard; asked for only where something is to be decided.
    public mutating func look(at now: Timestamp, population: () -> FleetPopulation) -> Look {
        absorb(now)
        if isTime(now) { decide(now, population()) }
        endCauses(now)
        var look = Look()
        for member in members.values where member.place == .alone { look.raise.append(member.trouble.condition) }
        for cause in causes.values { look.raise.append(condition(cause)) }
        for (key, ending) in ended {
            look.resolve.append((key, ending.message))
            ended[key] = ending.left > 1 ? (ending.message, ending.left - 1) : nil
        }
        for key in changed { look.changed.append((key, causes[key]?.members ?? [])) }
        changed = []
        return look
    }

    private func isTime(_ now: Timestamp) -> Bool {
        var oldest: Timestamp?
        var newest: Timestamp?
        for member in members.values where member.place == .pending {
            oldest = min(oldest ?? member.since, member.since)
            newest = max(newest ?? member.since, member.since)
        }
        guard let oldest, let newest else { return false }
        return now - newest >= settings.calm || now - oldest >= settings.longestWait
    }

    /// What belongs to a cause that is known.
    private mutating func absorb(_ now: Timestamp) {
        guard !causes.isEmpty else { return }
        for (nodeID, member) in members where member.place == .pending {
            let found = causes.values.sorted { $0.key < $1.key }.first { cause in
                if cause.service != nil || cause.trait == nil || cause.trait == .fleet {
                    return now - cause.openedAt < settings.restartWindow
                }
                return cause.trait?.value(member.trouble.detail) == cause.value
            }
            if let found { join(nodeID, found.key, now) }
        }
    }

    mutating func join(_ nodeID: String, _ key: String, _ now: Timestamp) {
        guard let trouble = members[nodeID]?.trouble, causes[key] != nil else { return }
        members[nodeID]?.place = .cause(key)
        causes[key]?.take(nodeID, trouble.reason, now)
        changed.insert(key)
    }

    private mutating func endCauses(_ now: Timestamp) {
        for cause in causes.values {
            let isEmpty = cause.members.isEmpty
            let isNearlyEmpty = cause.members.count * 10 <= cause.peak
            guard isEmpty || (isNearlyEmpty && now - cause.lastChange >= CauseFinder.stragglerPatience) else {
                continue
            }
            causes[cause.key] = nil
            changed.insert(cause.key)
            var message = "\(cause.peak - cause.members.count) of \(cause.peak) terminals are well again"
            if !isEmpty { message += "; the others are told one by one" }
            ended[cause.key] = (message, CauseFinder.endings)
            for nodeID in cause.members {
                members[nodeID]?.place = .pending
                members[nodeID]?.since = now
            }
        }
    }

    /// The restart that losses of now may be put down to.
    func recentRestart(_ now: Timestamp) -> (service: String, why: String)? {
        guard let restart, now - restart.at < settings.restartWindow else { return nil }
        return (restart.service, restart.why)
    }

    mutating func open(_ cause: Cause) {
        ended[cause.key] = nil
        causes[cause.key] = cause
    }

    // MARK: - What an earlier process had found

    public mutating func restore(alone trouble: NodeTrouble, at now: Timestamp) {
        members[trouble.nodeID] = Member(trouble: trouble, since: now, place: .alone)
    }

    public mutating func restore(
        cause key: String, scope: Alert.Scope, name: String, service: String?, peak: Int, members known: [NodeTrouble],
        at now: Timestamp
    ) {
        let trait = SharedTrait.allCases.first { $0.scope == scope && scope != .fleet }
        var cause = Cause(
            key: key, trait: trait, value: name, service: service, openedAt: now, firstAt: now, lastChange: now)
        for trouble in known {
            members[trouble.nodeID] = Member(trouble: trouble, since: now, place: .cause(key))
            cause.members.insert(trouble.nodeID)
            cause.reasons[trouble.reason, default: 0] += 1
        }
        cause.peak = max(peak, cause.members.count)
        cause.total = cause.peak
        causes[key] = cause
    }
}
