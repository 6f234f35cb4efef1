import Domain

@testable import Trading

/// One engine with a user, a terminal and a moving market, driven by hand.
struct TrackerFixture {
    static let server = "Demo-Server"
    var engine: PositionTrackerEngine
    var now = Timestamp(milliseconds: 1_789_992_000_000)
    var outputs: [TrackerOutput] = []
    private var nextToken = 0

    static let catalogue = InstrumentCatalogue(
        instruments: [
            forex("EURUSD", 5, "0.0001", "USD"), forex("USDJPY", 3, "0.01", "JPY"), forex("EURJPY", 3, "0.01", "JPY"),
            instrument("XAUUSD", .metal, 2, "0.1", "100", "USD"),
            instrument("XAGUSD", .metal, 3, "0.01", "5000", "USD"),
            instrument("GER40", .index, 1, "1", "1", "EUR"),
        ], aliases: ["GOLD": "XAUUSD"])

    static func forex(_ symbol: String, _ digits: Int, _ pip: String, _ quote: String) -> Instrument {
        instrument(symbol, .forex, digits, pip, "100000", quote)
    }

    static func instrument(
        _ symbol: String, _ kind: Instrument.Kind, _ digits: Int, _ pip: String, _ contract: String, _ quote: String
    ) -> Instrument {
        Instrument(
            symbol: symbol, kind: kind, digits: digits, pip: Amount(pip) ?? .zero,
            contractSize: Amount(contract) ?? .zero, quoteCurrency: quote, lotStep: Amount("0.01") ?? .zero,
            minimumLot: Amount("0.01") ?? .zero, maximumLot: Amount(100))
    }

    static var policy: RiskPolicy {
        RiskPolicy(
            tiers: [
                Tier(name: "RECRUIT", slots: 1, multiplier: Amount(1)),
                Tier(name: "COMMANDER", slots: 15, multiplier: Amount(2)),
            ], defaultTier: "RECRUIT", basePercent: Amount(1), capPercent: Amount(2),
            citadel: [
                (Amount(8), Amount("1.25") ?? .zero), (Amount(6), Amount(1)), (Amount(4), Amount("0.75") ?? .zero),
                (.zero, Amount("0.5") ?? .zero),
            ])
    }

    init(policy: RiskPolicy = TrackerFixture.policy) {
        engine = PositionTrackerEngine(policy: policy, catalogue: TrackerFixture.catalogue)
        engine.stateIsAvailable = true
    }

    mutating func pass(milliseconds: Int64) { now = now.adding(milliseconds: milliseconds) }

    /// With a terminal of that version, which its user may fire at with what his tier allows, and a moving market.
    init(version: String?) {
        self.init()
        engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: now))
        connect()
        moveMarket()
        var report = TerminalReport(kind: .handshake)
        report.userUUID = "user_1"
        report.nodeID = "NODE_1_1"
        report.version = version
        engine.nodeChanged(report, isActive: true)
    }

    /// A terminal that has said HELLO and whose handshake the registry passed on.
    mutating func connect(
        _ user: String = "user_1", node: String = "NODE_1_1", chart: String = "EURUSD", equity: String = "10000.00",
        symbols: [String] = ["EURUSD", "USDJPY", "EURJPY", "XAUUSD", "GER40"], identity: [UInt8]? = nil
    ) {
        var report = TerminalReport(kind: .hello)
        report.userUUID = user
        report.nodeID = node
        report.server = TrackerFixture.server
        report.account = "1\(user.count)"
        report.currency = "USD"
        report.balance = equity
        report.equity = equity
        _ = engine.heard(report, identity: identity ?? Array(user.utf8.dropLast()), now: now, into: &outputs)
        report.chartSymbol = chart
        report.symbols = symbols
        engine.nodeChanged(report, isActive: true)
    }

    mutating func tick(_ symbol: String, _ bid: String, _ ask: String, node: String = "NODE_1_1", behind: Int64 = 0) {
        var tick = Tick(symbol: symbol, bid: Amount(bid) ?? .zero, ask: Amount(ask) ?? .zero, decimals: 5)
        tick.nodeID = node
        tick.brokerSeconds = now.seconds + 10_800 - behind
        engine.tick(tick, now: now)
    }

    /// Two quotes a second apart: the chart moves.
    mutating func moveMarket(node: String = "NODE_1_1") {
        for _ in 0..<2 {
            pass(milliseconds: 1000)
            tick("EURUSD", "1.08500", "1.08510", node: node)
            tick("USDJPY", "150.000", "150.010", node: node)
            tick("EURJPY", "162.750", "162.770", node: node)
            tick("XAUUSD", "2400.00", "2400.30", node: node)
        }
    }

    static func request(
        _ fireID: String = "f1", user: String = "user_1", symbol: String = "EURUSD", stop: String? = "1.08000",
        target: String? = "1.09500", lot: String? = "0.10", direction: Direction = .buy
    ) -> FireRequest {
        var request = FireRequest(fireID: fireID, target: .user(user), symbol: symbol, direction: direction)
        request.stopLoss = stop.flatMap { Amount($0) }
        request.takeProfit = target.flatMap { Amount($0) }
        if let lot = lot.flatMap({ Amount($0) }) { request.size = .lot(lot) }
        return request
    }

    /// Fires and answers CITADEL, the slot script and libzmq in the usual way; returns the answers.
    mutating func fire(
        _ request: FireRequest, score: String? = "7.0", reservation: ReservationResult = .reserved(slotsUsed: 1),
        handOver: HandOver = .sent
    ) -> [FireAnswer] {
        nextToken += 1
        outputs = []
        engine.fire(request, token: nextToken, now: now, into: &outputs)
        var answers: [FireAnswer] = []
        var index = 0
        while index < outputs.count {
            switch outputs[index] {
            case .claimBatch(let token, _): engine.batchClaimed(token: token, isNew: true, now: now, into: &outputs)
            case .requestScore(let token, _):
                engine.scoreAnswered(token: token, score: score.flatMap { Amount($0) }, now: now, into: &outputs)
            case .reserve(let fire, _):
                engine.reservationAnswered(fireID: fire.fireID, reservation, now: now, into: &outputs)
            case .send(_, _, .fire(let fire)):
                engine.commandHandedOver(fireID: fire.fireID, handOver, now: now, into: &outputs)
            case .move(let fire, _) where fire.state == .sending:
                engine.moveAnswered(fireID: fire.fireID, isDone: true, now: now, into: &outputs)
            case .answer(_, let list): answers = list
            default: break
            }
            index += 1
        }
        return answers
    }

    var sentFires: [Fire] {
        outputs.compactMap { if case .send(_, _, .fire(let fire)) = $0 { fire } else { nil } }
    }

    func event(
        _ kind: TradeReport.Kind, entry: String, fireID: String? = nil, user: String = "user_1", ticket: Int64? = nil,
        extra: [String: String] = [:]
    ) -> TradeEvent? {
        var fields = [
            "kind": kind.rawValue, "event_id": "e-\(entry)", "user_uuid": user, "node_id": "NODE_1_1",
            "server": TrackerFixture.server, "account": "1\(user.count)", "received_at": String(now.milliseconds),
            "currency": "USD", "seq": "1", "final": "1",
        ]
        fields["fire_id"] = fireID
        fields["ticket"] = ticket.map(String.init)
        return TradeEvent(fields: fields.merging(extra) { $1 })
    }
}
