import ArgumentParser
import Domain
import Redis
import ServiceKit
import Supervision
import Testing
import Wire

@testable import MeshCtl

@Suite("Command lines")
struct ArgumentTests {
    private func exitCode(_ line: String) -> Int32 {
        do {
            _ = try MeshCtlCommand.parseAsRoot(line.split(separator: " ").map(String.init))
            return 0
        } catch {
            return MeshCtlCommand.exitCode(for: error).rawValue
        }
    }

    @Test(
        "Good usage is understood",
        arguments: [
            "start", "start --demo --listen 0.0.0.0", "stop --demo", "restart citadel-monitor", "status --json",
            "nodes --status active --limit 1000", "positions --state open --user u", "fires --state denied", "alerts",
            "fire --user u --symbol EURUSD --direction buy --sl 1.08 --lot 0.1", "fire --tier MAJOR --signal-id s",
            "fire --user a --user b --signal-id s --risk-pct 0.5", "fire --all --symbol X --direction SELL",
            "close --user u --ticket 7", "close --all-of-user u", "close --symbol EURUSD", "close --all --yes",
            "user add u --tier MAJOR", "user set u --state suspended", "user find", "brake",
            "brake --state halted --reason x", "ledger", "explain f", "ports", "ports check", "ports render -o x",
            "ports list --name health --number", "redis -- -n 1 GET x", "tail signals --count 1", "journal verify",
            "brake ACTIVE --reason over", "fires --overdue --user u --state sent,unknown", "fires --late --unaccounted",
            "settle f never_executed --reason x", "settle f rejected --reason x", "withdraw f", "withdraw --user u",
            "reconciliation --account 1 --user u --kind ghost", "questions", "questions --state answered",
            "answer q closed --profit -12.40 --close-price 1.08 --reason x", "answer q filled --ticket 7 --reason x",
            "answer q noted --reason x", "user set u --daily-loss-pct 5 --open-risk-pct 0",
            "user set u --daily-loss-pct default", "ledger --json", "explain f --json", "questions --json",
            "journal replay --from 3 --to 4", "doctor", "live", "token", "token rotate", "ping --user u",
        ])
    func good(line: String) { #expect(exitCode(line) == 0) }

    @Test(
        "Bad usage is 64",
        arguments: [
            "bogus", "start --demo --redis redis://h:1", "start --nonsense", "nodes --limit 0", "nodes --limit 1001",
            "fire --user u", "fire --symbol X --direction BUY", "fire --user u --all --symbol X --direction BUY",
            "fire --user u --user u --symbol X --direction BUY", "fire --user u --symbol X --direction hold",
            "fire --user u --symbol X --direction BUY --lot 1 --risk-pct 1",
            "fire --user u --symbol X --direction BUY --lot nan", "fire --user u --symbol X --direction BUY --sl 1e999",
            "fire --user u --symbol X --direction BUY --tp -1", "fire --user u --signal-id s --expires-in 0", "close",
            "close --user u", "close --ticket 5", "close --all", "close --all --yes --symbol X", "user set u",
            "user set u --state gone", "brake --state halted", "brake --state off --reason x", "brake --scope all:x",
            "ports list --number", "ports list --name nope", "tail", "tail signals --count 0",
            "journal replay --from 0",
            "journal replay --from 5 --to 4", "explain", "ping", "brake ACTIVE",
            "brake ACTIVE --state ACTIVE --reason x",
            "brake HALTED", "fires --state gone", "settle f", "settle f never_executed", "settle f filled --reason x",
            "withdraw", "withdraw f --user u", "reconciliation --kind odd", "questions --state odd",
            "questions --kind odd",
            "answer q closed", "answer q maybe --reason x", "answer q open --profit 1 --reason x",
            "answer q closed --ticket 7 --reason x", "answer q filled --ticket 0 --reason x",
            "answer q filled --reason x",
            "answer q closed --profit much --reason x", "user set u --daily-loss-pct 101",
            "user set u --open-risk-pct -1",
        ])
    func bad(line: String) { #expect(exitCode(line) == 64) }

    @Test("Every error of the libraries has its exit code")
    func failures() {
        #expect(ToolError(ConfigurationError("f", "m"))?.code == 78)
        #expect(ToolError(ConfigurationError("f", "m"))?.message == "f: m")
        #expect(ToolError(SupervisionError(.permissionDenied, "m"))?.code == 77)
        #expect(ToolError(SupervisionError(.busy, "m"))?.code == 75)
        #expect(ToolError(SupervisionError(.fileFailed, "m"))?.code == 73)
        #expect(ToolError(SupervisionError(.programMissing, "m"))?.code == 69)
        #expect(ToolError(SupervisionError(.timedOut, "m"))?.code == 70)
        #expect(ToolError(RedisConnectionError(code: .connect, message: "m"))?.code == 69)
        #expect(ToolError(ValidationError("m")) == nil)
    }

    @Test("A check that can't be made is unknown; wrong usage stays wrong usage")
    func unknown() {
        let away = #expect(throws: ToolError.self) { try Verdict.unlessKnown { throw ToolError(69, "away") } }
        #expect(away == ToolError(3, "away"))
        let usage = #expect(throws: ToolError.self) { try Verdict.unlessKnown { throw ToolError(64, "no") } }
        #expect(usage?.code == 64)
    }
}
