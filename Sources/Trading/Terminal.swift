public import Domain

/// A user's terminal as the tracker sees it: who it is, how to reach it, whether its chart lives.
public struct Terminal: Sendable, Equatable {
    public let userUUID: String
    public var nodeID: String
    public var server: String?
    public var account: String?
    public var currency: String?
    public var balance: Amount?
    public var equity: Amount?
    public var chartSymbol: String?
    public var symbols: [String] = []
    public var version: String?
    /// Whether node-registry calls the node active.
    public var isActive = true
    /// Learned from its frames on the command port, never derived from the UUID: 2.05 cuts the last character.
    public var identity: [UInt8]?
    public var identityHeardAt: Timestamp?
    /// When the identity was last written down for our next start.
    var identityKeptAt: Timestamp?
    /// Set while somebody else speaks under its identity or its UUID; until then nothing is sent.
    public var conflictUntil: Timestamp?
    public var conflictReason: String?
    /// When its chart symbol's quotes last moved on, by our clock.
    public var chartAdvancedAt: Timestamp?
    var chartBrokerSeconds: Int64 = .min

    public init(userUUID: String, nodeID: String) {
        self.userUUID = userUUID
        self.nodeID = nodeID
    }

    public func isDoubtful(_ now: Timestamp) -> Bool { conflictUntil.map { $0 > now } ?? false }

    /// The key of its account, where server and login are known.
    public var accountKey: String? {
        guard let server, let account else { return nil }
        return PositionKey.accountKey(server: server, account: account)
    }
}

/// All terminals by user, with their routing identities fenced: one identity, one UUID.
public struct TerminalRegister: Sendable {
    /// Two speakers under one name within this are a conflict; afterwards the silent one is forgotten.
    static let conflictMilliseconds: Int64 = 120_000

    public private(set) var byUser: [String: Terminal] = [:]
    private var userByNode: [String: String] = [:]
    /// Every UUID heard on an identity lately, so that a shared one is noticed from either side.
    private var heardOn: [[UInt8]: [String: Timestamp]] = [:]
    /// Whom a kept identity belongs to; empty where two users were kept under one.
    private var restored: [[UInt8]: String] = [:]

    /// 2.05 cuts one character: ten numeric neighbours may share an identity; more are not neighbours.
    static let maximumSpeakers = 16
    /// More speakers than this are refused: names come from outside and must not grow memory for ever.
    static let maximumCount = 50_000

    public init() {}

    public subscript(user: String) -> Terminal? { byUser[user] }

    public func terminal(node: String) -> Terminal? { userByNode[node].flatMap { byUser[$0] } }

    public var count: Int { byUser.count }

    /// What node-registry says of a node.
    public mutating func update(
        user: String, node: String, _ change: (inout Terminal) -> Void
    ) {
        var terminal = byUser[user] ?? Terminal(userUUID: user, nodeID: node)
        if terminal.nodeID != node {
            userByNode[terminal.nodeID] = nil
            terminal.nodeID = node
            terminal.identityKeptAt = nil
            terminal.chartAdvancedAt = nil
            terminal.chartBrokerSeconds = .min
        }
        userByNode[node] = user
        change(&terminal)
        byUser[user] = terminal
    }

    /// A node ended. Only the current node of a user takes his terminal away.
    public mutating func end(node: String) {
        guard let user = userByNode[node] else { return }
        byUser[user]?.isActive = false
    }

