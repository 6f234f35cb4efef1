import Domain
import Foundation
import Journal
import Redis
import ServiceKit
import Testing

@testable import MeshCtl

@Suite("Backup and restore", .enabled(if: PrivateMesh.canSupervise, "redis-server or runit is not installed"))
struct BackupTests {
    /// A key of every type, some with a time.
    private static let commands: [[String]] =
        (0..<500).map { ["HSET", "trade:\($0)", "profit", "\($0).25", "note", "%n \"\r\n\u{1}ü"] }
        + (0..<500).map { ["EXPIRE", "trade:\($0)", "7000000"] }
        + (0..<600).map { ["SADD", "all_nodes", "node-\($0)"] }
        + (0..<300).map { ["XADD", "events:trades", "*", "event_id", "e\($0)"] }
        + [
            ["ZADD", "fires", "1.5", "F1", "-2", "F2"], ["RPUSH", "bars:EURUSD:M1", "a", "b", "a"],
            ["SET", "user_node:u", "n"], ["XGROUP", "CREATE", "events:trades", "position-tracker", "0"],
            ["XREADGROUP", "GROUP", "position-tracker", "one", "COUNT", "7", "STREAMS", "events:trades", ">"],
            ["SET", "gone", "soon", "PX", "60"],
        ]

    private static func fill(_ mesh: Mesh) throws {
        let redis = try TemporaryRedis.own(mesh)
        defer { withExtendedLifetime(redis) {} }
        for reply in try RedisConnection(redis.address).call(pipeline: commands) { #expect(reply.errorMessage == nil) }
        for folder in BackupStaging.journalFolders {
            var options = JournalWriter.Options()
            options.segmentBytes = 20_000
            let path = "\(mesh.configuration.varDirectory)/\(folder)"
            let writer = try JournalWriter(directory: path, options: options, now: SystemClock.now()) {}
            for number in 0..<400 {
                let sequence = writer.append(
                    .receipts, receivedAt: SystemClock.now(), Array("\(folder) \(number) \(UUID())".utf8))
                // Small groups, so that small segments really rotate.
                while number % 40 == 0, writer.status.durable < sequence { sched_yield() }
            }
            let deadline = Date.now.addingTimeInterval(20)
            while writer.status.sizes.warmBytes == 0, Date.now < deadline { sched_yield() }
            writer.close()
        }
        try inHand(1).write(to: URL(fileURLWithPath: spool(mesh)))
    }

    /// What confirmation-logger took and did not write: any bytes will do here.
    private static func inHand(_ number: UInt8) -> Data { Data(repeating: number, count: 100_000) }

    private static func holds(_ number: UInt8, _ mesh: Mesh) -> Bool {
        FileManager.default.contents(atPath: spool(mesh)) == inHand(number)
    }

    private static func spool(_ mesh: Mesh) -> String { "\(mesh.configuration.varDirectory)/reception.spool" }

    @Test("what is restored into an empty mesh is what was there: every key, every journal file")
    func roundTrip() async throws {
        try await blocking {
            try PrivateMesh.with { source in
                try BackupTests.fill(source.mesh)
                let made = try MeshBackup(source.mesh, withToken: false).write(to: nil)
                #expect(made.manifest.keys >= 505 && made.manifest.journals.map(\.records) == [400, 400])
                #expect(made.manifest.files.contains { $0.name.hasSuffix(".log.gz") })
                #expect(made.manifest.journals.allSatisfy { $0.damages == 0 })
                #expect(!made.manifest.files.contains { $0.name == BackupManifest.tokenName })
                try PrivateMesh.with { target in
                    let archive = BackupArchive(path: made.path)
                    let report = try MeshRestore(target.mesh, archive, replaces: false).run()
                    #expect(report.isRight && report.differences == [] && report.replaced == nil)
                    try BackupTests.expectSame(source.mesh, target.mesh)
                    BackupTests.expectRefused { try MeshRestore(target.mesh, archive, replaces: false).run() }
                    #expect(BackupTests.holds(1, target.mesh))
                    // Frames that were taken in since, and a kill: they are nowhere else.
                    try BackupTests.inHand(2).write(to: URL(fileURLWithPath: BackupTests.spool(target.mesh)))
                    let again = try MeshRestore(target.mesh, archive, replaces: true).run()
                    let replaced = try #require(again.replaced)
                    #expect(BackupTests.holds(1, target.mesh))
                    let hash = ChainHash.of(Array(BackupTests.inHand(2))).description
                    let kept = try BackupArchive(path: replaced).verified().files
                    #expect(kept.first { $0.name == "reception.spool" }?.hash == hash)
                    #expect(again.isRight)
                    #expect(try BackupArchive(path: replaced).verified().journals == made.manifest.journals)
                    try BackupTests.expectSame(source.mesh, target.mesh)
                    BackupTests.expectRefused { try MeshBackup(source.mesh, withToken: false).write(to: made.path) }
                }
            }
        }
    }

    /// Looks for itself, apart from the comparison that the restore makes.
    private static func expectSame(_ one: Mesh, _ other: Mesh) throws {
        let left = try TemporaryRedis.own(one)
        let right = try TemporaryRedis.own(other)
        defer { withExtendedLifetime((left, right)) {} }
        let questions: [[String]] = [
            ["DBSIZE"], ["HGET", "trade:77", "note"], ["SCARD", "all_nodes"], ["ZSCORE", "fires", "F1"],
            ["LRANGE", "bars:EURUSD:M1", "0", "-1"], ["XRANGE", "events:trades", "-", "+"],
            ["XPENDING", "events:trades", "position-tracker"], ["GET", "user_node:u"], ["EXISTS", "gone"],
        ]
        let first = try RedisConnection(left.address).call(pipeline: questions)
        #expect(try RedisConnection(right.address).call(pipeline: questions) == first)
        #expect(first.last?.integer == 0, "what expired is not brought back")
        let times = try [left, right].map {
            try RedisConnection($0.address).call(["PEXPIRETIME", "trade:9"]).integer ?? 0
        }
        #expect(abs(times[0] - times[1]) < 5000)
        let comparison = RedisComparison(left.address, right.address)
        try comparison.run()
        #expect(comparison.count == 0 && comparison.compared >= 505)
        _ = try RedisConnection(right.address).call(["HSET", "trade:5", "profit", "6"])
        let changed = RedisComparison(left.address, right.address)
        try changed.run()
        #expect(changed.differences == ["trade:5 has another content"])
        _ = try RedisConnection(right.address).call(["HSET", "trade:5", "profit", "5.25"])
        for folder in BackupStaging.journalFolders {
            let (here, there) = (
                one.configuration.varDirectory + "/" + folder, other.configuration.varDirectory + "/" + folder
            )
            let names = try FileManager.default.contentsOfDirectory(atPath: here).filter { $0.hasPrefix("journal-") }
            #expect(names.count > 1)
            for name in names {
                #expect(FileManager.default.contentsEqual(atPath: "\(here)/\(name)", andPath: "\(there)/\(name)"))
            }
        }
    }

    private static func expectRefused(_ body: () throws -> Any) {
        #expect {
            _ = try body()
        } throws: { ($0 as? ToolError)?.code == ExitStatus.denied }
    }

