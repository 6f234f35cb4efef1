import Foundation
import Glibc
import ServiceKit
import Supervision
import Testing

@testable import MeshCtl

/// Starts and stops as a whole, under the real supervisor with a real Redis; the services only pretend.
@Suite("Starting and stopping", .serialized, .enabled(if: PrivateMesh.canSupervise, "runit or redis-server is missing"))
struct MeshStartTests {
    @Test("All get ready in order, a second start changes nothing, a stop leaves nothing")
    func wholeLife() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try test.makePretenders()
                let mesh = test.mesh
                let report = try MeshStart(mesh: mesh).run()
                #expect(report.outcome == .started)
                #expect(report.rows.map(\.name) == mesh.serviceNames)
                let pids = mesh.serviceNames.map { mesh.supervisor.status($0).pid }
                #expect(pids.allSatisfy { $0 != nil })
                #expect(RedisCheck.pid(mesh.configuration.redis) == pids.first)
                #expect(MeshRecord.read(mesh.recordFile)?.options == mesh.options)
                #expect(TokenFile.problem(mesh.configuration.tokenFile) == nil)

                #expect(try MeshStart(mesh: mesh).run().outcome == .unchanged)
                #expect(mesh.serviceNames.map { mesh.supervisor.status($0).pid } == pids)

                #expect(try MeshStop(mesh: mesh).run().isClean)
                #expect(!mesh.isPresent)
                #expect(MeshRecord.read(mesh.recordFile) == nil)
                #expect(throws: Never.self) { try PortCheck.run(mesh) }
            }
        }
    }

    @Test("A service that ends at once is named with the end of its log, and nothing is left running")
    func rollBack() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try test.makePretenders()
                let mesh = test.mesh
                try FileManager.default.createDirectory(
                    atPath: mesh.configuration.varDirectory, withIntermediateDirectories: true)
                try "".write(
                    toFile: mesh.configuration.varDirectory + "/fail-citadel-monitor", atomically: true, encoding: .utf8
                )
                let error = #expect(throws: ToolError.self) { try MeshStart(mesh: mesh).run() }
                #expect(error?.code == 70)
                #expect(error?.message.hasPrefix("citadel-monitor ended at once (exit code 3)") == true)
                #expect(error?.message.contains("no luck today") == true)
                #expect(error?.message.hasSuffix("nothing was left running") == true)
                #expect(!mesh.isPresent)
                #expect(RedisCheck.pid(mesh.configuration.redis) == nil)
            }
        }
    }

    @Test("What is down is started beside what runs")
    func completion() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try test.makePretenders()
                let mesh = test.mesh
                _ = try MeshStart(mesh: mesh).run()
                let before = mesh.supervisor.status("node-registry").pid
                _ = try mesh.supervisor.down("heartbeat-monitor", timeoutSeconds: 5)
                let report = try MeshStart(mesh: mesh).run()
                #expect(report.outcome == .completed)
                #expect(report.rows.map(\.name) == ["heartbeat-monitor"])
                #expect(mesh.supervisor.status("heartbeat-monitor").state == .run)
                #expect(mesh.supervisor.status("node-registry").pid == before)
            }
        }
    }

    @Test("A ports.yaml that is broken after the start stops nobody from finding and stopping what runs")
    func brokenAfterwards() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try test.makePretenders()
                let mesh = test.mesh
                _ = try MeshStart(mesh: mesh).run()
                try "ports: []".write(toFile: mesh.configuration.portsFile, atomically: true, encoding: .utf8)
                #expect(throws: ConfigurationError.self) { try Mesh(mesh.options) }
                let found = try Mesh.running(mesh.options, executables: mesh.executables)
                #expect(found.isPresent)
                #expect(found.configuration.ports == mesh.configuration.ports)
                #expect(try MeshStop(mesh: found).run().isClean)
                #expect(throws: ConfigurationError.self) {
                    try Mesh.running(mesh.options, executables: mesh.executables)
                }
            }
        }
    }

    @Test("A taken port stops the start before anything runs, by number, name and holder")
    func takenPort() throws {
        try PrivateMesh.with { test in
            try test.makePretenders()
            let entry = test.mesh.configuration.ports[.orders]
            let descriptor = try #require(PrivateMesh.listener(entry.port))
            defer { close(descriptor) }
            let error = #expect(throws: ToolError.self) { try MeshStart(mesh: test.mesh).run() }
            #expect(error?.code == 69)
            #expect(error?.message.contains("port \(entry.port) (orders, for position-tracker)") == true)
            #expect(error?.message.contains("process \(getpid())") == true)
            #expect(!FileManager.default.fileExists(atPath: test.mesh.configuration.runDirectory + "/sv"))
        }
    }

    @Test("The demonstration and the usual mesh never run side by side")
    func besideDemonstration() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try test.makePretenders()
                _ = try MeshStart(mesh: test.mesh).run()
                let demo = try test.mesh.demonstration()
                let error = #expect(throws: ToolError.self) { try MeshStart(mesh: demo).run() }
                #expect(error?.code == 69)
                #expect(error?.message.contains("the mesh is running") == true)
            }
        }
    }

    @Test("A program that was not built is named", arguments: ["node-registry", "health-dashboard"])
    func missingProgram(name: String) throws {
        try PrivateMesh.with { test in
            try test.makePretenders()
            try FileManager.default.removeItem(atPath: "\(test.mesh.executables)/\(name)")
            let error = #expect(throws: ToolError.self) { try MeshStart(mesh: test.mesh).run() }
            #expect(error?.code == 70)
            #expect(error?.message.contains("/\(name) is not there") == true)
        }
    }
}
