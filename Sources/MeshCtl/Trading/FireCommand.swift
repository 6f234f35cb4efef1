import ArgumentParser
import Domain
import ServiceKit
import Wire

/// `meshctl fire`.
struct FireCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fire", abstract: "Order a trade for one user, for several, for a tier, or for everybody.",
        discussion: """
            Everything is checked before an order leaves: tier and slots, risk, the stop's side, that the terminal is
            there and that its chart ticks. A denial says why. Without --lot and --risk-pct the lots follow from the
            user's risk. The symbol may be canonical: each terminal gets its broker's own name.

            Examples:
              meshctl fire --user COMMANDER_DEV_001 --symbol EURUSD --direction BUY --sl 1.0800 --tp 1.0900 --lot 0.10
              meshctl fire --user COMMANDER_DEV_001 --signal-id EG-17
              meshctl fire --tier SERGEANT --signal-id EG-17 --risk-pct 0.5

            Exit codes: 0 sent or queued (to at least one), 1 denied.
            """)

    @OptionGroup(title: "For whom") var target: FireTarget
    @OptionGroup(title: "What") var order: FireOrder
    @OptionGroup var query: QueryOptions

    func run() throws {
        let request = FireCommand.request(
            target, order, now: SystemClock.now(), randomness: UInt64.random(in: .min ... .max))
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        if query.json {
            print(reply.compactText)
        } else {
            for line in FireCommand.lines(reply) { print(line) }
        }
        guard FireCommand.hasLeft(reply) else { throw ExitCode(ExitStatus.denied) }
    }

    static func request(
        _ target: FireTarget, _ order: FireOrder, now: Timestamp, randomness: UInt64
    ) -> JSONObject {
        var request: JSONObject = [
            "type": .string("fire"), "fire_id": .string(order.fireID ?? generatedID(now, randomness)),
        ]
        for field in target.fields.fields + order.fields(now: now).fields { request.append(field.name, field.value) }
        return request
    }

    /// `cli-` and 17 characters at most: room for the `.<n>` of many users below MT5's 31.
    static func generatedID(_ now: Timestamp, _ randomness: UInt64) -> String {
        let random = String(randomness % 1_679_616, radix: 36)
        let padding = String(repeating: "0", count: 4 - random.count)
        return "cli-\(String(max(0, now.milliseconds), radix: 36))-\(padding)\(random)"
    }

    static func hasLeft(_ reply: JSONObject) -> Bool {
        if let state = reply["state"]?.text { return state == "sent" || state == "queued" }
        return ["sent", "queued"].contains { reply[$0]?.text.flatMap { Int($0) } ?? 0 > 0 }
    }

    static func lines(_ reply: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        guard let fires = reply["fires"]?.array else {
            let state = Fields.text(reply["state"])
            var head =
                "\(Style.of(state: state).applied(to: state, coloured: coloured)) \(Fields.text(reply["fire_id"]))"
            if let reason = reply["reason"]?.text { head += ": \(TerminalText.sanitised(reason))" }
            if let message = reply["message"]?.text { head += " (\(TerminalText.sanitised(message)))" }
            let hidden: Set = ["ok", "request_id", "state", "fire_id", "reason", "message"]
            return [head] + Fields.lines(reply, without: hidden, indent: 2)
        }
        var table = Table([
            .text("fire"), .text("user"), .text("state"), .number("lot"), .text("reason"),
        ])
        for fire in fires.compactMap(\.object) {
            table.add([
                Table.Cell(Fields.text(fire["fire_id"])), Table.Cell(Fields.text(fire["user_uuid"])),
                .state(Fields.text(fire["state"])), Table.Cell(Fields.text(fire["lot"])),
                Table.Cell(fire["message"]?.text ?? Fields.text(fire["reason"])),
            ])
        }
        let counts = ["sent", "queued", "denied"].map { "\(Fields.text(reply[$0])) \($0)" }.joined(separator: ", ")
        return (fires.isEmpty ? [] : table.lines(coloured: coloured)) + ["\(Fields.text(reply["fire_id"])): \(counts)"]
    }
}
