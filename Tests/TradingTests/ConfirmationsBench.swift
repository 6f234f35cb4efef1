import Domain
import Trading
import Wire

/// Decides confirmations against a Redis of dictionaries: look-up and booking as the scripts do them, without a server.
struct ConfirmationsBench {
    var engine: ConfirmationEngine
    var trades: [String: TradeEvent] = [:]
    var lifecycles: [String: [String: String]] = [:]
    var fires: [String: [String: String]] = [:]
    var nodes: [String: [String: String]] = [:]
    /// Open positions by account.
    var positions: [String: [[String: String]]] = [:]
    /// Scope, then field.
    var statistics: [String: [String: Int64]] = [:]
    private var sequence: UInt64 = 0

    static let catalogue = InstrumentCatalogue(instruments: [
        Instrument(
            symbol: "EURUSD", kind: .forex, digits: 5, pip: Amount(units: 10_000), contractSize: Amount(100_000),
            quoteCurrency: "USD", lotStep: Amount(units: 1_000_000), minimumLot: Amount(units: 1_000_000),
            maximumLot: Amount(100)),
        Instrument(
            symbol: "USDJPY", kind: .forex, digits: 3, pip: Amount(units: 1_000_000), contractSize: Amount(100_000),
            quoteCurrency: "JPY", lotStep: Amount(units: 1_000_000), minimumLot: Amount(units: 1_000_000),
            maximumLot: Amount(100)),
    ])

    init() { engine = ConfirmationEngine(catalogue: ConfirmationsBench.catalogue) }

    /// Decodes a frame, decides it and books the result; returns what was new.
    @discardableResult
    mutating func take(_ text: String, at milliseconds: Int64 = 1_757_954_363_000) throws -> [TradeEvent] {
        guard case .trade(let report) = try EADecoder.decode(Array(text.utf8)) else { return [] }
        return take(report, hash: String(text.hashValue), at: milliseconds)
    }

    mutating func take(_ report: TradeReport, hash: String, at milliseconds: Int64) -> [TradeEvent] {
        sequence += 1
        let confirmation = Confirmation(
            sequence: sequence, receivedAt: Timestamp(milliseconds: milliseconds), sourcePort: "ea-confirmations",
            frameHash: hash, report: report)
        let events = engine.decide(confirmation, lookUp(ConfirmationQuestion(report)))
        return events.filter { book($0) }
    }

    func lookUp(_ question: ConfirmationQuestion) -> ConfirmationContext {
        var context = ConfirmationContext()
        context.node = question.nodeID.flatMap { nodes[$0] } ?? [:]
        context.fire = question.fireID.flatMap { fires[$0] } ?? [:]
        context.userUUID = question.userUUID ?? context.node["user_uuid"] ?? context.fire["user_uuid"]
        context.account = question.account ?? context.node["account"] ?? context.fire["account"]
        context.server = question.server ?? context.node["server"]
        context.ticket = question.ticket ?? context.fire["ticket"].flatMap { Int64($0) }
        let open = context.account.flatMap { positions[$0] } ?? []
        if question.positions == .one || question.positions == .all {
            context.openTickets = open.compactMap { $0["ticket"].flatMap { Int64($0) } }
        }
        switch question.positions {
        case .none: break
        case .own, .one: context.positions = open.filter { $0["ticket"] == context.ticket.map { String($0) } }
        case .all: context.positions = open
        }
        if let account = context.account {
            for ticket in context.openTickets + [context.ticket].compactMap({ $0 }) {
                let key = EventIdentity.lifecycle(user: context.userUUID ?? "unknown", account: account, ticket: ticket)
                context.lifecycles[ticket] = lifecycles[key]
            }
        }
        if question.wantsOutstandingFires {
            context.outstandingFires = fires.map { $0.value.merging(["fire_id": $0.key]) { old, _ in old } }
        }
        return context
    }

