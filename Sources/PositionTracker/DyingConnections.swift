import Glibc
import ServiceKit

/// Connections of the command port that were cut while their peers read nothing: libzmq's queue to such a peer is full, and
/// takes not even the word that it is to end. Tried again, and after a while the kernel is asked. Owned by the loop's thread.
struct DyingConnections {
    private struct One {
        let descriptor: Int32
        /// With its port: a number of the same machine's next connection is not this one.
        let peer: String?
        let deadline: Int64
    }

    /// So long libzmq may take until the kernel is asked.
    private static let milliseconds: Int64 = 5_000
    private static let limit = 10_000

    private var list: [[UInt8]: One] = [:]

    mutating func add(_ route: [UInt8], _ descriptor: Int32, _ address: String, now: Int64) {
        guard list.count < DyingConnections.limit else { return }
        let isSame = PeerAddress.of(descriptor) == address
        list[route] = One(
            descriptor: descriptor, peer: isSame ? PeerAddress.endpoint(of: descriptor) : nil,
            deadline: now + DyingConnections.milliseconds)
    }

    /// The end of one was told; whether it was awaited.
    mutating func ended(_ route: [UInt8]) -> Bool { list.removeValue(forKey: route) != nil }

    /// - Parameters:
    ///   - end: asks libzmq; whether it took it.
    ///   - isTaken: whether a living connection has the descriptor by now.
    /// - Returns: how many the kernel was asked for.
    mutating func bury(_ now: Int64, end: ([UInt8]) -> Bool, isTaken: (Int32) -> Bool) -> Int64 {
        var asked: Int64 = 0
        for (route, one) in list {
            guard !end(route) else {
                list[route] = nil
                continue
            }
            guard now > one.deadline else { continue }
            list[route] = nil
            // A number that was given to somebody else since then is left alone.
            guard one.descriptor >= 0, let peer = one.peer, !isTaken(one.descriptor),
                PeerAddress.endpoint(of: one.descriptor) == peer
            else { continue }
            asked += 1
            _ = shutdown(one.descriptor, Int32(SHUT_RDWR))
            // Its end will be told.
            list[route] = One(descriptor: -1, peer: nil, deadline: now + DyingConnections.milliseconds)
        }
        return asked
    }
}
