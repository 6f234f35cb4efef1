import Logging
import Redis
import TestKit
import Testing

@testable import ConfirmationLogger

@Suite("What the logger remembers beside its journal")
struct MemoryTests {
    private let log = Logger(label: "test")

    @Test("the published mark outlives its process, belongs to one journal, and never passes the journal's end")
    func published() throws {
        let directory = try TemporaryDirectory("mark")
        let path = directory.path + "/mark"
        func mark(_ journal: String, last: UInt64 = 100) -> PublishedMark {
            PublishedMark(path: path, journal: journal, last: last, log: log)
        }
        let (one, other) = (String(repeating: "a", count: 32), String(repeating: "b", count: 32))
        let first = mark(one)
        #expect(first.sequence == 0)
        first.move(to: 70)
        first.move(to: 50)
        #expect(first.sequence == 70 && mark(one).sequence == 70)
        // Restored from a backup that ends before it.
        #expect(mark(one, last: 60).sequence == 60)
        #expect(mark(other).sequence == 0)
        #expect(mark(one).sequence == 0)
    }

    @Test("without a file the mark holds for the process")
    func noFile() {
        let mark = PublishedMark(path: "/nonexistent/mark", journal: "a", last: 9, log: log)
        mark.move(to: 5)
        #expect(mark.sequence == 5)
    }

    @Test("who waits for a booking hears of it once, or that nobody knows")
    func awaited() {
        var awaiting = AwaitedBookings()
        var heard: [UInt64: [Bool?]] = [:]
        for sequence in [1, 2, 3] as [UInt64] {
            awaiting.wait(for: sequence, now: Int64(sequence)) { heard[sequence, default: []].append($0) }
        }
        awaiting.tell(1, true)
        awaiting.tell(1, true)
        awaiting.tell(2, false)
        awaiting.tell(77, false)
        awaiting.giveUp(before: 2 + AwaitedBookings.patienceMilliseconds)
        #expect(heard == [1: [true], 2: [false]])
        awaiting.giveUp(before: 3 + AwaitedBookings.patienceMilliseconds)
        #expect(heard == [1: [true], 2: [false], 3: [nil]] && awaiting.isEmpty)
    }

    @Test("a Redis that cuts torn files and runs anew writes its file anew, once a run")
    func renewal() {
        func replies(_ appendonly: String, _ truncated: String, _ known: String?) -> [RedisValue] {
            [
                .string(Array("# Server\r\nredis_version:7.0.15\r\nrun_id:abc123\r\ntcp_port:1\r\n".utf8)),
                .array([.string(Array("appendonly".utf8)), .string(Array(appendonly.utf8))]),
                .array([.string(Array("aof-load-truncated".utf8)), .string(Array(truncated.utf8))]),
                known.map { .string(Array($0.utf8)) } ?? .null,
            ]
        }
        #expect(AppendOnlyRenewal.run(toRenew: replies("yes", "yes", nil)) == "abc123")
        #expect(AppendOnlyRenewal.run(toRenew: replies("yes", "yes", "other")) == "abc123")
        #expect(AppendOnlyRenewal.run(toRenew: replies("yes", "yes", "abc123")) == nil)
        #expect(AppendOnlyRenewal.run(toRenew: replies("yes", "no", nil)) == nil)
        #expect(AppendOnlyRenewal.run(toRenew: replies("no", "yes", nil)) == nil)
        var refused = replies("yes", "yes", nil)
        refused[2] = .error("NOPERM")
        #expect(AppendOnlyRenewal.run(toRenew: refused) == nil)
    }
}
