import Wire

/// A question about one item that no snapshot holds whole: the loop asks Redis.
enum Inquiry: Sendable, Equatable {
    case node(String)
    case user(String)
    case fire(String)
    case position(String)
    case alert(String)
    /// The market picture of one instrument: bars, levels, sweeps.
    case symbol(String)
    /// The whole story of a fire.
    case story(String)
}

/// What HTTP handlers ask of the loop.
enum Errand: Sendable {
    case inquiry(Inquiry)
    /// A request for the port `orders` of position-tracker.
    case order(JSONObject)
    /// An entry for the stream `events:alert-actions`.
    case alertAction([String])
}

/// How an errand ended.
enum ErrandOutcome: Sendable, Equatable {
    case found(JSONObject)
    case missing(String)
    /// It is there and can't be changed like that any more.
    case conflict(code: String, message: String)
    case unavailable(code: String, message: String)
}
