/// A compressed segment, read as if it were not: an index of its members, and the content of those in use.
///
/// A member that is damaged is restored where one bit changed; else what stands before the damage is read, and the rest
/// of its content is zero, which is no record. The members around it are found by their headers. Owned by one thread.
final class CompressedSegment: SegmentSource {
    private struct Member {
        let fileOffset: Int
        let length: Int
        let content: Range<Int>
    }

    private let file: SegmentWindow
    private var members: [Member] = []
    private var damages: [SegmentFileDamage] = []
    private var known: Set<Int> = []
    private(set) var size = 0

    init(_ file: JournalFile) throws(JournalError) {
        self.file = SegmentWindow(try PlainSegment(file))
        try index()
    }

    /// A compressed segment never grows.
    func refresh() {}

    // MARK: - The index

    private func index() throws(JournalError) {
        var place = 0
        while place < file.size {
            if let block = try member(at: place) {
                note(Member(fileOffset: place, length: block.length, content: range(block)))
                place += block.length
                continue
            }
            // Whatever stands here is no member as it should be: it reaches to the next one.
            var next = place + 1
            var following: CompressedBlock?
            while next < file.size, following == nil {
                following = try member(at: next)
                if following == nil { next += 1 }
            }
            try noteDamaged(place..<next, following)
            place = next
        }
    }

    private func range(_ block: CompressedBlock) -> Range<Int> {
        block.contentOffset..<(block.contentOffset + block.contentLength)
    }

    private func note(_ member: Member) {
        members.append(member)
        size = max(size, member.content.upperBound)
    }

    private func header(at offset: Int) throws(JournalError) -> CompressedBlock? {
        guard try file.has(CompressedBlock.headerBytes, at: offset), file.byte(at: offset) == 0x1F else { return nil }
        return CompressedBlock(file.slice(offset..<(offset + CompressedBlock.headerBytes)))
    }

    /// A member that ends where its header says: the next header continues it, or its checksum proves it.
    private func member(at offset: Int) throws(JournalError) -> CompressedBlock? {
        guard let block = try header(at: offset), offset + block.length <= file.size else { return nil }
        let end = offset + block.length
        if block.contentOffset == size, let next = try header(at: end),
            next.contentOffset == size + block.contentLength
        {
            return block
        }
        guard let bytes = try bytes(offset..<end) else { return nil }
        let whole = CompressedBlock.content(bytes) == nil ? CompressedBlock.repaired(bytes) : bytes
        guard let whole, let proven = CompressedBlock(whole[...]), proven.contentOffset >= size else { return nil }
        return proven
    }

    private func noteDamaged(_ range: Range<Int>, _ following: CompressedBlock?) throws(JournalError) {
        // One changed bit may have been in the header.
        if let bytes = try bytes(range), let repaired = CompressedBlock.repaired(bytes),
            let block = CompressedBlock(repaired[...]), block.contentOffset >= size
        {
            return note(Member(fileOffset: range.lowerBound, length: range.count, content: self.range(block)))
        }
        let end = following?.contentOffset ?? size
        if end > size {
            note(Member(fileOffset: range.lowerBound, length: range.count, content: size..<end))
        } else {
            damages.append(
                SegmentFileDamage(
                    content: size..<size, fileOffset: range.lowerBound, bytes: range.count, isRepaired: false))
        }
    }

    private func bytes(_ range: Range<Int>) throws(JournalError) -> [UInt8]? {
        guard range.count < 1 << 26, try file.has(range.count, at: range.lowerBound) else { return nil }
        return Array(file.slice(range))
    }

    // MARK: - The content

    func read(at offset: Int, count: Int) throws(JournalError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(count)
        let end = offset + count
        var number = firstMember(reaching: offset)
        while output.count < count, number < members.count, members[number].content.lowerBound < end {
            let member = members[number]
            fill(&output, to: member.content.lowerBound - offset)
            let content = try content(of: number)
            let from = offset + output.count - member.content.lowerBound
            let to = min(end, member.content.upperBound) - member.content.lowerBound
            if from < content.count { output += content[from..<min(to, content.count)] }
            fill(&output, to: min(end, member.content.upperBound) - offset)
            number += 1
        }
        fill(&output, to: count)
        return output
    }

    private func fill(_ output: inout [UInt8], to count: Int) {
        if count > output.count { output += [UInt8](repeating: 0, count: count - output.count) }
    }

    private func firstMember(reaching offset: Int) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].content.upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func content(of number: Int) throws(JournalError) -> [UInt8] {
        let member = members[number]
        let range = member.fileOffset..<(member.fileOffset + member.length)
        guard let bytes = try bytes(range) else {
            note(member, isRepaired: false)
            return []
        }
        if let content = CompressedBlock.content(bytes) { return content }
        if let repaired = CompressedBlock.repaired(bytes), let content = CompressedBlock.content(repaired) {
            note(member, isRepaired: true)
            return content
        }
        note(member, isRepaired: false)
        guard bytes.count > CompressedBlock.headerBytes else { return [] }
        return GzipCodec.inflated(bytes[CompressedBlock.headerBytes...], count: min(member.content.count, 4 << 20))
    }

    private func note(_ member: Member, isRepaired: Bool) {
        guard known.insert(member.fileOffset).inserted else { return }
        damages.append(
            SegmentFileDamage(
                content: member.content, fileOffset: member.fileOffset, bytes: member.length, isRepaired: isRepaired))
    }

    func takeDamages(before offset: Int) -> [SegmentFileDamage] {
        guard !damages.isEmpty else { return [] }
        let taken = damages.filter { $0.content.upperBound <= offset }
        damages.removeAll { $0.content.upperBound <= offset }
        return taken
    }
}
