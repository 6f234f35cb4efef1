import Domain
import Foundation
import Testing

@testable import Journal

@Suite("Journal: hot, warm and cold")
struct JournalTiersTests {
    private static let day: Int64 = 86_400_000

    /// A pass of the upkeep so many days after the segments were made.
    @discardableResult
    private func pass(_ folder: JournalFolder, days: Int64, _ change: (inout JournalTiers) -> Void = { _ in }) throws
        -> JournalSizes
    {
        var tiers = JournalTiers()
        change(&tiers)
        var upkeep = JournalUpkeep(directory: JournalDirectory(path: folder.path), tiers: tiers)
        let now = Int64(Date.now.timeIntervalSince1970 * 1000) + days * JournalTiersTests.day
        return try upkeep.pass(now: Timestamp(milliseconds: now))
    }

    private func made(_ count: Int = 400, seed: UInt64 = 1) throws -> (folder: JournalFolder, frames: [[UInt8]]) {
        let folder = JournalFolder()
        let frames = JournalFolder.frames(count, seed: seed)
        try folder.write(frames, segmentBytes: 16_384)
        return (folder, frames)
    }

    private func expectWhole(_ folder: JournalFolder, _ frames: [[UInt8]]) throws {
        let (records, damages) = try folder.read()
        #expect(damages.isEmpty && records.map(\.bytes) == frames)
        let result = try JournalVerification.run(directory: folder.path)
        #expect(result.isIntact && result.records == UInt64(frames.count))
    }

    @Test("closed segments become gzip that zcat reads; the journal is the same, from anywhere")
    func compressed() throws {
        let (folder, frames) = try made()
        let plain = Dictionary(uniqueKeysWithValues: folder.segments.map { ($0, folder.bytes($0)) })
        let sizes = try pass(folder, days: 0)
        #expect(folder.segments.count == 1 && folder.compressed.count == plain.count - 1)
        for name in folder.compressed { #expect(try folder.inflated(name) == plain[String(name.dropLast(3))]) }
        #expect(sizes.segments == plain.count && sizes.coldBytes == 0)
        #expect(sizes.hotBytes == folder.bytes(folder.segments[0]).count)
        #expect(sizes.warmBytes == folder.compressed.reduce(0) { $0 + folder.bytes($1).count })
        try expectWhole(folder, frames)
        for from in [2, 60, 199, 400] as [UInt64] {
            #expect(try folder.read(from: from).records.map(\.bytes) == Array(frames[Int(from - 1)...]))
        }
        #expect(try folder.write([[1]], segmentBytes: 16_384).lastSequence == 400)
    }

    @Test("archived is what stands in closed, compressed segments, up to the first that is not")
    func archived() throws {
        let (folder, _) = try made(seed: 9)
        let directory = JournalDirectory(path: folder.path)
        var upkeep = JournalUpkeep(directory: directory, tiers: JournalTiers())
        #expect(try upkeep.archive() == JournalArchive())
        _ = try upkeep.pass(now: Timestamp(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1000)))
        let newest = try #require(try directory.segments().last)
        let archive = try upkeep.archive()
        #expect(archive.through == newest.first - 1 && archive.through > 100 && archive.before.milliseconds > 0)
        // One in the middle is plain again, as a crash leaves it: what is behind it is not archived in order.
        let segments = try directory.segments()
        let middle = segments[segments.count / 2]
        try folder.replace(middle.title, try folder.inflated(middle.name))
        #expect(try upkeep.archive().through == middle.first - 1)
    }

    @Test("a crash while compressing leaves a journal that is read, and the next pass finishes it")
    func crashes() throws {
        let (folder, frames) = try made(seed: 2)
        let first = folder.segments[0]
        let plain = folder.bytes(first)
        // Half written; then renamed and the plain one still there.
        try folder.replace(first + ".gz.tmp", Array(plain.prefix(999)))
        try expectWhole(folder, frames)
        try folder.compress()
        try folder.replace(first, plain)
        try expectWhole(folder, frames)
        try pass(folder, days: 0)
        #expect(!folder.segments.contains(first) && folder.compressed.contains(first + ".gz"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + first + ".gz.tmp"))
        try expectWhole(folder, frames)
    }

