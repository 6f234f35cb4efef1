import Foundation
import Glibc
import Testing

@testable import Supervision

@Suite struct RecordTests {
    @Test func readsExitLines() throws {
        let text = """
            1763690000 0 0 0 0 started 0 0
            1763690010 -1 9 4711 12 died 1 0
            garbage
            1763690020 1 0 4712 0 alarm 2 5
            1763690021 1 0 47
            """
        let history = ServiceHistory(text: text)
        #expect(history.exits.count == 2 && history.restarts == 2 && history.isAlarmed)
        let first = try #require(history.exits.first)
        #expect(first.date == Date(timeIntervalSince1970: 1_763_690_010))
        #expect(first.exitCode == -1 && first.signal == 9 && first.pid == 4711 && first.livedSeconds == 12)
        #expect(history.exits.last?.pauseSeconds == 5)
        #expect(ServiceHistory(text: "").exits == [])
        #expect(ServiceHistory(text: text + "\n1763690030 0 0 0 0 started 0 0\n").restarts == 0)
    }

    @Test func readsTheStatusOfRunsv() throws {
        var bytes = [UInt8](repeating: 0, count: 20)
        bytes[12...15] = [0x39, 0x30, 0, 0]
        bytes[17] = UInt8(ascii: "u")
        bytes[19] = 1
        let running = try #require(SuperviseRecord(bytes))
        #expect(running.state == .run && running.pid == 12345 && running.wantsUp)
        bytes[19] = 2
        #expect(SuperviseRecord(bytes)?.state == .finish)
        bytes[19] = 0
        #expect(SuperviseRecord(bytes)?.state == .run, "until it is reaped")
        bytes[12...15] = [0, 0, 0, 0]
        bytes[17] = UInt8(ascii: "d")
        #expect(SuperviseRecord(bytes) == SuperviseRecord([UInt8](repeating: 0, count: 20)))
        #expect(SuperviseRecord(Array(bytes.dropLast())) == nil)
    }

    @Test(arguments: ["", "-a", "Upper", "a/b", "a b", "..", String(repeating: "a", count: 65)])
    func refusesNames(_ name: String) throws {
        let service = SupervisedService(name: name, executable: "/bin/true", workingDirectory: "/tmp")
        let error = #expect(throws: SupervisionError.self) { try service.validate() }
        #expect(error?.code == .invalidService)
    }

    @Test func refusesWhatAShellCannotHold() {
        let wrong = [
            SupervisedService(name: "a", executable: "true", workingDirectory: "/tmp"),
            SupervisedService(name: "a", executable: "/bin/true", workingDirectory: "tmp"),
            SupervisedService(name: "a", executable: "/bin/true", arguments: ["x\0y"], workingDirectory: "/tmp"),
            SupervisedService(name: "a", executable: "/bin/true", environment: ["A B": ""], workingDirectory: "/tmp"),
            SupervisedService(name: "a", executable: "/bin/true", environment: ["1A": ""], workingDirectory: "/tmp"),
        ]
        for service in wrong { #expect(throws: SupervisionError.self) { try service.validate() } }
    }

    @Test func saysWhatIsInTheWay() throws {
        let directory = "/tmp/supervision-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory + "/logs/one.log", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let one = SupervisedService(name: "one", executable: "/bin/true", workingDirectory: "/tmp")
        func prepare(run: String, scripts: String = Mesh.scripts) -> String? {
            let supervisor = Supervisor(
                runDirectory: run, logDirectory: directory + "/logs", scriptDirectory: scripts)
            do { try supervisor.prepare(services: [one]) } catch { return error.message }
            return nil
        }
        #expect(prepare(run: directory + "/run")?.contains("/logs/one.log is in the way") == true)
        #expect(prepare(run: "/proc/nowhere")?.hasPrefix("cannot create the directory /proc/nowhere") == true)
        #expect(prepare(run: directory + "/run", scripts: "/nowhere")?.hasPrefix("cannot read /nowhere/run") == true)
    }

    @Test func ordersToAnUnstartedMeshSaySo() throws {
        let supervisor = Supervisor(runDirectory: "/nowhere", logDirectory: "/nowhere", scriptDirectory: "/nowhere")
        #expect(supervisor.status("one") == .absent && !supervisor.isRunning)
        let error = #expect(throws: SupervisionError.self) { try supervisor.up("one") }
        #expect(error?.code == .notSupervised)
        #expect(throws: SupervisionError.self) { try supervisor.down("one", timeoutSeconds: 1) }
        try supervisor.stopDaemon()
    }
}
