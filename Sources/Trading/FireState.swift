/// Where a fire stands. One table says which steps exist; every script that moves a row checks it in Redis as well.
///
///     (request) ─ denied
///     reserved ─┬─ sending ─┬─ sent ─┬─ acknowledged ─┬─ filled
///               └─ expired  │        │                └─ rejected
///                           ├─ denied└─ unknown ─┬─ filled | rejected
///                           └─ unknown           └─ never_executed
///
/// Accounted = filled, rejected and never_executed; unaccounted = sent, acknowledged and unknown.
public enum FireState: String, Sendable, CaseIterable {
    /// A slot is taken, nothing has left; it may still be withdrawn.
    case reserved
    /// About to be handed to libzmq. After a restart nobody knows whether it was.
    case sending
    /// Handed to libzmq for the terminal.
    case sent
    /// The terminal's answer is in the journal.
    case acknowledged
    /// A position is open for it.
    case filled
    /// The terminal or its broker refused it.
    case rejected
    /// No answer in time, or a crash in between: it may or may not have traded. The slot stays taken.
    case unknown
    /// Found out afterwards: it never traded.
    case neverExecuted = "never_executed"
    /// Its time was over before it left.
    case expired
    /// Refused by us.
    case denied

    public static let transitions: [FireState: Set<FireState>] = [
        .reserved: [.sending, .expired],
        // `denied` from here only where the frame certainly did not leave: the last look or libzmq refused it.
        .sending: [.sent, .unknown, .denied],
        .sent: [.acknowledged, .unknown],
        .acknowledged: [.filled, .rejected],
        .unknown: [.filled, .rejected, .neverExecuted],
    ]

    public func canBecome(_ next: FireState) -> Bool { FireState.transitions[self]?.contains(next) ?? false }

    /// The states from which a state may be entered, as scripts check it.
    public static func origins(of state: FireState) -> [FireState] {
        allCases.filter { $0.canBecome(state) }
    }

    /// Whether the story is over.
    public var isFinal: Bool { FireState.transitions[self] == nil }
    /// Whether it occupies its terminal: no other fire goes there meanwhile.
    public var isOutstanding: Bool { self == .sending || self == .sent }
    /// Whether it certainly holds no position and will not: its slot is free again.
    public var releasesSlot: Bool { self == .expired || self == .denied || self == .rejected || self == .neverExecuted }
    /// Whether it may have left us: it counts as sent.
    public var isCommanded: Bool { isAccounted || isUnaccounted }
    /// Whether what became of a commanded trade is known.
    public var isAccounted: Bool { self == .filled || self == .rejected || self == .neverExecuted }
    /// Whether a commanded trade's outcome is not known (yet).
    public var isUnaccounted: Bool { self == .sent || self == .acknowledged || self == .unknown }
}

/// Why a fire was not let through: stable words of the contract.
public enum DenialReason: String, Sendable, CaseIterable {
    case unknownSymbol = "unknown_symbol"
    case stopWrongSide = "stop_wrong_side"
    case noStop = "no_stop"
    case nodeOffline = "node_offline"
    case noSlot = "no_slot"
    case riskExceeded = "risk_exceeded"
    case protectionTooLow = "protection_too_low"
    case duplicateFire = "duplicate_fire"
    case halted
    case reducingOnly = "reducing_only"
    case expired
    case signalExpired = "signal_expired"
    case marketQuiet = "market_quiet"
    case identityConflict = "identity_conflict"
    case userSuspended = "user_suspended"
    case userUnknown = "user_unknown"
    case hybridUnsupported = "hybrid_unsupported"
    case throttled
    case stateUnavailable = "state_unavailable"
}

/// A refusal with its stable word and a sentence for the person who reads it.
public struct Denial: Error, Sendable, Equatable {
    public let reason: DenialReason
    public let message: String

    public init(_ reason: DenialReason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
