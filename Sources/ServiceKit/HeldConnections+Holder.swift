import DequeModule
import Glibc
import Logging

// What goes to the holder and comes from it, and whether it is still there.
extension HeldConnections {
    /// A holder that takes nothing, or says nothing, at so many looks of ours hangs. Looks and not time: while this process
    /// was stopped itself, nobody else is to blame.
    private static let mostStuckLooks = 8
    /// The same while it has an earlier process's connections, which would end with it.
    private static let mostStuckLooksOwed = 40
    /// It is asked for a sign of life at one look in so many.
    private static let looksPerEcho = 4

    func flush() {
        while socket >= 0, var packet = outgoing.first {
            var descriptor: Int32?
            if packet.kind == .hold {
                guard let one = held[packet.key] else {
                    outgoing.removeFirst()
                    continue
                }
                descriptor = one.descriptor
                (packet.flag, packet.address) = (one.takesCommands, one.address ?? "")
            }
            switch HolderSocket.send(packet, descriptor, on: socket, waits: false) {
            case .whole:
                outgoing.removeFirst()
                if packet.kind == .hold { pending.remove(packet.key) }
                stuckLooks = 0
            case .later: return
            case .never: lose("it does not listen")
            }
        }
    }

    /// Hears all that it said.
    ///
    /// - Parameter take: gets each connection it gives that this process does not have.
    func listen(_ take: (PullPeer) -> Void) {
        while socket >= 0 {
            switch HolderSocket.receive(on: socket) {
            case .nothing: return
            case .ended: lose("it ended")
            case .packet(let packet, let descriptor):
                silentLooks = 0
                switch packet.kind {
                case .give: given(packet, descriptor, take)
                case .given:
                    isOwed = false
                    gone = []
                case .drop: if held[packet.key] != nil { notTaken.insert(packet.key) }
                case .hello, .hold, .end, .echo: break
                }
                if packet.kind != .give, let descriptor { close(descriptor) }
            }
        }
    }

    private func given(_ packet: HolderPacket, _ descriptor: Int32?, _ take: (PullPeer) -> Void) {
        guard held[packet.key] == nil else {
            // Given again, or held meanwhile.
            if let descriptor { close(descriptor) }
            return
        }
        guard let descriptor, !gone.contains(packet.key) else {
            if let descriptor {
                close(descriptor)
            } else {
                // There was no room for it here. Source: unix(7), MSG_CTRUNC.
                log.error("a connection of an earlier process can't be taken over: this one may not open more files")
                onNotGiven()
            }
            outgoing.append(HolderPacket(.drop, key: packet.key))
            return
        }
        let peer = PullPeer(
            descriptor: descriptor, key: packet.key, takesCommands: packet.flag, address: packet.address)
        held[packet.key] = peer
        take(peer)
    }

    private func lose(_ why: String) {
        guard socket >= 0 else { return }
        log.warning("the process that holds the connections is lost", metadata: ["why": "\(why)"])
        close(socket)
        socket = -1
        outgoing = []
        pending = []
        notTaken = []
        (stuckLooks, silentLooks) = (0, 0)
    }

    /// Four times a second.
    func look() {
        if process > 0, waitpid(process, nil, WNOHANG) == process { process = 0 }
        judge()
        guard socket < 0, !isOver, path.utf8.count <= HolderSocket.longestPath else { return }
        guard connect(), greet() else { return start() }
        outgoing = Deque(held.keys.map { HolderPacket(.hold, key: $0) })
        // Said to one that gives all, it would end what it has not given yet.
        if !isOwed { outgoing.append(HolderPacket(.given)) }
        pending = Set(held.keys)
        flush()
    }

    /// Whether it hangs: what can be heard and said is heard and said first.
    private func judge() {
        listen(onGiven)
        flush()
        guard socket >= 0 else { return }
        stuckLooks = outgoing.isEmpty ? 0 : stuckLooks + 1
        silentLooks += 1
        if silentLooks % HeldConnections.looksPerEcho == 0 {
            outgoing.append(HolderPacket(.echo))
            flush()
        }
        let most = isOwed ? HeldConnections.mostStuckLooksOwed : HeldConnections.mostStuckLooks
        guard max(stuckLooks, silentLooks - HeldConnections.looksPerEcho) >= most else { return }
        let peer = HolderSocket.peer(socket)
        lose("it hangs")
        if let peer { kill(peer, SIGKILL) }
    }

    func connect() -> Bool {
        let descriptor = HolderSocket.make()
        guard descriptor >= 0 else { return false }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        guard HolderSocket.withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0,
            HolderSocket.isOurs(descriptor)
        else {
            close(descriptor)
            return false
        }
        socket = descriptor
        return true
    }

    /// The first word to a holder; it gives what it has until it once gave all.
    func greet() -> Bool {
        let hello = HolderPacket(.hello, flag: isOwed, key: HolderPacket.version)
        if HolderSocket.send(hello, nil, on: socket, waits: false) == .whole { return true }
        lose("it does not listen")
        return false
    }
}
