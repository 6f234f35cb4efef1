import Foundation

@testable import Journal

/// One segment of a journal with the faults it was given, and what they must show.
///
/// Where records and members stand is found here by their lengths alone, not by the code under test.
struct DamagedSegment {
    struct Fault: CustomStringConvertible {
        let segment: String
        /// Bytes of the file as it was: one for a flipped bit.
        let range: Range<Int>
        /// Nil for a cut.
        let bit: UInt8?

        var description: String { "\(bit == nil ? "cut" : "flip") in \(segment) at \(range)" }
    }

    /// A piece of the file that one damage can cost: a record, or a member with its records, or the header.
    private struct Piece {
        let range: Range<Int>
        let records: ClosedRange<UInt64>?
    }

    let name: String
    let isCompressed: Bool
    private let whole: [UInt8]
    private let pieces: [Piece]
    private var faults: [Fault] = []
    private var flipped: Set<Int> = []

    init(_ folder: JournalFolder, _ name: String) throws {
        self.name = name
        whole = folder.bytes(name)
        isCompressed = name.hasSuffix(".gz")
        let first = UInt64(name.dropFirst(8).prefix(20)) ?? 0
        pieces =
            isCompressed
            ? try DamagedSegment.members(whole, first, content: folder.inflated(name), folder)
            : DamagedSegment.records(whole, first, folder)
    }

    private static func records(_ bytes: [UInt8], _ first: UInt64, _ folder: JournalFolder) -> [Piece] {
        let ranges = folder.ranges(bytes)
        return [Piece(range: 0..<JournalFormat.segmentHeaderBytes, records: nil)]
            + ranges.enumerated().map { Piece(range: $1, records: (first + UInt64($0))...(first + UInt64($0))) }
    }

    private static func members(
        _ bytes: [UInt8], _ first: UInt64, content: [UInt8], _ folder: JournalFolder
    ) throws -> [Piece] {
        let records = folder.ranges(content)
        var pieces: [Piece] = []
        var place = 0
        var number = 0
        while place < bytes.count {
            let length = Int(bytes.littleEndian(UInt32.self, at: place + 16))
            let end = Int(
                bytes.littleEndian(UInt64.self, at: place + 24)
                    + UInt64(bytes.littleEndian(UInt32.self, at: place + 20)))
            let from = first + UInt64(number)
            while number < records.count, records[number].upperBound <= end { number += 1 }
            pieces.append(Piece(range: place..<(place + length), records: from...(first + UInt64(number) - 1)))
            place += length
        }
        return pieces
    }

    mutating func hurt(_ random: inout SeededGenerator, mayCut: Bool) {
        let place = Int(random.next() % UInt64(whole.count))
        if mayCut, random.next() % 2 == 0 {
            let end = min(whole.count, place + 1 + Int(random.next() % 2000))
            faults.append(Fault(segment: name, range: place..<end, bit: nil))
        } else if flipped.insert(place).inserted {
            faults.append(Fault(segment: name, range: place..<(place + 1), bit: UInt8(random.next() % 8)))
        } else {
            hurt(&random, mayCut: mayCut)
        }
    }

    private var cuts: [Fault] { faults.filter { $0.bit == nil } }

    var damagedBytes: [UInt8] {
        var bytes = whole
        for fault in faults { if let bit = fault.bit { bytes[fault.range.lowerBound] ^= 1 << bit } }
        var isKept = [Bool](repeating: true, count: bytes.count)
        for cut in cuts { for place in cut.range { isKept[place] = false } }
        return bytes.indices.filter { isKept[$0] }.map { bytes[$0] }
    }

    /// Pieces of which more than one bit is not as it was; in a plain segment, any bit.
    private func isBeyondRepair(_ piece: Piece) -> Bool {
        let touching = faults.filter { $0.range.overlaps(piece.range) }
        guard isCompressed else { return !touching.isEmpty }
        return touching.count > 1 || touching.contains { $0.bit == nil }
    }

    var touchedRecords: [UInt64] { pieces.filter(isBeyondRepair).flatMap { $0.records.map(Array.init) ?? [] } }

    /// Faults that nothing of what was reported explains.
    func unfound(_ damages: [JournalDamage]) -> [Fault] {
        let own = damages.filter { $0.segment == name }
        return faults.filter { fault in
            !pieces.contains { piece in
                piece.range.overlaps(fault.range)
                    && damages.contains { damage in
                        if let named = damage.sequences, let records = piece.records { return named.overlaps(records) }
                        return false
                    }
            }
                && !own.contains { $0.kind == .header && fault.range.lowerBound < JournalFormat.segmentHeaderBytes }
                && !own.contains { damage in
                    guard let offset = damage.fileOffset else { return false }
                    return pieces.contains { piece in
                        piece.range.overlaps(fault.range) && abs(now(piece.range.lowerBound) - offset) <= 1
                            || piece.range.overlaps(fault.range) && damage.kind == .unreadable
                                && (now(piece.range.lowerBound)...now(piece.range.upperBound)).overlaps(
                                    offset...(offset + damage.bytes))
                    }
                }
        }
    }

    /// Where a byte of the file stands after the cuts before it.
    private func now(_ place: Int) -> Int {
        var removed = IndexSet()
        for cut in cuts where cut.range.lowerBound < place {
            removed.insert(integersIn: cut.range.lowerBound..<min(place, cut.range.upperBound))
        }
        return place - removed.count
    }
}
