/// What the supervisor knows about one service at this moment.
public struct ServiceStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        /// The program runs (which doesn't say that it is ready).
        case run
        /// It doesn't run and isn't being started.
        case down
        /// It has ended; the finish script works or pauses before the next start.
        case finish
        /// Nobody supervises it.
        case absent
    }

    public let state: State
    /// The service's process id; nil unless it runs.
    public let pid: Int32?
    /// Seconds since the process started; nil unless it runs.
    public let uptimeSeconds: Double?
    /// Whether the supervisor is to keep it running.
    public let wantsUp: Bool

    public init(state: State, pid: Int32? = nil, uptimeSeconds: Double? = nil, wantsUp: Bool = false) {
        self.state = state
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
        self.wantsUp = wantsUp
    }

    static let absent = ServiceStatus(state: .absent)
}

/// The 20 bytes of `supervise/status`, as runsv(8) of runit 2.1.2 writes them: TAI64N time of the last change (12),
/// pid (4, little-endian), paused, want ('u' or 'd'), whether TERM was sent, state (0 down, 1 run, 2 finish).
struct SuperviseRecord: Equatable {
    let state: ServiceStatus.State
    /// Of the service, or of its finish script in state `finish`; nil when there is no process.
    let pid: Int32?
    let wantsUp: Bool

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 20 else { return nil }
        let number = bytes[12...15].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        pid = number == 0 ? nil : Int32(truncatingIfNeeded: number)
        wantsUp = bytes[17] == UInt8(ascii: "u")
        switch (bytes[19], pid) {
        case (2, _): state = .finish
        // After a KILL runsv notes "down" before the process is reaped: it counts as running until it is gone.
        case (_, .some): state = .run
        case (_, .none): state = .down
        }
    }
}
