import Domain

/// Reads one segment record by record, checks each, and finds the next intact one behind damage.
///
/// At the end of a segment that is being written it may be asked again. Owned by one thread.
final class SegmentCursor {
    enum Step {
        case record(JournalRecord)
        case damage(JournalDamage)
        /// Nothing more now. The bytes behind the last whole record, if any, are no record (yet).
        case end(unread: Int)
    }

    let name: String
    private(set) var header: SegmentHeader
    /// Whether the header in the file is readable, not a stand-in.
    let isHeaderIntact: Bool
    let window: SegmentWindow
    /// Where the next record is expected.
    var offset = JournalFormat.segmentHeaderBytes
    /// The number the next record should have.
    var expected: UInt64
    /// What the next record's chain may continue: empty where damage leaves that open.
    var links: [ChainHash]
    /// The first number that may not be read yet.
    var limit: UInt64 = .max
    private var waiting: [Step] = []
    /// The part of the content that was last said to be damaged.
    private var named = 0..<0

    /// Opens a segment; nil where its header is unreadable and nothing stands in for it.
    init?(
        directory: JournalDirectory, _ segment: SegmentReference, standIn: HeaderStandIn? = nil
    ) throws(JournalError) {
        let source = try directory.open(segment)
        let count = min(source.size, JournalFormat.segmentHeaderBytes)
        let read = SegmentHeader(try source.read(at: 0, count: count))
        guard let header = read ?? standIn?.header else { return nil }
        name = segment.name
        window = SegmentWindow(source)
        self.header = header
        isHeaderIntact = read != nil
        expected = header.firstSequence
        links = read != nil || standIn?.isChainKnown ?? true ? [header.previousChain] : []
        // Where bytes of the header are gone the first record begins earlier.
        if !isHeaderIntact, let first = try intact(from: 0), first.place < offset { offset = first.place }
    }

    /// What a record behind the last one read may continue: one value, two where damage leaves it open.
    var chains: [ChainHash] { links }
    var size: Int { window.size }

    func next() throws(JournalError) -> Step {
        if !waiting.isEmpty { return waiting.removeFirst() }
        guard expected < limit else { return .end(unread: 0) }
        let known = window.size
        let before = offset
        if let step = try step() { return note(step, from: before) }
        // Somebody may be writing: what is no record yet may be one now.
        try window.refresh()
        if window.size != known, let step = try step() { return note(step, from: before) }
        return note(.end(unread: window.size - offset), from: before)
    }

    private func step() throws(JournalError) -> Step? {
        guard offset < window.size else { return nil }
        let end = try frameEnd(at: offset)
        if let end, try isIntact(offset, end) { return try accept(to: end) }
        return try passDamage(supposedEnd: end)
    }

    /// Adds what is wrong with the file itself, unless the records it cost say so already.
    private func note(_ step: Step, from before: Int) -> Step {
        var steps = [step]
        if case .damage(let damage) = step { named = before..<max(offset, before + damage.bytes) }
        for found in window.takeDamages(before: offset) {
            if !found.isRepaired, named.overlaps(found.content) {
                if case .damage(let damage) = steps[0], damage.fileOffset == nil {
                    steps[0] = .damage(damage.at(fileOffset: found.fileOffset))
                }
                continue
            }
            let damage = JournalDamage(
                found.isRepaired ? .repaired : .unreadable, name, at: found.content.lowerBound, bytes: found.bytes,
                nil, fileOffset: found.fileOffset)
            steps.insert(.damage(damage), at: 0)
        }
        waiting = steps.dropFirst() + waiting
        return steps[0]
    }

    // MARK: - One record

    /// Where the record at an offset would end by its length, if that is possible.
    func frameEnd(at offset: Int) throws(JournalError) -> Int? {
        guard try window.has(JournalFormat.recordHeaderBytes + JournalFormat.payloadHeaderBytes, at: offset) else {
            return nil
        }
        let length = Int(window.integer(UInt32.self, at: offset))
        guard (JournalFormat.payloadHeaderBytes...JournalFormat.maximumPayload).contains(length) else { return nil }
        let end = offset + JournalFormat.recordHeaderBytes + length
        guard end <= window.size, try window.has(end - offset, at: offset) else { return nil }
        return end
    }

