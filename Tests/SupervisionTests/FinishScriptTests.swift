import Foundation
import Testing

@testable import Supervision

/// The finish script alone, with a `sleep` that only notes how long it was asked to wait.
@Suite struct FinishScriptTests {
    @Test func pausesGrowToThirtySecondsAndALongLifeEndsThem() throws {
        try Service.with { (service: Service) throws in
            for expected in [nil, nil, "5", "10", "20", "30", "30"] as [String?] {
                #expect(try service.finish(livedSeconds: 9) == expected)
            }
            #expect(try service.finish(livedSeconds: 11) == nil)
            #expect(service.history.exits.last?.kind == .died)
            #expect(try service.finish(livedSeconds: 9) == nil)
            #expect(service.history.restarts == 9)
            #expect(service.history.exits.last?.livedSeconds == 9)
        }
    }

    @Test func wantedEndsAreNoRestarts() throws {
        try Service.with { (service: Service) throws in
            for _ in 1...4 { _ = try service.finish(livedSeconds: 1, stat: "finish, want down") }
            _ = try service.finish(livedSeconds: 1, stat: "finish, want exit")
            try Data().write(to: service.file("down"))
            #expect(try service.finish(livedSeconds: 1) == nil)
            #expect(service.history.restarts == 0)
            #expect(Set(service.history.exits.map(\.kind)) == [.stopped])
        }
    }

    @Test func aServiceThatNeverStartedIsRecordedWithoutPid() throws {
        try Service.with { (service: Service) throws in
            _ = try service.finish(livedSeconds: nil, arguments: ["111", "0"])
            let exit = try #require(service.history.exits.last)
            #expect(exit.exitCode == 111 && exit.pid == nil && exit.livedSeconds == 0)
            _ = try service.finish(livedSeconds: 1, arguments: ["-1", "139"])
            #expect(service.history.exits.last?.signal == 11, "without the core-dump flag")
        }
    }

    @Test func theRecordStaysBoundedAndTheCountGoesOn() throws {
        try Service.with { (service: Service) throws in
            let lines = (1...200).map { "1763690000 1 0 4711 20 died \($0) 0\n" }.joined()
            try Data(lines.utf8).write(to: service.record)
            _ = try service.finish(livedSeconds: 20)
            #expect(service.history.exits.count == 100)
            #expect(service.history.restarts == 201)
        }
    }
}

/// A service's directory as runsv has it when it starts `finish`.
private struct Service {
    let root: URL
    var directory: URL { root.appendingPathComponent("run/sv/one") }
    var record: URL { root.appendingPathComponent("run/one.exits") }
    var history: ServiceHistory { ServiceHistory(text: (try? String(contentsOf: record, encoding: .utf8)) ?? "") }

    func file(_ name: String) -> URL { directory.appendingPathComponent(name) }

    static func with(_ body: (Service) throws -> Void) throws {
        let service = Service(root: URL(fileURLWithPath: "/tmp/supervision-\(UUID().uuidString)"))
        defer { try? FileManager.default.removeItem(at: service.root) }
        try FileManager.default.createDirectory(at: service.file("supervise"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            at: service.root.appendingPathComponent("bin"), withIntermediateDirectories: true)
        let sleep = service.root.appendingPathComponent("bin/sleep")
        try Data("#!/bin/sh\necho $1 >slept\n".utf8).write(to: sleep)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: sleep.path)
        try body(service)
    }

    /// - Returns: the seconds of the pause as the script asked for them, nil without one.
    func finish(livedSeconds: Int?, stat: String = "finish", arguments: [String] = ["1", "0"]) throws -> String? {
        if let livedSeconds {
            let uptime = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
            let now = try #require(uptime.split(separator: " ").first.flatMap { Double($0) })
            try Data("4711 \(Int(now * 100) - livedSeconds * 100)\n".utf8).write(to: file("started"))
        }
        try Data((stat + "\n").utf8).write(to: file("supervise/stat"))
        try? FileManager.default.removeItem(at: file("slept"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(Mesh.scripts)/finish")
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ["PATH": root.appendingPathComponent("bin").path + ":/usr/bin:/bin"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try? String(contentsOf: file("slept"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