    /// Learns who speaks under an identity; says what is wrong where two do.
    public mutating func hear(identity: [UInt8], user: String, node: String, now: Timestamp) -> String? {
        if heardOn.count > TerminalRegister.maximumCount {
            heardOn = heardOn.filter { $0.value.values.contains { now - $0 < TerminalRegister.conflictMilliseconds } }
        }
        guard heardOn.count <= TerminalRegister.maximumCount,
            byUser[user] != nil || byUser.count < TerminalRegister.maximumCount
        else { return "more than \(TerminalRegister.maximumCount) terminals claim a name; this one is not served" }
        var heard = heardOn[identity] ?? [:]
        if heard[user] == nil, heard.count >= TerminalRegister.maximumSpeakers {
            heard = heard.filter { now - $0.value < TerminalRegister.conflictMilliseconds }
            guard heard.count < TerminalRegister.maximumSpeakers else {
                return "more than \(heard.count) users speak under the identity '\(printable(identity))'"
            }
        }
        heard[user] = now
        heardOn[identity] = heard
        heard = heard.filter { now - $0.value < TerminalRegister.conflictMilliseconds }
        var conflict: String?
        if heard.count > 1 {
            let others = heard.keys.filter { $0 != user }.sorted().prefix(3).joined(separator: ", ")
            conflict = "the routing identity '\(printable(identity))' is used by \(user) and \(others)"
            for name in heard.keys { markConflict(name, conflict, now) }
        }
        if let known = byUser[user]?.identity, known != identity, let heardAt = byUser[user]?.identityHeardAt,
            now - heardAt < TerminalRegister.conflictMilliseconds
        {
            conflict = "the user \(user) speaks from two connections at once"
            markConflict(user, conflict, now)
            return conflict
        }
        update(user: user, node: node) {
            if $0.identity != identity { $0.identityKeptAt = nil }
            $0.identity = identity
            $0.identityHeardAt = now
        }
        if conflict != nil { markConflict(user, conflict, now) }
        return conflict
    }

    // MARK: - Over a restart

    /// How often an identity that has not changed is written down again.
    static let keepMilliseconds: Int64 = 60_000

    /// Whether an identity that was just heard is to be written down. One that libzmq made up is of its connection only.
    mutating func shouldKeep(identity: [UInt8], user: String, now: Timestamp) -> Bool {
        guard let first = identity.first, first != 0 else { return false }
        if let keptAt = byUser[user]?.identityKeptAt, now - keptAt < TerminalRegister.keepMilliseconds { return false }
        byUser[user]?.identityKeptAt = now
        return true
    }

    /// The nodes whose kept identity is not to be trusted after a conflict.
    mutating func forgetKept(identity: [UInt8], user: String) -> [String] {
        var nodes: [String] = []
        for name in Set(heardOn[identity]?.keys.map { $0 } ?? []).union([user]).sorted() {
            guard let terminal = byUser[name], terminal.identityKeptAt != nil else { continue }
            byUser[name]?.identityKeptAt = nil
            nodes.append(terminal.nodeID)
        }
        return nodes
    }

    /// Takes a kept identity for a node that is active and has not been heard yet. Where two users were kept under one
    /// identity nobody is reached by it until he is heard.
    mutating func restore(identity: [UInt8], user: String, node: String) {
        guard let terminal = byUser[user], terminal.nodeID == node, terminal.isActive, terminal.identity == nil,
            !identity.isEmpty, restored[identity] != ""
        else { return }
        if let other = restored[identity], other != user {
            restored[identity] = ""
            if byUser[other]?.identityHeardAt == nil { byUser[other]?.identity = nil }
            return
        }
        restored[identity] = user
        byUser[user]?.identity = identity
    }

    private mutating func markConflict(_ user: String, _ reason: String?, _ now: Timestamp) {
        byUser[user]?.conflictUntil = now.adding(milliseconds: TerminalRegister.conflictMilliseconds)
        byUser[user]?.conflictReason = reason
    }

    /// A tick of a terminal: moves its chart's clock on. Returns its server.
    mutating func tick(_ tick: Tick, isCurrent: Bool, now: Timestamp) {
        guard let node = tick.nodeID, let user = userByNode[node] else { return }
        guard isCurrent, let seconds = tick.brokerSeconds, byUser[user]?.chartSymbol == tick.symbol else { return }
        guard let last = byUser[user]?.chartBrokerSeconds, seconds > last else { return }
        byUser[user]?.chartBrokerSeconds = seconds
        // The first quote shows that there is a price, not that it moves.
        if last != .min { byUser[user]?.chartAdvancedAt = now }
    }

    private func printable(_ identity: [UInt8]) -> String {
        String(decoding: identity.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
