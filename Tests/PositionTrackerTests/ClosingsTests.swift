import Domain
import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker
@testable import Trading

@Suite("closings in Redis", .serialized, .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct ClosingsTests {
    private let place: TemporaryDirectory
    private let harness: StoreHarness
    private var redis: RedisServer { harness.redis }

    init() throws {
        place = try TemporaryDirectory("ledger")
        harness = try StoreHarness(try RedisServer(), directory: place.path)
        try harness.settle()
    }

    private func position(_ ticket: Int64) -> Position {
        var position = Position(
            key: PositionKey(server: "S", account: "1", ticket: ticket), userUUID: "u", nodeID: "n", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 10_000_000),
            openPrice: Amount(units: 110_000_000), openPriceText: "1.1", openedAt: SystemClock.now())
        position.fireID = "f\(ticket)"
        return position
    }

    private func closing(_ name: String, _ profit: Amount?, _ source: String? = "message") -> Closing {
        Closing(name: name, lot: Amount(name), profit: profit, source: source)
    }

    private func apply(_ number: UInt64, _ change: (inout EventEffect) -> Void) throws {
        var effect = EventEffect(entryID: "\(number)-0")
        change(&effect)
        let place = EventPlace(journal: "j", sequence: number, eventID: "e\(number)", entry: effect.entryID)
        #expect(try harness.store.begin(place))
        try harness.store.apply(effect)
    }

    @Test("the script's sum is the engine's to the last digit, whatever the parts, in any order")
    func sums() throws {
        var generator = SeededGenerator(seed: 20_261_121, for: "closings in Redis")
        let sources = Closings.sources.dropLast()
        var number: UInt64 = 0
        var expected: [Int64: Closings] = [:]
        for ticket in Int64(1)...60 {
            var open = position(ticket)
            try harness.store.write(.always, harness.store.openCommands(open))
            let parts = (1...Int.random(in: 1...6, using: &generator)).map { "0.0\($0)" }
            for name in parts {
                let isKnown = Int.random(in: 0..<8, using: &generator) > 0
                // Beyond 2^53, where a double is no longer exact.
                let units = Int64.random(in: -1_500_000_000_000_000_000...1_500_000_000_000_000_000, using: &generator)
                let small = Int64.random(in: -300...300, using: &generator)
                let profit = Amount(units: Bool.random(using: &generator) ? units : small)
                open.closings.put(closing(name, isKnown ? profit : nil, sources.randomElement(using: &generator)))
            }
            open.state = .closed
            open.closedAt = SystemClock.now()
            number += 1
            try apply(number) { [open] in $0.closed = [open] }
            for name in parts.shuffled(using: &generator) where parts.count > 1 {
                let corrected = closing(
                    name, Amount(units: Int64.random(in: -9_000_000_000...9_000_000_000, using: &generator)),
                    sources.randomElement(using: &generator))
                guard Bool.random(using: &generator) else { continue }
                open.closings.put(corrected)
                number += 1
                try apply(number) {
                    $0.corrected = [PositionCorrection(open.key, closing: corrected, isClosed: true, [])]
                }
                expected[ticket] = open.closings
            }
        }
        try harness.settle()
        #expect(expected.count > 20)
        for (ticket, closings) in expected {
            let row = try redis.hash("position:S|1|\(ticket)")
            #expect(row["profit"] == closings.profit?.text(minimumDecimals: 2), "\(ticket): \(closings.list)")
            #expect(row["profit_source"] == closings.source)
            #expect(row["profit_units"] == nil && Closings(row: row) == closings)
        }
        let before = try harness.everything()
        try harness.emptyAndRebuild()
        #expect(try difference(before, harness.everything()).isEmpty)
    }

    @Test("a part corrected in an open row waits for the end; a row that is not there is not made")
    func open() throws {
        try harness.store.write(.always, harness.store.openCommands(position(1)))
        try apply(1) {
            $0.corrected = [
                PositionCorrection(self.position(1).key, closing: self.closing("0.04", Amount("-0.4")), []),
                PositionCorrection(
                    self.position(2).key, closing: self.closing("0.04", Amount("-0.4")), isClosed: true, []),
            ]
        }
        try harness.settle()
        let row = try redis.hash("position:S|1|1")
        #expect(row["closing.0.04"] == "-40000000|message|0.04" && row["profit"] == nil)
        #expect(try redis.call("EXISTS", "position:S|1|2").integer == 0)
    }

    @Test("a closing corrected in a row that was closed as a whole replaces its profit; an unknown one takes it away")
    func single() throws {
        var closed = position(1)
        closed.state = .closed
        closed.closedAt = SystemClock.now()
        closed.profit = "-3.2"
        closed.profitSource = "balance_step"
        closed.closings.put(closing("0.1", Amount("-3.2"), "balance_step"))
        try apply(1) { [closed] in $0.closed = [closed] }
        for (number, profit, text) in [(2, Amount("-3.25"), "-3.25"), (3, nil, nil)] as [(UInt64, Amount?, String?)] {
            try apply(number) {
                $0.corrected = [
                    PositionCorrection(closed.key, closing: self.closing("0.1", profit), isClosed: true, [])
                ]
            }
            try harness.settle()
            let row = try redis.hash("position:S|1|1")
            #expect(row["profit"] == text && row["profit_source"] == (text == nil ? "unknown" : "message"))
        }
    }

    @Test("a contradicted fire keeps state and counters, is counted beside them, and its position has a slot")
    func contradicted() throws {
        var fire = Fire(
            fireID: "f1", userUUID: "u", nodeID: "n", server: "S", account: "1", symbol: "EURUSD",
            canonicalSymbol: "EURUSD", direction: .buy, lot: Amount(units: 1_000_000), state: .unknown,
            createdAt: SystemClock.now(), expiresAt: SystemClock.now())
        try harness.store.write(.always, [["HSET", fire.key] + fire.row])
        try redis.call("HSET", "slots:u", "other", "reserved")
        let isSettled = fire.become(.neverExecuted, at: SystemClock.now(), by: "operator")
        #expect(isSettled)
        try harness.store.move(fire, releasesSlot: true)
        try harness.settle()
        #expect(try redis.call("ZRANGE", "settled_fires", "0", "-1").texts == ["f1"])
        let counters = try redis.hash("ledger")
        fire.previousState = fire.state
        fire.isContradicted = true
        fire.isLate = true
        fire.ticket = 1
        fire.times[.answered] = SystemClock.now()
        try apply(1) { [fire] in
            $0.fire = fire
            $0.contradicts = true
            $0.opened = [self.position(1)]
        }
        try harness.settle()
        let row = try redis.hash(fire.key)
        #expect(row["state"] == "never_executed" && row["contradicted"] == "1" && row["late"] == "1")
        #expect(row["ticket"] == "1" && row["answered_at"] != nil)
        #expect(try redis.hash("ledger") == counters.merging(["contradicted": "1"]) { $1 })
        #expect(try redis.hash("slots:u") == ["other": "reserved", "f1": "S|1|1"])
        #expect(try redis.call("EXISTS", "settled_fires").integer == 0)
        let read = Fire(row: row)
        #expect(read?.isContradicted == true && read?.isRevisable == false)
    }
}
