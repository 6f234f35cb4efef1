/// Reads a journal in order, whole or from a sequence on, while it is being written or not.
///
/// Damage is handed out in its place between the records and never hides an intact record. At the end `next` is nil
/// and may be asked again later. Owned by one thread.
public final class JournalReader {
    public enum Item: Sendable, Equatable {
        case record(JournalRecord)
        case damage(JournalDamage)
    }

    private let directory: JournalDirectory
    private let from: UInt64
    private var cursor: SegmentCursor?
    private var waiting: [Item] = []
    /// How many segments were opened.
    public private(set) var segmentsRead = 0
    /// Bytes behind the last whole record, when `next` last gave nil.
    public private(set) var tornTail: TornTail?
    /// The first sequence that is not expected to be there yet.
    public var expected: UInt64 { cursor?.expected ?? from }

    /// - Parameters:
    ///   - directory: the folder of the segments; it need not exist yet.
    ///   - from: the first sequence wanted; where older segments are archived, the first one there is.
    public init(directory: String, from: UInt64 = 1) {
        self.directory = JournalDirectory(path: directory)
        self.from = from
    }

    /// The next record or damage below `limit`, nil where there is none now.
    public func next(below limit: UInt64 = .max) throws(JournalError) -> Item? {
        while true {
            if !waiting.isEmpty { return waiting.removeFirst() }
            if cursor == nil {
                guard try openFirst() else { return nil }
                continue
            }
            guard let cursor else { return nil }
            cursor.limit = limit
            switch try cursor.next() {
            case .record(let record):
                if record.sequence >= from { return .record(record) }
            case .damage(let damage):
                if (damage.sequences?.upperBound ?? .max) >= from { return .damage(damage) }
            case .end:
                guard try openNext(after: cursor, limit) else { return nil }
            }
        }
    }

    /// The journal's random name, 32 hexadecimal digits; nil while there is no readable segment.
    public static func identifier(directory: String) throws(JournalError) -> String? {
        let folder = JournalDirectory(path: directory)
        guard access(folder) else { return nil }
        return try folder.identifier(unlike: nil).map { JournalFormat.text(ofIdentifier: $0) }
    }

    private static func access(_ folder: JournalDirectory) -> Bool { (try? folder.segments()) != nil }

    private func openFirst() throws(JournalError) -> Bool {
        guard JournalReader.access(directory) else { return false }
        let segments = try directory.segments()
        let start = segments.lastIndex { $0.first <= from } ?? 0
        guard start < segments.count else { return false }
        if start == 0 { try checkBeginning(segments[0]) }
        return try open(segments, at: start, after: nil)
    }

    /// A journal that begins later than its anchor says is cut.
    private func checkBeginning(_ segment: SegmentReference) throws(JournalError) {
        switch try directory.anchor() {
        case .absent: break
        case .unreadable:
            if from <= 1 {
                waiting.append(.damage(JournalDamage(.anchor, JournalAnchor.name, at: 0, bytes: 0, nil)))
            }
        case .present(let anchor):
            guard segment.first > max(anchor.first, 1), segment.first > from else { return }
            let gap = max(anchor.first, from)...(segment.first - 1)
            waiting.append(.damage(JournalDamage(.missing, segment.name, at: 0, bytes: 0, gap)))
        }
    }

    private func openNext(after finished: SegmentCursor, _ limit: UInt64) throws(JournalError) -> Bool {
        let segments = try directory.segments()
        guard let index = segments.firstIndex(where: { $0.first > finished.header.firstSequence }) else {
            return noteTail(of: finished, limit)
        }
        // The next segment exists, so this one is complete: look once more for what came in between.
        switch try finished.next() {
        case .record(let record): waiting.append(.record(record))
        case .damage(let damage): waiting.append(.damage(damage))
        case .end(let unread):
            guard segments[index].first < limit else { return noteTail(of: finished, limit) }
            return try close(finished, unread: unread, segments, index)
        }
        return true
    }

    private func close(
        _ finished: SegmentCursor, unread: Int, _ segments: [SegmentReference], _ index: Int
    ) throws(JournalError) -> Bool {
        let first = segments[index].first
        var gap = first > finished.expected ? finished.expected...(first - 1) : nil
        // Segments past their time may have been removed while this one was read.
        if let missing = gap, case .present(let anchor) = try directory.anchor(), anchor.first > missing.upperBound {
            gap = nil
        }
        if unread > 0 || gap != nil {
            let kind: JournalDamage.Kind = unread > 0 ? (gap == nil ? .foreign : .cut) : .missing
            waiting.append(
                .damage(JournalDamage(kind, finished.name, at: finished.size - unread, bytes: unread, gap)))
        }
        return try open(segments, at: index, after: finished)
    }

    private func noteTail(of last: SegmentCursor, _ limit: UInt64) -> Bool {
        guard last.expected < limit else { return false }
        let unread = last.size - last.offset
        tornTail = unread > 0 ? TornTail(segment: last.name, offset: last.offset, bytes: unread) : nil
        return false
    }

    private func open(
        _ segments: [SegmentReference], at index: Int, after before: SegmentCursor?
    ) throws(JournalError) -> Bool {
        let (first, name) = (segments[index].first, segments[index].name)
        let standIn = try directory.standIn(for: segments[index], behind: before)
        guard let opened = try SegmentCursor(directory: directory, segments[index], standIn: standIn) else {
            // Nothing tells this journal's records from noise without its id. The newest may be in the making.
            guard index + 1 < segments.count else { return false }
            waiting.append(
                .damage(JournalDamage(.header, name, at: 0, bytes: 0, first...(segments[index + 1].first - 1))))
            return try open(segments, at: index + 1, after: before)
        }
        let follows =
            before.map { before in
                opened.header.identifier == before.header.identifier
                    && (before.chains.isEmpty || before.chains.contains(opened.header.previousChain))
            } ?? true
        if !opened.isHeaderIntact || !follows || opened.header.firstSequence != first {
            waiting.append(
                .damage(JournalDamage(.header, name, at: 0, bytes: JournalFormat.segmentHeaderBytes, nil)))
        }
        segmentsRead += 1
        cursor = opened
        return true
    }
}
