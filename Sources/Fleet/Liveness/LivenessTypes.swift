public import Domain

extension LivenessEngine {
    public struct Settings: Sendable {
        public var late: Int64 = 35_000
        public var dead = NodeLoss.silenceMilliseconds
        /// How long a broker has to have quoted to others during a node's silence, for the silence to be the node's own.
        /// Less than `dead`, since quotes have gaps; much, since at the close terminals fall silent one by one.
        public var quoted: Int64 = 45_000
        /// The same about the time at which its market opens or closes: there they do so over minutes.
        public var quotedAtEdge: Int64 = 300_000
        /// A pause in a broker's quotes after which quoting has begun anew: terminals need a moment at the opening.
        public var pause: Int64 = 60_000
        /// Quiet longer than any holiday is dead.
        public var quietLimit: Int64 = 5 * 86_400_000
        /// How long a connection has to be gone, where it is known since when.
        public var lost: Int64 = 60_000
        /// Further patience for a node whose last sign of life lies in the future, as after our clock was set back.
        public var ahead: Int64 = 120_000
        /// A jump of the wall clock against the steady one by more than this is a step.
        public var step: Int64 = 2_000
        public init() {}
    }

    /// What the registry knows of a node.
    public struct Detail: Sendable, Equatable {
        public var userUUID: String?
        public var account: String?
        public var server: String?
        public var broker: String?
        public var version: String?
        /// Its address without the port.
        public var address: String?
        public var connection = ConnectionState.unknown
        /// Since when every connection is gone; nil where that is not known.
        public var lostAt: Timestamp?
        public var heartbeats: Int64 = 0
        public var connections: Int64 = 1
        /// What has to quote for it to speak.
        public var markets = WatchedMarkets()
        /// Whether what it says counts for others: for their silence, and for when its broker's market is open. Not that of
        /// a user nobody registered, where anybody can reach the ports.
        public var bearsWitness = true
        public init() {}

        /// The /24 or /64 its address lies in.
        public var subnet: String? { address.flatMap(Subnet.init(address:))?.text }
    }

    public enum Cause: String, Sendable {
        case connectionLost = "its connection is lost"
        case silentAmongQuotes = "it is silent while its broker quotes to others"
        case quietTooLong = "it has been quiet longer than any holiday"
    }

    public struct Death: Sendable, Equatable {
        public let nodeID: String
        public let lastSeen: Timestamp
        /// How long it was silent, in milliseconds of a clock that never steps.
        public let silence: Int64
        public let cause: Cause
        public let detail: Detail
    }

    public enum Effect: Sendable, Equatable {
        /// Ask the registry's hash for the node and hand it in with ``LivenessEngine/learn(_:_:earlier:at:steady:)``.
        case ask(String)
        /// An active node nobody here knew: new, or back.
        case appeared(String)
        case liveness(String, Liveness)
        case dead(Death)
    }

    struct Node: Sendable {
        var lastSeen: Timestamp
        /// The same by the steady clock, which silence is measured by.
        var heardAt: Int64
        /// Its last sign of life lies in our future, so it says nothing of how long ago it was.
        var isAhead = false
        var liveness = Liveness.live
        var detail: Detail?
        var detailAt: Int64 = .min / 2
        var askedAt: Int64 = .min / 2
        var lostSince: Int64?
        var server = -1
        /// The place of its markets in its server's book.
        var group = -1
        /// Since when it has spoken without a pause, by the steady clock.
        var speakingSince: Int64
        var stability = NodeStability()
        var writtenAt: Int64 = .min / 2
        var generation: UInt64
    }

    /// One broker server: its quotes by the steady clock, and its week.
    struct Server: Sendable {
        let name: String
        var lastQuote: Timestamp?
        var quotingSince: Int64 = 0
        var quotedAt: Int64?
        var session: BrokerSession
        var markets = MarketBook()
        /// Of the last whole look.
        var attendance = Attendance()
        // Of one look:
        var present = Attendance()
        var isHeard = false
        var nodes = 0
        var connected = 0
        var silent = 0
        var heardAt: Int64?
    }
}

/// The neighbourhood of an address: /24 of IPv4, /64 of IPv6.
public struct Subnet: Sendable, Equatable {
    public let text: String

    public init?(address: String) {
        if address.contains(":") {
            guard !address.contains(".") else { return nil }
            let halves = address.split(separator: "::", omittingEmptySubsequences: false)
            var groups = halves[0].split(separator: ":").map(String.init)
            if halves.count == 2 {
                let tail = halves[1].split(separator: ":").map(String.init)
                guard groups.count + tail.count < 8 else { return nil }
                groups += Array(repeating: "0", count: 8 - groups.count - tail.count) + tail
            }
            guard halves.count <= 2, groups.count == 8 else { return nil }
            text = groups.prefix(4).joined(separator: ":") + "::/64"
        } else {
            let parts = address.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
            text = parts.prefix(3).joined(separator: ".") + ".0/24"
        }
    }
}
