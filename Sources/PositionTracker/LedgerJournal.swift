import Domain
import Journal
import ServiceKit
import Wire

/// One part of a write: commands that are done if the condition holds.
struct LedgerStep {
    enum Condition {
        case always
        /// The row at the key must be in one of these states; an absent row is in the state `absent`.
        case state(key: String, of: [String])
        /// There must be something at the key.
        case exists(key: String)
        /// There must be nothing at the key.
        case absent(key: String)
        /// The fire's id is new, or was denied before, and a slot is free.
        case reserve(row: String, slots: String, maximum: Int)
        /// The position is not open, and a slot is free.
        case open(row: String, slots: String, maximum: Int)
        /// Nobody, or the same claim, has the key.
        case claim(key: String, by: String)

        var json: [String] {
            switch self {
            case .always: ["always"]
            case .state(let key, let states): ["state", key, " \(states.joined(separator: " ")) "]
            case .exists(let key): ["exists", key]
            case .absent(let key): ["absent", key]
            case .reserve(let row, let slots, let maximum): ["reserve", row, slots, String(maximum)]
            case .open(let row, let slots, let maximum): ["open", row, slots, String(maximum)]
            case .claim(let key, let claim): ["claim", key, claim]
            }
        }
    }

    let condition: Condition
    let commands: [[String]]

    init(_ condition: Condition, _ commands: [[String]]) {
        self.condition = condition
        self.commands = commands
    }

    /// What may be done one after the other: the commands of an unconditional step.
    var pieces: [LedgerStep] {
        guard case .always = condition else { return [self] }
        return commands.map { LedgerStep(.always, [$0]) }
    }
}

/// Which event of which journal of confirmations, and the stream entry that brought it.
struct EventPlace: Equatable {
    /// The journal's id; empty where the entry does not say.
    let journal: String
    let sequence: UInt64
    let eventID: String
    let entry: String
}

/// One record of the tracker's journal as text: what the script gets and what the journal keeps are the same bytes.
struct LedgerRecord {
    enum Kind: String {
        case write
        /// Whoever asked for it is told at once when the answer is lost; not done before then, it is not done any more.
        case revocable
        /// What Redis had at a start: in Redis already, there to rebuild from.
        case snapshot
        /// An earlier record, or steps of it, did not take effect.
        case refused
    }

    /// What is written in parts takes effect with the last one: all of them stand one behind the other.
    enum Part: String {
        case more
        case last
    }

    let kind: Kind
    let text: String
    let part: Part?
    private let steps: [LedgerStep]
    private let event: EventPlace?

    init(_ kind: Kind, _ steps: [LedgerStep], event: EventPlace? = nil, part: Part? = nil) {
        self.kind = kind
        self.steps = steps
        self.event = event
        self.part = part
        var object: JSONObject = ["kind": .string(kind.rawValue)]
        if let part { object.append("part", .string(part.rawValue)) }
        object.append(
            "steps",
            .array(
                steps.map { step in
                    .object([
                        "if": .array(step.condition.json.map(JSON.string)),
                        "do": .array(step.commands.map { .array($0.map(JSON.string)) }),
                    ])
                }))
        if let event {
            let fields = [event.journal, String(event.sequence), event.eventID, event.entry]
            object.append("event", .array(fields.map(JSON.string)))
        }
        text = JSON.object(object).compactText
    }

    /// What was refused of a record: `0` stands for all of it.
    init(refused sequence: UInt64, steps: [Int]) {
        kind = .refused
        self.steps = []
        event = nil
        part = nil
        let object: JSONObject = [
            "kind": .string(Kind.refused.rawValue), "of": .string(String(sequence)),
            "numbers": .string(LedgerRecord.skip(steps)),
        ]
        text = JSON.object(object).compactText
    }

