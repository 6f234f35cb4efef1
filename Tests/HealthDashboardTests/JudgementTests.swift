import Domain
import Foundation
import ServiceKit
import Testing
import Wire

@testable import HealthDashboard

@Suite("Judgement: can the mesh do its job, and why not")
struct JudgementTests {
    private func judged(
        _ services: [ServiceStatus] = Fixtures.services(), _ change: (inout Snapshot) -> Void = { _ in }
    )
        -> Judgement
    {
        var snapshot = Fixtures.snapshot(services)
        change(&snapshot)
        return Judgement(snapshot, now: Fixtures.now)
    }

    @Test("Everything well passes with a full score")
    func pass() {
        let judgement = judged()
        #expect(judgement.status == .pass)
        #expect(judgement.reasons.isEmpty)
        #expect(judgement.score == 100)
    }

    @Test("Without Redis it fails, and says nothing of services it can't hear then")
    func redisAway() {
        let silent = Fixtures.services { _, report in report["updated_at"] = "1" }
        let judgement = judged(silent) { $0.redis.state = .away }
        #expect(judgement.status == .fail)
        #expect(judgement.reasons.map(\.code) == ["redis_away"])
    }

    @Test("A silent service that carries trades is a failure, any other a warning", arguments: ServiceName.startOrder)
    func silentService(name: ServiceName) {
        let services = Fixtures.services { service, report in
            if service == name { report["updated_at"] = String(Fixtures.now.milliseconds - 9000) }
        }
        let carries = [.positionTracker, .confirmationLogger, .handshakeProcessor, .nodeRegistry].contains(name)
        #expect(judged(services).status == (carries ? .fail : .warn))
        let missing = Fixtures.services { service, report in if service == name { report = [:] } }
        #expect(judged(missing).status == (carries ? .fail : .warn))
    }

