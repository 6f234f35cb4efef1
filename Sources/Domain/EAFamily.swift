/// Which of the field's expert advisors a terminal runs, as far as its own words tell. Source: ea-wire 0.
public enum EAFamily: String, Sendable, CaseIterable {
    case v205 = "2.05"
    case v206H = "2.06H"
    case v202 = "2.02"
    case v201 = "2.01"
    /// One EA per chart, nothing that names it: it is known by its connection.
    case v701 = "7.01"
    /// Keeps the whole contract.
    case own
    case unknown

    /// The socket by which a family takes its commands.
    public enum CommandSocket: String, Sendable {
        case dealer = "DEALER"
        case pull = "PULL"
        case subscribe = "SUB"
        case unknown
    }

    /// - Parameters:
    ///   - version: `version` or `ea_version` of its introduction.
    ///   - namesItself: whether its messages carry a node id; 7.01's don't.
    public init(version: String?, namesItself: Bool = true) {
        let text = version?.uppercased() ?? ""
        if text.hasPrefix("2.06") {
            self = .v206H
        } else if text.hasPrefix("7.0") {
            self = .v701
        } else if let known = EAFamily(rawValue: text), known != .unknown {
            self = known
        } else if text.hasPrefix("OWN") {
            self = .own
        } else {
            self = namesItself ? .unknown : .v701
        }
    }

    /// - Parameter socketType: what its handshake says, which beats what the version is known for.
    public func commandSocket(_ socketType: String? = nil) -> CommandSocket {
        switch socketType?.uppercased() {
        case "DEALER": return .dealer
        case "PULL": return .pull
        case "SUB": return .subscribe
        default: break
        }
        switch self {
        case .v205, .v206H, .own: return .dealer
        case .v202, .v201, .v701: return .pull
        case .unknown: return .unknown
        }
    }

    /// Whether a command says for whom it is and others leave it alone. 7.01 carries out whatever reaches it.
    public var checksAddressee: Bool { self != .v701 }
}

/// What listens on `ea-commands` and its further listeners, in the words of `ports.yaml`.
public struct CommandListeners: Sendable, Equatable {
    public var hasRouter: Bool
    public var hasPublisher: Bool
    /// PUSH listeners for whoever PULLs, that is: for one terminal.
    public var hasPush: Bool
    /// Users that have a PUSH listener of their own.
    public var ownPush: Set<String>

    public init(hasRouter: Bool = true, hasPublisher: Bool = false, hasPush: Bool = false, ownPush: Set<String> = []) {
        self.hasRouter = hasRouter
        self.hasPublisher = hasPublisher
        self.hasPush = hasPush
        self.ownPush = ownPush
    }
}

/// Whether commands reach a terminal, and why, or why not and what to do.
public struct CommandHearing: Sendable, Equatable {
    public var isHeard: Bool
    public var reason: String

    public init(isHeard: Bool, reason: String) {
        self.isHeard = isHeard
        self.reason = reason
    }

    /// - Parameters:
    ///   - socketType: as the handshake says it.
    ///   - pulling: how many terminals that PULL share the PUSH listeners without one of their own, this one included.
    public init(
        _ family: EAFamily, socketType: String? = nil, user: String?, pulling: Int, _ listeners: CommandListeners
    ) {
        guard family.checksAddressee else {
            self.init(
                isHeard: false,
                reason: "7.01 names nobody and carries out whatever reaches it: it is heard, and sent no orders")
            return
        }
        guard listeners.hasRouter else {
            self = CommandHearing.withoutRouter(user, pulling, listeners)
            return
        }
        let socket = family.commandSocket(socketType)
        switch socket {
        case .dealer: self.init(isHeard: true, reason: "a DEALER on a ROUTER")
        case .subscribe where listeners.hasPublisher: self.init(isHeard: true, reason: "a SUB on a PUB, by its UUID")
        case .pull where user.map { listeners.ownPush.contains($0) } ?? false:
            self.init(isHeard: true, reason: "a PULL on a PUSH listener of its own")
        case .pull where listeners.hasPush && pulling <= 1:
            self.init(isHeard: true, reason: "the one PULL on a PUSH")
        case .pull where listeners.hasPush: self.init(isHeard: false, reason: CommandHearing.lottery)
        case .unknown:
            self.init(isHeard: true, reason: "an EA of unknown version: reached once it has spoken on ea-commands")
        case .pull, .subscribe: self.init(isHeard: false, reason: CommandHearing.mismatch(family, socket))
        }
    }

    /// Where the operator serves no ROUTER, his terminals bring what he serves, whatever version they say.
    private static func withoutRouter(_ user: String?, _ pulling: Int, _ listeners: CommandListeners) -> Self {
        if let user, listeners.ownPush.contains(user) {
            return CommandHearing(isHeard: true, reason: "a PULL on a PUSH listener of its own")
        }
        if listeners.hasPublisher { return CommandHearing(isHeard: true, reason: "a SUB on a PUB, by its UUID") }
        return pulling <= 1
            ? CommandHearing(isHeard: true, reason: "the one terminal on a PUSH")
            : CommandHearing(isHeard: false, reason: lottery)
    }

    private static let lottery =
        "more than one terminal PULLs from one PUSH, which deals round robin and can't address one of them: "
        + "give each a listener of its own in ports.yaml (user: UUID), or update the EA to 2.05"

    private static func mismatch(_ family: EAFamily, _ socket: EAFamily.CommandSocket) -> String {
        let (wanted, afterwards) =
            socket == .pull
            ? (
                "PUSH",
                "then restart the EA if it does not come by itself (a PULL that met a ROUTER may never try again)"
            )
            : ("PUB", "and it comes back")
        return
            "an EA \(family.rawValue) takes commands by \(socket.rawValue), and no listener of ports.yaml that serves "
            + "ea-commands is a \(wanted): add one, \(afterwards)"
    }
}
