import Domain
import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker

@Suite("the ledger's snapshot", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct LedgerSnapshotTests {
    private func row(_ pairs: [String: String]) -> Row { Row(fields: pairs) }

    private var state: LoadedState {
        var state = LoadedState()
        state.counts = ["sent": "7", "filled": "6"]
        state.brakes = ["all": "HALTED|1|text"]
        state.earlyCloses = ["S|1|9": "{}"]
        state.users = ["u": row(["user_uuid": "u", "tier": "MAJOR"])]
        state.openFires = ["a": row(["fire_id": "a", "state": "sent", "user_uuid": "u", "created_at": "5"])]
        state.fires = ["old": row(["fire_id": "old", "state": "filled", "user_uuid": "u", "created_at": "3"])]
        state.closedPositions = ["S|1|1": row(["state": "closed", "closed_at": "9"])]
        let open = ["state": "open", "user_uuid": "w", "server": "S", "account": "1"]
        state.openPositions = ["S|1|2": row(open)]
        state.slots = ["u": ["a": "reserved"], "w": ["S|1|2": "S|1|2"]]
        let soon = (SystemClock.now().seconds + 7200) * 1000
        state.expiries = ["fire:old": soon, "position:S|1|1": soon]
        state.state = ["event_journal": "j", "event_seq": "12", "event_ids": "\nx\n"]
        return state
    }

    @Test("what a start found is there again after Redis was emptied")
    func rebuilt() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path)
        let store = try harness.store
        let state = state
        store.onOpen = { [unowned store] in store.release(snapshot: state.snapshot.records) }
        store.write(.always, [["SADD", "users", "later"]])
        try harness.settle()
        // It was in Redis when it was read: nothing of it is written then, what waited for it is.
        #expect(try harness.everything() == ["users": "stays [\"later\"]"])
        try harness.emptyAndRebuild()
        #expect(try harness.redis.hash("ledger") == state.counts)
        #expect(try harness.redis.hash("slots:u") == ["a": "reserved"])
        #expect(try harness.redis.hash("early_closes") == state.earlyCloses)
        #expect(try harness.redis.members("users") == ["later", "u"])
        #expect(try harness.redis.members("account_positions:S|1") == ["S|1|2"])
        #expect(try harness.redis.members("user_positions:w") == ["S|1|2"])
        #expect(try harness.redis.call("ZRANGE", "fires", "0", "-1").texts == ["old", "a"])
        #expect(try harness.redis.call("TTL", "fire:old").integer ?? 0 > 7000)
        #expect(try harness.redis.call("TTL", "fire:a").integer == -1)
        #expect(try EventMark(harness.redis.hash(TrackerScripts.stateKey)).sequence == 12)
    }

    @Test("a long one is many records, none of them too long")
    func parts() {
        var snapshot = LedgerSnapshot()
        snapshot.add(set: (0..<10_000).map { "a member of some length \($0)" }, key: "set")
        for number in 0..<500 { snapshot.add(row: ["json": String(repeating: "x", count: 1000)], key: "row:\(number)") }
        #expect(snapshot.records.count > 5)
        #expect(snapshot.records.allSatisfy { $0.text.utf8.count < 300_000 })
    }
}
