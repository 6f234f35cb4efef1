import Foundation
import Glibc
import Supervision
import Testing

/// Against the real runit.
@Suite(.serialized, .enabled(if: Mesh.isRunitInstalled, "runit is not installed"))
struct SupervisorTests {
    @Test func runsInOrderLogsAndStops() async throws {
        try await Mesh.with { mesh in
            let code = "printf '%s|' \"$@\" \"$QUOTED\" \"$PWD\" >\"$0.seen\"; \(staying)"
            try await mesh.start(
                mesh.shell("first", code, ["it's", "two words", "$HOME"], environment: ["QUOTED": "a'b\"c\nd"]),
                mesh.shell("second", staying))
            let pid = try await mesh.readyPid("first")
            _ = try await mesh.readyPid("second")
            #expect(mesh.text("first.seen") == "it's|two words|$HOME|a'b\"c\nd|\(mesh.directory)|")
            let status = mesh.supervisor.status("first")
            #expect(status.state == .run && status.pid == pid && status.wantsUp)
            #expect(try #require(status.uptimeSeconds) < 30)
            #expect(mesh.supervisor.isRunning)
            #expect(await eventuallyTrue { mesh.text("logs/first.log") == "hello from first\n" })

            let outcome = try await mesh.down("first")
            guard case .terminated(let exit?) = outcome else {
                Issue.record("stopped in another way: \(outcome)")
                return
            }
            #expect(exit.signal == SIGTERM && exit.pid == pid && exit.kind == .stopped && exit.restarts == 0)
            #expect(mesh.supervisor.status("first") == ServiceStatus(state: .down))
            #expect(mesh.supervisor.history("first").restarts == 0)
            #expect(try await mesh.down("first") == .alreadyDown)
            #expect(mesh.supervisor.status("second").state == .run)
        }
    }

    @Test func nothingStartsByItself() async throws {
        try await Mesh.with { mesh in
            let supervisor = mesh.supervisor
            let services = [mesh.shell("idle", staying)]
            try await blocking {
                try supervisor.prepare(services: services)
                try supervisor.startDaemon()
            }
            #expect(supervisor.status("idle") == ServiceStatus(state: .down))
            #expect(try await blocking { try supervisor.startDaemon() } == false)
            // Nor after a power cut: what ran then has no marker.
            try await mesh.up("idle")
            try await blocking { try supervisor.stopDaemon() }
            try FileManager.default.removeItem(atPath: "\(mesh.directory)/var/run/sv/idle/down")
            #expect(try await blocking { try supervisor.startDaemon() })
            #expect(supervisor.status("idle") == ServiceStatus(state: .down))
        }
    }

    @Test func killedServiceIsBackWithinTwoSeconds() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("victim", staying))
            let pid = try await mesh.readyPid("victim")
            #expect(kill(pid, SIGKILL) == 0)
            _ = try await mesh.readyPid("victim", otherThan: pid, seconds: 2)
            let history = mesh.supervisor.history("victim")
            #expect(history.restarts == 1 && !history.isAlarmed)
            let exit = try #require(history.exits.last)
            #expect(exit.signal == SIGKILL && exit.exitCode == -1 && exit.pid == pid && exit.kind == .died)
        }
    }

    @Test func quickDeathsPauseAndAlarm() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("dying", "exit 7"))
            #expect(await eventuallyTrue(seconds: 15) { mesh.supervisor.history("dying").isAlarmed })
            let history = mesh.supervisor.history("dying")
            #expect(history.exits.map(\.kind) == [.died, .died, .alarm])
            #expect(history.exits.map(\.pauseSeconds) == [0, 0, 5])
            #expect(history.exits.allSatisfy { $0.exitCode == 7 && $0.signal == 0 })
            #expect(history.restarts == 3)
            #expect(mesh.supervisor.status("dying").state == .finish)
            #expect(await eventuallyTrue { mesh.text("logs/dying.log")?.contains("next start in 5 s") ?? false })

            // A stop doesn't wait for the pause.
            let start = ContinuousClock.now
            #expect(try await mesh.down("dying") == .alreadyDown)
            #expect(ContinuousClock.now - start < .seconds(2))

            // An explicit start counts anew: the next death is not an alarm.
            try await mesh.up("dying")
            #expect(await eventuallyTrue { mesh.supervisor.history("dying").exits.last?.restarts == 4 })
            #expect(mesh.supervisor.history("dying").exits.last?.kind == .died)
        }
    }

    @Test func deafServiceIsKilledAndReported() async throws {
        try await Mesh.with { mesh in
            // The empty trap is inherited by the program.
            try await mesh.start(mesh.shell("deaf", "trap '' TERM; \(staying)"))
            let pid = try await mesh.readyPid("deaf")
            #expect(try await mesh.down("deaf", timeoutSeconds: 0.3) == .killed(afterSeconds: 0.3))
            #expect(!isAlive(pid))
            let exit = try #require(mesh.supervisor.history("deaf").exits.last)
            #expect(exit.signal == SIGKILL && exit.kind == .stopped)
        }
    }

    @Test func stopsInTheGivenOrder() async throws {
        try await Mesh.with { mesh in
            let noting = "trap 'echo $0 >>stops; exit 0' TERM; echo $$ >\"$0.ready\"; while :; do read x <fifo; done"
            #expect(mkfifo("\(mesh.directory)/fifo", 0o600) == 0)
            try await mesh.start(mesh.shell("a", noting), mesh.shell("b", noting), mesh.shell("c", noting))
            for name in ["a", "b", "c"] { _ = try await mesh.readyPid(name) }
            let supervisor = mesh.supervisor
            let names = try await blocking { supervisor.stopAll(order: ["b", "a"], withinSeconds: 6).map(\.name) }
            #expect(names == ["b", "a", "c"])
            #expect(mesh.text("stops") == "b\na\nc\n")
        }
    }

    @Test func logsRotateAndStayBounded() async throws {
        try await Mesh.with { mesh in
            let line = String(repeating: "x", count: 4095)
            let loud = "i=0; while [ $i -lt 3300 ]; do echo \"$LINE\"; i=$((i+1)); done; \(staying)"
            try await mesh.start(mesh.shell("loud", loud, environment: ["LINE": line]))
            _ = try await mesh.readyPid("loud", seconds: 20)
            #expect(await eventuallyTrue { mesh.text("logs/loud.log")?.hasSuffix("hello from loud\n") ?? false })
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(mesh.directory)/logs/loud")
            let rotated = files.filter { $0.hasPrefix("@") }
            #expect(rotated.count == 10, "13.5 MB written, ten old files of 1 MB kept")
            let first = try #require(rotated.first)
            let text = try #require(mesh.text("logs/loud/\(first)"))
            #expect(text.utf8.count <= 1_000_000)
            #expect(text.split(separator: "\n").allSatisfy { $0 == line }, "long lines stay whole")
        }
    }
}
