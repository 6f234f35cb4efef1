import Domain
import Glibc
import Wire
import ZeroMQ

/// Asks the mesh for trades, as a trader's bot does: a fire for one user, later its close. One thread owns it.
struct OrderBot: ~Copyable {
    private let socket: ZMQSocket
    private let scratch: ZMQMessage
    private let interval: Int64
    private let run: String
    private var due: Int64
    private var count = 0
    private var introduced: Set<String> = []
    /// What a demonstration's users are: enough slots that something is always going on.
    private static let tiers = ["CORPORAL", "LIEUTENANT", "MAJOR", "COLONEL", "GENERAL", "COMMANDER"]

    init(_ zeroMQ: ZMQContext, endpoint: String, interval: Int64, context: FleetContext) throws(ZMQError) {
        let socket = try ZMQSocket(zeroMQ, .dealer, SocketOptions().with { $0.linger = 0 })
        try socket.connect(endpoint)
        self.socket = socket
        scratch = ZMQMessage()
        self.interval = max(1, interval)
        // Fire ids are for ever: a second run, or a fleet beside this one, must not repeat those of the first.
        run = String(context.now.seconds, radix: 36) + "-" + String(getpid(), radix: 36)
        due = context.monotonic + max(3000, interval)
    }

    mutating func round(_ terminals: [Terminal], _ context: FleetContext) throws(ZMQError) {
        while let frames = try socket.receiveFrames(scratch) {
            let text = String(decoding: frames.last ?? [], as: UTF8.self)
            context.events.write("order_reply", at: context.now, [("text", .string(text))])
        }
        guard context.monotonic >= due else { return }
        due = context.monotonic + interval
        let running = terminals.filter { $0.state == .running }
        try introduce(running)
        guard let terminal = running.randomElement(using: &context.generator) else { return }
        let holds = terminal.account.positions.count { $0.magic != 0 }
        let wantsClose = holds > 1 || (holds == 1 && context.happens(0.5))
        let request = wantsClose ? close(terminal) : fire(terminal, context)
        guard let request, try socket.send(request.bytes) == .sent else { return }
        context.statistics.orders += 1
        context.log("order", terminal, [("text", .string(request.compactText))])
    }

    /// Registers each user once, in tiers by turns.
    private mutating func introduce(_ terminals: [Terminal]) throws(ZMQError) {
        for terminal in terminals where !introduced.contains(terminal.profile.userUUID.text) {
            let user = terminal.profile.userUUID.text
            let request: JSONObject = [
                "type": .string("set_user"), "user_uuid": .string(user),
                "tier": .string(OrderBot.tiers[introduced.count % OrderBot.tiers.count]),
            ]
            guard try socket.send(request.bytes) == .sent else { return }
            introduced.insert(user)
        }
    }

    private func close(_ terminal: Terminal) -> JSONObject? {
        // What a trader opened by hand is not the bot's to close.
        guard let position = terminal.account.positions.first(where: { $0.magic != 0 }) else { return nil }
        return [
            "type": .string("close"), "user_uuid": .string(terminal.profile.userUUID.text),
            "ticket": .integer(position.ticket),
        ]
    }

    private mutating func fire(_ terminal: Terminal, _ context: FleetContext) -> JSONObject? {
        guard let symbol = terminal.profile.symbols.randomElement(using: &context.generator),
            let quote = context.market.quote(symbol.marketIndex)
        else { return nil }
        count += 1
        let isBuy = context.happens(0.5)
        let price = isBuy ? quote.ask : quote.bid
        func level(_ tenThousandths: Int, isAbove: Bool) -> JSON {
            let distance = price * Amount(units: Int64(tenThousandths) * 10_000)
            let level = isAbove ? price + distance : price - distance
            return .number(String(decoding: DecimalText.fixed(level, decimals: symbol.digits), as: UTF8.self))
        }
        return [
            "type": .string("fire"), "fire_id": .string("sim-\(run)-\(count)"),
            "user_uuid": .string(terminal.profile.userUUID.text), "symbol": .string(symbol.name.text),
            "direction": .string(isBuy ? "BUY" : "SELL"), "sl": level(8, isAbove: !isBuy),
            "tp": level(12, isAbove: isBuy), "lot": .number("0.0\(1 + context.generator.next() % 5)"),
        ]
    }
}
