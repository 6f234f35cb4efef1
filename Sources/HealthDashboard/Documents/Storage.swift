import Wire

/// How much memory Redis uses of what it may use.
struct RedisMemory: Sendable, Equatable {
    /// From this share on it is a warning: above 100 % Redis refuses writes, or the machine ends it.
    static let warning = 0.7

    let used: Int64
    let maximum: Int64
    /// `maxmemory`, or `machine` where none is set.
    let limit: String

    /// - Parameter information: fields of INFO.
    /// - Returns: nil until INFO was read.
    init?(_ information: [String: String], machine: Int64) {
        func bytes(_ name: String) -> Int64? { information[name].flatMap { Int64($0) } }
        guard let used = bytes("used_memory") else { return nil }
        self.used = used
        if let configured = bytes("maxmemory"), configured > 0 {
            maximum = configured
            limit = "maxmemory"
        } else {
            // Redis may run on another machine: its own word on the memory there goes first.
            maximum = bytes("total_system_memory") ?? machine
            limit = "machine"
        }
    }

    /// 0 to 1; nil where nothing says what the most is.
    var share: Double? { maximum > 0 ? Double(used) / Double(maximum) : nil }
    var isHigh: Bool { share.map { $0 >= RedisMemory.warning } ?? false }

    var json: JSON {
        .object([
            "used_bytes": .integer(used), "max_bytes": maximum > 0 ? .integer(maximum) : .null,
            "share": .rounded(share, 4), "limit": .string(limit),
        ])
    }
}

/// What the journals keep on disk, as confirmation-logger and position-tracker report it.
struct JournalStorage: Sendable, Equatable {
    static let tiers = ["hot", "warm", "cold"]

    /// nil while nobody reports it.
    let segments: Int64?
    let bytes: Int64?
    /// Tier to bytes; a tier nobody reports is missing.
    let byTier: [String: Int64]
    /// position-tracker's own journal.
    let ledgerBytes: Int64?

    init(_ snapshot: Snapshot) {
        func gauge(_ name: String) -> Int64? {
            let values = snapshot.services.compactMap { $0.gauges[name]?.text.flatMap { Int64($0) } }
            return values.isEmpty ? nil : values.reduce(0, +)
        }
        segments = gauge("journal_segments")
        bytes = gauge("journal_bytes")
        var tiers: [String: Int64] = [:]
        for tier in JournalStorage.tiers { tiers[tier] = gauge("journal_\(tier)_bytes") }
        byTier = tiers
        ledgerBytes = gauge("ledger_journal_bytes")
    }

    var json: JSON {
        var object: JSONObject = ["segments": segments.map { .integer($0) } ?? .null]
        for tier in JournalStorage.tiers { object.append("\(tier)_bytes", byTier[tier].map { .integer($0) } ?? .null) }
        object.append("bytes", bytes.map { .integer($0) } ?? .null)
        object.append("ledger_bytes", ledgerBytes.map { .integer($0) } ?? .null)
        return .object(object)
    }
}
