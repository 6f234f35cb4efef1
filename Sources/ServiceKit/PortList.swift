public import Domain
import Foundation
import Yams

/// `ports.yaml`, checked: which port is bound by whom, with which socket. The only source of port numbers.
public struct PortList: Sendable, Equatable {
    public enum SocketKind: String, Sendable, CaseIterable {
        case router = "ROUTER"
        case pull = "PULL"
        case sub = "SUB"
        case pub = "PUB"
        case push = "PUSH"
        case rep = "REP"
        case http = "HTTP"
        case redis = "REDIS"
    }

    /// The names of the contract's section 1.
    public enum Name: String, Sendable, CaseIterable {
        case eaCommands = "ea-commands"
        case eaTelemetry = "ea-telemetry"
        case signals
        case eaConfirmations = "ea-confirmations"
        case eaReceipts = "ea-receipts"
        case marketRelay = "market-relay"
        case registry
        case orders
        case signalIntake = "signal-intake"
        case nodeAlerts = "node-alerts"
        case citadelAlerts = "citadel-alerts"
        case citadelQueries = "citadel-queries"
        case health
        case tradeEvents = "trade-events"
        case state

        /// Which sockets make sense there, the usual one first.
        var allowedSockets: [SocketKind] {
            switch self {
            case .eaCommands: [.router, .pub, .push]
            case .eaTelemetry, .eaConfirmations: [.pull, .sub]
            case .signals, .marketRelay, .nodeAlerts, .citadelAlerts, .tradeEvents: [.pub]
            case .eaReceipts, .registry, .orders, .signalIntake, .citadelQueries: [.rep]
            case .health: [.http]
            case .state: [.redis]
            }
        }

        /// Whether further listeners may serve it beside its own: EA families differ in the socket they bring.
        public var mayHaveListeners: Bool { self == .eaCommands || self == .eaTelemetry || self == .eaConfirmations }

        var owner: ServiceName {
            switch self {
            case .eaCommands, .orders: .positionTracker
            case .eaTelemetry, .marketRelay: .handshakeProcessor
            case .eaConfirmations, .eaReceipts, .tradeEvents: .confirmationLogger
            case .signals, .signalIntake, .citadelAlerts, .citadelQueries: .citadelMonitor
            case .registry: .nodeRegistry
            case .nodeAlerts: .heartbeatMonitor
            case .health: .healthDashboard
            case .state: .redis
            }
        }
    }

    public struct Entry: Sendable, Equatable {
        public let port: Int
        public let name: Name
        public let service: ServiceName
        public let socket: SocketKind
        /// Whether `--listen` opens it beyond this machine.
        public let isOpen: Bool
        public let carries: String
        /// The name of a further listener, which serves what `name` says; nil for the port itself.
        public var listener: String?
        /// A PUSH listener's only user, where it has one.
        public var user: String?
        /// A PUSH listener that keeps 7.01 from starting over (ea-wire 4.5): seconds between its signs of life.
        public var keepAliveSeconds = 0

        /// What it is called in lines and tables.
        public var label: String { listener ?? name.rawValue }
    }

    /// One for each name of the contract.
    public let entries: [Entry]
    /// Further listeners of EA ports, each with a port and a name of its own.
    public let additional: [Entry]

    public subscript(name: Name) -> Entry { byName[name] ?? entries[0] }
    private let byName: [Name: Entry]

    /// Everything that is bound, the names of the contract first.
    public var all: [Entry] { entries + additional }

    /// Everything a service binds, its further listeners included.
    public func ports(of service: ServiceName) -> [Entry] { all.filter { $0.service == service } }

    /// The port and its further listeners.
    public func listeners(serving name: Name) -> [Entry] { [self[name]] + additional.filter { $0.name == name } }

    /// - Throws: ``ConfigurationError`` that names the line's mistake and what would be right.
    public static func load(path: String) throws(ConfigurationError) -> PortList {
        let text = try ConfigurationFile.text(path: path)
        return try PortList(yaml: text, path: path)
    }

    public init(yaml: String, path: String) throws(ConfigurationError) {
        let root = try ConfigurationFile.mapping(yaml: yaml, path: path)
        guard let rows = root["ports"] as? [Any] else {
            throw ConfigurationError(path, "it needs a list named 'ports'")
        }
        var all: [Entry] = []
        for (index, row) in rows.enumerated() {
            guard let fields = row as? [String: Any] else {
                throw ConfigurationError(path, "entry \(index + 1) is not a mapping of port, name, service, socket")
            }
            all.append(try PortList.entry(fields, number: index + 1, path: path))
        }
        try PortList.check(all, path: path)
        entries = all.filter { $0.listener == nil }
        additional = all.filter { $0.listener != nil }
        byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }
    }
}
