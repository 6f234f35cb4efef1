import Domain
import Foundation
import Testing

@testable import Journal

@Suite("Journal: writing and opening")
struct JournalWriterTests {
    @Test("what was written is read back, in order and byte for byte")
    func roundTrip() throws {
        let folder = JournalFolder()
        let frames = [[], [0], Array("%n\r\n\0".utf8), [UInt8](repeating: 0xFF, count: 65_536)]
        try folder.write(frames)
        let (records, damages) = try folder.read()
        #expect(damages.isEmpty)
        #expect(records.map(\.bytes) == frames)
        #expect(records.map(\.sequence) == [1, 2, 3, 4])
        #expect(records[3].receivedAt == JournalFolder.time(65_536))
        #expect(records.allSatisfy { $0.source == .confirmations })
    }

    @Test("segments rotate; the whole is one chain; reading begins anywhere")
    func rotation() throws {
        let folder = JournalFolder()
        let frames = JournalFolder.frames(200, seed: 1)
        try folder.write(Array(frames[..<120]), segmentBytes: 4096)
        let recovery = try folder.write(Array(frames[120...]), segmentBytes: 4096)
        #expect(recovery.lastSequence == 120)
        #expect(folder.segments.count > 5)
        #expect(folder.segments.allSatisfy { folder.bytes($0).count <= 4096 })
        let result = try JournalVerification.run(directory: folder.path)
        #expect(result.isIntact && result.records == 200 && result.segments == folder.segments.count)
        for from in [1, 2, 77, 120, 121, 200, 201] as [UInt64] {
            let (records, damages) = try folder.read(from: from)
            #expect(damages.isEmpty)
            #expect(records.map(\.bytes) == Array(frames[Int(from - 1)...]))
        }
    }

    @Test("many threads append: every record is there once, in groups", arguments: [4])
    func groupCommit(threads: Int) throws {
        let folder = JournalFolder()
        let gate = Gate()
        let writer = try JournalWriter(directory: folder.path, now: JournalFolder.time(0)) { gate.open() }
        let each = 1000
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for number in 0..<each {
                writer.append(.receipts, receivedAt: JournalFolder.time(0), Array("\(thread)/\(number)".utf8))
            }
        }
        let total = UInt64(threads * each)
        #expect(gate.wait { writer.status.durable == total })
        let status = writer.status
        #expect(status.waiting == 0 && status.waitingBytes == 0 && status.failure == nil)
        #expect(status.groups < Int64(total) / 4, "\(status.groups) groups for \(total) records")
        writer.close()
        let texts = try folder.read().records.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(Set(texts).count == Int(total) && texts.count == Int(total))
    }

    @Test(
        "a torn tail is cut and kept aside; writing goes on behind the last whole record",
        arguments: [1, 39, 40, 41, 90])
    func tornTail(missing: Int) throws {
        let folder = JournalFolder()
        let frames = JournalFolder.frames(20, seed: 2)
        try folder.write(frames)
        let segment = try #require(folder.segments.first)
        let whole = folder.bytes(segment)
        let last = try #require(folder.ranges(whole).last)
        let end = max(last.lowerBound + 1, whole.count - missing)
        try folder.replace(segment, Array(whole[..<end]))
        let before = try JournalVerification.run(directory: folder.path)
        #expect(before.isIntact && before.records == 19)
        #expect(before.tornTail == TornTail(segment: segment, offset: last.lowerBound, bytes: end - last.lowerBound))

        let recovery = try folder.write([Array("next".utf8)])
        #expect(recovery.cut == before.tornTail && recovery.lastSequence == 19 && recovery.damages.isEmpty)
        let aside = "\(segment).torn-\(last.lowerBound)"
        #expect(folder.bytes(aside) == Array(whole[last.lowerBound..<end]))
        let (records, damages) = try folder.read()
        #expect(damages.isEmpty)
        #expect(records.map(\.bytes) == Array(frames[..<19]) + [Array("next".utf8)])
    }

    @Test("a segment whose header was not finished is made again")
    func unfinishedSegment() throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(3, seed: 3))
        let newest = JournalFormat.segmentName(firstSequence: 4)
        try folder.replace(newest, Array("MESHJRN1".utf8))
        #expect(try folder.write([[1]]).lastSequence == 3)
        #expect(try JournalVerification.run(directory: folder.path).records == 4)
    }

    @Test("a damaged last record is kept and named, and writing goes on behind it", arguments: [0, 4, 20, 45, 70])
    func damagedLast(place: Int) throws {
        let folder = JournalFolder()
        try folder.write(JournalFolder.frames(10, seed: 4))
        let segment = try #require(folder.segments.first)
        var bytes = folder.bytes(segment)
        let last = try #require(folder.ranges(bytes).last)
        bytes[last.lowerBound + place] ^= 0x10
        try folder.replace(segment, bytes)
        let recovery = try folder.write([[7], [8]])
        #expect(recovery.cut == nil && recovery.damages.map(\.sequences) == [10...10])
        let (records, damages) = try folder.read()
        #expect(damages.map(\.sequences) == [10...10])
        #expect(records.map(\.sequence) == Array(1...9) + [11, 12])
    }

    @Test("one journal has one writer")
    func lock() throws {
        let folder = JournalFolder()
        let writer = try JournalWriter(directory: folder.path, now: JournalFolder.time(0)) {}
        defer { writer.close() }
        #expect {
            try JournalWriter(directory: folder.path, now: JournalFolder.time(0)) {}
        } throws: { ($0 as? JournalError)?.code == .locked }
    }

    @Test("a removed segment is a failure that is said, not writing into nothing")
    func removed() throws {
        let folder = JournalFolder()
        let gate = Gate()
        let writer = try JournalWriter(directory: folder.path, now: JournalFolder.time(0)) { gate.open() }
        defer { writer.close() }
        try folder.remove(try #require(folder.segments.first))
        let deadline = Date.now.addingTimeInterval(10)
        while writer.status.failure == nil, Date.now < deadline {
            let sequence = writer.append(.receipts, receivedAt: JournalFolder.time(0), [1])
            _ = gate.wait { writer.status.failure != nil || writer.status.durable == sequence }
        }
        #expect(writer.status.failure?.code == .removed)
    }

    @Test("the checksum is that of zlib and Ethernet")
    func checksum() {
        #expect(Checksum.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(Checksum.crc32([]) == 0)
        #expect(ChainHash.of(Array("abc".utf8)).description.hasPrefix("ba7816bf8f01cfea414140de5dae2223b00361a3"))
    }
}
