import Domain

// What stands behind damage, and what stands in for a header.

/// The header of a segment whose own is unreadable, from what else is known.
struct HeaderStandIn {
    let header: SegmentHeader
    /// Whether the chain before it is known too, not only whose journal it is.
    let isChainKnown: Bool
}

extension SegmentCursor {
    /// Names what is no intact record at the offset and goes to the next one; nil where none follows (yet).
    func passDamage(supposedEnd end: Int?) throws(JournalError) -> Step? {
        if let next = try intact(from: offset + 1) {
            // The length leads to the very next record: then it is right, and something behind it is not.
            return next.place == end && next.sequence > expected
                ? try changed(to: next.place, .changed) : skip(to: next.place, next.sequence)
        }
        if end == window.size { return try changed(to: window.size, .changed) }
        // A last record whose only fault is its length is whole: its checksum says so.
        let rest = window.size - offset
        guard rest >= SegmentCursor.leastRecord, rest <= SegmentCursor.largestRecord,
            try isIntact(offset, window.size)
        else { return nil }
        return try changed(to: window.size, .length)
    }

    private static let leastRecord = JournalFormat.recordHeaderBytes + JournalFormat.payloadHeaderBytes
    private static let largestRecord = JournalFormat.recordHeaderBytes + JournalFormat.maximumPayload

    /// The first intact record from a place on that is not older than what is expected.
    func intact(from start: Int) throws(JournalError) -> (place: Int, sequence: UInt64)? {
        var place = start
        while place + SegmentCursor.leastRecord <= window.size {
            if let end = try intactEnd(at: place), try window.has(end - place, at: place) {
                let sequence = window.integer(UInt64.self, at: place + JournalFormat.recordHeaderBytes + 4)
                if sequence >= expected { return (place, sequence) }
            }
            place += 1
        }
        return nil
    }

    private func skip(to place: Int, _ sequence: UInt64) -> Step {
        let range = sequence > expected ? expected...(sequence - 1) : nil
        let damage = JournalDamage(range == nil ? .foreign : .cut, name, at: offset, bytes: place - offset, range)
        offset = place
        expected = sequence
        if range != nil { links = [] }
        return .damage(damage)
    }
}

extension JournalDamage {
    /// The same, with where it is in a compressed segment's file.
    func at(fileOffset: Int) -> JournalDamage {
        JournalDamage(kind, segment, at: offset, bytes: bytes, sequences, fileOffset: fileOffset)
    }
}

extension JournalDirectory {
    /// What a segment's header must have said, if it should be unreadable: from the segment before, from the anchor, or,
    /// for the id alone, from any other segment.
    func standIn(for segment: SegmentReference, behind before: SegmentCursor?) throws(JournalError) -> HeaderStandIn? {
        if let before {
            let header = SegmentHeader(
                identifier: before.header.identifier, firstSequence: segment.first,
                createdAt: before.header.createdAt, previousChain: before.chains.first ?? before.header.previousChain)
            return HeaderStandIn(header: header, isChainKnown: !before.chains.isEmpty)
        }
        if let anchor = try anchor().anchor, anchor.first == segment.first {
            return HeaderStandIn(header: anchor.header, isChainKnown: true)
        }
        guard let identifier = try identifier(unlike: segment) else { return nil }
        let header = SegmentHeader(
            identifier: identifier, firstSequence: segment.first, createdAt: Timestamp(milliseconds: 0),
            previousChain: ChainHash([]))
        return HeaderStandIn(header: header, isChainKnown: false)
    }

    /// The journal's id, from its anchor or the first readable segment but one.
    func identifier(unlike segment: SegmentReference?) throws(JournalError) -> [UInt8]? {
        if let anchor = try anchor().anchor { return anchor.identifier }
        for other in try segments() where other != segment {
            let source = try open(other)
            let count = min(source.size, JournalFormat.segmentHeaderBytes)
            if let header = SegmentHeader(try source.read(at: 0, count: count)) { return header.identifier }
        }
        return nil
    }
}
