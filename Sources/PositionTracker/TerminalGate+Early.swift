import ServiceKit

// Before it is known who is believed from where: connections are there, and nobody is greeted.
extension TerminalGate {
    /// A handshake and a HELLO of a peer that does not wait for our greeting.
    private static let mostEarlyBytes = 8192

    /// Greets those who waited, in the order they came; some in each turn of the loop. Those who gave up are gone: their
    /// ends were read. What stays unread in libzmq would stay in memory with each connection that ended.
    func beginHearing() {
        if !isHearing {
            guard isWanted() else { return }
            isHearing = true
            line = connections.filter { $0.value.early != nil }.keys.sorted(by: >)
        }
        for _ in 0..<min(line.count, TerminalGate.budget) {
            let number = line.removeLast()
            guard let early = connections[number]?.early else { continue }
            connections[number]?.early = nil
            connections[number]?.patience = SystemClock.monotonicMilliseconds() + TerminalGate.handshakeMilliseconds
            greet(number)
            if !early.isEmpty { take(number, early) }
        }
    }

    /// What a peer says before it is greeted: libzmq ten bytes.
    func keep(early bytes: [UInt8], of number: Int32) {
        guard let count = connections[number]?.early?.count, count + bytes.count <= TerminalGate.mostEarlyBytes else {
            report.reject("zmtp_handshake_failed")
            return cut(number)
        }
        connections[number]?.early?.append(contentsOf: bytes)
    }
}
