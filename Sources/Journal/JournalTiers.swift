public import Domain

/// How long a journal's segments stay in each form, and where the cold ones are.
///
/// Hot: plain, the one that is written. Warm: closed and compressed, in the journal's folder. Cold: the same files in
/// `<journal>/cold`. Behind that they are removed, and the anchor says where the journal begins.
public struct JournalTiers: Sendable, Equatable {
    private static let hour: Int64 = 3_600_000

    /// After so long the segment that is written is closed, in milliseconds.
    public var hot = 24 * JournalTiers.hour
    /// After so long a closed segment goes into the cold, in milliseconds from its last record.
    public var warm = 30 * 24 * JournalTiers.hour
    /// After so long it is removed, in milliseconds from its last record. Seven years.
    public var cold = 2557 * 24 * JournalTiers.hour
    /// Where cold segments really are: `<journal>/cold` is made a link to it. Nil: they are in `<journal>/cold` itself.
    public var coldDirectory: String?
    /// Whether closed segments are compressed, moved and removed at all.
    public var isOn = true

    public init() {}

    /// - Parameters: retentions in hours and days; 0 or less keeps the default.
    public init(hotHours: Int, warmDays: Int, coldDays: Int, coldDirectory: String? = nil) {
        if hotHours > 0 { hot = Int64(hotHours) * JournalTiers.hour }
        if warmDays > 0 { warm = Int64(warmDays) * 24 * JournalTiers.hour }
        if coldDays > 0 { cold = max(warm, Int64(coldDays) * 24 * JournalTiers.hour) }
        self.coldDirectory = coldDirectory
    }
}

/// Files and bytes of a journal by tier.
public struct JournalSizes: Sendable, Equatable {
    public var hotBytes = 0
    public var warmBytes = 0
    public var coldBytes = 0
    public var segments = 0

    public var bytes: Int { hotBytes + warmBytes + coldBytes }

    public init() {}

    /// What is in a journal's folder now, by the files' sizes.
    public static func measured(directory: String) throws(JournalError) -> JournalSizes {
        let folder = JournalDirectory(path: directory)
        var sizes = JournalSizes()
        for segment in try folder.segments() { sizes.add(segment, try folder.size(of: segment)) }
        return sizes
    }

    mutating func add(_ segment: SegmentReference, _ bytes: Int) {
        segments += 1
        if segment.isCold {
            coldBytes += bytes
        } else if segment.isCompressed {
            warmBytes += bytes
        } else {
            hotBytes += bytes
        }
    }
}

/// Up to where a journal is archived: in segments that are closed and compressed, warm or cold.
public struct JournalArchive: Sendable, Equatable {
    /// The highest sequence of which this and everything before it is archived; 0 for nothing.
    public var through: UInt64 = 0
    /// When the first segment that is not archived was begun: everything written before is archived.
    public var before = Timestamp(milliseconds: 0)

    public init() {}
}

extension JournalWriter {
    /// What a service reports about its journal's tiers, each second: names as in `/health` and `/metrics`.
    public var tierGauges: [(name: String, value: Int64)] {
        let sizes = status.sizes
        return [
            ("journal_hot_bytes", Int64(sizes.hotBytes)), ("journal_warm_bytes", Int64(sizes.warmBytes)),
            ("journal_cold_bytes", Int64(sizes.coldBytes)), ("journal_segments", Int64(sizes.segments)),
        ]
    }
}
