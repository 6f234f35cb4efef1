import Domain
import Testing

@testable import Trading

/// A terminal reads one command a tick: what waits before a fire is read before it.
@Suite("commands a terminal has not read") struct ReconciliationUnreadTests {
    private typealias Mesh = ReconciliationMesh

    private var mesh = ReconciliationMesh()

    private mutating func tick() -> [ReconciliationOutput] {
        mesh.fixture.pass(milliseconds: 1_000)
        mesh.fixture.tick("EURUSD", "1.08500", "1.08510")
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        return outputs
    }

    private mutating func look() -> [ReconciliationOutput] {
        mesh.fixture.pass(milliseconds: 5_000)
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.balance = "10000.00"
        report.equity = "10000.00"
        report.openPositions = []
        report.openPositionCount = 0
        report.timestamp = Timestamp.brokerText(seconds: mesh.now.seconds + Mesh.offset)
        mesh.hear(report)
        mesh.fixture.pass(milliseconds: 1_500)
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        return outputs
    }

    private func isSettled(_ outputs: [ReconciliationOutput]) -> Bool {
        outputs.contains { if case .settle("f1", .neverExecuted, _, _) = $0 { true } else { false } }
    }

    /// Sends closes, then a fire nobody answers; after so many ticks, whether an empty list proves that it never was.
    private mutating func isNeverExecuted(closes: Int, ticks: Int) throws -> Bool {
        _ = look()
        mesh.fixture.moveMarket()
        for _ in 0..<closes { mesh.reconciler.commanded(Mesh.user, mesh.fixture.engine) }
        let isSent = mesh.fire(
            "f1", .buy, lot: try #require(Amount("0.10")), stop: try #require(Amount("1.08")),
            target: try #require(Amount("1.09")))
        #expect(isSent)
        mesh.reconciler.commanded(Mesh.user, fireID: "f1", mesh.fixture.engine)
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        for _ in 0..<ticks { _ = tick() }
        mesh.fixture.pass(milliseconds: 40_000)
        var tracked: [TrackerOutput] = []
        mesh.fixture.engine.advance(to: mesh.now, into: &tracked)
        #expect(mesh.fixture.engine.fires["f1"]?.state == .unknown)
        return isSettled(look())
    }

    @Test("a fire with nothing before it is read after three ticks, and not after two")
    mutating func alone() throws {
        var other = ReconciliationUnreadTests()
        #expect(try isNeverExecuted(closes: 0, ticks: 3))
        #expect(try !other.isNeverExecuted(closes: 0, ticks: 2))
    }

    @Test("each close that waits before it needs a tick of its own")
    mutating func behindCloses() throws {
        var other = ReconciliationUnreadTests()
        #expect(try !isNeverExecuted(closes: 6, ticks: 8))
        #expect(try other.isNeverExecuted(closes: 6, ticks: 9))
    }

    @Test("commands are read by ticks, never more than were sent")
    mutating func drained() {
        for _ in 0..<3 { mesh.reconciler.commanded(Mesh.user, mesh.fixture.engine) }
        #expect(mesh.reconciler.unread[Mesh.user]?.count == 3)
        for _ in 0..<2 { _ = tick() }
        #expect(mesh.reconciler.unread[Mesh.user]?.count == 1)
        for _ in 0..<4 { _ = tick() }
        #expect(mesh.reconciler.unread.isEmpty)
    }
}
