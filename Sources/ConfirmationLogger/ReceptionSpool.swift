import Domain
import Foundation
import Journal
import Logging
import ServiceKit

/// What was taken and is not on disk yet, where a kill of this process does not reach it: a ``MappedMemory``.
///
/// It closes the gap between a frame's receipt and the end of the group's fdatasync, the largest part of what a kill
/// would lose on `ea-confirmations`. It promises nothing about a crash of the machine: that is the journal's business.
/// What it can't lessen: messages of a SUB that libzmq or the kernel hold at that moment, for whom sending was the end
/// of it; a PULL's stay in the kernel until they are here, and ``ends()`` says which of them are both.
/// A frame that is longer than a slot stands in several, one after the other; a port lets 64 KiB through.
/// Owned by the loop's thread. Source: mmap(2), MAP_SHARED; zmq_socket(3), ZMQ_PULL; zmq_setsockopt(3), ZMQ_RCVHWM.
final class ReceptionSpool {
    private static let slotBytes = 1024
    /// At 2,000 messages a second a disk may stand still for 8 s before nothing more is taken.
    static let slots = 16_384
    /// Check u64, journal u64, sequence u64, received i64, length u16, further parts u16, source u8, part u8, flags
    /// u16.
    private static let headerBytes = 40
    private static let partBytes = slotBytes - headerBytes
    /// Slots of the longest frame.
    private static let mostParts = ((64 << 10) + partBytes - 1) / partBytes

    /// Behind the slots, for each: connection u64 (mixed with the kernel's run), end of the message in its stream u64; zeros where there is none.
    private static let originBytes = 16

    private let memory: MappedMemory
    let journal: UInt64
    /// The kernel counts connections from its start on: of another start, or of another network, the same number is
    /// another connection's.
    private let world: UInt64
    private let hand: MessageInHand
    var next = 0
    /// Slots of each frame that a process before this one left, in the order of their receipt.
    var recovered: [[Int]] = []

    /// - Parameter journal: the journal's id; frames of another one are not looked at.
    ///   - world: which run of the kernel this is.
    init(path: String, journal identifier: String, world: String = ReceptionSpool.kernelRun(), log: Logger) {
        self.world = ReceptionSpool.hash(world.utf8)
        journal = UInt64(identifier.prefix(16), radix: 16) ?? 0
        memory = MappedMemory(
            path: path,
            bytes: ReceptionSpool.slots * (ReceptionSpool.slotBytes + ReceptionSpool.originBytes)
                + MessageInHand.bytes,
            without: "a kill loses what waits for the disk", log: log)
        hand = MessageInHand(
            memory.base?.advanced(by: ReceptionSpool.slots * (ReceptionSpool.slotBytes + ReceptionSpool.originBytes)))
    }

    /// The connection whose message killed its process each time it was handed over.
    var deadly: UInt64? { hand.deadly.map { $0 ^ world } }

    /// A message is looked at from now on and not kept yet.
    func begin(_ origin: PullFrame.Origin) { hand.begin(number(origin), end: origin.end) }

    /// It did no harm.
    func finish() { hand.finish() }

