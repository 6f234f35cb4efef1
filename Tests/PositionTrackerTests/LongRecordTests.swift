import Foundation
import Redis
import ServiceKit
import TestKit
import Testing
import Wire

@testable import PositionTracker

@Suite(
    "writes that are too long for one record", .serialized,
    .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct LongRecordTests {
    @Test("it is written in parts, all of it is in the journal; what can't be parted is refused and changes nothing")
    func long() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path)
        try harness.settle()
        let store = try harness.store
        let text = String(repeating: "x", count: 60_000)
        var words: [String] = []
        func note(_ outcome: TrackerStore.Outcome) {
            switch outcome {
            case .done: words.append("done")
            case .refused(let reason): words.append(reason)
            case .unknown: words.append("unknown")
            }
        }
        let rows = (0..<60).map { ["HSET", "row:\($0)", "text", text] }
        store.put(LedgerRecord(.write, [LedgerStep(.always, rows)]), note)
        // The first step decides, as in one that is whole.
        let late = [LedgerStep(.exists(key: "nothing"), [["SET", "late", text]]), LedgerStep(.always, rows)]
        store.put(LedgerRecord(.write, late), note)
        let whole = String(repeating: "y", count: LedgerJournal.maximumRecord)
        store.put(LedgerRecord(.write, [LedgerStep(.always, [["SET", "whole", whole]])]), note)
        store.put(LedgerRecord(.revocable, [LedgerStep(.always, rows)]), note)
        try harness.settle()
        #expect(words.sorted() == ["absent", "done", "too_long", "too_long"])
        #expect(harness.report.counters["ledger_records_split"] == 2)
        let before = try harness.everything()
        #expect(before.keys.filter { $0.hasPrefix("row:") }.count == 60 && before["whole"] == nil)
        try harness.emptyAndRebuild()
        #expect(try difference(before, harness.everything()).isEmpty)
    }

    @Test("a write of which a crash kept parts from the disk has no effect at all, now or at any later rebuild")
    func torn() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path + "/ledger")
        try harness.settle()
        let text = String(repeating: "x", count: 60_000)
        let rows = (0..<60).map { ["HSET", "row:\($0)", "text", text] }
        try harness.store.write(.always, [["SET", "before", "1"]])
        try harness.store.put(LedgerRecord(.write, [LedgerStep(.always, rows)]))
        try harness.settle()
        #expect(try harness.everything().keys.contains("row:0"))
        try harness.end()
        let folder = place.path + "/ledger"
        let segment = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".log") })
        let file = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(segment)"))
        try file.truncate(atOffset: try file.seekToEnd() - 20)
        try file.close()
        try harness.redis.call("FLUSHALL")
        try harness.begin()
        try harness.settle()
        #expect(try Set(harness.everything().keys) == ["before"])
        // Behind them stands something else by now.
        try harness.store.write(.always, [["SET", "after", "1"]])
        try harness.settle()
        try harness.emptyAndRebuild()
        #expect(try Set(harness.everything().keys) == ["before", "after"])
    }

    @Test("what a turn brings goes to Redis in few calls, in its order")
    func gathered() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path)
        try harness.settle()
        func calls() throws -> Int {
            let text = try harness.redis.call("INFO", "commandstats").text ?? ""
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_evalsha:") } ?? ""
            return line.split(separator: ",").first.flatMap { Int($0.dropFirst("cmdstat_evalsha:calls=".count)) } ?? 0
        }
        let before = try calls()
        for number in 0..<320 { try harness.store.write(.always, [["RPUSH", "list", String(number)]]) }
        try harness.settle()
        #expect(try calls() - before == 5)
        #expect(try harness.redis.call("LRANGE", "list", "0", "-1").texts == (0..<320).map(String.init))
        // A command of its own is not ahead of what was written before it.
        try harness.store.write(.always, [["SET", "written", "1"]])
        var seen: String?
        try harness.store.link.send(["GET", "written"]) { seen = $0?.text }
        try harness.run("it is answered") { seen != nil }
        #expect(seen == "1")
    }

    @Test("parts keep the order, none is too long, and the event goes with the last")
    func parts() throws {
        let place = EventPlace(journal: "j", sequence: 7, eventID: "e", entry: "1-1")
        let steps = (0..<300).map { LedgerStep(.exists(key: "k\($0)"), [["HSET", "k\($0)", "f", "\"\($0)\""]]) }
        let record = LedgerRecord(.write, steps, event: place)
        let parts = try #require(record.split(maximum: 2000))
        #expect(parts.count > 5 && parts.allSatisfy { $0.text.utf8.count <= 2000 })
        #expect(parts.map { $0.text.contains("\"event\"") } == parts.indices.map { $0 == parts.count - 1 })
        let keys = parts.flatMap { part in
            (try? JSON(part.text))?.object?["steps"]?.array?.compactMap { $0.object?["if"]?.array?.last?.text } ?? []
        }
        #expect(keys == (0..<300).map { "k\($0)" })
        #expect(record.split(maximum: record.text.utf8.count)?.count == 1)
        #expect(record.split(maximum: 60) == nil)
    }

    @Test(
        "names that become parts of keys are refused where a key would break",
        arguments: ["a|b", " a", "a ", "|", "a\u{7F}", "a\nb"])
    func names(text: String) throws {
        let fields = OrderFields(object: ["user_uuid": .string(text)])
        do throws(OrderError) {
            _ = try fields.identifier("user_uuid")
            Issue.record("'\(text)' was taken")
        } catch {
            #expect(error.code == "bad_value")
        }
        #expect(
            try OrderFields(object: ["user_uuid": .string("COMMANDER_DEV_001")]).identifier("user_uuid").count == 17)
        // What terminals do send has to be addressable.
        for name in ["a b", "ä"] {
            #expect(try OrderFields(object: ["user_uuid": .string(name)]).identifier("user_uuid") == name)
        }
        #expect(try fields.optionalIdentifier("signal_id") == nil)
        #expect(try fields.actor() == "operator")
    }
}
