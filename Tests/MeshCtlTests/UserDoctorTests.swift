import Domain
import Testing

@testable import MeshCtl

@Suite("The doctor for one user: what is wrong with a terminal, and what to click")
struct UserDoctorTests {
    private static let now = Timestamp(milliseconds: 1_795_000_000_000)

    /// A user whose terminal is well.
    private static func well() -> UserFacts {
        var facts = UserFacts(user: "user_ann0", now: now)
        facts.row = [
            "user_uuid": "user_ann0", "tier": "SERGEANT", "state": "active", "registered": "1", "account": "7001",
            "server": "Demo-1", "addresses": "learned",
        ]
        facts.node = [
            "node_id": "NODE_7001_1", "user_uuid": "user_ann0", "account": "7001", "server": "Demo-1",
            "version": "2.05", "status": "active", "liveness": "live", "connection": "up", "hears_commands": "yes",
            "chart_symbol": "EURUSD", "peer_address": "198.51.100.7", "identity_conflict": "",
            "last_seen": "\(now.milliseconds - 2000)",
        ]
        facts.versions = ["2.05": 40, "2.02": 2]
        return facts
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let subject: String
        let verdict: Verdict
        /// Part of what is said, and of what is to be done.
        let words: (String, String)
        let change: @Sendable (inout UserFacts) -> Void
        var testDescription: String { subject }
    }

    static let cases: [Case] = [
        Case(subject: "unknown user", verdict: .critical, words: ("there is user_ann1", "meshctl user find")) {
            $0.row = [:]
            $0.node = [:]
            $0.similarUsers = ["user_ann1"]
        },
        Case(subject: "never connected", verdict: .critical, words: ("no terminal ever", "Allow DLL imports")) {
            $0.node = [:]
        },
        Case(subject: "never connected", verdict: .critical, words: ("", "203.0.113.9 was turned away")) {
            $0.node = [:]
            $0.refusedPeers = ["203.0.113.9"]
        },
        Case(subject: "wrong UUID", verdict: .critical, words: ("'user_bob0'", "UUID=user_ann0")) {
            $0.node = [:]
            $0.accountHolder = "user_bob0"
        },
        Case(subject: "connected but silent", verdict: .critical, words: ("not a word for 3 min", "Rescan")) {
            $0.node["liveness"] = "stale"
            $0.node["last_seen"] = "\(now.milliseconds - 200_000)"
        },
        Case(subject: "connected but silent", verdict: .warning, words: ("40 s", "wait a minute")) {
            $0.node["liveness"] = "late"
            $0.node["last_seen"] = "\(now.milliseconds - 40_000)"
        },
        Case(subject: "connection lost", verdict: .critical, words: ("taken for dead", "restart the terminal")) {
            $0.node["status"] = "timeout"
        },
        Case(subject: "disconnected", verdict: .critical, words: ("(DISCONNECT)", "drag the EA")) {
            $0.node["status"] = "disconnected"
            $0.node["disconnect_reason"] = "DISCONNECT"
        },
        Case(subject: "quotes frozen", verdict: .critical, words: ("(EURUSD)", "Market Watch")) {
            $0.frozenChart = "120 heartbeats without a tick"
        },
        Case(subject: "trading disabled", verdict: .critical, words: ("10027", "Algo Trading")) {
            $0.tradingDisabled = "AutoTrading disabled by client (10027)"
        },
        Case(subject: "trading disabled", verdict: .critical, words: ("10017", "master password")) {
            $0.tradingDisabled = "Trade disabled (10017)"
        },
        Case(subject: "wrong version", verdict: .critical, words: ("a PULL", "put EA 2.05")) {
            $0.node["version"] = "2.02"
            $0.node["hears_commands"] = "no"
            $0.node["hears_commands_reason"] = "a PULL that met a ROUTER"
        },
        Case(subject: "another version", verdict: .warning, words: ("40 terminals", "install EA 2.05")) {
            $0.node["version"] = "2.02"
        },
        Case(subject: "identity conflict", verdict: .critical, words: ("two machines", "nodes clear user_ann0")) {
            $0.node["identity_conflict"] = "two_addresses"
            $0.node["identity_conflict_text"] = "it speaks from two machines"
            $0.node["identity_conflict_action"] = "close one"
        },
        Case(subject: "behind the deadline", verdict: .critical, words: ("f-1", "meshctl explain f-1")) {
            $0.fires = [.init(fireID: "f-1", isOverdue: true), .init(fireID: "f-2")]
        },
        Case(subject: "behind the deadline", verdict: .warning, words: ("1 of its last 2", "ticks often")) {
            $0.fires = [.init(fireID: "f-1", isLate: true), .init(fireID: "f-2")]
        },
        Case(subject: "wrong account", verdict: .critical, words: ("9999 at Demo-1", "Login to Trade Account")) {
            $0.node["account"] = "9999"
        },
        Case(subject: "suspended", verdict: .warning, words: ("never fired at", "--state active")) {
            $0.row["state"] = "suspended"
        },
        Case(subject: "address fenced", verdict: .critical, words: ("198.51.100.7", "--address 198.51.100.7")) {
            $0.row["addresses"] = "203.0.113.5,203.0.113.6"
        },
        Case(subject: "address fenced", verdict: .warning, words: ("192.0.2.66", "--address 192.0.2.66")) {
            $0.heldAddresses = ["192.0.2.66"]
        },
        Case(subject: "wrong symbol", verdict: .warning, words: ("no symbol", "symbols.yaml")) {
            $0.wrongSymbol = "XYZ is no symbol of the catalogue"
        },
        Case(subject: "not registered", verdict: .critical, words: ("not fired at", "meshctl user add")) {
            $0.row["registered"] = "0"
            $0.isOpenToTheWorld = true
        },
        Case(subject: "flooding", verdict: .warning, words: ("quota", "Hide All")) { $0.isFlooding = true },
        Case(subject: "node_flapping", verdict: .warning, words: ("came and went", "look at its line")) {
            $0.alarms = [.init(type: "node_flapping", message: "it came and went", action: "look at its line")]
        },
    ]

