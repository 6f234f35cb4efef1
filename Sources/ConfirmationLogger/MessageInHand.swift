/// Which message was being looked at when a process died, in memory that outlives it: a kill finds another one each time;
/// one that is found again and again is the cause.
///
/// Owned by the loop's thread.
final class MessageInHand {
    /// Connection and end of the message in hand, of the one that was in hand at the last death, and at how many deaths in
    /// a row that was the same.
    static let bytes = 40
    private static let deathsOfOne: UInt64 = 3

    private let memory: UnsafeMutableRawPointer?
    /// The connection whose message was in hand at the last deaths, each of them.
    let deadly: UInt64?

    init(_ memory: UnsafeMutableRawPointer?) {
        self.memory = memory
        guard let memory, memory.load(as: UInt64.self) != 0 else {
            deadly = nil
            return
        }
        let (connection, end) = (memory.load(as: UInt64.self), memory.load(fromByteOffset: 8, as: UInt64.self))
        let isSame =
            memory.load(fromByteOffset: 16, as: UInt64.self) == connection
            && memory.load(fromByteOffset: 24, as: UInt64.self) == end
        let deaths = isSame ? memory.load(fromByteOffset: 32, as: UInt64.self) + 1 : 1
        memory.storeBytes(of: connection, toByteOffset: 16, as: UInt64.self)
        memory.storeBytes(of: end, toByteOffset: 24, as: UInt64.self)
        memory.storeBytes(of: deaths, toByteOffset: 32, as: UInt64.self)
        memory.storeBytes(of: 0, as: UInt64.self)
        deadly = deaths >= MessageInHand.deathsOfOne ? connection : nil
    }

    func begin(_ connection: UInt64, end: UInt64) {
        guard let memory else { return }
        memory.storeBytes(of: end, toByteOffset: 8, as: UInt64.self)
        memory.storeBytes(of: connection, as: UInt64.self)
    }

    func finish() { memory?.storeBytes(of: 0, as: UInt64.self) }
}
