import Domain

/// An open position as the broker keeps it.
struct BrokerPosition: Sendable, Equatable {
    let ticket: Int64
    /// Place in ``Market``.
    let symbol: Int
    /// The broker's own name.
    let symbolName: TerminalText
    let digits: Int
    let direction: Direction
    let lot: Amount
    let openPrice: Amount
    /// Zero where there is none.
    var stopLoss: Amount
    var takeProfit: Amount
    let magic: Int64
    /// Cut as MetaTrader cuts it.
    let comment: TerminalText
    let openedAt: Int64
    /// What the broker has charged for holding it; booked with the close.
    var swap = Amount.zero
}

enum CloseReason: String, Sendable {
    case command = "COMMAND"
    case takeProfit = "TP_HIT"
    case stopLoss = "SL_HIT"
    case manual = "MANUAL"
    case stopOut = "STOP_OUT"
}

struct ClosedPosition: Sendable, Equatable {
    let position: BrokerPosition
    let price: Amount
    /// In the account's currency, rounded to cents as the broker books it; without the position's swap.
    let profit: Amount
    let reason: CloseReason
    let heldSeconds: Int64
}

/// A deal to be done at market.
struct OrderRequest: Sendable {
    var symbol: WatchedSymbol
    var direction: Direction
    var lot: Amount
    var stopLoss = Amount.zero
    var takeProfit = Amount.zero
    var magic: Int64
    var comment: TerminalText
}

/// MetaTrader's return codes, those that can happen here. Source: MQL5 reference, "Return codes of the trade server".
struct TradeRefusal: Error, Equatable {
    let code: Int
    let text: TerminalText

    static let rejected = TradeRefusal(code: 10006, text: "Request rejected")
    static let invalidVolume = TradeRefusal(code: 10014, text: "Invalid volume in the request")
    static let invalidStops = TradeRefusal(code: 10016, text: "Invalid stops in the request")
    static let noMoney = TradeRefusal(
        code: 10019, text: "There is not enough money to complete the request")
    static let noQuotes = TradeRefusal(code: 10021, text: "There are no quotes to process the request")
}

/// Ticket numbers of one broker server: ten digits, growing, shared by all its accounts.
final class TicketBook {
    private var last: Int64
    private var generator: SeededGenerator

    /// - Parameter startedAt: when the run began; a broker never gives a ticket twice, so a later run starts higher.
    init(seed: UInt64, startedAt: Timestamp = Timestamp(milliseconds: 0)) {
        generator = SeededGenerator(seed: seed)
        // Above 2^31, so that whoever keeps tickets in 32 bits is found out.
        last = 2_160_000_000 + max(0, startedAt.seconds - 1_700_000_000) * 100 + Int64(generator.next() % 50)
    }

    func next() -> Int64 {
        last += 1 + Int64(generator.next() % 9)
        return last
    }
}

/// A hedging account on a simulated broker: money exact to the cent, margin by leverage, stops by quotes.
struct BrokerAccount {
    /// MetaTrader keeps so many bytes of an order's comment. Source: ea-wire 2.
    static let commentLength = 31
    /// Below this margin level in percent the broker closes the worst position.
    static let stopOutLevel = Amount(50)

    let currency: String
    let leverage: Int
    private(set) var balance: Amount
    private(set) var positions: [BrokerPosition] = []
    private let tickets: TicketBook

    init(currency: String, leverage: Int, balance: Amount, tickets: TicketBook) {
        self.currency = currency
        self.leverage = max(1, leverage)
        self.balance = balance
        self.tickets = tickets
    }

    func figures(_ market: Market) -> AccountFigures {
        var floating = Amount.zero
        var margin = Amount.zero
        for position in positions {
            floating += floatingProfit(position, market) + position.swap
            margin += self.margin(
                symbol: position.symbol, lot: position.lot, price: position.openPrice, market)
        }
        let equity = balance + floating
        let level = (equity * Amount(100)).divided(by: margin) ?? .zero
        return AccountFigures(
            balance: balance, equity: equity, margin: margin, freeMargin: equity - margin, marginLevel: level)
    }

    func position(ticket: Int64) -> BrokerPosition? { positions.first { $0.ticket == ticket } }

    // MARK: - Deals

    /// Opens at the ask or the bid. The caller has looked at the stops; the broker looks at volume, stops and money.
    mutating func open(_ request: OrderRequest, _ market: Market, now: Int64) -> Result<BrokerPosition, TradeRefusal> {
        guard let quote = market.quote(request.symbol.marketIndex) else { return .failure(.noQuotes) }
        let isStep = request.lot.roundedDown(toStep: SymbolSpecification.lotStep) == request.lot
        guard request.lot.isPositive, isStep, request.lot <= SymbolSpecification.maximumLot else {
            return .failure(.invalidVolume)
        }
        let price = request.direction == .buy ? quote.ask : quote.bid
        guard BrokerAccount.stopsAreValid(request, quote) else { return .failure(.invalidStops) }
        let needed = margin(symbol: request.symbol.marketIndex, lot: request.lot, price: price, market)
        guard needed <= figures(market).freeMargin else { return .failure(.noMoney) }
        let position = BrokerPosition(
            ticket: tickets.next(), symbol: request.symbol.marketIndex, symbolName: request.symbol.name,
            digits: request.symbol.digits, direction: request.direction, lot: request.lot, openPrice: price,
            stopLoss: request.stopLoss, takeProfit: request.takeProfit, magic: request.magic,
            comment: TerminalText(bytes: Array(request.comment.bytes.prefix(BrokerAccount.commentLength))),
            openedAt: now)
        positions.append(position)
        return .success(position)
    }

