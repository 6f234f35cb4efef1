import Domain
import Wire
import ZeroMQ

// What the network does to a terminal, and what a broken EA does to the network.
extension Terminal {
    /// The cable is pulled and put in again: the server still holds the old connections when the new ones come, under
    /// the old identity, from an EA that has started anew.
    func restartHalfOpen(_ zeroMQ: ZMQContext, _ endpoints: Endpoints) throws(ZMQError) {
        guard state != .stopped else { return }
        try leaveSocketsHalfOpen()
        try stop(reason: "", isAbrupt: true)
        context.log("half_open", self)
        try start(zeroMQ, endpoints)
    }

    /// An EA gone wrong: so many ticks at once, as far as its socket takes them.
    func flood(_ count: Int) throws(ZMQError) {
        guard state == .running, let frame = expert?.chartTickText() else { return }
        for _ in 0..<count {
            guard try sockets?.send(frame, to: .telemetry) == true else { return }
            context.statistics.floodTicks += 1
        }
    }
}
