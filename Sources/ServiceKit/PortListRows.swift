public import Domain

// One row of `ports.yaml`, and what the rows have to be together.
extension PortList {
    private static let knownFields: Set<String> = [
        "port", "name", "service", "socket", "open", "carries", "serves", "user", "keep_alive_s",
    ]

    static func entry(_ fields: [String: Any], number: Int, path: String) throws(ConfigurationError) -> Entry {
        func text(_ key: String) throws(ConfigurationError) -> String {
            guard let value = fields[key] as? String else {
                throw ConfigurationError(path, "entry \(number) has no '\(key)'")
            }
            return value
        }
        if let stranger = fields.keys.sorted().first(where: { !knownFields.contains($0) }) {
            throw ConfigurationError(path, "entry \(number) has an unknown field '\(stranger)'")
        }
        guard let port = fields["port"] as? Int, (1...65535).contains(port) else {
            throw ConfigurationError(path, "entry \(number): 'port' must be a number from 1 to 65535")
        }
        let nameText = try text("name")
        let (name, listener) = try names(nameText, serves: fields["serves"], port, path)
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
        var entry = Entry(
            port: port, name: name, service: service, socket: socket, isOpen: fields["open"] as? Bool ?? false,
            carries: fields["carries"] as? String ?? "", listener: listener)
        try addPushFields(fields, to: &entry, path)
        return entry
    }

    /// A name of the contract, or a further listener's own together with what it serves.
    private static func names(
        _ text: String, serves: Any?, _ port: Int, _ path: String
    ) throws(ConfigurationError) -> (Name, String?) {
        guard let serves else {
            if let name = Name(rawValue: text) { return (name, nil) }
            let all = Name.allCases.map(\.rawValue).joined(separator: " ")
            throw ConfigurationError(
                path,
                "port \(port): unknown name '\(text)'; the names are \(all); a further listener of an EA port says "
                    + "which one it serves (serves: ea-commands)")
        }
        let served = "\(serves)"
        guard let name = Name(rawValue: served), name.mayHaveListeners else {
            throw ConfigurationError(
                path, "port \(port): 'serves' is ea-commands, ea-telemetry or ea-confirmations, not '\(served)'")
        }
        guard Name(rawValue: text) == nil, !text.isEmpty,
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        else {
            throw ConfigurationError(
                path, "port \(port): a further listener needs a name of its own from a-z, 0-9 and '-', not '\(text)'")
        }
        return (name, text)
    }

    /// What only a PUSH knows: whom it is for, and signs of life for EAs that start over without them.
    private static func addPushFields(
        _ fields: [String: Any], to entry: inout Entry, _ path: String
    ) throws(ConfigurationError) {
        if let user = fields["user"] {
            guard entry.socket == .push, !"\(user)".isEmpty else {
                throw ConfigurationError(path, "port \(entry.port): only a PUSH listener has a 'user', a UUID")
            }
            entry.user = "\(user)"
        }
        if let seconds = fields["keep_alive_s"] {
            guard entry.socket == .push, let seconds = seconds as? Int, (1...120).contains(seconds) else {
                throw ConfigurationError(
                    path, "port \(entry.port): 'keep_alive_s' is for a PUSH listener, 1 to 120 seconds")
            }
            entry.keepAliveSeconds = seconds
        }
    }

    static func check(_ entries: [Entry], path: String) throws(ConfigurationError) {
        var names: Set<String> = []
        var ports: [Int: Entry] = [:]
        for entry in entries {
            if let other = ports[entry.port] {
                throw ConfigurationError(
                    path, "port \(entry.port) is given to both '\(other.label)' and '\(entry.label)'")
            }
            guard names.insert(entry.label).inserted else {
                throw ConfigurationError(path, "'\(entry.label)' stands there twice")
            }
            ports[entry.port] = entry
        }
        if let missing = Name.allCases.first(where: { !names.contains($0.rawValue) }) {
            throw ConfigurationError(path, "'\(missing.rawValue)' is missing")
        }
        for name in Name.allCases where name.mayHaveListeners {
            try checkKinds(entries.filter { $0.name == name && $0.user == nil }, name, path)
        }
    }

    /// A second one of a kind would serve nobody whom the first doesn't, and a second PUSH be a second lottery.
    private static func checkKinds(_ entries: [Entry], _ name: Name, _ path: String) throws(ConfigurationError) {
        var labels: [SocketKind: String] = [:]
        for entry in entries {
            if let other = labels[entry.socket] {
                throw ConfigurationError(
                    path,
                    "'\(other)' and '\(entry.label)' both serve \(name.rawValue) as \(entry.socket.rawValue): a further "
                        + "listener is of another kind, or a PUSH with a 'user' of its own")
            }
            labels[entry.socket] = entry.label
        }
    }
}

extension PortList {
    /// What terminals find on `ea-commands`.
    public var commandListeners: CommandListeners {
        let all = listeners(serving: .eaCommands)
        return CommandListeners(
            hasRouter: all.contains { $0.socket == .router }, hasPublisher: all.contains { $0.socket == .pub },
            hasPush: all.contains { $0.socket == .push && $0.user == nil }, ownPush: Set(all.compactMap(\.user)))
    }
}
