import Domain
import Foundation
import Testing

@testable import Trading

/// Line 8 of the proof: random histories against a broker that knows the truth. `MESH_CHAOS=full` is the full dose.
@Suite("Chaos: reconciliation") struct ReconciliationChaosTests {
    private static let firstSeed: UInt64 = 20_261_121

    @Test("after the last witness what is certain is the broker's, everything else is asked; twice changes nothing")
    func histories() {
        let environment = ProcessInfo.processInfo.environment
        let dose = environment["MESH_CHAOS"] == "full" ? 100_000 : 2_000
        let count = environment["MESH_CHAOS_COUNT"].flatMap { Int($0) } ?? dose
        let first = environment["MESH_CHAOS_SEED"].flatMap { UInt64($0) } ?? ReconciliationChaosTests.firstSeed
        var total = Total()
        for seed in first..<first + UInt64(count) {
            var history = ReconciliationHistory(seed: seed)
            history.run()
            let verdict = ReconciliationVerdict(history)
            let before = ReconciliationSnapshot(history.mesh)
            total.add(history, verdict)
            history.runAgain()
            let after = ReconciliationSnapshot(history.mesh)
            if after != before { total.changedAgain += 1 }
            if !verdict.wrong.isEmpty || after != before {
                var told = ReconciliationHistory(seed: seed, isTold: true)
                told.run()
                print(told.story.joined(separator: "\n"))
            }
            for what in verdict.wrong {
                Issue.record("seed \(seed) (\(history.broker.family)): \(what)")
            }
            if after != before {
                Issue.record("seed \(seed) (\(history.broker.family)): a second run changed something")
            }
        }
        print("chaos 8: seed \(first), \(total)")
        #expect(total.wrong == 0)
        #expect(total.changedAgain == 0)
        #expect(count < 100 || total.inferred > 0 && total.merged > 0 && total.questions > 0)
    }

    private struct Total: CustomStringConvertible {
        var histories = 0
        var fires = 0
        var events = 0
        var lost = 0
        var inferred = 0
        var merged = 0
        var doubles = 0
        var questions = 0
        var open = 0
        var traceless = 0
        var wrong = 0
        var changedAgain = 0

        mutating func add(_ history: ReconciliationHistory, _ verdict: ReconciliationVerdict) {
            histories += 1
            fires += history.fired.count
            events += history.mesh.counts.events
            lost += history.lost
            inferred += history.mesh.counts.inferred
            merged += history.mesh.counts.merged
            doubles += history.mesh.counts.doubles
            questions += verdict.questions
            open += verdict.open
            traceless += verdict.traceless
            wrong += verdict.wrong.count
        }

        var description: String {
            "histories \(histories), fires \(fires), events \(events), lost \(lost), inferred \(inferred), "
                + "merged \(merged), told again \(doubles), questions \(questions), uncertain and visible \(open), "
                + "traceless \(traceless), wrong \(wrong), changed by a second run \(changedAgain)"
        }
    }
}
