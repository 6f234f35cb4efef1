import Dispatch
import Domain
import Foundation

@testable import Journal

/// A journal's folder that goes away with the test, and means to write, read and hurt it.
final class JournalFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "journal-test-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes frames through a writer of its own and closes it.
    @discardableResult
    func write(_ frames: [[UInt8]], segmentBytes: Int = 64 << 20) throws -> JournalRecovery {
        let gate = Gate()
        var options = JournalWriter.Options()
        options.segmentBytes = segmentBytes
        // Plain segments stay as they are: tests that want another form make it themselves.
        options.tiers.isOn = false
        options.tiers.hot = .max
        let writer = try JournalWriter(directory: path, options: options, now: JournalFolder.time(0)) { gate.open() }
        for frame in frames {
            let sequence = writer.append(.confirmations, receivedAt: JournalFolder.time(frame.count), frame)
            // Small groups, so that small segments really rotate.
            if segmentBytes < 1 << 20 { _ = gate.wait { writer.status.durable >= sequence } }
        }
        writer.close()
        return writer.recovery
    }

    /// Every second segment, or all but the newest, in its compressed form.
    func compress(everySecond: Bool = false) throws {
        let compressor = SegmentCompressor(directory: JournalDirectory(path: path)) { false }
        for (index, segment) in try JournalDirectory(path: path).segments().dropLast().enumerated() {
            if !everySecond || index.isMultiple(of: 2) { _ = try compressor.compress(segment) }
        }
    }

    /// A compressed segment as zcat, which shares no code with us, reads it.
    func inflated(_ segment: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/zcat")
        process.arguments = [path + "/" + segment]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? Array(data) : []
    }

    static func time(_ number: Int) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + Int64(number)) }

    var segments: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasPrefix("journal-") && $0.hasSuffix(".log") }.sorted()
    }

    var allSegments: [String] { (segments + compressed).sorted() }

    var compressed: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasPrefix("journal-") && $0.hasSuffix(".log.gz") }.sorted()
    }

    func bytes(_ segment: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: path + "/" + segment) ?? Data())
    }

    func replace(_ segment: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + segment))
    }

    func remove(_ segment: String) throws { try FileManager.default.removeItem(atPath: path + "/" + segment) }

    /// Start and end of each record in a segment, found by the lengths in the file.
    func ranges(_ bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var offset = JournalFormat.segmentHeaderBytes
        while offset + JournalFormat.recordHeaderBytes <= bytes.count {
            let length = Int(bytes.littleEndian(UInt32.self, at: offset))
            let end = offset + JournalFormat.recordHeaderBytes + length
            guard length > 0, end <= bytes.count else { break }
            ranges.append(offset..<end)
            offset = end
        }
        return ranges
    }

    /// Everything a reader hands out.
    func read(from: UInt64 = 1) throws -> (records: [JournalRecord], damages: [JournalDamage]) {
        let reader = JournalReader(directory: path, from: from)
        var records: [JournalRecord] = []
        var damages: [JournalDamage] = []
        while let item = try reader.next() {
            switch item {
            case .record(let record): records.append(record)
            case .damage(let damage): damages.append(damage)
            }
        }
        return (records, damages)
    }

    static func frames(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var random = SeededGenerator(seed)
        return (0..<count).map { number in
            let text = "{\"type\":\"confirmation\",\"fire_id\":\"F\(number)\",\"ticket\":\(random.next() % 1_000_000)}"
            return Array(text.utf8) + (0..<(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
    }
}

/// Waits for a condition that another thread brings about, with a deadline.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait(seconds: Double = 10, until condition: () -> Bool) -> Bool {
        let deadline = DispatchTime.now() + seconds
        while !condition() {
            if semaphore.wait(timeout: deadline) == .timedOut { return condition() }
        }
        return true
    }
}

/// SplitMix64: the same numbers for the same seed. Source: S. Vigna, prng.di.unimi.it.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
