import Domain
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// The port `trade-events`: `TRADE_EVENT {json}`, each event once it is booked, and never a second time.
/// Owned by the loop's thread.
final class TradeEventPublisher {
    private static let topic = Array("TRADE_EVENT ".utf8)

    private let socket: ZMQSocket
    private let report: ServiceReport
    private var buffer: [UInt8] = []

    init(_ environment: ServiceEnvironment) throws {
        socket = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        try socket.bind(environment.configuration.bindEndpoint(.tradeEvents))
        report = environment.report
    }

    /// - Parameter journal: the id of the journal that has it.
    func publish(_ event: TradeEvent, journal: String) {
        var object = TradeEventPublisher.object(event)
        object.append("journal", .string(journal))
        send(object)
    }

    /// A pong is told, not booked.
    func publish(_ pong: Pong, at now: Timestamp) {
        var object: JSONObject = ["kind": .string("pong")]
        for (name, value) in [("ping_id", pong.pingID), ("node_id", pong.nodeID), ("user_uuid", pong.userUUID)] {
            if let value { object.append(name, .string(value)) }
        }
        object.append("received_at", .integer(now.milliseconds))
        send(object)
    }

    static func object(_ event: TradeEvent) -> JSONObject {
        var object = JSONObject()
        for field in event.fields {
            let isNumber = TradeEvent.numericFields.contains(field.name) && JSON.isNumber(field.value)
            object.append(field.name, isNumber ? .number(field.value) : .string(field.value))
        }
        return object
    }

    private func send(_ object: JSONObject) {
        buffer.removeAll(keepingCapacity: true)
        buffer.append(contentsOf: TradeEventPublisher.topic)
        JSON.object(object).write(into: &buffer)
        do throws(ZMQError) {
            if try socket.send(buffer) == .sent { report.count("published") } else { report.count("not_published") }
        } catch {
            report.count("not_published")
        }
    }
}
