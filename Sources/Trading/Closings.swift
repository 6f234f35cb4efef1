public import Domain

/// One closing of a position: all of it, or a part.
public struct Closing: Sendable, Equatable {
    /// Volume of the position closed with it, decimal text: what names it among the others, in its row too.
    public let name: String
    /// Volume it closed.
    public var lot: Amount?
    /// Without swap and commission where the message has them apart; nil where nobody knows.
    public var profit: Amount?
    /// Where that comes from: a word of ``TradeEvent/ProfitSource``.
    public var source: String
    /// The event that told it; kept only until its position is known.
    public var eventID = ""

    public init(name: String, lot: Amount?, profit: Amount?, source: String?) {
        self.name = name
        self.lot = lot
        self.profit = profit
        self.source = profit == nil ? TradeEvent.ProfitSource.unknown.rawValue : source ?? "message"
    }

    init(_ event: TradeEvent) {
        self.init(
            // Another event of the same volume so far is the same closing: see ``EventIdentity``.
            name: event.closedVolume?.description ?? event.eventID, lot: event.lot.flatMap { Amount($0) },
            profit: event.profit.flatMap { Amount($0) }, source: event.profitSource?.rawValue)
        eventID = event.eventID
    }
}

/// The closings of one position, each once, in the order in which they were told. Their sum is exact.
public struct Closings: Sendable, Equatable {
    public private(set) var list: [Closing] = []

    public init(_ list: [Closing] = []) { self.list = list }

    public var isEmpty: Bool { list.isEmpty }

    /// Adds a closing, or puts right one that was told before.
    public mutating func put(_ closing: Closing) {
        if let index = list.firstIndex(where: { $0.name == closing.name }) {
            list[index] = closing
        } else {
            list.append(closing)
        }
    }

    /// What all of them closed, as far as they say it.
    public var lot: Amount { list.reduce(.zero) { $0 + ($1.lot ?? .zero) } }

    /// What all of them earned; nil while a part is unknown, and where there is none.
    public var profit: Amount? {
        guard !list.isEmpty else { return nil }
        var sum = Amount.zero
        for closing in list {
            guard let profit = closing.profit else { return nil }
            sum += profit
        }
        return sum
    }

    /// The least certain of their sources, as the sum's; nil where there is none.
    public var source: String? {
        let order = Closings.sources
        return list.map(\.source).max { (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0) }
    }

    /// The surest first. What is none of them counts as sure as a message.
    public static let sources = ["message", "operator", "balance_step", "quote", "unknown"]
}

extension Position {
    /// Takes a closing in; with the last one the row gets the sum of all.
    mutating func book(_ closing: Closing, text: String?) {
        closings.put(closing)
        guard state == .closed else { return }
        // One that was closed as a whole keeps the text that arrived.
        profit = closings.list.count == 1 ? text : closings.profit?.text(minimumDecimals: 2)
        profitSource = closings.source
    }
}
