import Domain
import Fleet
import Wire

/// Requests of the registry port as the engine takes them, every field checked.
enum RegistryDecoder {
    /// Other spellings of fields, as handshakes of various EA versions have them. Source: ea-wire 2 to 7.
    private static let aliases: [NodeField: [String]] = [
        .userUUID: ["target_uuid", "uuid"], .account: ["account_login"], .symbols: ["symbol_list"],
        .monitoredSymbols: ["symbols_monitored"],
    ]
    private static let maximumReason = 128
    private static let maximumSymbols = 256

    /// A request that changes something.
    static func change(
        _ type: String, _ object: JSONObject, at now: Timestamp
    ) throws(RegistryRefusal) -> RegistryRequest {
        let received = try time("received_at", object) ?? now
        if type == "conflict" || type == "conflict_cleared" { return try conflict(type, object, received) }
        if type == "foreign" { return try foreign(object, received) }
        let isBelieved = object["believed"]?.bool ?? false
        let nodeID = try identifier("node_id", object)
        switch type {
        case "register":
            let via = try word("via", object, Registration.Via.init(rawValue:)) ?? .handshake
            var registration = Registration(
                nodeID: nodeID, details: try details(object), via: via, receivedAt: received,
                brokerSeconds: try brokerSeconds(object))
            registration.isBelieved = isBelieved
            return .register(registration)
        case "heartbeat":
            let activity = try text("activity", object) ?? "heartbeat"
            guard activity == "heartbeat" || activity == "ticks" else {
                throw .badValue("activity", "must be heartbeat or ticks")
            }
            var beat = Heartbeat(
                nodeID: nodeID, details: try details(object), brokerSeconds: try brokerSeconds(object),
                receivedAt: received, isTicks: activity == "ticks")
            beat.isBelieved = isBelieved
            return .heartbeat(beat)
        case "disconnect":
            var end = NodeEnd(
                nodeID: nodeID, reason: try reason(object), receivedAt: received,
                judgedLastSeen: try time("last_seen", object))
            end.peerAddress = try optionalIdentifier("peer_address", object)
            end.userUUID = try optionalIdentifier("user_uuid", object)
            end.isBelieved = isBelieved
            return .disconnect(end)
        case "connection":
            guard let port = try word("port", object, NodePort.init(rawValue:)) else { throw .missingField("port") }
            guard let state = try word("state", object, ConnectionState.init(rawValue:)) else {
                throw .missingField("state")
            }
            return .connection(nodeID: nodeID, port: port, state: state, at: try time("at", object) ?? received)
        case "liveness":
            guard let liveness = try word("liveness", object, Liveness.init(rawValue:)) else {
                throw .missingField("liveness")
            }
            return .liveness(nodeID: nodeID, liveness)
        default:
            return .switchAccount(
                AccountSwitch(
                    nodeID: nodeID, newNodeID: try optionalIdentifier("new_node_id", object),
                    details: try details(object), receivedAt: received))
        }
    }

    /// What `find` looks for, and how many of it are wanted.
    static func search(_ object: JSONObject) throws(RegistryRefusal) -> NodeListing {
        var listing = try listing(object)
        guard let wanted = listing.text else { throw .missingField("q") }
        if let complaint = NodeField.identifierComplaint(wanted) { throw .badValue("q", complaint) }
        listing.order = .lastSeen
        listing.isDescending = true
        return listing
    }

    /// Whom a look-up asks for.
    static func query(_ object: JSONObject) throws(RegistryRefusal) -> NodeQuery {
        if let node = try optionalIdentifier("node_id", object) { return .node(node) }
        if let session = try optionalIdentifier("session_id", object) { return .session(session) }
        if let user = try optionalIdentifier("user_uuid", object) { return .user(user) }
        if let account = try optionalIdentifier("account", object) {
            return .account(account, server: try optionalIdentifier("server", object))
        }
        throw .missingField("node_id, account, session_id or user_uuid")
    }

    static func listing(_ object: JSONObject) throws(RegistryRefusal) -> NodeListing {
        var listing = NodeListing()
        listing.status = try word("status", object, NodeStatus.init(rawValue:))
        listing.broker = try text("broker", object)
        listing.text = try text("q", object)
        listing.offset = try number("offset", object, 0...1_000_000) ?? 0
        listing.limit = try number("limit", object, 1...1000) ?? 100
        guard let sort = try text("sort", object) else { return listing }
        listing.isDescending = sort.hasPrefix("-")
        guard let order = NodeListing.Order(rawValue: listing.isDescending ? String(sort.dropFirst()) : sort) else {
            let all = NodeListing.Order.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badValue("sort", "must be one of \(all), with a leading '-' for descending")
        }
        listing.order = order
        return listing
    }