    @Test("Each trouble is named first, with what to click", arguments: cases)
    func trouble(_ given: Case) throws {
        var facts = UserDoctorTests.well()
        given.change(&facts)
        let findings = UserJudgement(facts).findings
        let first = try #require(findings.first)
        #expect(first.subject == given.subject && first.verdict == given.verdict, "\(findings)")
        #expect(first.text.contains(given.words.0), "\(first.text)")
        #expect(first.remedy.contains(given.words.1), "\(first.remedy)")
        #expect(Finding.verdict(of: findings) == given.verdict)
    }

    @Test("A terminal that is well, or whose market is closed, is good")
    func good() {
        var facts = UserDoctorTests.well()
        #expect(UserJudgement(facts).findings.map(\.subject) == ["terminal"])
        facts.node["liveness"] = "quiet"
        let findings = UserJudgement(facts).findings
        #expect(findings.map(\.subject) == ["terminal", "market closed"])
        #expect(Finding.verdict(of: findings) == .good)
        // A new user of the loopback needs no registration, a bound address that fits is no trouble.
        facts.row["registered"] = "0"
        facts.row["addresses"] = "198.51.100.7"
        #expect(Finding.verdict(of: UserJudgement(facts).findings) == .good)
    }

    @Test("The worst stands first, and an alert whose cause is told is not told twice")
    func order() {
        var facts = UserDoctorTests.well()
        facts.row["state"] = "suspended"
        facts.tradingDisabled = "10027"
        facts.alarms = [.init(type: "trading_disabled", message: "10027", action: "")]
        let findings = UserJudgement(facts).findings
        #expect(findings.map(\.subject) == ["trading disabled", "suspended", "terminal"])
    }
}
