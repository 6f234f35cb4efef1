import Testing

@testable import MeshCtl

/// What the tracker's journal makes of the ledger, beside what Redis has, against figures worked out by hand.
@Suite("Totals of the ledger's journal")
struct LedgerTotalsTests {
    /// A filled fire, one withdrawn before it left, one taken back, one whose step was refused, and a closed position.
    private static let records = [
        step("reserve", [["HSET", "fire:a", "fire_id", "a", "state", "reserved"]]),
        step("state", [["HSET", "fire:a", "state", "sent"], ["HINCRBY", "ledger", "sent", "1"]]),
        step("state", [["HSET", "fire:a", "state", "filled"], ["HINCRBY", "ledger", "filled", "1"]]),
        step("always", [["HSET", "position:S|7|5", "state", "open"]]),
        step("reserve", [["HSET", "fire:b", "state", "reserved"]]),
        step("state", [["HSET", "fire:b", "state", "expired"], ["HINCRBY", "ledger", "expired", "1"]]),
        step("reserve", [["HSET", "fire:c", "state", "reserved"]]),
        #"{"kind":"refused","of":"7","numbers":",0,"}"#,
        step("state", [["HSET", "fire:a", "state", "unknown"], ["HINCRBY", "ledger", "unknown", "1"]]),
        #"{"kind":"refused","of":"9","numbers":",1,"}"#,
        step("always", [["HSET", "position:S|7|5", "state", "closed"], ["KEEP", "position:S|7|5", "5000"]]),
        step("always", [["HSET", "user:u", "state", "no row of the ledger"]]),
    ]

    private static func step(_ condition: String, _ commands: [[String]]) -> String {
        let words = commands.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ",") + "]" }.joined(separator: ",")
        return #"{"kind":"write","steps":[{"if":["\#(condition)"],"do":[\#(words)]}]}"#
    }

    private static let rows = ["fire:a": "filled", "fire:b": "expired", "position:S|7|5": "closed"]
    private static let counters = ["sent": "1", "filled": "1", "expired": "1"]

    private static func wrong(
        rows: [String: String] = rows, indexed: [String] = [], counters: [String: String] = counters,
        moving: Set<String> = [], now: Int64 = 1000, of records: [String] = records
    ) -> [String] {
        JournalComparison.ledger(
            LedgerTotals(records: records), rows: rows, indexed: indexed, counters: counters, moving: moving, now: now
        ).filter { !$0.isGood }.map(\.name)
    }

    @Test("rows have their last state; what was refused, whole or in a step, has no effect")
    func states() {
        let totals = LedgerTotals(records: Self.records)
        #expect(totals.states == Self.rows)
        #expect(totals.counters == ["sent": 1, "filled": 1, "expired": 1] && totals.sums == totals.counters)
        #expect(totals.ends == ["position:S|7|5": 5000])
        #expect(Self.wrong(indexed: ["fire:a", "fire:b"]).isEmpty)
    }

    @Test("a row of another state, a lost one and an invented one are named")
    func rows() {
        #expect(Self.wrong(rows: Self.rows.merging(["fire:a": "sent"]) { $1 }) == ["fires", "fire:a"])
        #expect(Self.wrong(rows: Self.rows.filter { $0.key != "fire:b" }) == ["fires", "fire:b"])
        #expect(Self.wrong(indexed: ["position:S|7|6"]) == ["positions", "position:S|7|6"])
        #expect(Self.wrong(indexed: ["position:S|7|5"]) == ["positions", "position:S|7|5"])
        let open = Array(Self.records.prefix(4))
        let row = ["fire:a": "filled", "position:S|7|5": "open"]
        let sums = ["sent": "1", "filled": "1"]
        #expect(Self.wrong(rows: row, counters: sums, of: open) == ["positions", "position:S|7|5"])
        #expect(Self.wrong(rows: row, indexed: ["position:S|7|5"], counters: sums, of: open).isEmpty)
        // What is written just now is compared another time; what is past its end may be gone.
        #expect(Self.wrong(rows: Self.rows.merging(["fire:a": "sent"]) { $1 }, moving: ["fire:a"]).isEmpty)
        let fires = Self.rows.filter { $0.key.hasPrefix("fire:") }
        #expect(Self.wrong(rows: fires) == [] && Self.wrong(rows: fires, now: -90_000) != [])
    }

    @Test("a counter that is not the journal's is named, and so is one that is not its rows'")
    func counters() {
        #expect(Self.wrong(counters: ["sent": "2", "filled": "1", "expired": "1"]) == ["ledger sent"])
        #expect(Self.wrong(counters: ["sent": "1", "filled": "1"]) == ["ledger expired"])
        let twice = Self.records + [Self.step("state", [["HINCRBY", "ledger", "filled", "1"]])]
        #expect(Self.wrong(counters: ["sent": "1", "filled": "2", "expired": "1"], of: twice) == ["ledger filled"])
    }

    @Test("what is put right of a row that is over leaves its end as it was")
    func corrections() {
        let late =
            Self.records + [
                Self.step("always", [["HSET", "position:S|7|5", "profit", "1.00"], ["KEEP", "position:S|7|5", ""]])
            ]
        #expect(LedgerTotals(records: late).ends == ["position:S|7|5": 5000])
        // Gone after its end, it is no difference; gone before, it is one.
        let left = Self.rows.filter { !$0.key.hasPrefix("position:") }
        #expect(Self.wrong(rows: left, now: 5000, of: late).isEmpty)
        #expect(Self.wrong(rows: left, now: -90_000, of: late) == ["positions", "position:S|7|5"])
        let moved = late + [Self.step("always", [["KEEP", "position:S|7|5", "6000"]])]
        #expect(LedgerTotals(records: moved).ends == ["position:S|7|5": 6000])
    }

    @Test("a write in parts counts with its last part, and not at all without it")
    func parts() {
        func part(_ word: String, _ key: String) -> String {
            #"{"kind":"write","part":"\#(word)","steps":[{"if":["always"],"do":[["HSET","\#(key)","state","open"]]}]}"#
        }
        let whole = Self.records + [part("more", "position:x"), part("last", "position:y")]
        #expect(LedgerTotals(records: whole).states["position:x"] == "open")
        #expect(LedgerTotals.Refusals(records: whole).lastMover == 14)
        let torn = Self.records + [part("more", "position:x")]
        #expect(LedgerTotals(records: torn).states["position:x"] == nil)
        #expect(LedgerTotals.Refusals(records: torn).lastMover == 12)
    }

    @Test("behind what moves it a mark is different, unless it is on its way")
    func marks() {
        func mark(_ mark: UInt64, isMoving: Bool = false) -> JournalComparison.Finding {
            JournalComparison.mark(.ledger, mark, goal: 10, last: 12, isMoving: isMoving)
        }
        #expect(mark(10).isGood && mark(12).isGood && mark(10).note == "")
        #expect(!mark(9).isGood && mark(9).note == "behind by 1 of what it must have")
        #expect(mark(4, isMoving: true).isGood && mark(4, isMoving: true).note == "behind by 6, and catching up")
        #expect(!mark(13).isGood && !mark(13, isMoving: true).isGood)
        let kinds = LedgerTotals.Refusals(records: Self.records)
        #expect(kinds.lastMover == 12 && LedgerTotals.Refusals(records: Array(Self.records.prefix(8))).lastMover == 6)
    }
}
