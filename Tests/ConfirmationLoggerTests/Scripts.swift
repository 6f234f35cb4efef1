import Domain
import Redis
import TestKit
import Trading

@testable import ConfirmationLogger

/// The two scripts on a real Redis of the test's own.
final class Scripts {
    let redis: RedisServer
    private let connection: RedisConnection
    private let book = BookScript.make()
    private let lookUp = LookUpScript.make()
    private let expiry = ExpiryScript.make()
    let catalogue = InstrumentCatalogue(instruments: [])

    init() throws {
        redis = try RedisServer()
        connection = RedisConnection(redis.address)
    }

    func book(
        _ events: [TradeEvent], expected: String, applied: UInt64, lifecycle: TradeLifecycle? = nil,
        receipts: [(node: String, sequence: Int64)] = []
    ) throws -> BookScript.Outcome {
        let entries = events.map { event in
            BookScript.Entry(event: event, lifecycle: lifecycle.map { ("u|1|\(event.ticket ?? 0)", $0) })
        }
        let values = BookScript.values(
            expected: expected, applied: applied, journal: "j", now: Timestamp(milliseconds: 1000), entries: entries,
            receipts: receipts.map { ($0.node, "u", HeardNumbers(last: $0.sequence, above: "9,11")) })
        let reply = try connection.call(book.arguments(keys: ["journal:state"], values))
        return BookScript.outcome(reply, count: events.count)
    }

    func expire(expected: String, through: UInt64, booked: UInt64, _ rows: [ExpiryScript.Row]) throws -> RedisValue {
        let values = ExpiryScript.values(
            journal: "j", expected: expected, through: through, booked: booked, rows)
        return try connection.call(expiry.arguments(keys: ["journal:state"], values))
    }

    func lookUp(_ questions: [ConfirmationQuestion]) throws -> [ConfirmationContext]? {
        let reply = try connection.call(lookUp.arguments(keys: [], LookUpScript.values(questions)))
        return LookUpScript.contexts(reply, count: questions.count)
    }

    static func closed(_ ticket: Int64, _ net: Amount, currency: String? = "USD", duration: Int64? = nil) -> TradeEvent
    {
        var event = event(.closed, ticket, "u|1|\(ticket)|closed|0.1")
        event.currency = currency
        event.canonicalSymbol = "EURUSD"
        event.netProfit = net
        event.positionProfit = net
        event.profit = net.description
        event.profitSource = .message
        event.isFinal = true
        event.isCounted = true
        event.duration = duration
        return event
    }

    static func event(_ kind: TradeReport.Kind, _ ticket: Int64, _ identifier: String) -> TradeEvent {
        var report = TradeReport(kind: kind)
        report.ticket = ticket
        let confirmation = Trading.Confirmation(
            sequence: UInt64(ticket), receivedAt: Timestamp(milliseconds: 5), sourcePort: "ea-confirmations",
            frameHash: "h", report: report)
        var event = TradeEvent(eventID: identifier, kind: kind, userUUID: "u", confirmation)
        event.account = "1"
        event.server = "S|x"
        event.ticket = ticket
        return event
    }
}
