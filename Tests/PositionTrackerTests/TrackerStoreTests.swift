import Domain
import Foundation
import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker
@testable import Trading

@Suite("the tracker's store", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct TrackerStoreTests {
    private let place: TemporaryDirectory
    private let harness: StoreHarness

    init() throws {
        place = try TemporaryDirectory("ledger")
        harness = try StoreHarness(try RedisServer(), directory: place.path + "/ledger")
        try harness.settle()
    }

    private func fire(_ fireID: String, user: String = "u") -> Fire {
        let now = SystemClock.now()
        return Fire(
            fireID: fireID, userUUID: user, nodeID: "n", server: "S", account: "1", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 1_000_000), state: .sending, createdAt: now,
            expiresAt: now.adding(milliseconds: 30_000))
    }

    private func position(_ ticket: Int64) -> Position {
        Position(
            key: PositionKey(server: "S", account: "1", ticket: ticket), userUUID: "u", nodeID: "n", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 1_000_000),
            openPrice: Amount(units: 110_000_000), openPriceText: "1.1", openedAt: SystemClock.now())
    }

    private func reserve(_ fire: Fire, maximum: Int = 3) throws -> ReservationResult? {
        var answer: ReservationResult?
        try harness.store.reserve(fire, slotsMaximum: maximum) { answer = $0 }
        try harness.run("the reservation is answered") { answer != nil }
        return answer
    }

    private func claim(_ fireID: String, _ claim: String) throws -> Bool? {
        var answer: Bool??
        try harness.store.claimBatch(fireID, claim: claim) { answer = .some($0) }
        try harness.run("the claim is answered") { answer != nil }
        return answer ?? nil
    }

    private func open(_ position: Position, maximum: Int = 2) throws -> OpenResult? {
        var answer: OpenResult?
        try harness.store.openIfAbsent(position, slotsMaximum: maximum) { answer = $0 }
        try harness.run("the opening is answered") { answer != nil }
        return answer
    }

    @Test("an id is reserved once and slots are bounded, before and after Redis was emptied")
    func reservations() throws {
        #expect(try reserve(fire("a")) == .reserved(slotsUsed: 1))
        #expect(try reserve(fire("a")) == .duplicate(state: "sending"))
        #expect(try reserve(fire("b"), maximum: 2) == .reserved(slotsUsed: 2))
        #expect(try reserve(fire("c"), maximum: 2) == .noSlot(slotsUsed: 2))
        let before = try harness.everything()
        try harness.emptyAndRebuild()
        #expect(try difference(before, harness.everything()).isEmpty)
        #expect(try reserve(fire("a")) == .duplicate(state: "sending"))
        #expect(try reserve(fire("c"), maximum: 2) == .noSlot(slotsUsed: 2))
    }

    @Test("nothing is reserved in a Redis that was just emptied: its slots all look free")
    func emptiedBetween() throws {
        for name in ["a", "b", "c"] { _ = try reserve(fire(name)) }
        try harness.redis.call("FLUSHALL")
        #expect(try reserve(fire("d")) == .unavailable)
        try harness.settle()
        #expect(try harness.redis.hash("slots:u").count == 3)
        #expect(try reserve(fire("d")) == .noSlot(slotsUsed: 3))
    }

    @Test("a reservation whose answer was lost is not made later")
    func revoked() throws {
        _ = try reserve(fire("a"))
        harness.redis.pause()
        var answer: ReservationResult?
        try harness.store.reserve(fire("b"), slotsMaximum: 3) { answer = $0 }
        try harness.redis.kill()
        try harness.run("it is answered") { answer != nil }
        #expect(answer == .unavailable)
        try harness.redis.start()
        try harness.settle()
        #expect(try harness.redis.hash("slots:u") == ["a": "reserved"])
        try harness.emptyAndRebuild()
        #expect(try harness.redis.hash("slots:u") == ["a": "reserved"])
        #expect(try harness.redis.call("EXISTS", "fire:b").integer == 0)
    }

    @Test("a claim may be made again by who made it, and by nobody else")
    func claims() throws {
        #expect(try claim("many", "x") == true)
        #expect(try claim("many", "x") == true)
        #expect(try claim("many", "y") == false)
        try harness.emptyAndRebuild()
        #expect(try claim("many", "y") == false)
        #expect(try claim("many", "x") == true)
        let left = try harness.redis.call("TTL", "fire_batch:many").integer ?? 0
        #expect((7_775_000...7_776_000).contains(left))
    }

    @Test("a position is opened by hand once, and within the slots")
    func openings() throws {
        #expect(try open(position(1)) == .opened(slotsUsed: 1))
        #expect(try open(position(1)) == .exists)
        #expect(try open(position(2)) == .opened(slotsUsed: 2))
        #expect(try open(position(3)) == .noSlot(slotsUsed: 2))
        let before = try harness.everything()
        try harness.emptyAndRebuild()
        #expect(try difference(before, harness.everything()).isEmpty)
        #expect(try harness.redis.call("EXISTS", "position:S|1|3").integer == 0)
    }

    @Test("each write takes effect once, however often the connection breaks in between")
    func once() throws {
        for round in 1...5 {
            for _ in 1...200 { try harness.store.write(.always, [["HINCRBY", "ledger", "sent", "1"]]) }
            _ = try harness.reactor.run(until: { false }, milliseconds: Int64(round))
            try harness.redis.kill()
            for _ in 1...100 { try harness.store.write(.always, [["HINCRBY", "ledger", "sent", "1"]]) }
            try harness.redis.start()
        }
        try harness.settle()
        #expect(try harness.redis.integer("ledger", "sent") == 1500)
        try harness.emptyAndRebuild()
        #expect(try harness.redis.integer("ledger", "sent") == 1500)
    }

    @Test("a move is written only from the state it came from, and says whether it was")
    func moves() throws {
        var moved = fire("a")
        _ = try reserve(moved)
        _ = moved.become(.sent, at: SystemClock.now(), by: "test")
        var answers: [Bool] = []
        try harness.store.move(moved, releasesSlot: false) { answers.append($0) }
        try harness.store.move(moved, releasesSlot: false) { answers.append($0) }
        try harness.settle()
        #expect(answers == [true, false])
        #expect(try harness.redis.integer("ledger", "sent") == 1)
        // The answers survive the loss of their replies.
        _ = moved.become(.unknown, at: SystemClock.now(), by: "test")
        try harness.store.move(moved, releasesSlot: false) { answers.append($0) }
        try harness.store.move(moved, releasesSlot: false) { answers.append($0) }
        try harness.store.link.drain(milliseconds: 0)
        try harness.redis.kill()
        try harness.redis.start()
        try harness.settle()
        #expect(answers == [true, false, true, false])
    }

    @Test("what a Redis set back to an earlier state lacks is brought to it")
    func setBack() throws {
        _ = try reserve(fire("a"))
        try harness.settle()
        var copy: [(key: String, value: String)] = []
        for key in try harness.redis.call("KEYS", "*").texts { copy.append((key, key + ":earlier")) }
        for entry in copy { try harness.redis.call("COPY", entry.key, entry.value) }
        _ = try reserve(fire("b"))
        for _ in 1...3 { try harness.store.write(.always, [["HINCRBY", "ledger", "sent", "1"]]) }
        try harness.settle()
        let before = try harness.everything().filter { !$0.key.hasSuffix(":earlier") }
        let rebuilds = harness.report.counters["rebuilds"] ?? 0
        for key in try harness.redis.call("KEYS", "*").texts where !key.hasSuffix(":earlier") {
            try harness.redis.call("DEL", key)
        }
        for entry in copy { try harness.redis.call("RENAME", entry.value, entry.key) }
        try harness.run("it is noticed") { (harness.report.counters["rebuilds"] ?? 0) > rebuilds }
        try harness.settle()
        #expect(try difference(before, harness.everything()).isEmpty)
    }

    @Test("a Redis with another journal's ledger is left as it is")
    func foreign() throws {
        _ = try reserve(fire("a"))
        try harness.end()
        try harness.redis.call("FLUSHALL")
        try harness.redis.call("HSET", TrackerScripts.stateKey, "seq.0123", "7")
        try harness.begin()
        try harness.store.write(.always, [["SET", "mine", "1"]])
        try harness.run("it is refused") { harness.report.problems["ledger_foreign"] != nil }
        #expect(try harness.store.phase == .refused && harness.store.isAvailable == false)
        #expect(try harness.redis.call("DBSIZE").integer == 1)
        try harness.redis.call("FLUSHALL")
        try harness.settle()
        #expect(try harness.redis.call("GET", "mine").text == "1")
        #expect(try harness.redis.hash("slots:u") == ["a": "reserved"])
        #expect(harness.report.problems["ledger_foreign"] == nil)
    }

    @Test("records that a crash kept from the disk are missed, said, and wanted in the next snapshot")
    func tornJournal() throws {
        for name in ["a", "b"] { _ = try reserve(fire(name)) }
        let mark = try harness.store.confirmed
        try harness.end()
        let folder = place.path + "/ledger"
        let segment = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".log") })
        let file = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(segment)"))
        try file.truncate(atOffset: try file.seekToEnd() - 20)
        try file.close()
        try harness.begin()
        var wanted = false
        let store = try harness.store
        store.onOpen = { [unowned store] in
            wanted = store.missedRows == .newest
            store.release(snapshot: [])
        }
        try harness.settle()
        #expect(wanted && store.confirmed < mark)
        #expect(harness.report.counters["ledger_records_lost"] == 1)
        #expect(try harness.redis.hash("slots:u").count == 2)
        #expect(try reserve(fire("c")) == .reserved(slotsUsed: 3))
    }

    @Test("what was said of lost records is not read as of those that get their numbers")
    func refusalsOfLostRecords() throws {
        _ = try reserve(fire("a"))
        let (mark, identifier) = (try harness.store.confirmed, try harness.store.journal.identifier)
        try harness.end()
        // As a crash of the machine leaves it: Redis is ahead, and remembers that the record behind ours was refused.
        let field = TrackerScripts.markPrefix + identifier
        try harness.redis.call("HSET", TrackerScripts.stateKey, field, String(mark + 1))
        try harness.redis.call("LPUSH", TrackerScripts.refusedKey, "\(mark + 1)\n1 no_slot 3")
        try harness.begin()
        try harness.settle()
        #expect(try harness.redis.call("EXISTS", TrackerScripts.refusedKey).integer == 0)
        #expect(try reserve(fire("b")) == .reserved(slotsUsed: 2))
    }
}