    @Test("A journal that can't be written is a failure; another problem a warning")
    func journal() {
        func logger(_ problems: String) -> Judgement {
            judged(
                Fixtures.services { service, report in
                    guard service == .confirmationLogger else { return }
                    report["state"] = "degraded"
                    report["problems"] = problems
                })
        }
        #expect(logger(#"{"journal_disk":"nothing is acknowledged: no space left"}"#).status == .fail)
        let other = logger(#"{"booking":"keys of a wrong type"}"#)
        #expect(other.status == .warn)
        #expect(other.reasons.first?.message.contains("keys of a wrong type") == true)
    }

    @Test("A port nobody listens on is a warning where its owner has been running for a while")
    func closedPort() throws {
        let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let ports = try PortList.load(path: project.appendingPathComponent("ports.yaml").path)
        let orders = ports[.orders]
        func looked(_ services: [ServiceStatus]) -> Judgement {
            judged(services) { snapshot in
                snapshot.ports = ports.entries
                snapshot.listening = Set(ports.entries.map(\.port)).subtracting([orders.port])
            }
        }
        let closed = looked(Fixtures.services())
        #expect(closed.status == .warn)
        #expect(closed.reasons.map(\.code) == ["port_closed"])
        #expect(closed.reasons.first?.message.contains("\(orders.port)") == true)
        let justStarted = Fixtures.services { _, report in
            report["started_at"] = String(Fixtures.now.milliseconds - 2000)
        }
        #expect(looked(justStarted).status == .pass)
    }

    @Test("A brake and an overdue fire are warnings with their reasons")
    func warnings() {
        let brake = judged { $0.brakes = ["symbol:XAUUSD": "REDUCING|1795000000000|news | soon"] }
        #expect(brake.status == .warn)
        #expect(brake.reasons.first?.message == "the brake is REDUCING for symbol:XAUUSD: news | soon")
        let overdue = judged { snapshot in
            snapshot.fires = [Fixtures.record("f1", .fires, ["state": "unknown"])]
        }
        #expect(overdue.reasons.map(\.code) == ["unaccounted"])
        let fresh = judged { snapshot in
            let sent = String(Fixtures.now.milliseconds - 500)
            snapshot.fires = [Fixtures.record("f1", .fires, ["state": "sent", "sent_at": sent])]
        }
        #expect(fresh.status == .pass)
    }

    @Test("The published score counts while it is fresh; then the dashboard's own, and it says so")
    func score() {
        func published(_ age: Int64) -> Judgement {
            judged { snapshot in
                snapshot.score = PublishedScore([
                    "score": "77", "computed_at": String(Fixtures.now.milliseconds - age),
                    "factors": #"[{"name":"x"}]"#,
                ])
            }
        }
        #expect(published(1000).score == 77)
        #expect(published(1000).scoreSource == "heartbeat-monitor")
        #expect(published(6000).score == 100)
        #expect(published(6000).scoreSource == "health-dashboard")
    }

    @Test("Nobody gives up the lost while heartbeat-monitor is dead: the dashboard counts them as it would")
    func lostWithoutMonitor() throws {
        let now = Fixtures.now.milliseconds
        func node(_ number: Int, _ fields: [String: String]) -> Record { Fixtures.node("N\(number)", fields) }
        func factor(_ nodes: [Record], _ seen: [String: Int64] = [:]) throws -> (points: String, why: String) {
            let judgement = judged { snapshot in
                snapshot.nodes = nodes
                snapshot.lastSeen = seen
            }
            let found = judgement.factors.array?.first { $0.object?["name"]?.text == "nodes" }?.object
            return (try #require(found?["points"]?.compactText), try #require(found?["why"]?.text))
        }
        let up = (0..<60).map { node($0, ["connection": "up", "last_seen": String(now - 1_000)]) }
        let gone = (60..<100).map { node($0, ["connection": "lost", "last_seen": String(now - 61_000)]) }
        #expect(try factor(up + gone) == ("9", "40 of 100 terminals timed out and are not back"))
        // Heard since, or lost only now, or silent over a weekend: none of them is lost.
        let heard = Dictionary(uniqueKeysWithValues: gone.map { ($0.identifier, now - 5_000) })
        #expect(try factor(up + gone, heard).points == "15")
        let fresh = [node(200, ["connection": "lost", "last_seen": String(now - 59_000)])]
        let quiet = [node(201, ["connection": "up", "liveness": "quiet", "last_seen": String(now - 90_000_000)])]
        #expect(try factor(up + fresh + quiet) == ("15", "none of 62 terminals is lost"))
        // Given up a day ago: heartbeat-monitor has let go of it.
        func timeout(_ number: Int, _ ago: Int64) -> Record {
            node(number, ["status": "timeout", "liveness": "dead", "disconnected_at": String(now - ago)])
        }
        #expect(try factor(up + [timeout(300, 86_500_000)]) == ("15", "none of 60 terminals is lost"))
        #expect(try factor(up + [timeout(301, 86_300_000)]).points == "14")
    }

    @Test("Sent, accounted and unaccounted add up")
    func ledger() {
        var snapshot = Fixtures.snapshot()
        snapshot.ledger = ["sent": "10", "filled": "7", "rejected": "1", "never_executed": "0", "unknown": "1"]
        snapshot.fires = [
            Fixtures.record("a", .fires, ["state": "unknown"]),
            Fixtures.record("b", .fires, ["state": "sent", "sent_at": String(Fixtures.now.milliseconds - 100)]),
            Fixtures.record("c", .fires, ["state": "filled"]), Fixtures.record("d", .fires, ["state": "reserved"]),
        ]
        let ledger = FireLedger(snapshot, now: Fixtures.now)
        #expect(ledger.sent == 10)
        #expect(ledger.accounted == 8)
        #expect(ledger.unaccounted == 2)
        #expect(ledger.overdue == 1)
    }

    @Test("Amounts of different currencies are never added")
    func sums() {
        let positions = [("1", "USD", "10.10"), ("2", "USD", "-0.05"), ("3", "EUR", "7")].map {
            ticket, currency, profit in
            Fixtures.record(
                ticket, .positions, ["state": "open", "currency": currency, "current_pnl": profit])
        }
        let counts = PositionCounts(positions)
        #expect(counts.open == 3)
        #expect(counts.json(closed: 0).object?["current_pnl"]?.object?["USD"] == .number("10.05"))
        #expect(counts.json(closed: 0).object?["current_pnl"]?.object?["EUR"] == .number("7.00"))
    }
}
