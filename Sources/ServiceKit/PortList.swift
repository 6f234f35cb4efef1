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
    }

    public let entries: [Entry]

    public subscript(name: Name) -> Entry { byName[name] ?? entries[0] }
    private let byName: [Name: Entry]

    public func ports(of service: ServiceName) -> [Entry] { entries.filter { $0.service == service } }

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
        var entries: [Entry] = []
        for (index, row) in rows.enumerated() {
            guard let fields = row as? [String: Any] else {
                throw ConfigurationError(path, "entry \(index + 1) is not a mapping of port, name, service, socket")
            }
            entries.append(try PortList.entry(fields, number: index + 1, path: path))
        }
        try PortList.check(entries, path: path)
        self.entries = entries
        byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }
    }

    private static func entry(_ fields: [String: Any], number: Int, path: String) throws(ConfigurationError) -> Entry {
        func text(_ key: String) throws(ConfigurationError) -> String {
            guard let value = fields[key] as? String else {
                throw ConfigurationError(path, "entry \(number) has no '\(key)'")
            }
            return value
        }
        let known: Set<String> = ["port", "name", "service", "socket", "open", "carries"]
        if let stranger = fields.keys.sorted().first(where: { !known.contains($0) }) {
            throw ConfigurationError(path, "entry \(number) has an unknown field '\(stranger)'")
        }
        guard let port = fields["port"] as? Int, (1...65535).contains(port) else {
            throw ConfigurationError(path, "entry \(number): 'port' must be a number from 1 to 65535")
        }
        let nameText = try text("name")
        guard let name = Name(rawValue: nameText) else {
            let all = Name.allCases.map(\.rawValue).joined(separator: " ")
            throw ConfigurationError(path, "port \(port): unknown name '\(nameText)'; the names are \(all)")
        }
        let serviceText = try text("service")
        guard let service = ServiceName(rawValue: serviceText) else {
            throw ConfigurationError(path, "port \(port): unknown service '\(serviceText)'")
        }
        guard service == name.owner else {
            throw ConfigurationError(
                path, "port \(port): '\(nameText)' is bound by \(name.owner.rawValue), not by \(serviceText)")
        }
        let socketText = try text("socket")
        guard let socket = SocketKind(rawValue: socketText) else {
            throw ConfigurationError(path, "port \(port): unknown socket type '\(socketText)'")
        }
        guard name.allowedSockets.contains(socket) else {
            let allowed = name.allowedSockets.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(path, "port \(port): '\(nameText)' can be \(allowed), not \(socketText)")
        }
        return Entry(
            port: port, name: name, service: service, socket: socket, isOpen: fields["open"] as? Bool ?? false,
            carries: fields["carries"] as? String ?? "")
    }

    private static func check(_ entries: [Entry], path: String) throws(ConfigurationError) {
        var names: [Name: Entry] = [:]
        var ports: [Int: Entry] = [:]
        for entry in entries {
            if let other = ports[entry.port] {
                throw ConfigurationError(
                    path, "port \(entry.port) is given to both '\(other.name.rawValue)' and '\(entry.name.rawValue)'")
            }
            if names[entry.name] != nil {
                throw ConfigurationError(path, "'\(entry.name.rawValue)' stands there twice")
            }
            ports[entry.port] = entry
            names[entry.name] = entry
        }
        if let missing = Name.allCases.first(where: { names[$0] == nil }) {
            throw ConfigurationError(path, "'\(missing.rawValue)' is missing")
        }
    }
}