    /// The same in records that are each at most so long, in bytes of text: steps apart from each other, an
    /// unconditional one in pieces, the event with the last. Nil where a single step or command is longer.
    func split(maximum: Int) -> [LedgerRecord]? {
        guard text.utf8.count > maximum else { return [self] }
        // Whoever may revoke it must revoke all of it.
        guard kind == .write || kind == .snapshot else { return nil }
        var records: [LedgerRecord] = []
        var part: [LedgerStep] = []
        // The last one carries the event, and any may be the last.
        let head = LedgerRecord(kind, [], event: event, part: .last).text.utf8.count
        var size = head
        for piece in steps.flatMap(\.pieces) {
            let more = LedgerRecord(kind, [piece]).text.utf8.count
            if !part.isEmpty, size + more > maximum {
                records.append(LedgerRecord(kind, part, part: .more))
                part = []
                size = head
            }
            part.append(piece)
            size += more
        }
        records.append(LedgerRecord(kind, part, event: event, part: .last))
        return records.allSatisfy { $0.text.utf8.count <= maximum } ? records : nil
    }

    /// A call that only moves the mark.
    static let nothing = "{}"

    static func skip(_ steps: [Int]) -> String {
        steps.isEmpty ? "" : ",\(steps.map(String.init).joined(separator: ",")),"
    }

    /// The kind of a record that was read, without reading all of it.
    static func kind(of text: String) -> Kind? {
        let head = "{\"kind\":\""
        guard text.hasPrefix(head) else { return nil }
        return Kind(rawValue: String(text.dropFirst(head.count).prefix { $0 != "\"" }))
    }

    /// Which part of a write a record that was read is; nil where it is all of it.
    static func part(of text: String) -> Part? {
        for kind in [Kind.write, .snapshot] {
            let head = "{\"kind\":\"\(kind.rawValue)\",\"part\":\""
            guard text.hasPrefix(head) else { continue }
            return Part(rawValue: String(text.dropFirst(head.count).prefix { $0 != "\"" }))
        }
        return nil
    }
}

/// The tracker's own journal, `<var>/ledger`: every write of the ledger, in the order in which Redis got them.
///
/// A record is taken before its command leaves; nobody waits for the disk, since Redis has it durable before it
/// answers. What a crash kept from the disk in those milliseconds is in Redis, and the next start's snapshot brings it
/// in.
/// Owned by the loop's thread; the writer's own thread does the disk.
final class LedgerJournal {
    let directory: String
    private let writer: JournalWriter

    /// - Throws: ``JournalError``.
    init(
        directory: String, keeping: MeshConfiguration.JournalKeeping = MeshConfiguration.JournalKeeping(),
        options: JournalWriter.Options = JournalWriter.Options()
    ) throws(JournalError) {
        self.directory = directory
        var options = options
        if keeping.segmentMegabytes > 0 { options.segmentBytes = keeping.segmentMegabytes << 20 }
        options.tiers = JournalTiers(
            hotHours: keeping.hotHours, warmDays: keeping.warmDays, coldDays: keeping.coldDays,
            coldDirectory: keeping.coldDirectory.map { $0 + "/ledger" })
        writer = try JournalWriter(directory: directory, options: options, now: SystemClock.now()) {}
    }

    /// Bytes of each tier and the number of segments, by the names of reports.
    var tierGauges: [(name: String, value: Int64)] { writer.tierGauges.map { ("ledger_" + $0.0, $0.1) } }

    /// The name Redis keeps its mark under.
    var identifier: String { writer.recovery.identifier }
    var recovery: JournalRecovery { writer.recovery }
    var status: JournalWriter.Status { writer.status }
    /// Up to where it is archived.
    var archive: JournalArchive { writer.status.archive }
    /// Whether so much waits for the disk that nothing new may begin.
    var isFull: Bool { writer.isFull }
    /// Whether the disk takes nothing at present. What is under way is still written down, in memory as far as it goes.
    var isFailing: Bool { writer.status.failure != nil }
    /// Whether something new may begin.
    var takesNew: Bool { !isFull && !isFailing }

    /// The longest record, in bytes of its text.
    static let maximumRecord = JournalWriter.maximumFrame

    /// The sequence of the record, which is at most ``maximumRecord`` long; it is on disk a few milliseconds later.
    func append(_ record: LedgerRecord) -> UInt64 {
        writer.append(.ledger, receivedAt: SystemClock.now(), Array(record.text.utf8))
    }

    /// Puts on disk what is still on its way there.
    func close() { writer.close() }
}
