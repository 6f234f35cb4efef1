import Domain
import Foundation
import Testing

@testable import Journal

@Suite("Journal: damage is found, named, and hides nothing else")
struct JournalDamageTests {
    @Test("one flipped bit anywhere in a record names that record and no other")
    func flippedBits() throws {
        let seed: UInt64 = 20_261_120
        print("journal flips: seed \(seed)")
        var random = SeededGenerator(seed)
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(60, seed: seed), segmentBytes: 8192)
        let original = try folder.read().records
        let segments = folder.segments
        let starts = segments.map { UInt64($0.dropFirst(8).dropLast(4)) ?? 0 }
        for _ in 0..<400 {
            let index = Int(random.next() % UInt64(segments.count))
            let whole = folder.bytes(segments[index])
            let ranges = folder.ranges(whole)
            let number = Int(random.next() % UInt64(ranges.count))
            let place = ranges[number].lowerBound + Int(random.next() % UInt64(ranges[number].count))
            var bytes = whole
            bytes[place] ^= 1 << UInt8(random.next() % 8)
            try folder.replace(segments[index], bytes)
            let sequence = starts[index] + UInt64(number)
            let (records, damages) = try folder.read()
            #expect(damages.map(\.sequences) == [sequence...sequence], "bit in \(segments[index]) at \(place)")
            #expect(damages.first?.segment == segments[index])
            #expect(records == original.filter { $0.sequence != sequence })
            let result = try JournalVerification.run(directory: folder.path)
            #expect(!result.isIntact && result.firstDamage?.sequences == sequence...sequence)
            try folder.replace(segments[index], whole)
        }
    }

    @Test("a flipped bit in a segment's header is named and costs no record")
    func flippedHeader() throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(60, seed: 5), segmentBytes: 8192)
        let original = try folder.read().records
        for segment in folder.segments.dropFirst() {
            let whole = folder.bytes(segment)
            for place in stride(from: 0, to: 80, by: 5) {
                var bytes = whole
                bytes[place] ^= 4
                try folder.replace(segment, bytes)
                let (records, damages) = try folder.read()
                #expect(records == original)
                #expect(damages.map(\.kind) == [.header] && damages.first?.segment == segment)
            }
            try folder.replace(segment, whole)
        }
    }

    @Test("cut bytes name every record they touched and no other")
    func cuts() throws {
        let seed: UInt64 = 77
        print("journal cuts: seed \(seed)")
        var random = SeededGenerator(seed)
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(160, seed: seed), segmentBytes: 16_384)
        let original = try folder.read().records
        #expect(folder.segments.count > 2)
        let segment = folder.segments[1]
        let first = UInt64(segment.dropFirst(8).dropLast(4)) ?? 0
        let whole = folder.bytes(segment)
        let ranges = folder.ranges(whole)
        for _ in 0..<200 {
            let from = ranges[0].lowerBound + Int(random.next() % UInt64(whole.count - ranges[0].lowerBound - 1))
            let to = min(whole.count, from + 1 + Int(random.next() % 2000))
            let touched = ranges.indices.filter { ranges[$0].overlaps(from..<to) }.map { first + UInt64($0) }
            try folder.replace(segment, Array(whole[..<from] + whole[to...]))
            let (records, damages) = try folder.read()
            let named = damages.compactMap(\.sequences).flatMap { Array($0) }
            #expect(named == touched, "cut \(from)..<\(to)")
            // One line, not the records, where it fails.
            #expect(records.map(\.sequence) == original.map(\.sequence).filter { !touched.contains($0) })
        }
        try folder.replace(segment, whole)
    }

    @Test("a removed segment and removed records are missing, by number")
    func removed() throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(160, seed: 6), segmentBytes: 8192)
        let segments = folder.segments
        let starts = segments.map { UInt64($0.dropFirst(8).dropLast(4)) ?? 0 }
        let whole = folder.bytes(segments[2])
        try folder.remove(segments[2])
        #expect(try folder.read().damages.map(\.sequences) == [starts[2]...(starts[3] - 1), nil])
        let ranges = folder.ranges(whole)
        try folder.replace(segments[2], Array(whole[..<ranges[3].lowerBound] + whole[ranges[5].lowerBound...]))
        let damage = try #require(try folder.read().damages.first)
        #expect(damage.kind == .missing && damage.sequences == (starts[2] + 3)...(starts[2] + 4))
        #expect(damage.description.contains("records \(starts[2] + 3) to \(starts[2] + 4) missing"))
    }

    @Test("a record rewritten with a right checksum is found by the chain")
    func rewritten() throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(12, seed: 8))
        let segment = try #require(folder.segments.first)
        var bytes = folder.bytes(segment)
        let range = folder.ranges(bytes)[5]
        bytes[range.upperBound - 1] ^= 1
        var state = Checksum.start
        state = bytes[8..<24].withUnsafeBytes { Checksum.update(state, $0) }
        state = bytes[(range.lowerBound + 8)..<range.upperBound].withUnsafeBytes { Checksum.update(state, $0) }
        var sum: [UInt8] = []
        sum.append(littleEndian: Checksum.finish(state))
        bytes.replaceSubrange((range.lowerBound + 4)..<(range.lowerBound + 8), with: sum)
        try folder.replace(segment, bytes)
        let (records, damages) = try folder.read()
        #expect(damages.map(\.kind) == [.rewritten] && damages.first?.sequences == 6...6)
        #expect(records.map(\.sequence) == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12])
    }

    @Test("a frame that holds another journal's record is never taken for one, even where it is all that is left")
    func forged() throws {
        let other = JournalFolder()
        try other.write(JournalFolder.frames(9, seed: 9))
        let foreign = other.bytes(try #require(other.segments.first))
        let image = Array(foreign[other.ranges(foreign)[7]])
        let folder = JournalFolder()
        try folder.write([[1], image, image + image, [4]])
        let segment = try #require(folder.segments.first)
        var bytes = folder.bytes(segment)
        let ranges = folder.ranges(bytes)
        bytes[ranges[1].lowerBound + 1] ^= 0xFF
        bytes[ranges[2].lowerBound + 1] ^= 0xFF
        try folder.replace(segment, bytes)
        let (records, damages) = try folder.read()
        #expect(records.map(\.sequence) == [1, 4])
        #expect(damages.map(\.sequences) == [2...3])
    }

    @Test("a journal that ends before what was applied is cut, although its end looks whole")
    func reaching() throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(10, seed: 10))
        let segment = try #require(folder.segments.first)
        let bytes = folder.bytes(segment)
        try folder.replace(segment, Array(bytes[..<folder.ranges(bytes)[8].lowerBound]))
        #expect(try JournalVerification.run(directory: folder.path).isIntact)
        #expect(try JournalVerification.run(directory: folder.path, reaching: 8).isIntact)
        let result = try JournalVerification.run(directory: folder.path, reaching: 10)
        #expect(result.firstDamage?.kind == .missing && result.firstDamage?.sequences == 9...10)
    }

    @Test("a reader beside the writer sees each record once, and a limit holds it back")
    func besideTheWriter() throws {
        let folder = JournalFolder()
        let gate = Gate()
        var options = JournalWriter.Options()
        options.segmentBytes = 4096
        let writer = try JournalWriter(directory: folder.path, options: options, now: JournalFolder.time(0)) {
            gate.open()
        }
        defer { writer.close() }
        let reader = JournalReader(directory: folder.path)
        var seen: [UInt64] = []
        for number in 1...100 {
            let sequence = writer.append(
                .receipts, receivedAt: JournalFolder.time(0), [UInt8](repeating: 1, count: 100))
            #expect(gate.wait { writer.status.durable >= sequence })
            #expect(try reader.next(below: UInt64(number)) == nil)
            while case .record(let record)? = try reader.next(below: UInt64(number) + 1) {
                seen.append(record.sequence)
            }
        }
        #expect(seen == Array(1...100))
        #expect(writer.status.segments > 3)
    }
}
