import Domain

/// A fire request on its way through score, slot and route.
struct PendingRequest: Sendable {
    var request: FireRequest
    var candidates: [FireCandidate]
    var answers: [FireAnswer]
    /// Fires whose slot or hand-over has not been answered.
    var awaiting: Set<String> = []
    var score: Amount?
    /// CITADEL's factors, JSON text.
    var factors: String?
    var scoreAt: Timestamp?
    /// Who gave the score, or why there is none.
    var scoreBy = ""
    let requestedAt: Timestamp
    /// Users whose fires were withdrawn while this request waited.
    var withdrawnUsers: Set<String> = []
}

/// A target that passed every check that needs no I/O.
struct FireCandidate: Sendable {
    let fireID: String
    let user: User
    let terminal: Terminal
    let symbol: String
    let canonicalSymbol: String
    let instrument: Instrument
    let entry: Amount
    let quote: Quote
    let equity: Amount
    let currency: String
    let conversionRate: Amount
}

extension Fire {
    /// The first steps: what it follows, and what CITADEL said to it.
    mutating func noteRequest(_ pendingRequest: PendingRequest) {
        let request = pendingRequest.request
        if let at = request.signalAt {
            note("signal", .signal, at: at, by: "signal \(request.signalID ?? "")")
        } else {
            note("signal", nil, at: pendingRequest.requestedAt, by: "request")
        }
        if let at = pendingRequest.scoreAt { note("score", .score, at: at, by: pendingRequest.scoreBy) }
    }
}