    private static func stopsAreValid(_ request: OrderRequest, _ quote: Quote) -> Bool {
        let isBuy = request.direction == .buy
        let exit = isBuy ? quote.bid : quote.ask
        let stopFits = request.stopLoss.isZero || (isBuy ? request.stopLoss < exit : request.stopLoss > exit)
        let targetFits = request.takeProfit.isZero || (isBuy ? request.takeProfit > exit : request.takeProfit < exit)
        return stopFits && targetFits
    }

    /// Closes at market, or at a price the broker guarantees.
    mutating func close(
        ticket: Int64, _ market: Market, reason: CloseReason, at price: Amount? = nil, now: Int64
    ) -> ClosedPosition? {
        guard let index = positions.firstIndex(where: { $0.ticket == ticket }),
            let closePrice = price ?? closePrice(positions[index], market)
        else { return nil }
        let position = positions.remove(at: index)
        let result = profit(position, at: closePrice, market)
        balance += result + position.swap
        return ClosedPosition(
            position: position, price: closePrice, profit: result, reason: reason,
            heldSeconds: max(0, now - position.openedAt))
    }

    /// Closes what a symbol's newest quote has reached: a stop at market, a target at its own price.
    mutating func closeTriggered(symbol: Int, _ market: Market, now: Int64) -> [ClosedPosition] {
        guard let quote = market.quote(symbol) else { return [] }
        var closed: [ClosedPosition] = []
        for position in positions where position.symbol == symbol {
            let isBuy = position.direction == .buy
            let exit = isBuy ? quote.bid : quote.ask
            let stop = position.stopLoss
            let target = position.takeProfit
            if stop.isPositive, isBuy ? exit <= stop : exit >= stop {
                let result = close(ticket: position.ticket, market, reason: .stopLoss, at: exit, now: now)
                closed += result.map { [$0] } ?? []
            } else if target.isPositive, isBuy ? exit >= target : exit <= target {
                let result = close(ticket: position.ticket, market, reason: .takeProfit, at: target, now: now)
                closed += result.map { [$0] } ?? []
            }
        }
        return closed
    }

    /// Closes the worst position while the margin level is too low.
    mutating func closeForMargin(_ market: Market, now: Int64) -> [ClosedPosition] {
        var closed: [ClosedPosition] = []
        while !positions.isEmpty, figures(market).marginLevel < BrokerAccount.stopOutLevel {
            let results = positions.map { position in
                (position.ticket, floatingProfit(position, market))
            }
            guard let worst = results.min(by: { $0.1 < $1.1 }),
                let result = close(ticket: worst.0, market, reason: .stopOut, now: now)
            else { break }
            closed.append(result)
        }
        return closed
    }

    /// Charges every open position for being held: so much a lot, a cent at least.
    mutating func chargeSwap(perLot: Amount) {
        for index in positions.indices {
            let charge = DecimalText.roundedAway(perLot * positions[index].lot, decimals: 2)
            positions[index].swap = positions[index].swap - max(charge, Amount(units: Amount.unitsPerOne / 100))
        }
    }

    // MARK: - Arithmetic

    /// What a position would bring now, without its swap.
    func floatingProfit(_ position: BrokerPosition, _ market: Market) -> Amount {
        profit(position, at: closePrice(position, market) ?? position.openPrice, market)
    }

    /// A buy closes at the bid, a sell at the ask.
    func closePrice(_ position: BrokerPosition, _ market: Market) -> Amount? {
        guard let quote = market.quote(position.symbol) else { return nil }
        return position.direction == .buy ? quote.bid : quote.ask
    }

    private func profit(_ position: BrokerPosition, at price: Amount, _ market: Market) -> Amount {
        let specification = market.lines[position.symbol].specification
        let move = position.direction == .buy ? price - position.openPrice : position.openPrice - price
        let inQuote = move * (position.lot * specification.contractSize)
        let rate = market.rate(from: specification.quoteCurrency, to: currency)
        return (inQuote * rate).rounded(decimals: 2)
    }

    private func margin(symbol: Int, lot: Amount, price: Amount, _ market: Market) -> Amount {
        let specification = market.lines[symbol].specification
        let rate = market.rate(from: specification.quoteCurrency, to: currency)
        let worth = lot * specification.contractSize * price * rate
        return (worth.divided(by: Amount(leverage)) ?? worth).rounded(decimals: 2)
    }
}
