import Foundation
import Glibc
import Testing

@testable import Supervision

/// Start, end and accidents of runsvdir itself, against the real runit.
@Suite(.serialized, .enabled(if: Mesh.isRunitInstalled, "runit is not installed"))
struct SupervisorDaemonTests {
    @Test func stopLeavesNoProcess() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("one", staying), mesh.shell("deaf", "trap '' TERM; \(staying)"))
            let pids = [try await mesh.readyPid("one"), try await mesh.readyPid("deaf")]
            let daemon = try #require(mesh.supervisor.daemonPid)
            let supervisor = mesh.supervisor
            try await blocking { try supervisor.stopDaemon(timeoutSeconds: 0.5) }
            #expect(!isAlive(daemon) && !supervisor.isRunning)
            #expect(pids.allSatisfy { !isAlive($0) })
            #expect(ProcessTable.processes(workingBelow: mesh.directory) == [])
            #expect(supervisor.status("one") == .absent)
            #expect(!FileManager.default.fileExists(atPath: "\(mesh.directory)/var/run/runsvdir.pid"))
        }
    }

    @Test func holdsNothingOfTheCaller() async throws {
        try await Mesh.with { mesh in
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            defer { for end in ends { close(end) } }
            let held = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(ends[1])")
            try await mesh.start(mesh.shell("one", staying))
            let daemon = try #require(mesh.supervisor.daemonPid)
            for pid in [daemon, try await mesh.readyPid("one")] {
                let directory = "/proc/\(pid)/fd"
                let links = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
                }
                #expect(!links.isEmpty && !links.contains(held))
                #expect(getsid(pid) != getsid(0))
            }
        }
    }

    @Test func restartsAreCountedFromTheStartOfTheDaemon() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("one", staying))
            let pid = try await mesh.readyPid("one")
            kill(pid, SIGKILL)
            _ = try await mesh.readyPid("one", otherThan: pid)
            let supervisor = mesh.supervisor
            try await blocking {
                try supervisor.stopDaemon()
                try supervisor.startDaemon()
            }
            #expect(supervisor.history("one").restarts == 0)
            #expect(supervisor.history("one").exits.count == 2)
        }
    }

    @Test func killedRunsvTakesItsServiceAlongAndBothComeBack() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("one", staying))
            let pid = try await mesh.readyPid("one")
            let service = mesh.supervisor.path("one", "supervise").replacing("/supervise", with: "")
            let runsv = try #require(
                ProcessTable.processes(workingBelow: service).first { ProcessTable.programName($0) == "runsv" })
            #expect(kill(runsv, SIGKILL) == 0)
            let next = try await mesh.readyPid("one", otherThan: pid, seconds: 10)
            #expect(!isAlive(pid))
            #expect(await eventuallyTrue { mesh.supervisor.status("one").pid == next })
        }
    }

    @Test func startAfterAKilledDaemonRepairs() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("one", staying))
            let pid = try await mesh.readyPid("one")
            let daemon = try #require(mesh.supervisor.daemonPid)
            #expect(kill(daemon, SIGKILL) == 0)
            #expect(await eventuallyTrue { !mesh.supervisor.isRunning })
            // The service lives on, and orders still reach it.
            #expect(mesh.supervisor.status("one").pid == pid)
            try await mesh.start(mesh.shell("one", staying))
            _ = try await mesh.readyPid("one", otherThan: pid)
            #expect(!isAlive(pid) && mesh.supervisor.isRunning)
        }
    }

    @Test func aLostPidFileIsNoSecondDaemon() async throws {
        try await Mesh.with { mesh in
            try await mesh.start(mesh.shell("one", staying))
            let daemon = try #require(mesh.supervisor.daemonPid)
            try FileManager.default.removeItem(atPath: "\(mesh.directory)/var/run/runsvdir.pid")
            #expect(mesh.supervisor.daemonPid == daemon)
            // A number that meanwhile belongs to another process is not believed.
            try Data("\(getpid())\n".utf8).write(to: URL(fileURLWithPath: "\(mesh.directory)/var/run/runsvdir.pid"))
            #expect(mesh.supervisor.daemonPid == daemon)
        }
    }

    @Test func secondPrepareChangesNothingAndRemovesTheUnlisted() async throws {
        try await Mesh.with { mesh in
            let one = mesh.shell("one", staying)
            try await mesh.start(one, mesh.shell("two", staying))
            let pid = try await mesh.readyPid("one")
            let second = try await mesh.readyPid("two")
            let supervisor = mesh.supervisor
            try await blocking { try supervisor.prepare(services: [one]) }
            #expect(supervisor.serviceNames == ["one"])
            #expect(!isAlive(second) && supervisor.status("one").pid == pid)
        }
    }

    @Test func onlyOneStartsOrStops() async throws {
        try await Mesh.with { mesh in
            let supervisor = mesh.supervisor
            try supervisor.withLock {
                let error = #expect(throws: SupervisionError.self) { try supervisor.withLock {} }
                #expect(error?.code == .busy)
            }
            try supervisor.withLock {}
        }
    }
}
