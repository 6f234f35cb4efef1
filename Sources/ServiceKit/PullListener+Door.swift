import CLinux
import Domain
import Glibc
import Wire

// Who is let in.
extension PullListener {
    /// Why a connection was turned away at the door.
    public enum Refusal: String, Sendable, CaseIterable {
        /// As many are connected as this process may hold.
        case full = "connections_refused_full"
        /// As many of this address are connected as one address may have.
        case address = "connections_refused_address"
        /// The kernel had no descriptor for it.
        case noDescriptors = "connections_refused_descriptors"
    }

    /// How many are let in. A process without descriptors can neither write its journal nor reach Redis: what comes above
    /// a limit is taken and closed, so that it waits in nobody's queue.
    public struct Door: Sendable {
        /// The kernel gives the lowest number that is free: so many descriptors are open at least.
        public var mostDescriptors: Int32
        /// Connections of one address on a port, of an IPv6 network of 64 bits in all; of this machine's own there may be
        /// more.
        public var mostOfOneAddress: Int

        public init(mostDescriptors: Int32, mostOfOneAddress: Int) {
            self.mostDescriptors = mostDescriptors
            self.mostOfOneAddress = mostOfOneAddress
        }

        /// For files, Redis and whatever else a process opens.
        private static let kept = 256

        /// All but some of the descriptors that the process may open; half of these for one address.
        public static var ofThisProcess: Door {
            let limit = raiseOpenFileLimit()
            let most = max(limit / 2, limit - kept)
            return Door(mostDescriptors: Int32(clamping: most), mostOfOneAddress: max(1, most / 2))
        }
    }

    private static let acceptsAtOnce = 128
    private static let refusalMilliseconds: Int64 = 60_000

    /// What was turned away within the last minute, for the operator; nil where nothing was.
    public var refusalText: String? {
        guard let lastRefusal, SystemClock.monotonicMilliseconds() - lastRefusal.at < PullListener.refusalMilliseconds
        else { return nil }
        switch lastRefusal.reason {
        case .full:
            return "connections are refused: \(count) are open on this port and the process may not open more files; "
                + "raise LimitNOFILE, or find out who opens so many"
        case .address:
            return "connections of an address are refused: it has "
                + "\(door.mostOfOneAddress) already; find out what opens them"
        case .noDescriptors:
            return "connections are refused: the process has no open files left; raise LimitNOFILE"
        }
    }

    private func refusal(_ descriptor: Int32, _ address: String?) -> Refusal? {
        if descriptor >= door.mostDescriptors { return .full }
        guard let address, ofAddress[NetworkAddress.host(address)] ?? 0 >= door.mostOfOneAddress,
            !NetworkAddress.isOwnMachine(address)
        else { return nil }
        return .address
    }

    private func refuse(_ reason: Refusal) {
        lastRefusal = (reason, now)
        onRefused(reason)
    }

    func acceptSome() {
        var isFull = false
        defer { if isFull { pause() } }
        for _ in 0..<PullListener.acceptsAtOnce {
            var storage = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listening, $0, &size) }
            }
            guard descriptor >= 0 else {
                if errno == ECONNABORTED || errno == EINTR { continue }
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                    refuse(.noDescriptors)
                    pause()
                }
                return
            }
            // From accept(2) itself: a peer that is gone again has no address any more, and what it sent is judged by it.
            let address = PeerAddress.text(storage, size)?.host
            if let reason = refusal(descriptor, address) {
                close(descriptor)
                refuse(reason)
                isFull = isFull || reason == .full
                continue
            }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            ListeningSocket.keepAlive(descriptor)
            let connection = PullConnection(descriptor, address, at: now)
            enter(connection)
            _ = send(ZMTPPeer.opening, to: connection)
            if isLeaving { _ = shutdown(descriptor, Int32(SHUT_WR)) }
        }
    }

    /// There is no room: the door is looked at again a second later, not ten thousand times in between.
    private func pause() {
        guard isAccepting else { return }
        isAccepting = false
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, listening, nil)
    }

    func acceptAgain() {
        guard !isAccepting else { return }
        isAccepting = true
        follow(listening, EPOLLIN.rawValue)
    }

    // MARK: - Connections

    subscript(_ descriptor: Int32) -> PullConnection? {
        descriptor >= 0 && Int(descriptor) < connections.count ? connections[Int(descriptor)] : nil
    }

    func enter(_ connection: PullConnection) {
        lastEvent = now
        while connections.count <= Int(connection.descriptor) { connections.append(nil) }
        connections[Int(connection.descriptor)] = connection
        count += 1
        if let address = connection.address { ofAddress[NetworkAddress.host(address), default: 0] += 1 }
        onAccepted(connection.descriptor, connection.address)
        follow(connection.descriptor, PullListener.interest)
    }

    func follow(_ descriptor: Int32, _ interest: UInt32, _ operation: Int32 = EPOLL_CTL_ADD) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = descriptor
        _ = epoll_ctl(epoll, operation, descriptor, &event)
    }
}
