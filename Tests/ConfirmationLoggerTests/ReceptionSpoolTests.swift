import Domain
import Foundation
import Journal
import Logging
import ServiceKit
import Testing

@testable import ConfirmationLogger

/// What a killed process had taken comes back, each frame once, wherever the kill fell.
@Suite("Reception spool")
struct ReceptionSpoolTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "spool-\(UUID().uuidString)").path
    private let journal = "00000000000000aa00000000000000bb"

    private func spool(_ world: String = "this run", at other: String? = nil) -> ReceptionSpool {
        ReceptionSpool(
            path: other ?? path, journal: journal, world: world,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func frame(_ sequence: UInt64, _ text: String) -> AcceptedFrame {
        AcceptedFrame(
            sequence: sequence, receivedAt: Timestamp(milliseconds: 1), source: .confirmations, flags: [],
            bytes: Array(text.utf8))
    }

    private func texts(_ frames: [AcceptedFrame]) -> [String] {
        frames.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test("what the journal does not have is left, in the order of its receipt")
    func left() {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        // Records of decisions have numbers between them.
        for (sequence, text) in [(11, "a"), (12, "b"), (14, "c"), (17, "d")] as [(UInt64, String)] {
            first.keep(frame(sequence, text))
        }
        #expect(texts(spool().left(behind: 12)) == ["c", "d"])
        #expect(texts(spool().left(behind: 17)).isEmpty)
    }

    @Test("a frame of any length a port lets through is kept whole, and no part of it stands for it")
    func long() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let lengths = [0, 1, 983, 984, 985, 1968, 1969, 5000, 64 << 10]
        let bodies = lengths.map { length in String(repeating: "abcdefghij", count: length / 10 + 1).prefix(length) }
        let first = spool()
        for (index, text) in bodies.enumerated() { first.keep(frame(UInt64(11 + index), String(text))) }
        let second = spool()
        #expect(texts(second.left(behind: 10)) == bodies.map(String.init))
        for place in bodies.indices { second.renumber(place, to: UInt64(31 + place)) }
        #expect(texts(spool().left(behind: 30 + 4)) == bodies.dropFirst(4).map(String.init))
        // The kill came before the last part of the last was whole.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let slots = lengths.map { max(1, ($0 + 983) / 984) }.reduce(0, +)
        try file.seek(toOffset: UInt64(1024 * (slots - 1)))
        try file.write(contentsOf: Data(count: 8))
        try file.close()
        #expect(texts(spool().left(behind: 30)) == bodies.dropLast().map(String.init))
    }

    @Test("what is on disk and may stand in the kernel still is not the first to be written over")
    func newestLast() {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        for number: UInt64 in 1...5 {
            first.keep(frame(10 + number, "a"), PullFrame.Origin(connection: number, end: 100))
        }
        // Killed with all of it on disk, and so is the next one, before connections 1 to 5 were gone on with.
        let second = spool()
        #expect(second.left(behind: 15).isEmpty)
        for number: UInt64 in 6...8 {
            second.keep(frame(10 + number, "b"), PullFrame.Origin(connection: number, end: 200))
        }
        let third = spool()
        #expect(third.left(behind: 18).isEmpty)
        #expect(third.ends() == [1: 100, 2: 100, 3: 100, 4: 100, 5: 100, 6: 200, 7: 200, 8: 200])
    }

    @Test("nothing that is not on disk is overwritten: there is no room then, until it is")
    func room() {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        var sequence: UInt64 = 1
        while first.hasRoom(durable: 0), sequence < 100_000 {
            first.keep(frame(sequence, "x"))
            sequence += 1
        }
        #expect(sequence > 4_096 && sequence < 100_000)
        #expect(spool().left(behind: 0).count == Int(sequence - 1))
        #expect(first.hasRoom(durable: 1))
        first.keep(frame(sequence, "y"))
        #expect(!first.hasRoom(durable: 1))
    }

    @Test("a frame that a kill left half written is none, and takes no room")
    func torn() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        first.keep(frame(11, "a"))
        first.keep(frame(12, "b"))
        // The check of the second slot is written last.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 1024)
        try file.write(contentsOf: Data(count: 8))
        try file.close()
        let second = spool()
        #expect(texts(second.left(behind: 10)) == ["a"])
        #expect(second.hasRoom(durable: 10))
    }

    @Test("parts of a frame that a kill left half written spoil none that gets its number")
    func tornParts() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        first.keep(frame(11, "a"))
        first.keep(frame(12, String(repeating: "x", count: 2500)), PullFrame.Origin(connection: 7, end: 100))
        // The kill came before the first of three parts reached the memory: the others are valid by themselves.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 1024)
        try file.write(contentsOf: Data(count: 8))
        try file.close()
        #expect(spool().ends().isEmpty)
        let second = spool()
        #expect(texts(second.left(behind: 10)) == ["a"])
        second.keep(frame(12, "b"), PullFrame.Origin(connection: 7, end: 100))
        let third = spool()
        #expect(third.ends() == [7: 100])
        #expect(texts(third.left(behind: 10)) == ["a", "b"])
    }

    @Test("a second kill while they are taken in again neither loses nor doubles any", arguments: 0...4)
    func killedAgain(durable: Int) {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        for (sequence, text) in [(11, "a"), (13, "b"), (15, "c"), (17, "d")] as [(UInt64, String)] {
            first.keep(frame(sequence, text))
        }
        // The second process takes all of them in as 11, 12, 13, 14; so many of these reach the disk.
        let second = spool()
        #expect(texts(second.left(behind: 10)) == ["a", "b", "c", "d"])
        for place in 0..<4 { second.renumber(place, to: UInt64(11 + place)) }
        let expected = Array(["a", "b", "c", "d"].dropFirst(durable))
        #expect(texts(spool().left(behind: UInt64(10 + durable))) == expected)
    }

    @Test("a kill while a long frame gets its new number part by part does not lose it", arguments: 1...2, [12, 40])
    func halfRenumbered(parts: Int, fresh: UInt64) throws {
        let copy = path + "-copy"
        defer { for file in [path, copy] { try? FileManager.default.removeItem(atPath: file) } }
        let long = String(repeating: "x", count: 2500)
        let first = spool()
        first.keep(frame(11, "a"))
        first.keep(frame(14, long))
        first.keep(frame(16, "c"))
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let whole = spool(at: copy)
        _ = whole.left(behind: 11)
        whole.renumber(0, to: fresh)
        // Its first parts as they are afterwards, the others as they were.
        let source = try #require(FileHandle(forReadingAtPath: copy))
        let target = try #require(FileHandle(forUpdatingAtPath: path))
        for handle in [source, target] { try handle.seek(toOffset: 1024) }
        try target.write(contentsOf: try #require(try source.read(upToCount: 1024 * parts)))
        let second = spool()
        let left = second.left(behind: 11)
        #expect(Set(texts(left)) == [long, "c"] && left.count == 2)
        for place in left.indices { second.renumber(place, to: UInt64(50 + place)) }
        #expect(texts(spool().left(behind: 49)) == texts(left))
        #expect(spool().left(behind: 51).isEmpty)
    }

    @Test("what was taken of a connection says nothing of another run's connection with the same number")
    func anotherRun() {
        defer { try? FileManager.default.removeItem(atPath: path) }
        spool().keep(frame(11, "a"), PullFrame.Origin(connection: 7, end: 100))
        #expect(spool().ends() == [7: 100])
        let later = spool("the next run")
        #expect(later.ends()[7] == nil)
        #expect(texts(later.left(behind: 10)) == ["a"])
        #expect(ReceptionSpool.kernelRun().contains("net:"))
    }

    @Test("a message at which the process died three times in a row is known, and none that a kill met by chance")
    func deadly() {
        defer { try? FileManager.default.removeItem(atPath: path) }
        func die(_ end: UInt64) -> UInt64? {
            let process = spool()
            process.begin(PullFrame.Origin(connection: 7, end: end))
            return process.deadly
        }
        #expect([die(100), die(100), die(200), die(100), die(100), die(100)].allSatisfy { $0 == nil })
        #expect(spool().deadly == 7)
        // Not in hand: it was another death.
        #expect(spool().deadly == nil)
        for _ in 0..<4 {
            let process = spool()
            process.begin(PullFrame.Origin(connection: 7, end: 300))
            process.finish()
            #expect(process.deadly == nil)
        }
        #expect(spool().deadly == nil)
    }

    @Test("up to where each connection's stream was taken is known, of whole frames only")
    func ends() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = spool()
        first.keep(frame(11, "a"), PullFrame.Origin(connection: 7, end: 100))
        first.keep(frame(12, "b"), PullFrame.Origin(connection: 8, end: 40))
        first.keep(frame(13, "c"))
        first.keep(frame(14, String(repeating: "d", count: 3000)), PullFrame.Origin(connection: 7, end: 3200))
        #expect(spool().ends() == [7: 3200, 8: 40])
        // The kill came before the last part was whole: the kernel still has all of it.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(1024 * 6))
        try file.write(contentsOf: Data(count: 8))
        try file.close()
        #expect(spool().ends() == [7: 100, 8: 40])
        #expect(texts(spool().left(behind: 10)) == ["a", "b", "c"])
        // Under a new number it is the same frame.
        let second = spool()
        _ = second.left(behind: 10)
        second.renumber(0, to: 31)
        #expect(spool().ends() == [7: 100, 8: 40])
    }
}