    private mutating func book(_ event: TradeEvent) -> Bool {
        if let known = trades[event.eventID], event.replacedSequence != known.sequence { return false }
        trades[event.eventID] = event
        if let life = engine.lifecycle(after: event) {
            lifecycles[life.key] = Dictionary(life.lifecycle.fields.map { ($0.name, $0.value) }) { _, new in new }
        }
        let (added, revoked) = StatisticsChange.changes(event)
        add(added, 1)
        if let revoked { add(revoked, -1) }
        for scope in added.scopes {
            for step in added.largest {
                let field = "\(step.field).\(scope.suffix)"
                statistics[scope.name, default: [:]][field] = max(statistics[scope.name]?[field] ?? 0, step.amount)
            }
        }
        return true
    }

    private mutating func add(_ change: StatisticsChange, _ sign: Int64) {
        for scope in change.scopes {
            for step in change.counts {
                statistics[scope.name, default: [:]][step.field, default: 0] += sign * step.amount
            }
            for step in change.money {
                statistics[scope.name, default: [:]]["\(step.field).\(scope.suffix)", default: 0] += sign * step.amount
            }
        }
    }

    /// A process that starts anew: what is in Redis stays, what was in memory is gone.
    mutating func restart() { engine = ConfirmationEngine(catalogue: ConfirmationsBench.catalogue) }

    func count(_ field: String, _ scope: String = "global") -> Int64 { statistics[scope]?[field] ?? 0 }
}

/// The golden lines of the real EAs, as ea-golden.jsonl has them.
enum GoldenConfirmations {
    private static let tail205 =
        #""account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"#
        + #""free_margin":6012.52,"margin_level":270.68,"timestamp":"2025.09.15 19:39:23"}"#
    private static let sender = #""node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","#
    private static let tail202 =
        #""account":843859,"balance":850.47,"equity":847.26,"free_margin":828.61,"#
        + #""margin_level":5196.38,"timestamp":"2025.09.15 19:39:23"}"#

    static let opened =
        #"{"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363","#
        + sender + #""status":"success","ticket":21604324,"price":1.17620,"lot":0.10,"#
        + #""message":"Trade executed successfully via DEALER","# + tail205
    static let failed =
        #"{"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363","#
        + sender + #""status":"failed","ticket":0,"price":0.00000,"lot":0.10,"#
        + #""message":"Trade execution failed - Error: 4756 Result: 10016","# + tail205
    static let unknown =
        #"{"type":"confirmation","command_type":"unknown","fire_id":"","# + sender
        + #""status":"failed","ticket":0,"price":0.00000,"lot":0.00,"message":"Unknown command type: WELCOME","#
        + tail205
    static let closed = close("9405.62")
    static let closedAll =
        #"{"type":"close_confirmation","command_type":"close_all","# + sender
        + #""status":"success","ticket":0,"close_price":0.00000,"lot":0.30,"#
        + #""message":"Closed 3 positions, 0 failed, Total volume: 0.30","# + tail205
    static let opened202 =
        #"{"type":"confirmation","command_type":"fire","# + sender
        + #""status":"success","ticket":20658628,"price":1.16631,"lot":0.01,"#
        + #""message":"Trade executed successfully","# + tail202
    static let closeFailed202 =
        #"{"type":"close_confirmation","command_type":"close_ticket","# + sender
        + #""status":"failed","ticket":99,"close_price":0.00000,"lot":0.00,"message":"Position not found","# + tail202
    static let opened201 =
        #"{"type":"confirmation","# + sender
        + #""symbol":"USDJPY","status":"success","ticket":20658628,"price":147.366,"lot":0.01,"#
        + #""message":"Trade executed successfully","# + tail202

    /// The golden close with another balance behind it.
    static func close(_ balance: String, ticket: Int64 = 21_604_324) -> String {
        #"{"type":"close_confirmation","command_type":"close_ticket","# + sender
            + #""status":"success","ticket":\#(ticket),"close_price":0.00000,"lot":0.10,"#
            + #""message":"Position closed successfully","account":843859,"currency":"USD","balance":\#(balance),"#
            + #""equity":9535.23,"free_margin":6012.52,"margin_level":0.00,"timestamp":"2025.09.15 19:49:23"}"#
    }
}
