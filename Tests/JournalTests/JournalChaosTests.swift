import Domain
import Foundation
import Testing

@testable import Journal

/// Line 6 of the chaos table: 20,000 records and 100 faults in every run, 1,000,000 and 1,000 with MESH_CHAOS=full.
@Suite("Chaos: a journal with flipped bits and cuts")
struct JournalChaosTests {
    static let isFull = ProcessInfo.processInfo.environment["MESH_CHAOS"] == "full"

    @Test("every damage is found and named, and every other record is read as it was written")
    func flipsAndCuts() throws {
        let records = JournalChaosTests.isFull ? 1_000_000 : 20_000
        let faults = JournalChaosTests.isFull ? 1_000 : 100
        let seed: UInt64 = 4711
        let began = Date.now
        let folder = JournalFolder()
        let frames = ChaosFrames(seed: seed)
        try frames.write(records, to: folder, segmentBytes: JournalChaosTests.isFull ? 4 << 20 : 128 << 10)
        try folder.compress(everySecond: true)
        #expect(folder.segments.count > 5 && folder.compressed.count > 5)

        var random = SeededGenerator(seed)
        var damaged = try folder.allSegments.map { try DamagedSegment(folder, $0) }
        for _ in 0..<faults {
            let place = Int(random.next() % UInt64(damaged.count))
            damaged[place].hurt(&random, mayCut: place < damaged.count - 1)
        }
        for segment in damaged { try folder.replace(segment.name, segment.damagedBytes) }

        // What may be lost: records that faults touched, in compressed segments those of members that can't be repaired.
        let mayBeLost = Set(damaged.flatMap(\.touchedRecords))
        let mustBeLost = Set(damaged.filter { !$0.isCompressed }.flatMap(\.touchedRecords))
        var named = Set<UInt64>()
        var damages: [JournalDamage] = []
        var read: UInt64 = 0
        var wrong = 0
        var last: UInt64 = 0
        let reader = JournalReader(directory: folder.path)
        while let item = try reader.next() {
            switch item {
            case .record(let record):
                read += 1
                if record.sequence <= last || record.bytes != frames.frame(record.sequence) { wrong += 1 }
                if mustBeLost.contains(record.sequence) || named.contains(record.sequence) { wrong += 1 }
                last = record.sequence
            case .damage(let damage):
                damages.append(damage)
                if let sequences = damage.sequences { named.formUnion(sequences) }
            }
        }
        let lost = UInt64(records) - read
        let unfound = damaged.flatMap { $0.unfound(damages) }
        let verified = try JournalVerification.run(directory: folder.path)

        #expect(wrong == 0, "records that are not what was written, or were read and called lost")
        #expect(named.isSubset(of: mayBeLost), "\(named.subtracting(mayBeLost).sorted().prefix(5)) was not touched")
        #expect(UInt64(named.count) == lost, "a record is read or named, never neither")
        #expect(mustBeLost.isSubset(of: named))
        #expect(unfound.isEmpty, "\(unfound.prefix(3))")
        #expect(verified.records == read && verified.damageCount == damages.count)
        let passed = wrong == 0 && named.isSubset(of: mayBeLost) && UInt64(named.count) == lost && unfound.isEmpty
        // Neither read nor named, or named and not touched by any fault.
        let missing = named.subtracting(mayBeLost).count + abs(Int(lost) - named.count)
        let repaired = damages.count { $0.kind == .repaired }
        print(
            """
            chaos line 6: \(passed ? "pass" : "FAILED"): sent \(records), journaled \(records), applied none, lost \
            \(missing), double \(wrong), unknown none, kills none, catch_up_s none, \
            memory_mb \(JournalChaosTests.memory), faults \(faults), found \(faults - unfound.count), damaged_records \
            \(lost), repaired_members \(repaired), recovered \(read), took \
            \(Int(Date.now.timeIntervalSince(began))) s, seed \(seed) (flipped bits and cuts; half of the segments gzip)
            """)
    }

    /// The most memory this process ever used, in MB.
    private static var memory: Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1024
    }
}

/// Frames that can be made again from their number.
struct ChaosFrames {
    let seed: UInt64

    func frame(_ sequence: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed &+ sequence)
        let profit = Int(random.next() % 20_000) - 10_000
        let text = """
            {"type":"confirmation","fire_id":"F\(sequence)","ticket":\(random.next() % 100_000_000),"result":"success",\
            "symbol":"EURUSD","volume":0.10,"profit":\(profit).\(random.next() % 100),"account":"\(random.next() % 2000)"}
            """
        return Array(text.utf8) + [UInt8](repeating: 0x20, count: Int(random.next() % 40))
    }

    func write(_ count: Int, to folder: JournalFolder, segmentBytes: Int) throws {
        let gate = Gate()
        var options = JournalWriter.Options()
        options.segmentBytes = segmentBytes
        options.tiers.isOn = false
        options.tiers.hot = .max
        let writer = try JournalWriter(directory: folder.path, options: options, now: JournalFolder.time(0)) {
            gate.open()
        }
        defer { writer.close() }
        var sequence: UInt64 = 0
        while sequence < UInt64(count) {
            for _ in 0..<min(250, count - Int(sequence)) {
                sequence = writer.append(.receipts, receivedAt: JournalFolder.time(1), frame(sequence + 1))
            }
            #expect(gate.wait { writer.status.durable == sequence })
        }
    }
}
