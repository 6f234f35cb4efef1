import Domain
import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker
@testable import Trading

@Suite("effects of events", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct TrackerEffectTests {
    private let place: TemporaryDirectory
    private let harness: StoreHarness

    init() throws {
        place = try TemporaryDirectory("ledger")
        harness = try StoreHarness(try RedisServer(), directory: place.path)
        try harness.settle()
    }

    private var redis: RedisServer { harness.redis }

    private func position(_ ticket: Int64) -> Position {
        Position(
            key: PositionKey(server: "S", account: "1", ticket: ticket), userUUID: "u", nodeID: "n", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 1_000_000),
            openPrice: Amount(units: 110_000_000), openPriceText: "1.1", openedAt: SystemClock.now())
    }

    /// An entry of a real stream, given to the tracker and not acknowledged.
    private func deliver(_ fields: String = "x") throws -> String {
        try redis.call("XGROUP", "CREATE", TrackerStore.streamName, TrackerStore.groupName, "0", "MKSTREAM")
        let entry = try redis.call("XADD", TrackerStore.streamName, "*", "field", fields).text
        try redis.call(
            "XREADGROUP", "GROUP", TrackerStore.groupName, "main", "STREAMS", TrackerStore.streamName, ">")
        return try #require(entry)
    }

    private func pending() throws -> Int64? {
        try redis.call("XPENDING", TrackerStore.streamName, TrackerStore.groupName).array?.first?.integer
    }

    private func opened(_ ticket: Int64, entry: String) -> EventEffect {
        var effect = EventEffect(entryID: entry)
        effect.opened = [position(ticket)]
        return effect
    }

    @Test("an effect and its acknowledgement are one step")
    func acknowledged() throws {
        let entry = try deliver()
        let place = EventPlace(journal: "j", sequence: 3, eventID: "e", entry: entry)
        #expect(try harness.store.begin(place))
        try harness.store.apply(opened(1, entry: entry))
        try harness.settle()
        #expect(try pending() == 0)
        #expect(try redis.members("all_open_positions") == ["S|1|1"])
        #expect(try EventMark(redis.hash(TrackerScripts.stateKey)).sequence == 3)
    }

    @Test("an event that a rebuilt stream brings again is acknowledged and has no effect")
    func again() throws {
        let entry = try deliver()
        let place = EventPlace(journal: "j", sequence: 3, eventID: "e", entry: entry)
        #expect(try harness.store.begin(place))
        try harness.store.apply(opened(1, entry: entry))
        try harness.store.write(.always, [["SREM", "all_open_positions", "S|1|1"]])
        try harness.settle()
        try redis.call("DEL", TrackerStore.streamName)
        let second = try deliver()
        let repeated = EventPlace(journal: "j", sequence: 3, eventID: "e", entry: second)
        #expect(try !harness.store.begin(repeated))
        try harness.store.acknowledge([second])
        try harness.run("it is acknowledged") { try pending() == 0 }
        // And should this process not know it, as after a start: Redis does.
        var answers: [Bool] = []
        try harness.store.put(
            LedgerRecord(.write, [LedgerStep(.always, [["SADD", "all_open_positions", "x"]])], event: repeated)
        ) { outcome in
            if case .refused(let reason) = outcome { answers.append(reason == "known") }
        }
        try harness.settle()
        #expect(answers == [true])
        #expect(try redis.members("all_open_positions").isEmpty)
    }

    @Test("what comes while the ledger is rebuilt is acknowledged behind that")
    func duringRebuild() throws {
        let place = EventPlace(journal: "j", sequence: 3, eventID: "e", entry: "1-0")
        #expect(try harness.store.begin(place))
        try harness.store.apply(opened(1, entry: "1-0"))
        try harness.settle()
        try redis.call("FLUSHALL")
        let second = try deliver()
        try harness.store.compareMarks()
        try harness.store.acknowledge([second])
        try harness.run("it is acknowledged") { try pending() == 0 }
    }

    @Test("a correction writes into rows that are there, open or closed, and makes none")
    func corrections() throws {
        for ticket in 1...2 { try harness.store.write(.always, harness.store.openCommands(position(Int64(ticket)))) }
        var closed = position(2)
        closed.state = .closed
        closed.closedAt = SystemClock.now()
        try harness.store.write(.always, harness.store.closeCommands(closed))
        var effect = EventEffect(entryID: "1-0")
        effect.corrected = [1, 2, 3].map {
            PositionCorrection(
                PositionKey(server: "S", account: "1", ticket: $0), [(name: "profit", value: "-3.20")])
        }
        #expect(try harness.store.begin(EventPlace(journal: "j", sequence: 9, eventID: "e", entry: "1-0")))
        try harness.store.apply(effect)
        try harness.settle()
        for ticket in 1...2 { #expect(try redis.hash("position:S|1|\(ticket)")["profit"] == "-3.20") }
        #expect(try redis.call("EXISTS", "position:S|1|3").integer == 0)
        #expect(try redis.members("all_open_positions") == ["S|1|1"])
        #expect(try redis.call("TTL", "position:S|1|1").integer == -1)
        let before = try harness.everything()
        try harness.emptyAndRebuild()
        #expect(try difference(before, harness.everything()).isEmpty)
    }

    @Test("the fire of an effect moves only from its own state; the rest of the effect happens")
    func fireBeside() throws {
        var fire = Fire(
            fireID: "a", userUUID: "u", nodeID: "n", server: "S", account: "1", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 1_000_000), state: .sent,
            createdAt: SystemClock.now(), expiresAt: SystemClock.now())
        let isTaken = fire.take(.filled, at: SystemClock.now(), by: "terminal")
        #expect(isTaken)
        fire.ticket = 1
        try redis.call("HSET", fire.key, "state", "unknown")
        var effect = opened(1, entry: "1-0")
        effect.fire = fire
        #expect(try harness.store.begin(EventPlace(journal: "j", sequence: 1, eventID: "e", entry: "1-0")))
        try harness.store.apply(effect)
        try harness.settle()
        #expect(try redis.hash(fire.key) == ["state": "unknown"])
        #expect(try redis.call("EXISTS", "ledger").integer == 0)
        #expect(try redis.members("all_open_positions") == ["S|1|1"])
    }

    @Test("what is over ends 90 days later, also when it was written again")
    func expiries() throws {
        var closed = position(1)
        closed.state = .closed
        closed.closedAt = SystemClock.now()
        try harness.store.write(.always, harness.store.closeCommands(closed))
        try harness.settle()
        // The moment is fixed now; the row gets it once its record is archived.
        #expect(try redis.call("EXPIRETIME", "position:S|1|1").integer == -1)
        let held = try redis.hash(TrackerScripts.unarchivedKey)
        let end = try #require(held["position:S|1|1"]?.split(separator: " ").last.flatMap { Int64($0) })
        let expected = SystemClock.now().seconds + 90 * 86_400
        #expect((expected - 60...expected).contains(end))
        _ = try harness.reactor.run(until: { false }, milliseconds: 1100)
        try harness.emptyAndRebuild()
        #expect(try redis.hash(TrackerScripts.unarchivedKey) == held)
    }

    @Test("a user's day that has expired leaves the set of days")
    func days() throws {
        let day = DayBooking(
            userUUID: "u", date: "2026-11-21", startsDay: true,
            fields: [DayBooking.Field(name: "realised.USD", value: "5")])
        try harness.store.write(.always, harness.store.dayCommands(day))
        try harness.settle()
        try harness.store.forgetOldDays()
        try redis.call("SADD", "user_days", "gone")
        try harness.run("the one without a row is forgotten") {
            try harness.store.forgetOldDays()
            return try redis.members("user_days") == ["u"]
        }
        #expect(try redis.hash("user_day:u") == ["realised.USD": "5"])
    }

    @Test("keys of a wrong type are complained of and hold nothing up")
    func wrongType() throws {
        try redis.call("SET", "all_open_positions", "text")
        try harness.store.write(.always, harness.store.openCommands(position(1)))
        try harness.store.write(.always, [["SADD", "users", "u"]])
        try harness.settle()
        #expect(harness.report.problems["state_keys"]?.contains("all_open_positions") == true)
        #expect(try redis.members("users") == ["u"])
        #expect(try redis.members("user_positions:u") == ["S|1|1"])
    }

    @Test("what is not in the journal does not overtake what is: it may be about a row that was just put")
    func unjournaled() throws {
        try harness.store.write(.always, [["HSET", "row", "figure", "old"]])
        try harness.store.writeUnjournaled([LedgerStep(.exists(key: "row"), [["HSET", "row", "figure", "new"]])])
        try harness.settle()
        #expect(try redis.hash("row") == ["figure": "new"])
        try harness.store.write(.always, [["HSET", "row", "figure", "newer"]])
        try harness.settle()
        #expect(try redis.hash("row") == ["figure": "newer"])
    }

    @Test("a Redis without room keeps nothing half: the writes wait and are done once there is")
    func noRoom() throws {
        try harness.store.write(.always, [["HINCRBY", "ledger", "sent", "1"]])
        try harness.settle()
        try redis.call("CONFIG", "SET", "maxmemory", "1")
        for _ in 1...3 { try harness.store.write(.always, [["HINCRBY", "ledger", "sent", "1"]]) }
        try harness.run("it is said") { harness.report.problems["state"]?.contains("OOM") == true }
        #expect(try harness.store.waiting == 3)
        try redis.call("CONFIG", "SET", "maxmemory", "0")
        try harness.settle()
        #expect(try redis.integer("ledger", "sent") == 4)
        #expect(harness.report.problems["state"] == nil)
    }
}