    /// The kernel's run and the network of this process. Source: random(4), namespaces(7).
    static func kernelRun() -> String {
        let run = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return run + ((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")) ?? "")
    }

    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    private func number(_ origin: PullFrame.Origin?) -> UInt64 {
        guard let origin, origin.connection != 0 else { return 0 }
        return origin.connection ^ world
    }

    func slot(_ index: Int) -> UnsafeMutableRawPointer? {
        memory.base?.advanced(by: index * ReceptionSpool.slotBytes)
    }

    /// Whether the next frame, however long, overwrites none that is not on disk yet.
    func hasRoom(durable: UInt64) -> Bool {
        // They stand in the order of their receipt: what is between these two is older than the second.
        isFree(next, durable) && isFree((next + ReceptionSpool.mostParts - 1) % ReceptionSpool.slots, durable)
    }

    private func isFree(_ index: Int, _ durable: UInt64) -> Bool {
        // One that a kill left half written keeps nothing.
        guard let slot = slot(index), slot.load(as: UInt64.self) != 0,
            slot.load(fromByteOffset: 8, as: UInt64.self) == journal
        else { return true }
        return slot.load(fromByteOffset: 16, as: UInt64.self) <= durable
    }

    private func origin(_ index: Int) -> UnsafeMutableRawPointer? {
        memory.base?.advanced(
            by: ReceptionSpool.slots * ReceptionSpool.slotBytes + index * ReceptionSpool.originBytes)
    }

    /// - Parameter origin: where the frame still stands in the kernel; it is taken from there after this.
    func keep(_ frame: AcceptedFrame, _ origin: PullFrame.Origin? = nil) {
        let parts = max(1, (frame.bytes.count + ReceptionSpool.partBytes - 1) / ReceptionSpool.partBytes)
        guard parts <= ReceptionSpool.mostParts else { return }
        frame.bytes.withUnsafeBytes { bytes in
            for number in 0..<parts {
                let start = number * ReceptionSpool.partBytes
                let end = min(start + ReceptionSpool.partBytes, bytes.count)
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                keep(frame, part, number, of: parts, number == parts - 1 ? origin : nil)
            }
        }
    }

    private func keep(
        _ frame: AcceptedFrame, _ bytes: UnsafeRawBufferPointer, _ part: Int, of parts: Int, _ origin: PullFrame.Origin?
    ) {
        let index = next
        guard let slot = slot(index), let place = self.origin(index) else { return }
        next = (next + 1) % ReceptionSpool.slots
        // Invalid until it is whole.
        slot.storeBytes(of: 0, as: UInt64.self)
        slot.storeBytes(of: journal, toByteOffset: 8, as: UInt64.self)
        slot.storeBytes(of: frame.sequence, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: frame.receivedAt.milliseconds, toByteOffset: 24, as: Int64.self)
        slot.storeBytes(of: UInt16(bytes.count), toByteOffset: 32, as: UInt16.self)
        slot.storeBytes(of: UInt16(parts - 1), toByteOffset: 34, as: UInt16.self)
        slot.storeBytes(of: frame.source.rawValue, toByteOffset: 36, as: UInt8.self)
        slot.storeBytes(of: UInt8(part), toByteOffset: 37, as: UInt8.self)
        slot.storeBytes(of: frame.flags.rawValue, toByteOffset: 38, as: UInt16.self)
        place.storeBytes(of: number(origin), as: UInt64.self)
        place.storeBytes(of: origin?.end ?? 0, toByteOffset: 8, as: UInt64.self)
        if let base = bytes.baseAddress {
            (slot + ReceptionSpool.headerBytes).copyMemory(from: base, byteCount: bytes.count)
        }
        slot.storeBytes(of: check(index, bytes.count), as: UInt64.self)
    }

    /// 64-bit FNV-1a of everything behind the check, and of the origin where there is one; never 0.
    func check(_ index: Int, _ length: Int) -> UInt64 {
        guard let slot = slot(index), let origin = origin(index) else { return 0 }
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ start: UnsafeMutableRawPointer, _ count: Int) {
            for byte in UnsafeRawBufferPointer(start: start, count: count) {
                state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            }
        }
        add(slot + 8, ReceptionSpool.headerBytes - 8 + length)
        if origin.load(as: UInt64.self) != 0 { add(origin, ReceptionSpool.originBytes) }
        return state | 1
    }

    /// Up to which byte of which connection's stream frames were taken, by the frames that are still here as a whole.
    func ends() -> [UInt64: UInt64] {
        var ends: [UInt64: UInt64] = [:]
        for index in 0..<ReceptionSpool.slots {
            guard let origin = origin(index), let last = part(index), isWhole(last) else { continue }
            let mixed = origin.load(as: UInt64.self)
            guard mixed != 0 else { continue }
            let connection = mixed ^ world
            ends[connection] = max(ends[connection] ?? 0, origin.load(fromByteOffset: 8, as: UInt64.self))
        }
        return ends
    }

    /// Whether the parts in front of a frame's last one are all there.
    private func isWhole(_ last: Part) -> Bool {
        guard last.number == last.parts - 1, last.parts <= ReceptionSpool.mostParts else { return false }
        return (0..<last.number).allSatisfy { number in
            let index = (last.index - last.number + number + ReceptionSpool.slots) % ReceptionSpool.slots
            guard let part = part(index) else { return false }
            return part.number == number && part.parts == last.parts && part.frame.sequence == last.frame.sequence
        }
    }

    struct Part {
        let index: Int
        let number: Int
        let parts: Int
        let frame: AcceptedFrame
    }

    /// What an intact slot of this journal keeps; nil for any other.
    func part(_ index: Int) -> Part? {
        guard let slot = slot(index), slot.load(fromByteOffset: 8, as: UInt64.self) == journal else { return nil }
        let length = Int(slot.load(fromByteOffset: 32, as: UInt16.self))
        guard length <= ReceptionSpool.partBytes, slot.load(as: UInt64.self) == check(index, length) else { return nil }
        let frame = AcceptedFrame(
            sequence: slot.load(fromByteOffset: 16, as: UInt64.self),
            receivedAt: Timestamp(milliseconds: slot.load(fromByteOffset: 24, as: Int64.self)),
            source: JournalSource(rawValue: slot.load(fromByteOffset: 36, as: UInt8.self)),
            flags: JournalFlags(rawValue: slot.load(fromByteOffset: 38, as: UInt16.self)),
            bytes: Array(UnsafeRawBufferPointer(start: slot + ReceptionSpool.headerBytes, count: length)))
        return Part(
            index: index, number: Int(slot.load(fromByteOffset: 37, as: UInt8.self)),
            parts: Int(slot.load(fromByteOffset: 34, as: UInt16.self)) + 1, frame: frame)
    }
}