    @Test("a changed or cut backup is found before anything is touched")
    func damaged() async throws {
        try await blocking {
            try PrivateMesh.with { test in
                try BackupTests.fill(test.mesh)
                let made = try MeshBackup(test.mesh, withToken: false).write(to: nil)
                let whole = Array(try #require(FileManager.default.contents(atPath: made.path)))
                let damaged = made.path + ".damaged"
                // Bytes inside files; padding between them means nothing.
                let seed: UInt64 = 5
                print("backup flips: seed \(seed)")
                var number = seed
                for _ in 0..<12 {
                    number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    var bytes = whole
                    let place = Int((number >> 16) % UInt64(whole.count))
                    guard bytes[place] != 0 else { continue }
                    bytes[place] ^= 1
                    try Data(bytes).write(to: URL(fileURLWithPath: damaged))
                    BackupTests.expectDamaged(damaged, "byte \(place)")
                }
                for part in [1, 2, 3] {
                    try Data(whole.prefix(whole.count * part / 4)).write(to: URL(fileURLWithPath: damaged))
                    BackupTests.expectDamaged(damaged, "cut")
                }
            }
        }
    }

    private static func expectDamaged(_ path: String, _ what: Comment) {
        #expect(what) {
            try BackupArchive(path: path).verified()
        } throws: { ($0 as? ToolError)?.code == ExitStatus.damaged }
    }
}
