import Domain

@testable import Trading

/// A broker and one terminal that know the truth of one account. One symbol, one second's grid, exact money.
struct ReconciliationBroker {
    enum Family: CaseIterable { case figures, positions, own }

    struct Trade {
        let ticket: Int64
        let comment: String?
        let isOurs: Bool
        let direction: Direction
        var lot: Amount
        let open: Amount
        var stop: Amount?
        var target: Amount?
        var swap = Amount.zero
        let fireID: String?
        /// Which of three hybrid parts; 0 for a whole trade.
        let part: Int
    }

    struct Ended {
        let trade: Trade
        let net: Amount
        let at: Timestamp
    }

    let family: Family
    let leverage: Int64
    let commissionPerLot: Amount
    /// How much of a comment is kept.
    static let commentLength = 31
    var balance = Amount(10_000) {
        didSet { moves.append(balance - oldValue) }
    }
    /// Every move of the balance, in order.
    private(set) var moves: [Amount] = []
    var bid = Amount("1.08500") ?? .zero
    var trades: [Trade] = []
    var ended: [Ended] = []
    /// When each ticket was closed, in part or whole.
    private(set) var closings: [Int64: [Timestamp]] = [:]
    /// Fires that were executed, and the tickets they became.
    var executed: [String: [Int64]] = [:]
    /// What each ticket earned in all its parts, commission of the opening aside.
    private(set) var earned: [Int64: Amount] = [:]
    /// What each ticket moved the balance by, commission of the opening and all.
    private(set) var moved: [Int64: Amount] = [:]
    private var nextTicket: Int64

    init(_ family: Family, using generator: inout SeededNumbers) {
        self.family = family
        leverage = generator.isTrue(1, of: 20) ? 1_000_000 : [100, 200, 500][generator.below(3)]
        commissionPerLot = generator.isTrue(1, of: 3) ? Amount("3.5") ?? .zero : .zero
        nextTicket = generator.isTrue(1, of: 2) ? 4_294_967_290 : 200
    }

    var ask: Amount { bid + (Amount("0.00010") ?? .zero) }

    static let contract = Amount(100_000)

    func profit(_ trade: Trade, lot: Amount? = nil) -> Amount {
        Profit.amount(
            direction: trade.direction, lot: lot ?? trade.lot, open: trade.open,
            price: trade.direction == .buy ? bid : ask, contractSize: ReconciliationBroker.contract,
            conversionRate: Amount(1)
        ).rounded(decimals: 2)
    }

    var floating: Amount { trades.reduce(.zero) { $0 + profit($1) + $1.swap } }

    /// A broker that asks no margin for what is hedged: the hardest for us.
    var margin: Amount {
        margin(of: trades.reduce(.zero) { $0 + ($1.direction == .buy ? $1.lot : -$1.lot) })
    }

    func margin(of lots: Amount) -> Amount {
        (lots.magnitude * ReconciliationBroker.contract * bid).divided(by: Amount(Int(leverage)))?.rounded(decimals: 2)
            ?? .zero
    }

    mutating func open(
        _ direction: Direction, lot: Amount, stop: Amount? = nil, target: Amount? = nil, comment: String? = nil,
        fireID: String? = nil, part: Int = 0
    ) -> Trade {
        nextTicket += 1
        let trade = Trade(
            ticket: nextTicket, comment: comment.map { String($0.prefix(ReconciliationBroker.commentLength)) },
            isOurs: fireID != nil,
            direction: direction, lot: lot, open: direction == .buy ? ask : bid, stop: stop, target: target,
            fireID: fireID, part: part)
        let commission = (commissionPerLot * lot).rounded(decimals: 2)
        balance = balance - commission
        moved[nextTicket] = -commission
        trades.append(trade)
        if let fireID { executed[fireID, default: []].append(trade.ticket) }
        return trade
    }

    /// Closes all or a part at the market.
    @discardableResult
    mutating func close(_ ticket: Int64, lot: Amount? = nil, at now: Timestamp) -> Ended? {
        guard let index = trades.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let trade = trades[index]
        let part = min(lot ?? trade.lot, trade.lot)
        let commission = (commissionPerLot * part).rounded(decimals: 2)
        let net = profit(trade, lot: part) + (part == trade.lot ? trade.swap : .zero) - commission
        balance += net
        earned[ticket, default: .zero] += net
        moved[ticket, default: .zero] += net
        closings[ticket, default: []].append(now)
        if part == trade.lot { trades.remove(at: index) } else { trades[index].lot = trade.lot - part }
        let closed = Ended(trade: trade, net: net, at: now)
        if part == trade.lot { ended.append(closed) }
        return closed
    }

    /// Levels the present price has reached: the broker closes there and tells nobody.
    mutating func triggerLevels(at now: Timestamp) -> [Ended] {
        let reached = trades.filter { trade in
            let price = trade.direction == .buy ? bid : ask
            let isBuy = trade.direction == .buy
            let stops = trade.stop.map { isBuy ? price <= $0 : price >= $0 } ?? false
            let takes = trade.target.map { isBuy ? price >= $0 : price <= $0 } ?? false
            return stops || takes
        }
        return reached.compactMap { close($0.ticket, at: now) }
    }
}

/// SplitMix64, one for each history. Source: S. Vigna, public domain.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func isTrue(_ chances: Int, of all: Int) -> Bool { below(all) < chances }
    mutating func between(_ low: Int, _ high: Int) -> Int { low + below(high - low + 1) }
}
