import Domain
import Journal
import Logging

/// What was taken and is not on disk yet, where a kill of this process does not reach it: a ``MappedMemory``.
///
/// It closes the gap between a frame's receipt and the end of the group's fdatasync, the largest part of what a kill would lose
/// on `ea-confirmations`. It promises nothing about a crash of the machine: that is the journal's business. What it
/// can't lessen: messages that libzmq or the kernel hold at that moment, for whom sending was the end of it.
/// Owned by the loop's thread. Source: mmap(2), MAP_SHARED; zmq_socket(3), ZMQ_PULL; zmq_setsockopt(3), ZMQ_RCVHWM.
final class ReceptionSpool {
    private static let slotBytes = 1024
    /// At 2,000 messages a second a disk may stand still for 8 s before nothing more is taken.
    private static let slots = 16_384
    /// Check u64, journal u64, sequence u64, received i64, length u32, source u8, zero u8, flags u16.
    private static let headerBytes = 40

    private let memory: MappedMemory
    private let journal: UInt64
    private var next = 0
    /// Slots of what a process before this one left, in the order of its receipt.
    private var recovered: [Int] = []

    /// - Parameter journal: the journal's id; frames of another one are not looked at.
    init(path: String, journal identifier: String, log: Logger) {
        journal = UInt64(identifier.prefix(16), radix: 16) ?? 0
        memory = MappedMemory(
            path: path, bytes: ReceptionSpool.slots * ReceptionSpool.slotBytes,
            without: "a kill loses what waits for the disk", log: log)
    }

    private func slot(_ index: Int) -> UnsafeMutableRawPointer? {
        memory.base?.advanced(by: index * ReceptionSpool.slotBytes)
    }

    /// Whether the next frame overwrites none that is not on disk yet.
    func hasRoom(durable: UInt64) -> Bool {
        // One that a kill left half written keeps nothing.
        guard let slot = slot(next), slot.load(as: UInt64.self) != 0,
            slot.load(fromByteOffset: 8, as: UInt64.self) == journal
        else { return true }
        return slot.load(fromByteOffset: 16, as: UInt64.self) <= durable
    }

    func keep(_ frame: AcceptedFrame) {
        let length = frame.bytes.count
        guard length <= ReceptionSpool.slotBytes - ReceptionSpool.headerBytes, let slot = slot(next) else { return }
        next = (next + 1) % ReceptionSpool.slots
        // Invalid until it is whole.
        slot.storeBytes(of: 0, as: UInt64.self)
        slot.storeBytes(of: journal, toByteOffset: 8, as: UInt64.self)
        slot.storeBytes(of: frame.sequence, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: frame.receivedAt.milliseconds, toByteOffset: 24, as: Int64.self)
        slot.storeBytes(of: UInt32(length), toByteOffset: 32, as: UInt32.self)
        slot.storeBytes(of: frame.source.rawValue, toByteOffset: 36, as: UInt8.self)
        slot.storeBytes(of: 0, toByteOffset: 37, as: UInt8.self)
        slot.storeBytes(of: frame.flags.rawValue, toByteOffset: 38, as: UInt16.self)
        frame.bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                (slot + ReceptionSpool.headerBytes).copyMemory(from: base, byteCount: length)
            }
        }
        slot.storeBytes(of: check(slot, length), as: UInt64.self)
    }

    /// 64-bit FNV-1a of everything behind the check; never 0.
    private func check(_ slot: UnsafeMutableRawPointer, _ length: Int) -> UInt64 {
        let bytes = UnsafeRawBufferPointer(start: slot + 8, count: ReceptionSpool.headerBytes - 8 + length)
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return state | 1
    }

    /// Frames that a process before this one took and the journal does not have, in the order of their receipt.
    ///
    /// - Parameter last: the last sequence in the journal.
    func left(behind last: UInt64) -> [AcceptedFrame] {
        var found: [(index: Int, frame: AcceptedFrame)] = []
        for index in 0..<ReceptionSpool.slots {
            guard let slot = slot(index) else { break }
            let sequence = slot.load(fromByteOffset: 16, as: UInt64.self)
            let length = Int(slot.load(fromByteOffset: 32, as: UInt32.self))
            guard sequence > last, slot.load(fromByteOffset: 8, as: UInt64.self) == journal,
                length <= ReceptionSpool.slotBytes - ReceptionSpool.headerBytes,
                slot.load(as: UInt64.self) == check(slot, length)
            else { continue }
            let bytes = Array(UnsafeRawBufferPointer(start: slot + ReceptionSpool.headerBytes, count: length))
            let frame = AcceptedFrame(
                sequence: sequence,
                receivedAt: Timestamp(milliseconds: slot.load(fromByteOffset: 24, as: Int64.self)),
                source: JournalSource(rawValue: slot.load(fromByteOffset: 36, as: UInt8.self)),
                flags: JournalFlags(rawValue: slot.load(fromByteOffset: 38, as: UInt16.self)), bytes: bytes)
            if frame.source.isFrame { found.append((index, frame)) }
        }
        found.sort { $0.frame.sequence < $1.frame.sequence }
        recovered = found.map(\.index)
        if let index = recovered.last { next = (index + 1) % ReceptionSpool.slots }
        return found.map(\.frame)
    }

    /// Says under which number one of ``left(behind:)`` goes into the journal now.
    func renumber(_ place: Int, to sequence: UInt64) {
        guard recovered.indices.contains(place), let slot = slot(recovered[place]) else { return }
        let length = Int(slot.load(fromByteOffset: 32, as: UInt32.self))
        slot.storeBytes(of: 0, as: UInt64.self)
        slot.storeBytes(of: sequence, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: check(slot, length), as: UInt64.self)
    }
}
