import Domain
import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker
@testable import Trading

/// One store among faults, one without: whatever happens to Redis and to the process, both end with the same keys.
@Suite("the ledger under faults", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct RebuildPropertyTests {
    @Test("random operations, kills of Redis, FLUSHALL and restarts", arguments: [1, 2, 3] as [UInt64])
    func faults(seed: UInt64) throws {
        let place = try TemporaryDirectory("ledger")
        let struck = try StoreHarness(try RedisServer(), directory: place.path + "/struck")
        let calm = try StoreHarness(try RedisServer(), directory: place.path + "/calm")
        try struck.settle()
        try calm.settle()
        var model = LedgerModel(SeededGenerator(seed: seed, for: "the ledger under faults"))
        var faults: [String: Int] = [:]
        var isDown = false
        for operation in 1...1500 {
            if operation.isMultiple(of: 60) {
                let fault = try strike(struck, &isDown, &model.generator)
                faults[fault, default: 0] += 1
            }
            let now = SystemClock.now()
            if Int.random(in: 0..<3, using: &model.generator) == 0 {
                try reserve(&model, struck, calm, now)
            } else {
                let step = model.step(now: now)
                step(try struck.store)
                step(try calm.store)
            }
            if operation.isMultiple(of: 20) { _ = try struck.reactor.run(until: { false }, milliseconds: 3) }
        }
        if isDown { try struck.redis.start() }
        try struck.settle()
        try calm.settle()
        try struck.emptyAndRebuild()
        let (left, right) = (try struck.everything(), try calm.everything())
        #expect(difference(left, right).isEmpty, "seed \(seed), \(faults): \(difference(left, right))")
        #expect(left.count > 100)
        let rebuilds = struck.report.counters["rebuilds"] ?? 0
        print("seed \(seed): \(faults.sorted { $0.key < $1.key }), keys \(left.count), rebuilds at the end \(rebuilds)")
    }

    private func strike(_ harness: StoreHarness, _ isDown: inout Bool, _ generator: inout SeededGenerator) throws
        -> String
    {
        if isDown {
            try harness.redis.start()
            isDown = false
            return "start"
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            try harness.redis.kill()
            isDown = true
            return "kill"
        case 1:
            // While calls are under way.
            try harness.redis.call("FLUSHALL")
            return "flush"
        case 2:
            try harness.redis.call("FLUSHALL")
            try harness.redis.kill()
            isDown = true
            return "flush and kill"
        case 3:
            // Once more while it is rebuilt.
            try harness.redis.call("FLUSHALL")
            for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                _ = try harness.reactor.run(until: { false }, milliseconds: 2)
            }
            try harness.redis.call("FLUSHALL")
            return "flush twice"
        case 4:
            try harness.end()
            try harness.redis.call("FLUSHALL")
            try restart(harness)
            return "flush while stopped"
        default:
            try harness.end()
            try restart(harness)
            return "restart"
        }
    }

    private func restart(_ harness: StoreHarness) throws {
        try harness.begin()
        try harness.settle()
        let state = try harness.redis.hash(TrackerScripts.stateKey)
        try harness.store.restoreEvents(state)
    }

    /// A reservation is waited for: what comes next depends on it.
    private func reserve(
        _ model: inout LedgerModel, _ struck: StoreHarness, _ calm: StoreHarness, _ now: Timestamp
    ) throws {
        let fire = model.newFire(now: now)
        var answer: ReservationResult?
        try struck.store.reserve(fire, slotsMaximum: LedgerModel.slots) { answer = $0 }
        try struck.run("the reservation is answered") { answer != nil }
        if answer == .unavailable {
            // Redis may have done it all the same; it tells when it is back, and then it counts.
            guard struck.redis.pid != nil else { return }
            try struck.settle()
            guard try struck.redis.call("EXISTS", fire.key).integer == 1 else { return }
        } else if case .noSlot = answer {
            return
        }
        var second: ReservationResult?
        try calm.store.reserve(fire, slotsMaximum: LedgerModel.slots) { second = $0 }
        try calm.run("the reservation is answered") { second != nil }
        if case .reserved = answer { #expect(second == answer) }
        guard case .reserved = second else {
            throw ConditionNotMet(description: "\(fire.fireID): \(String(describing: second))")
        }
        model.reserved(fire)
    }
}