    static func historyLimit(_ object: JSONObject) throws(RegistryRefusal) -> Int {
        try number("limit", object, 1...1000) ?? 100
    }

    // MARK: - Fields

    private static func details(_ object: JSONObject) throws(RegistryRefusal) -> NodeDetails {
        var details = NodeDetails()
        for field in NodeField.allCases {
            guard let (name, value) = value(field, object) else { continue }
            if field == .symbols, case .number(let count) = value {
                // HELLO's `symbols` is their number, not their names.
                details[.monitoredSymbols] = details[.monitoredSymbols] ?? count
                continue
            }
            let text = field == .symbols ? try symbols(name, value) : try plain(name, value)
            guard let text else { continue }
            if let complaint = field.complaint(about: text) { throw .badValue(name, complaint) }
            details[field] = text
        }
        return details
    }

    private static func value(_ field: NodeField, _ object: JSONObject) -> (String, JSON)? {
        for name in [field.name] + (aliases[field] ?? []) {
            if let value = object[name], value != .null { return (name, value) }
        }
        return nil
    }

    private static func symbols(_ name: String, _ value: JSON) throws(RegistryRefusal) -> String? {
        let names: [String]
        if let items = value.array {
            names = items.compactMap(\.text)
            guard names.count == items.count else { throw .badValue(name, "must be a list of texts") }
        } else {
            names = (try plain(name, value) ?? "").split(separator: ",").map(String.init)
        }
        guard names.count <= maximumSymbols else { throw .badValue(name, "has more than \(maximumSymbols) entries") }
        for symbol in names {
            if let complaint = NodeField.identifierComplaint(symbol) {
                throw .badValue(name, "has an entry that \(complaint)")
            }
        }
        return names.isEmpty ? nil : names.joined(separator: ",")
    }

    /// Text or a number's text; nil for an empty one.
    private static func plain(_ name: String, _ value: JSON) throws(RegistryRefusal) -> String? {
        guard let text = value.text else { throw .badValue(name, "must be a text or a number") }
        return text.isEmpty ? nil : text
    }

    static func text(_ name: String, _ object: JSONObject) throws(RegistryRefusal) -> String? {
        guard let value = object[name], value != .null else { return nil }
        return try plain(name, value)
    }

    static func optionalIdentifier(
        _ name: String, _ object: JSONObject
    ) throws(RegistryRefusal) -> String? {
        guard let text = try text(name, object) else { return nil }
        if let complaint = NodeField.identifierComplaint(text) { throw .badValue(name, complaint) }
        return text
    }

    private static func identifier(_ name: String, _ object: JSONObject) throws(RegistryRefusal) -> String {
        guard let text = try optionalIdentifier(name, object) else { throw .missingField(name) }
        return text
    }

    private static func word<Value>(
        _ name: String, _ object: JSONObject, _ make: (String) -> Value?
    ) throws(RegistryRefusal) -> Value? {
        guard let text = try text(name, object) else { return nil }
        guard let value = make(text.lowercased()) else { throw .badValue(name, "is none of the known words") }
        return value
    }

    private static func number(
        _ name: String, _ object: JSONObject, _ range: ClosedRange<Int>
    ) throws(RegistryRefusal) -> Int? {
        guard let text = try text(name, object) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .badValue(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    static func time(_ name: String, _ object: JSONObject) throws(RegistryRefusal) -> Timestamp? {
        guard let text = try text(name, object) else { return nil }
        // Up to the year 2200: arithmetic with what a stranger says must not overflow.
        guard let value = Int64(text), (0...7_258_118_400_000).contains(value) else {
            throw .badValue(name, "must be milliseconds since 1970")
        }
        return Timestamp(milliseconds: value)
    }

    static func reason(_ object: JSONObject) throws(RegistryRefusal) -> String {
        let text = try text("reason", object) ?? "unspecified"
        guard text.unicodeScalars.count <= maximumReason else {
            throw .badValue("reason", "is longer than \(maximumReason) characters")
        }
        return text
    }

    /// The broker's clock as text or as seconds; a reading that is none is left out, it is no reason to refuse a sign of life.
    private static func brokerSeconds(_ object: JSONObject) throws(RegistryRefusal) -> Int64? {
        var reading = try text("broker_time", object)
        if reading == nil { reading = try text("timestamp", object) }
        guard let text = reading else { return nil }
        if let seconds = Timestamp.brokerSeconds(text) { return seconds }
        guard let seconds = Int64(text), (0...7_258_118_400).contains(seconds) else { return nil }
        return seconds
    }
}
