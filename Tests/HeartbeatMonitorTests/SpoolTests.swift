import Domain
import Fleet
import Foundation
import ServiceKit
import TestKit
import Testing

@testable import HeartbeatMonitor

@Suite struct SpoolTests {
    private func delivery(_ number: Int64) -> Delivery {
        Delivery(
            number: number, outlet: "webhook", alertID: "a\(number)", body: "body \(number)",
            createdAt: Timestamp(milliseconds: 1))
    }

    /// `/dev/full` answers every write as a full disk does.
    @Test func aFullDiskLosesNothingThatWaitsOnceThereIsRoomAgain() throws {
        let directory = try TemporaryDirectory("spool")
        let path = directory.path + "/alerts.spool"
        let spool = Spool(path: path)
        #expect(spool.load().isEmpty && !spool.isBroken)
        for number in 1...3 as ClosedRange<Int64> { spool.add(delivery(number)) }
        let real = spool.handle
        spool.handle = FileHandle(forWritingAtPath: "/dev/full")
        spool.add(delivery(4))
        #expect(spool.isBroken)
        // What is told and what is done with while the disk is full is known all the same.
        spool.add(delivery(5))
        spool.finish(2)
        let meanwhile = Spool(path: path)
        #expect(meanwhile.load().map(\.number) == [1, 2, 3])
        spool.mend()
        #expect(!spool.isBroken)
        spool.add(delivery(6))
        let next = Spool(path: path)
        #expect(next.load().map(\.number) == [1, 3, 4, 5, 6])
        #expect(next.lastNumber == 6)
        #expect(!FileManager.default.fileExists(atPath: path + ".new"))
        try real?.close()
    }

    @Test func aPlaceThatCannotBeWrittenIsTriedAgain() throws {
        let directory = try TemporaryDirectory("spool")
        let inTheWay = directory.path + "/var"
        try "a file".write(toFile: inTheWay, atomically: true, encoding: .utf8)
        let spool = Spool(path: inTheWay + "/alerts.spool")
        #expect(spool.load().isEmpty && spool.isBroken)
        spool.add(delivery(1))
        spool.mend()
        #expect(spool.isBroken)
        try FileManager.default.removeItem(atPath: inTheWay)
        spool.mend()
        #expect(!spool.isBroken)
        spool.add(delivery(2))
        #expect(Spool(path: inTheWay + "/alerts.spool").load().map(\.number) == [1, 2])
    }

    @Test func halfALineOfAFullDiskSpoilsNothing() throws {
        let directory = try TemporaryDirectory("spool")
        let path = directory.path + "/alerts.spool"
        let spool = Spool(path: path)
        _ = spool.load()
        spool.add(delivery(1))
        // The disk took half of the next line before it was full.
        try spool.handle?.write(contentsOf: Data("{\"n\":2,\"out".utf8))
        spool.handle = FileHandle(forWritingAtPath: "/dev/full")
        spool.add(delivery(2))
        spool.mend()
        spool.add(delivery(3))
        #expect(Spool(path: path).load().map(\.number) == [1, 2, 3])
    }
}
