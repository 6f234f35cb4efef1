import Domain
import Redis
import TestKit
import Testing
import Trading

@testable import ConfirmationLogger

@Suite("Look-up script", .enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct LookUpScriptTests {
    private func question(_ kind: TradeReport.Kind, _ change: (inout TradeReport) -> Void) -> ConfirmationQuestion {
        var report = TradeReport(kind: kind)
        change(&report)
        return ConfirmationQuestion(report)
    }

    @Test("node, fire, life and position are found, each by what the message gives")
    func found() throws {
        let scripts = try Scripts()
        let redis = scripts.redis
        try redis.call("HSET", "node:N", "user_uuid", "u", "account", "1", "server", "S|x", "currency", "USD")
        try redis.call("SET", "user_node:u", "N")
        try redis.call("HSET", "fire:F", "user_uuid", "u", "symbol", "EURUSD", "account", "1", "ticket", "7")
        try redis.call("HSET", "lifecycle:u|1|7", "symbol", "EURUSD", "lot", "0.1", "server", "S|x")
        for (ticket, profit) in [("7", "1.5"), ("8", "-2")] {
            try redis.call("SADD", "account_positions:S%7Cx|1", "S%7Cx|1|\(ticket)")
            try redis.call("HSET", "position:S%7Cx|1|\(ticket)", "ticket", ticket, "current_pnl", profit)
            try redis.call("HSET", "position:S%7Cx|1|\(ticket)", "lot", "0.10", "opened_lot", "0.20")
        }
        let contexts = try #require(
            try scripts.lookUp([
                question(.opened) { ($0.nodeID, $0.fireID, $0.ticket) = ("N", "F", 9) },
                question(.closed) { ($0.userUUID, $0.ticket) = ("u", 7) },
                question(.closed) { $0.fireID = "F" },
                question(.closedAll) { ($0.userUUID, $0.account) = ("u", "1") },
                question(.failed) { $0.nodeID = "stranger" },
            ]))
        let opened = contexts[0]
        #expect(opened.userUUID == "u" && opened.account == "1" && opened.server == "S|x")
        #expect(opened.fire["symbol"] == "EURUSD" && opened.node["node_id"] == "N" && opened.positions.isEmpty)
        let closed = contexts[1]
        #expect(closed.lifecycles[7]?["lot"] == "0.1" && closed.positions.map { $0["current_pnl"] } == ["1.5"])
        #expect(closed.positions.map { $0["lot"] } == ["0.10"] && closed.positions.map { $0["opened_lot"] } == ["0.20"])
        #expect(Set(closed.openTickets) == [7, 8])
        #expect(contexts[2].ticket == 7 && contexts[2].userUUID == "u" && contexts[2].lifecycles[7] != nil)
        #expect(Set(contexts[3].positions.compactMap { $0["ticket"] }) == ["7", "8"])
        #expect(contexts[3].lifecycles.keys.sorted() == [7])
        #expect(contexts[4] == ConfirmationContext())
    }

    @Test("whose terminal runs an account is found where the sender has none in it, and to whom it is bound")
    func accountNode() throws {
        let scripts = try Scripts()
        let redis = scripts.redis
        try redis.call("HSET", "node:N", "user_uuid", "u", "account", "1", "server", "S|x")
        try redis.call("SET", "user_node:u", "N")
        try redis.call("SET", "account_node:S%7Cx|1", "N")
        try redis.call("SET", "login_node:1", "N")
        try redis.call("HSET", "bound_accounts", "2", "v w")
        let contexts = try #require(
            try scripts.lookUp([
                question(.closed) { ($0.userUUID, $0.account, $0.ticket) = ("stranger", "1", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("stranger", "1", "S|x", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("stranger", "1", "T", 7) },
                question(.closed) { ($0.userUUID, $0.ticket) = ("u", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("u", "1", "T", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.ticket) = ("stranger", "2", 7) },
            ]))
        let holder = ["user_uuid": "u", "account": "1", "server": "S|x"]
        #expect(contexts.map(\.accountNode) == [holder, holder, [:], [:], [:], ["bound_to": "v w"]])
    }

    @Test("a login that is bound at one server is another account at the next")
    func boundAtServer() throws {
        let scripts = try Scripts()
        let redis = scripts.redis
        try redis.call("HSET", "bound_accounts", "1", "anna cleo", "A%7Cx|1", "anna cleo", "|1", "cleo")
        try redis.call("HSET", "bound_accounts", "2", "anna", "A%7Cx|2", "anna")
        try redis.call("HSET", "node:B", "user_uuid", "bert", "account", "2", "server", "B")
        try redis.call("SET", "user_node:bert", "B")
        let contexts = try #require(
            try scripts.lookUp([
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("bert", "1", "A|x", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("bert", "1", "B", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.ticket) = ("bert", "1", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.server, $0.ticket) = ("bert", "2", "B", 7) },
                // His terminal says at which server he is.
                question(.closed) { ($0.userUUID, $0.account, $0.ticket) = ("bert", "2", 7) },
                question(.closed) { ($0.userUUID, $0.account, $0.ticket) = ("stranger", "2", 7) },
            ]))
        #expect(
            contexts.map { $0.accountNode["bound_to"] } == ["anna cleo", "cleo", "anna cleo", nil, nil, "anna"])
    }

    @Test("outstanding fires are those whose slot is reserved")
    func outstanding() throws {
        let scripts = try Scripts()
        try scripts.redis.call("HSET", "slots:u", "A", "reserved", "B", "S|1|5", "C", "reserved")
        for fire in ["A", "B"] { try scripts.redis.call("HSET", "fire:\(fire)", "state", "sent", "user_uuid", "u") }
        let contexts = try #require(try scripts.lookUp([question(.opened) { ($0.userUUID, $0.ticket) = ("u", 1) }]))
        #expect(contexts[0].outstandingFires == [["state": "sent", "user_uuid": "u", "fire_id": "A"]])
    }

    @Test("keys of a wrong type and a server of another account read as absent")
    func misused() throws {
        let scripts = try Scripts()
        for key in ["node:N", "fire:F", "lifecycle:u|1|7", "account_positions:unknown|1", "user_node:u", "slots:u"] {
            try scripts.redis.call("LPUSH", key, "x")
        }
        try scripts.redis.call("HSET", "node:M", "account", "other", "server", "S")
        let contexts = try #require(
            try scripts.lookUp([
                question(.closed) {
                    ($0.nodeID, $0.userUUID, $0.account, $0.ticket, $0.fireID) = ("N", "u", "1", 7, "F")
                },
                question(.opened) { ($0.nodeID, $0.userUUID, $0.account, $0.ticket) = ("M", "u", "1", 7) },
            ]))
        #expect(contexts[0].node.isEmpty && contexts[0].fire.isEmpty && contexts[0].lifecycles.isEmpty)
        #expect(contexts[0].server == nil && contexts[1].server == nil && contexts[1].outstandingFires.isEmpty)
    }
}
