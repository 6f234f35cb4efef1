public import Domain

/// One TCP connection of a terminal on the command port.
public struct TerminalLink: Sendable, Hashable {
    /// Unique in this process.
    public let number: Int32
    /// The peer's address, without its port.
    public let address: String

    public init(number: Int32, address: String) {
        self.number = number
        self.address = address
    }
}

/// Why it is not certain who speaks under a terminal's name.
public enum ConflictKind: String, Sendable, CaseIterable {
    /// Two UUIDs were heard on one routing identity: 2.05 cuts the last character.
    case sharedIdentity = "shared_identity"
    /// One UUID is spoken from two addresses: a cloned machine, or one that moved.
    case twoAddresses = "two_addresses"
    /// Somebody else claims the name.
    case takenOver = "taken_over"
    /// Two users' terminals are logged in to one account.
    case accountOnTwoTerminals = "account_on_two_terminals"

    /// What an operator does about it.
    public func action(user: String) -> String {
        switch self {
        case .sharedIdentity:
            "give each of them a UUID that differs before its last character (meshctl user add), restart their EAs, "
                + "then: meshctl nodes clear \(user) --reason TEXT"
        case .twoAddresses:
            "stop the copy that should not run; if the customer moved: meshctl nodes clear \(user) --reason TEXT, and "
                + "meshctl user add \(user) --address ADDRESS, or --address any where it changes"
        case .takenOver:
            "find who speaks from the other address; bind the user to his own: meshctl user add \(user) --address "
                + "ADDRESS; then: meshctl nodes clear \(user) --reason TEXT"
        case .accountOnTwoTerminals:
            "decide which user trades this account and suspend the other: meshctl user suspend UUID"
        }
    }
}

/// A doubt about one user's terminal. Nothing is sent to it while the doubt lasts, unless it only informs.
public struct IdentityConflict: Sendable, Equatable {
    public var kind: ConflictKind
    public var since: Timestamp
    /// When it ends by itself; nil where only an operator ends it.
    public var until: Timestamp?
    /// In words.
    public var text: String
    /// The routing identity, printable.
    public var identity: String
    public var addresses: [String]
    public var users: [String]
    /// Whether commands are held back. Not where the user is bound to an address and his own connection lives.
    public var isFencing = true

    public init(
        kind: ConflictKind, since: Timestamp, until: Timestamp?, text: String, identity: String, addresses: [String],
        users: [String], isFencing: Bool = true
    ) {
        self.kind = kind
        self.since = since
        self.until = until
        self.text = text
        self.identity = identity
        self.addresses = addresses
        self.users = users
        self.isFencing = isFencing
    }

    public func isActive(_ now: Timestamp) -> Bool { until.map { $0 > now } ?? true }
}

/// From where a user's terminal may speak.
public enum AddressRule: Sendable, Equatable {
    /// From where it was heard first; another address needs an operator's word.
    case learned
    /// From anywhere: the customer's address changes.
    case any
    /// From these only.
    case only([String])

    /// `any`, `learned`, or addresses with commas between them.
    public init?(text: String) {
        switch text.lowercased() {
        case "", "learned": self = .learned
        case "any": self = .any
        default:
            let list = text.split(separator: ",").map { $0.trimmingSpaces }
            let isGood = list.allSatisfy { item in
                !item.isEmpty && item.utf8.count <= 64
                    && item.utf8.allSatisfy { $0.isHexadecimal || $0 == 0x2E || $0 == 0x3A }
            }
            guard !list.isEmpty, list.count <= 8, isGood else { return nil }
            self = .only(list)
        }
    }

    public var text: String {
        switch self {
        case .learned: "learned"
        case .any: "any"
        case .only(let list): list.joined(separator: ",")
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed())
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool {
        (0x30...0x39).contains(self) || (0x61...0x66).contains(self) || (0x41...0x46).contains(self)
    }
}

/// What a frame of the command port claims, and where it came in.
public struct TerminalClaim: Sendable, Equatable {
    public var user: String
    public var node: String
    public var identity: [UInt8]
    /// Nil where the port does not tell connections apart.
    public var link: TerminalLink?
    public var account: String?
    public var server: String?
    public var rule = AddressRule.learned
    /// The account and server an operator bound the user to.
    public var boundAccount: String?
    public var boundServer: String?

    public init(user: String, node: String, identity: [UInt8], link: TerminalLink? = nil) {
        self.user = user
        self.node = node
        self.identity = identity
        self.link = link
    }
}

/// What is to be done about connections and names; the service does it.
public enum TerminalAction: Sendable, Equatable {
    /// Ask the peer for a sign of life.
    case probe(Int32)
    /// End a connection whose terminal is gone.
    case cut(Int32)
    /// Tell node-registry, and write it down where only an operator ends it.
    case conflict(user: String, node: String, IdentityConflict)
    case cleared(user: String, node: String, ConflictKind, by: String, reason: String)
    /// The terminal is believed on this connection now: keep its address.
    case trusted(user: String, node: String, TerminalLink)
}
