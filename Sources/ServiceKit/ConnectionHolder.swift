import CLinux
import Glibc

/// A process that holds duplicates of a service's connections and never reads them: while they are held, the kernel
/// keeps each connection and what its sender sends, even when the service is killed. The service's next process gets
/// them.
///
/// One thread, no libraries' threads, nothing but descriptors. It takes one service at a time, of its own user, on a
/// socket only that user can open, and ends when it is told to, when no service came for ``patience``, or when the
/// path is not its socket's any more. Of two for one path the second ends at once. Source: unix(7); tcp(7); flock(2).
public enum ConnectionHolder {
    /// Milliseconds for which connections outlive their service: four times the longest pause before a supervisor
    /// starts it again.
    public static let patience: Int64 = 120_000
    /// For how long a service that asked for connections may take none of them.
    private static let sendMilliseconds: Int64 = 5_000
    private static let lockMilliseconds: Int64 = 1_500

    /// Runs until nothing is to be held any more.
    public static func run(path: String) -> Never {
        for descriptor in 3..<Int32(clamping: max(64, openLimit())) where fcntl(descriptor, F_GETFD) >= 0 {
            close(descriptor)
        }
        raiseOpenFileLimit()
        signal(SIGPIPE, SIG_IGN)
        var holder = Holder(path: path)
        holder.serve()
        exit(0)
    }

    /// The highest descriptor that is open, and one more.
    private static func openLimit() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 1024 }
        defer { closedir(folder) }
        var highest = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            }
            highest = max(highest, Int(name) ?? 0)
        }
        return highest + 1
    }

    private struct Holder {
        let path: String
        var listening: Int32 = -1
        var service: Int32 = -1
        var held: [UInt64: (descriptor: Int32, packet: HolderPacket)] = [:]
        var aloneSince = SystemClock.monotonicMilliseconds()
        var isOver = false
        /// The socket's file, as it was made.
        var file: (device: UInt, number: UInt)?
        /// Connections that the service has not given again since it came back.
        var stale: Set<UInt64> = []
        var checkedAt = SystemClock.monotonicMilliseconds()

        init(path: String) { self.path = path }

        mutating func serve() {
            guard path.utf8.count <= HolderSocket.longestPath, listen() else { return }
            while !isOver {
                var items = [
                    pollfd(fd: listening, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: service, events: Int16(POLLIN), revents: 0),
                ]
                _ = poll(&items, 2, 1000)
                if items[1].revents != 0 { hear() }
                if items[0].revents != 0 { meet() }
                check()
            }
            if isOurs { unlink(path) }
        }

        private mutating func listen() -> Bool {
            // For as long as this process lives: the path is one holder's.
            let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard lock >= 0 else { return false }
            // An earlier one that was told to end may not be gone yet.
            let deadline = SystemClock.monotonicMilliseconds() + ConnectionHolder.lockMilliseconds
            while flock(lock, LOCK_EX | LOCK_NB) != 0 {
                guard SystemClock.monotonicMilliseconds() < deadline else { return false }
                _ = poll(nil, 0, 50)
            }
            listening = HolderSocket.make()
            guard listening >= 0 else { return false }
            unlink(path)
            let mask = umask(0o177)
            defer { umask(mask) }
            guard HolderSocket.withAddress(path, { bind(listening, $0, $1) }) == 0 else { return false }
            file = found()
            return file != nil && Glibc.listen(listening, 4) == 0
        }

        private func found() -> (device: UInt, number: UInt)? {
            var status = stat()
            return lstat(path, &status) == 0 ? (UInt(status.st_dev), UInt(status.st_ino)) : nil
        }

        /// Whether the path leads to this process's socket. Its number is not given to another file while it is bound.
        private var isOurs: Bool {
            guard let file, let found = found() else { return false }
            return file == found
        }

        private mutating func check() {
            let now = SystemClock.monotonicMilliseconds()
            if service < 0, now - aloneSince >= ConnectionHolder.patience { isOver = true }
            guard now - checkedAt >= 500 else { return }
            checkedAt = now
            if !isOurs { isOver = true }
        }

        private mutating func leave() {
            if service >= 0 { close(service) }
            service = -1
            aloneSince = SystemClock.monotonicMilliseconds()
        }

        /// A service comes; an earlier one is gone, whether or not that was seen.
        private mutating func meet() {
            let fresh = accept(listening, nil, nil)
            guard fresh >= 0 else { return }
            guard HolderSocket.isOurs(fresh) else {
                close(fresh)
                return
            }
            // What the earlier one gave before it was gone.
            hear()
            leave()
            service = fresh
        }

        private mutating func hear() {
            while service >= 0, !isOver {
                switch HolderSocket.receive(on: service) {
                case .nothing: return
                case .ended: leave()
                case .packet(let packet, let descriptor): take(packet, descriptor)
                }
            }
        }

        private mutating func take(_ packet: HolderPacket, _ descriptor: Int32?) {
            switch packet.kind {
            case .hello where packet.key != HolderPacket.version: isOver = true
            case .hello where packet.flag: giveAll()
            case .hello:
                // It has them all itself and gives them again; what it does not give is over.
                stale = Set(held.keys)
            case .given:
                for key in stale { if let old = held.removeValue(forKey: key) { close(old.descriptor) } }
                stale = []
            case .hold:
                stale.remove(packet.key)
                guard let descriptor else {
                    // There was no room for it here. Source: unix(7), MSG_CTRUNC.
                    _ = HolderSocket.send(HolderPacket(.drop, key: packet.key), nil, on: service, waits: false)
                    return
                }
                if let old = held.updateValue((descriptor, packet), forKey: packet.key) { close(old.descriptor) }
                return
            case .drop:
                if let old = held.removeValue(forKey: packet.key) { close(old.descriptor) }
            case .end: isOver = true
            case .echo: _ = HolderSocket.send(HolderPacket(.echo), nil, on: service, waits: false)
            case .give: break
            }
            if let descriptor { close(descriptor) }
        }

        private mutating func giveAll() {
            stale = []
            var takenAt = SystemClock.monotonicMilliseconds()
            let all = held.values.map { one -> (HolderPacket, Int32?) in
                var packet = one.packet
                packet.kind = .give
                return (packet, one.descriptor)
            }
            for (packet, descriptor) in all + [(HolderPacket(.given), nil)] {
                while true {
                    let sent = HolderSocket.send(packet, descriptor, on: service, waits: false)
                    let now = SystemClock.monotonicMilliseconds()
                    if sent == .whole {
                        takenAt = now
                        break
                    }
                    // It keeps what it has: the service asks again.
                    guard sent == .later, now - takenAt < ConnectionHolder.sendMilliseconds else { return leave() }
                    var item = pollfd(fd: service, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&item, 1, 10)
                }
            }
        }
    }
}
