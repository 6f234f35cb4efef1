import Domain
import ServiceKit

/// How many connections are let in on a port whose socket is libzmq's, which accepts all that come: of one address half of
/// what the PULL port in the same process allows, and none while the process is short of descriptors.
///
/// Knows connections by their descriptors, as libzmq's monitor tells them. A value.
struct SocketDoor {
    private let limits: PullListener.Door
    private var hosts: [Int32: String] = [:]
    private var ofHost: [String: Int] = [:]

    init(_ limits: PullListener.Door) {
        self.limits = PullListener.Door(
            mostDescriptors: limits.mostDescriptors, mostOfOneAddress: max(1, limits.mostOfOneAddress / 2))
    }

    var mostOfOneAddress: Int { limits.mostOfOneAddress }

    /// A connection was accepted; why it is to be turned away, or nil.
    ///
    /// - Parameter address: without port; nil where it is gone again.
    mutating func accepted(_ descriptor: Int32, from address: String?) -> PullListener.Refusal? {
        // The number of one whose end was not told.
        ended(descriptor)
        guard let address else { return nil }
        if descriptor >= limits.mostDescriptors { return .full }
        let host = NetworkAddress.host(address)
        if !NetworkAddress.isOwnMachine(address), ofHost[host, default: 0] >= limits.mostOfOneAddress {
            return .address
        }
        hosts[descriptor] = host
        ofHost[host, default: 0] += 1
        return nil
    }

    mutating func ended(_ descriptor: Int32) {
        guard let host = hosts.removeValue(forKey: descriptor) else { return }
        let others = (ofHost[host] ?? 1) - 1
        ofHost[host] = others > 0 ? others : nil
    }
}
