import Glibc
import Logging

/// Up to which frame of the journal events were told on `trade-events`: what is booked again, because Redis was emptied
/// or restored, is not told again, also by the process after this one.
///
/// The live feed is at most once in all else: who was not connected, or is a frame further than a killed process told,
/// reads `events:trades`. After a crash of the machine the mark may be behind, and a rebuild tells some once more.
/// Owned by the loop's thread.
final class PublishedMark {
    /// Two words: the journal, the sequence.
    private static let bytes = 16

    private let memory: MappedMemory
    private(set) var sequence: UInt64 = 0

    /// - Parameters:
    ///   - journal: the journal's id; the mark of another one is none.
    ///   - last: the journal's last sequence: one that was restored from a backup may end before the mark.
    init(path: String, journal identifier: String, last: UInt64, log: Logger) {
        memory = MappedMemory(
            path: path, bytes: PublishedMark.bytes,
            without: "should Redis be emptied, events of earlier processes are told again", log: log)
        guard let base = memory.base else { return }
        let journal = UInt64(identifier.prefix(16), radix: 16) ?? 0
        if base.load(as: UInt64.self) == journal {
            sequence = min(base.load(fromByteOffset: 8, as: UInt64.self), last)
        } else {
            base.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
            base.storeBytes(of: journal, as: UInt64.self)
        }
    }

    /// Every event of the frames up to this one is told.
    func move(to sequence: UInt64) {
        guard sequence > self.sequence else { return }
        self.sequence = sequence
        memory.base?.storeBytes(of: sequence, toByteOffset: 8, as: UInt64.self)
    }
}
