import Domain
import Journal

// What a process that was killed left, and under which number it is taken in again.
extension ReceptionSpool {
    /// Frames that a process before this one took and the journal does not have, in the order of their receipt.
    ///
    /// - Parameter last: the last sequence in the journal.
    func left(behind last: UInt64) -> [AcceptedFrame] {
        var found: [UInt64: [Part]] = [:]
        for index in 0..<ReceptionSpool.slots {
            guard let slot = slot(index), slot.load(fromByteOffset: 16, as: UInt64.self) > last,
                let part = part(index), part.frame.source.isFrame
            else { continue }
            found[part.frame.sequence, default: []].append(part)
        }
        var frames: [AcceptedFrame] = []
        recovered = []
        for sequence in found.keys.sorted() {
            // One whose parts are not all there was being written when the process ended.
            guard let parts = whole((found[sequence] ?? []).sorted { $0.number < $1.number }, behind: last),
                let first = parts.first
            else { continue }
            frames.append(
                AcceptedFrame(
                    sequence: sequence, receivedAt: first.frame.receivedAt, source: first.frame.source,
                    flags: first.frame.flags, bytes: parts.flatMap(\.frame.bytes)))
            recovered.append(parts.map(\.index))
        }
        forget(behind: last)
        if let index = recovered.last?.last ?? newest() { next = (index + 1) % ReceptionSpool.slots }
        return frames
    }

    /// All parts of a frame, of which these have one number; nil where some are not there. Those behind have their old number
    /// still where the process ended while it gave them a new one, the first part first.
    private func whole(_ parts: [Part], behind last: UInt64) -> [Part]? {
        guard let first = parts.first, parts.map(\.number) == Array(0..<parts.count) else { return nil }
        let rest = (parts.count..<max(parts.count, first.parts)).compactMap { number in
            part((first.index + number) % ReceptionSpool.slots)
        }
        let all = parts + rest
        let isOne = all.enumerated().allSatisfy { number, part in
            part.number == number && part.parts == first.parts && part.frame.receivedAt == first.frame.receivedAt
                && part.frame.sequence > last
        }
        return isOne && all.count == first.parts && Set(rest.map(\.frame.sequence)).count <= 1 ? all : nil
    }

    /// The slot that was written last. What is on disk may stand in the kernel still: what says so is the last to be
    /// written over.
    private func newest() -> Int? {
        let slots = (0..<ReceptionSpool.slots).compactMap { index -> (sequence: UInt64, number: UInt8, index: Int)? in
            guard let slot = slot(index), slot.load(as: UInt64.self) != 0,
                slot.load(fromByteOffset: 8, as: UInt64.self) == journal
            else { return nil }
            return (
                slot.load(fromByteOffset: 16, as: UInt64.self), slot.load(fromByteOffset: 37, as: UInt8.self), index
            )
        }
        return slots.sorted { ($0.sequence, $0.number) > ($1.sequence, $1.number) }.first { part($0.index) != nil }?
            .index
    }

    /// Parts of frames that were being written: their numbers are given again, and what is left of them would spoil the
    /// frames that get these.
    private func forget(behind last: UInt64) {
        let whole = Set(recovered.joined())
        for index in 0..<ReceptionSpool.slots where !whole.contains(index) {
            guard let slot = slot(index), slot.load(fromByteOffset: 8, as: UInt64.self) == journal,
                slot.load(fromByteOffset: 16, as: UInt64.self) > last
            else { continue }
            slot.storeBytes(of: 0, as: UInt64.self)
        }
    }

    /// Says under which number one of ``left(behind:)`` goes into the journal now.
    func renumber(_ place: Int, to sequence: UInt64) {
        guard recovered.indices.contains(place) else { return }
        for index in recovered[place] {
            // As it is, it is valid at every moment.
            guard let slot = slot(index), slot.load(fromByteOffset: 16, as: UInt64.self) != sequence else { continue }
            let length = Int(slot.load(fromByteOffset: 32, as: UInt16.self))
            slot.storeBytes(of: 0, as: UInt64.self)
            slot.storeBytes(of: sequence, toByteOffset: 16, as: UInt64.self)
            slot.storeBytes(of: check(index, length), as: UInt64.self)
        }
    }
}
