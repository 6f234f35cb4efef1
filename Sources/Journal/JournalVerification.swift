/// What a look at every record of a journal found. Works while the mesh runs.
public struct JournalVerification: Sendable, Equatable {
    /// The most pieces of damage that are kept one by one; all are counted.
    public static let keptDamages = 10_000
    private static let toldEvery: UInt64 = 20_000

    public private(set) var segments = 0
    public private(set) var records: UInt64 = 0
    /// Bytes of frames and decisions, without headers.
    public private(set) var bytes: UInt64 = 0
    public private(set) var firstSequence: UInt64?
    public private(set) var lastSequence: UInt64?
    /// In the order of the journal; the first is the first bad record.
    public private(set) var damages: [JournalDamage] = []
    public private(set) var damageCount = 0
    /// A last record that was not written to its end, or is being written now.
    public private(set) var tornTail: TornTail?

    /// Whether every record is as it was written. A torn tail is not damage.
    public var isIntact: Bool { damageCount == 0 }
    public var firstDamage: JournalDamage? { damages.first }

    /// Reads and checks everything: lengths, checksums, the chain, the sequence, the segments' order.
    ///
    /// - Parameters:
    ///   - directory: the folder of the segments.
    ///   - reaching: a sequence that is known to have been written (`journal:state`): a journal that ends before it
    ///     is cut.
    ///   - progress: told how many records were read so far, now and then.
    public static func run(
        directory: String, reaching: UInt64? = nil, progress: (UInt64) -> Void = { _ in }
    ) throws(JournalError) -> JournalVerification {
        var result = JournalVerification()
        let reader = JournalReader(directory: directory)
        while let item = try reader.next() {
            result.take(item)
            if result.records % JournalVerification.toldEvery == 0 { progress(result.records) }
        }
        result.segments = reader.segmentsRead
        result.tornTail = reader.tornTail
        if let reaching, reaching >= reader.expected {
            let place = reader.tornTail
            result.take(
                .damage(
                    JournalDamage(
                        .missing, place?.segment ?? "the newest segment", at: place?.offset ?? 0, bytes: 0,
                        reader.expected...reaching)))
        }
        return result
    }

    private mutating func take(_ item: JournalReader.Item) {
        switch item {
        case .record(let record):
            records += 1
            bytes += UInt64(record.bytes.count)
            if firstSequence == nil { firstSequence = record.sequence }
            lastSequence = record.sequence
        case .damage(let damage):
            damageCount += 1
            if damages.count < JournalVerification.keptDamages { damages.append(damage) }
        }
    }
}
