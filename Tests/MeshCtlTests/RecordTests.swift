import Domain
import Foundation
import Glibc
import Testing
import Wire

@testable import MeshCtl

@Suite("What is kept beside a running mesh")
struct RecordTests {
    private var options: StartOptions {
        var options = StartOptions(
            config: "mesh.yaml", environment: ["MESH_VAR": "state", "REDIS_URL": "redis://:p@h:1", "PATH": "/bin"],
            directory: "/srv/mesh")
        options.listen = "0.0.0.0"
        options.allowUnsafeRedis = true
        return options
    }

    @Test("Paths are absolute, and only what concerns the mesh is kept")
    func captured() {
        #expect(options.config == "/srv/mesh/mesh.yaml")
        #expect(options.environment == ["MESH_VAR": "/srv/mesh/state", "REDIS_URL": "redis://:p@h:1"])
    }

    @Test("A record reads back as it was written")
    func roundTrip() throws {
        let record = MeshRecord(startedAt: Timestamp(milliseconds: 1_750_000_000_123), version: "9.9", options: options)
        #expect(MeshRecord(try JSON(record.json.compactText)) == record)
    }

    @Test(
        "Damaged records are none",
        arguments: ["", "{}", "[]", "{\"options\":{}}", "{\"started_at\":\"x\",\"options\":{}}"])
    func damaged(text: String) {
        #expect((try? JSON(text)).flatMap { MeshRecord($0) } == nil)
    }

    @Test("A restart keeps what was said at the start, except what is said now")
    func changed() {
        var now = StartOptions(config: nil, environment: [:])
        #expect(options.changed(by: now) == options)
        now.listen = "10.0.0.1"
        let next = options.changed(by: now)
        #expect(next.listen == "10.0.0.1")
        #expect(next.allowUnsafeRedis)
        #expect(next.environment == options.environment)
    }

    @Test("Record and token are for their owner only, and a rotated token is another one")
    func privacy() throws {
        let directory = "/tmp/meshctl-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/token"
        try TokenFile.ensure(path)
        let first = try String(contentsOfFile: path, encoding: .utf8)
        #expect(first.count == 65)
        #expect(TokenFile.problem(path) == nil)
        try TokenFile.ensure(path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == first)
        try TokenFile.rotate(path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) != first)
        #expect(TokenFile.problem(path) == nil)
        chmod(path, 0o644)
        #expect(TokenFile.problem(path) == "others than its owner may read it")
    }

    @Test("Only what was written after the start is shown of a log")
    func logTail() throws {
        let directory = "/tmp/meshctl-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/x.log"
        let tail = LogTail(path)
        #expect(tail.lines(3).isEmpty)
        try "old\n".write(toFile: path, atomically: true, encoding: .utf8)
        let later = LogTail(path)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("one\n\u{1B}[31mtwo\nthree\n".utf8))
        #expect(later.lines(2) == ["\\x1b[31mtwo", "three"])
        #expect(later.lines(9) == ["one", "\\x1b[31mtwo", "three"])
        // Rotated: shorter than it was, so that all of it is new.
        try "n\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(later.lines(9) == ["n"])
    }
}
