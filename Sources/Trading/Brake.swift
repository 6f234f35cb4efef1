public import Domain

/// How much is let through.
public enum BrakeState: String, Sendable, Comparable, CaseIterable {
    case active = "ACTIVE"
    /// Closes only.
    case reducing = "REDUCING"
    /// Nothing but what the operator does by hand at the terminal.
    case halted = "HALTED"

    private var severity: Int {
        switch self {
        case .active: 0
        case .reducing: 1
        case .halted: 2
        }
    }

    public static func < (left: BrakeState, right: BrakeState) -> Bool { left.severity < right.severity }
}

/// What a brake covers.
public enum BrakeScope: Sendable, Hashable, CustomStringConvertible {
    case all
    case tier(String)
    case broker(String)
    case symbol(String)
    case user(String)

    /// Reads `all`, `tier:MAJOR`, `broker:Demo-Server`, `symbol:EURUSD`, `user:<uuid>`.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else {
            guard text == "all" else { return nil }
            self = .all
            return
        }
        let value = String(text[text.index(after: colon)...])
        guard !value.isEmpty else { return nil }
        switch text[..<colon] {
        case "tier": self = .tier(value.uppercased())
        case "broker": self = .broker(value)
        case "symbol": self = .symbol(value)
        case "user": self = .user(value)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .all: "all"
        case .tier(let name): "tier:\(name)"
        case .broker(let name): "broker:\(name)"
        case .symbol(let name): "symbol:\(name)"
        case .user(let name): "user:\(name)"
        }
    }
}

/// All brakes in force; the tightest that covers a fire counts.
public struct Brakes: Sendable, Equatable {
    public struct Setting: Sendable, Equatable {
        public let state: BrakeState
        public let reason: String
        public let setAt: Timestamp

        public init(state: BrakeState, reason: String, setAt: Timestamp) {
            self.state = state
            self.reason = reason
            self.setAt = setAt
        }
    }

    public private(set) var settings: [BrakeScope: Setting] = [:]

    public init() {}

    public mutating func set(_ scope: BrakeScope, _ setting: Setting) {
        settings[scope] = setting.state == .active ? nil : setting
    }

    public func tightest(_ scopes: [BrakeScope]) -> (scope: BrakeScope, setting: Setting)? {
        scopes.compactMap { scope in settings[scope].map { (scope, $0) } }.max { $0.1.state < $1.1.state }
    }
}