    @Test("old segments go into the cold, beside the others or where a link leads", arguments: [false, true])
    func cold(elsewhere: Bool) throws {
        let (folder, frames) = try made(seed: 3)
        let other = JournalFolder()
        #expect(try pass(folder, days: 29).coldBytes == 0)
        let sizes = try pass(folder, days: 31) { $0.coldDirectory = elsewhere ? other.path : nil }
        #expect(sizes.warmBytes == 0 && sizes.coldBytes > 0 && folder.compressed.isEmpty)
        let there = elsewhere ? other.path : folder.path + "/cold"
        #expect(try FileManager.default.contentsOfDirectory(atPath: there).count == sizes.segments - 1)
        try expectWhole(folder, frames)
        #expect(try folder.write([[1]], segmentBytes: 16_384).lastSequence == 400)
    }

    @Test("past their time segments are removed; what is kept is checked from the anchor on")
    func removed() throws {
        let (folder, _) = try made(seed: 4)
        try pass(folder, days: 31)
        let sizes = try pass(folder, days: 31 + 2557)
        #expect(sizes.segments == 1 && sizes.coldBytes == 0)
        let first = UInt64(folder.segments[0].dropFirst(8).dropLast(4)) ?? 0
        let result = try JournalVerification.run(directory: folder.path)
        #expect(result.isIntact && result.firstSequence == first && result.lastSequence == 400)
        // A header that is damaged now is told from the anchor, chain included.
        var bytes = folder.bytes(folder.segments[0])
        bytes[50] ^= 1
        try folder.replace(folder.segments[0], bytes)
        let damaged = try folder.read()
        #expect(damaged.damages.map(\.kind) == [.header] && damaged.records.first?.sequence == first)
    }

    @Test("a journal without its beginning is damaged where the anchor says otherwise; a changed anchor is named")
    func anchor() throws {
        let (folder, _) = try made(seed: 5)
        let start = UInt64(folder.segments[1].dropFirst(8).dropLast(4)) ?? 0
        try folder.remove(folder.segments[0])
        #expect(try folder.read().damages.map(\.sequences) == [1...(start - 1)])
        var bytes = folder.bytes("anchor")
        bytes[40] ^= 1
        try folder.replace("anchor", bytes)
        #expect(try folder.read().damages.map(\.kind) == [.anchor])
    }

    @Test("one flipped bit anywhere in a compressed segment is named and costs no record")
    func repaired() throws {
        let seed: UInt64 = 99
        print("journal repairs: seed \(seed)")
        var random = SeededGenerator(seed)
        let (folder, frames) = try made(seed: seed)
        try pass(folder, days: 0)
        for _ in 0..<300 {
            let name = folder.compressed[Int(random.next() % UInt64(folder.compressed.count))]
            let whole = folder.bytes(name)
            var bytes = whole
            let place = Int(random.next() % UInt64(whole.count))
            bytes[place] ^= 1 << UInt8(random.next() % 8)
            try folder.replace(name, bytes)
            let (records, damages) = try folder.read()
            #expect(damages.map(\.kind) == [.repaired] && damages.first?.segment == name, "byte \(place) of \(name)")
            #expect(records.map(\.bytes) == frames)
            try folder.replace(name, whole)
        }
    }

    @Test("a writer closes its segment when it is full or old, compresses it, and says what there is")
    func upkeep() throws {
        let folder = JournalFolder()
        let gate = Gate()
        var options = JournalWriter.Options()
        options.segmentBytes = 8192
        let writer = try JournalWriter(directory: folder.path, options: options, now: JournalFolder.time(0)) {
            gate.open()
        }
        defer { writer.close() }
        let frames = JournalFolder.frames(100, seed: 6)
        for (index, frame) in frames.enumerated() {
            let sequence = writer.append(.receipts, receivedAt: JournalFolder.time(0), frame)
            #expect(gate.wait { writer.status.durable >= sequence })
            // The first segment was made years ago, by the time it was given.
            if index == 1 { #expect(writer.status.segments == 2) }
        }
        let deadline = Date.now.addingTimeInterval(20)
        while folder.segments.count > 1 || writer.status.sizes.warmBytes == 0, Date.now < deadline {
            let sequence = writer.append(.receipts, receivedAt: JournalFolder.time(0), frames[0])
            #expect(gate.wait { writer.status.durable >= sequence })
        }
        let gauges = Dictionary(uniqueKeysWithValues: writer.tierGauges.map { ($0.name, $0.value) })
        #expect(gauges["journal_warm_bytes"] ?? 0 > 0 && gauges["journal_hot_bytes"] ?? 0 > 0)
        #expect(gauges["journal_segments"] ?? 0 > 3 && writer.status.upkeepFailure == nil)
        #expect(try JournalVerification.run(directory: folder.path).isIntact)
    }
}