    func isIntact(_ offset: Int, _ end: Int) throws(JournalError) -> Bool {
        guard try window.has(end - offset, at: offset), headerMakesSense(offset) else { return false }
        let state = header.identifier.withUnsafeBytes { Checksum.update(Checksum.start, $0) }
        let sum = window.withBytes((offset + 8)..<end) { Checksum.finish(Checksum.update(state, $0)) }
        return sum == window.integer(UInt32.self, at: offset + 4)
    }

    private func headerMakesSense(_ offset: Int) -> Bool {
        let payload = offset + JournalFormat.recordHeaderBytes
        let source = window.byte(at: payload + 1)
        return window.byte(at: payload) == JournalFormat.version && source > 0 && source <= JournalSource.newest
            && window.integer(UInt16.self, at: payload + 2) & ~JournalFlags.known == 0
    }

    func intactEnd(at offset: Int) throws(JournalError) -> Int? {
        guard let end = try frameEnd(at: offset), try isIntact(offset, end) else { return nil }
        return end
    }

    private func accept(to end: Int) throws(JournalError) -> Step {
        let payload = offset + JournalFormat.recordHeaderBytes
        let sequence = window.integer(UInt64.self, at: payload + 4)
        let chain = ChainHash(window.slice((offset + 8)..<(offset + JournalFormat.recordHeaderBytes)))
        let continues =
            links.isEmpty
            || window.withBytes(payload..<end) { bytes in links.contains { $0.following(bytes) == chain } }
        let start = offset
        if sequence > expected {
            // The number is behind the checksum, so it is the number that was written: the others are gone.
            let gap = expected...(sequence - 1)
            waiting.append(.record(record(sequence, chain, payload, end)))
            move(to: end, sequence, links: [chain])
            return .damage(JournalDamage(.missing, name, at: start, bytes: 0, gap))
        }
        if sequence < expected {
            offset = end
            return .damage(JournalDamage(.foreign, name, at: start, bytes: end - start, nil))
        }
        guard continues else { return try changed(to: end, .rewritten) }
        let found = record(sequence, chain, payload, end)
        move(to: end, sequence, links: [chain])
        return .record(found)
    }

    private func record(_ sequence: UInt64, _ chain: ChainHash, _ payload: Int, _ end: Int) -> JournalRecord {
        JournalRecord(
            sequence: sequence,
            receivedAt: Timestamp(milliseconds: window.integer(Int64.self, at: payload + 12)),
            source: JournalSource(rawValue: window.byte(at: payload + 1)),
            flags: JournalFlags(rawValue: window.integer(UInt16.self, at: payload + 2)),
            bytes: Array(window.slice((payload + JournalFormat.payloadHeaderBytes)..<end)), chain: chain)
    }

    func move(to end: Int, _ sequence: UInt64, links: [ChainHash]) {
        offset = end
        expected = sequence + 1
        self.links = links
    }

    /// Names the record at the offset as damaged and steps over it.
    func changed(to end: Int, _ kind: JournalDamage.Kind) throws(JournalError) -> Step {
        let damage = JournalDamage(kind, name, at: offset, bytes: end - offset, expected...expected)
        move(to: end, expected, links: try linksAfterDamage(to: end))
        return .damage(damage)
    }

    /// The next record continues the chain as it is stored, or as it follows from the payload, if only one of the two
    /// changed.
    private func linksAfterDamage(to end: Int) throws(JournalError) -> [ChainHash] {
        guard try window.has(end - offset, at: offset) else { return [] }
        let payload = offset + JournalFormat.recordHeaderBytes
        let stored = ChainHash(window.slice((offset + 8)..<payload))
        let candidates = [stored] + links.map { link in window.withBytes(payload..<end) { link.following($0) } }
        guard let following = try intactEnd(at: end) else { return candidates }
        let nextPayload = end + JournalFormat.recordHeaderBytes
        let chain = ChainHash(window.slice((end + 8)..<nextPayload))
        let continues = window.withBytes(nextPayload..<following) { bytes in
            candidates.contains { $0.following(bytes) == chain }
        }
        // Where neither continues, the damage just named explains it: the next record is not blamed for it.
        return continues ? candidates : []
    }
}
