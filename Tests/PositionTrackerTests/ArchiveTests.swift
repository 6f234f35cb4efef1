import Domain
import Foundation
import Journal
import Redis
import ServiceKit
import TestKit
import Testing
import Trading

@testable import PositionTracker

@Suite("rows end once they are archived", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct ArchiveTests {
    /// Segments so small that some writes fill one.
    private var small: JournalWriter.Options {
        var options = JournalWriter.Options()
        options.segmentBytes = 4096
        return options
    }

    private func fill(_ harness: StoreHarness) throws {
        let store = try harness.store
        // One group of the journal never spans two segments: what is to be archived is on disk before more comes.
        try harness.run("all is on disk", within: 60) { store.journal.status.waiting == 0 }
        for number in 0..<40 {
            store.write(.always, [["HSET", "filler", "text", String(repeating: "x", count: 500) + "\(number)"]])
        }
        try harness.settle()
    }

    private func archive(_ harness: StoreHarness, past record: UInt64) throws {
        let store = try harness.store
        try harness.run("record \(record) is archived", within: 60) { store.journal.archive.through >= record }
    }

    private func left(_ harness: StoreHarness, _ key: String) throws -> Int64 {
        try harness.redis.call("TTL", key).integer ?? 0
    }

    private func end(_ harness: StoreHarness, _ key: String, _ moment: Int64) throws {
        let store = try harness.store
        store.write(.always, [["HSET", key, "state", "closed"], [TrackerScripts.keepCommand, key, String(moment)]])
    }

    @Test("a row that is over has no end until its record is archived, then it has the end it was to have")
    func gate() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path, options: small)
        try harness.settle()
        let moment = SystemClock.now().seconds + 7200
        try end(harness, "fire:a", moment)
        try harness.settle()
        let store = try harness.store
        let record = store.confirmed
        #expect(try left(harness, "fire:a") == -1)
        // Nothing is archived: looks at the archive give it none.
        store.lookAtArchive()
        #expect(try harness.redis.hash(TrackerScripts.unarchivedKey) == ["fire:a": "\(record) \(moment)"])
        try fill(harness)
        try archive(harness, past: record)
        try harness.run("it has its end", within: 60) { try left(harness, "fire:a") > 0 }
        let rest = try left(harness, "fire:a")
        #expect(rest > 7000 && rest <= 7200)
        #expect(try harness.redis.call("HEXISTS", TrackerScripts.unarchivedKey, "fire:a").integer == 0)
    }

    @Test("what is written anew stays until that is archived; what is open again has no end at all")
    func renewed() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path, options: small)
        try harness.settle()
        let moment = SystemClock.now().seconds + 7200
        for key in ["position:a", "position:b", "fire:c"] { try end(harness, key, moment) }
        try harness.settle()
        let first = try harness.store.confirmed
        try fill(harness)
        try archive(harness, past: first)
        try harness.run("they have their end", within: 60) { try left(harness, "fire:c") > 0 }
        // A correction of a closed one, one that is opened again, one that is over for the second time.
        let store = try harness.store
        store.write(
            .exists(key: "position:a"),
            [["HSET", "position:a", "profit", "1"], [TrackerScripts.keepCommand, "position:a", ""]])
        store.write(.always, [["PERSIST", "position:b"], TrackerStore.endless("position:b")])
        try end(harness, "fire:c", moment + 60)
        try harness.settle()
        let second = store.confirmed
        #expect(try left(harness, "position:a") == -1)
        #expect(try left(harness, "position:b") == -1)
        let held = try harness.redis.hash(TrackerScripts.unarchivedKey)
        #expect(held == ["position:a": "\(second - 2) \(moment)", "fire:c": "\(second) \(moment + 60)"])
        try fill(harness)
        try archive(harness, past: second)
        try harness.run("both have an end", within: 60) {
            try left(harness, "position:a") > 0 && left(harness, "fire:c") > 0
        }
        #expect(try left(harness, "fire:c") > 7100)
        #expect(try left(harness, "position:b") == -1)
    }

    @Test("a ledger that is rebuilt ends as it would have ended, and what was to end by now is gone")
    func rebuilt() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path, options: small)
        try harness.settle()
        let moment = SystemClock.now().seconds + 7200
        try end(harness, "fire:later", moment)
        try end(harness, "fire:past", SystemClock.now().seconds - 5)
        try harness.settle()
        let record = try harness.store.confirmed
        try fill(harness)
        try archive(harness, past: record)
        try harness.run("one has its end, one is gone", within: 60) {
            try left(harness, "fire:later") > 0 && left(harness, "fire:past") == -2
        }
        try harness.emptyAndRebuild()
        try harness.run("so it is again", within: 60) {
            try left(harness, "fire:later") > 0 && left(harness, "fire:past") == -2
        }
        #expect(try left(harness, "fire:later") <= 7200)
    }

    @Test("rows whose record was lost, or that another journal wrote, are said anew at a start")
    func said() {
        var state = LoadedState()
        state.fires = [
            "over": Row(fields: ["resolved_at": "5000", "created_at": "1000"]), "open": Row(fields: [:]),
            "ends": Row(fields: ["created_at": "1000"]),
        ]
        state.openFires = ["open": Row(fields: [:])]
        state.closedPositions = ["S|1|1": Row(fields: ["closed_at": "9000"])]
        state.expiries = ["fire:ends": 77_000, "fire:over": -1]
        #expect(
            state.unarchived == [
                ["KEEP", "fire:over", String(5 + TrackerStore.keepSeconds)],
                ["KEEP", "position:S|1|1", String(9 + TrackerStore.keepSeconds)],
            ])
    }
}
