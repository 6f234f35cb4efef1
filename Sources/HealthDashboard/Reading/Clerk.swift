import Domain
import Redis
import ServiceKit
import Wire

/// The loop's side of the desk: carries out errands with Redis and position-tracker. Owned by the loop's thread.
final class Clerk {
    /// No HTTP request waits longer than this for the loop.
    static let deadlineMilliseconds: Int64 = 2000
    private static let actionStreamLength = "10000"

    final class Open {
        let reply: @Sendable (ErrandOutcome) -> Void
        let deadline: Int64
        private var isAnswered = false

        init(_ reply: @escaping @Sendable (ErrandOutcome) -> Void, deadline: Int64) {
            self.reply = reply
            self.deadline = deadline
        }

        var isDone: Bool { isAnswered }

        func answer(_ outcome: ErrandOutcome) {
            guard !isAnswered else { return }
            isAnswered = true
            reply(outcome)
        }
    }

    private let desk: ErrandDesk
    private let link: RedisLink
    let instruments: InstrumentCatalogue
    private let orders: RequestClient
    let board: SnapshotBoard
    private var open: [Open] = []

    private static let redisAway = ErrandOutcome.unavailable(
        code: "state_unavailable", message: "Redis does not answer; try again when /readyz says so")

    init(
        desk: ErrandDesk, link: RedisLink, orders: RequestClient, board: SnapshotBoard,
        instruments: InstrumentCatalogue, reactor: Reactor
    ) {
        self.instruments = instruments
        self.desk = desk
        self.link = link
        self.orders = orders
        self.board = board
        reactor.watch(descriptor: { desk.wakeUp.descriptor }, readable: { [unowned self] in work() })
        reactor.every(milliseconds: 100) { [unowned self] in expire() }
    }

    private func work() {
        for waiting in desk.take() {
            let entry = Open(waiting.reply, deadline: SystemClock.monotonicMilliseconds() + Clerk.deadlineMilliseconds)
            open.append(entry)
            switch waiting.errand {
            case .inquiry(let inquiry): look(inquiry, entry)
            case .order(let object): order(object, entry)
            case .alertAction(let fields): record(fields, entry)
            }
        }
        open.removeAll(where: \.isDone)
    }

    private func expire() {
        let now = SystemClock.monotonicMilliseconds()
        for entry in open where entry.deadline <= now { entry.answer(Clerk.redisAway) }
        open.removeAll(where: \.isDone)
    }

    private func order(_ object: JSONObject, _ entry: Open) {
        orders.send(object, timeout: Clerk.deadlineMilliseconds - 100) { reply in
            guard var reply else {
                return entry.answer(
                    .unavailable(
                        code: "no_answer",
                        message: "position-tracker did not answer; /health says whether the brake is set"))
            }
            reply["request_id"] = nil
            entry.answer(.found(reply))
        }
    }

    /// Hands an action on alerts on, where what it is about exists.
    private func record(_ fields: [String], _ entry: Open) {
        guard link.isReady else { return entry.answer(Clerk.redisAway) }
        guard let check = ActionCheck.of(fields, board.snapshot, now: SystemClock.now()) else {
            return append(fields, entry)
        }
        guard !check.commands.isEmpty else {
            if let objection = check.objection([]) { return entry.answer(objection) }
            return append(fields, entry)
        }
        fetch(check.commands, entry) { [unowned self] replies in
            if let objection = check.objection(replies) { return entry.answer(objection) }
            append(fields, entry)
        }
    }

    private func append(_ fields: [String], _ entry: Open) {
        let head = ["XADD", "events:alert-actions", "MAXLEN", "~", Clerk.actionStreamLength, "*"]
        link.send(head + fields) { reply in
            guard let identifier = reply?.text, reply?.errorMessage == nil else { return entry.answer(Clerk.redisAway) }
            entry.answer(.found(["ok": .bool(true), "id": .string(identifier)]))
        }
    }

    private func look(_ inquiry: Inquiry, _ entry: Open) {
        guard link.isReady else { return entry.answer(Clerk.redisAway) }
        switch inquiry {
        case .node(let identifier): lookUp(node: identifier, entry)
        case .user(let identifier): lookUp(user: identifier, entry)
        case .fire(let identifier): lookUp(fire: identifier, entry)
        case .story(let identifier): explain(identifier, entry)
        case .position(let identifier): lookUp(position: identifier, entry)
        case .alert(let identifier): lookUp(alert: identifier, entry)
        case .symbol(let symbol): lookUp(symbol: symbol, entry)
        }
    }

    /// Asks for several hashes, sets or strings; the handler runs when all came.
    func fetch(_ commands: [[String]], _ entry: Open, _ done: @escaping ([RedisValue]) -> Void) {
        let replies = Replies(count: commands.count)
        let questions = commands.enumerated().map { index, command in
            RedisQuestion(command) { replies.values[index] = $0 }
        }
        link.gather(questions) { isComplete in
            guard isComplete, !replies.values.contains(where: { $0.errorMessage != nil }) else {
                return entry.answer(Clerk.redisAway)
            }
            done(replies.values)
        }
    }

    private final class Replies {
        var values: [RedisValue]
        init(count: Int) { values = Array(repeating: .null, count: count) }
    }

    private func lookUp(node identifier: String, _ entry: Open) {
        let commands = [
            ["HGETALL", "node:\(identifier)"], ["HGETALL", "liveness:\(identifier)"],
            ["HGETALL", "node_connections:\(identifier)"],
        ]
        fetch(commands, entry) { [board] replies in
            let fields = replies[0].dictionary ?? [:]
            guard !fields.isEmpty else { return entry.answer(.missing("no node '\(identifier)' is known")) }
            let node = Details.node(
                identifier, fields, stability: replies[1].dictionary ?? [:], connections: replies[2].dictionary ?? [:],
                board.snapshot, now: SystemClock.now())
            entry.answer(.found(node))
        }
    }

    private func lookUp(user identifier: String, _ entry: Open) {
        let commands = [
            ["HGETALL", "user:\(identifier)"], ["HGETALL", "slots:\(identifier)"], ["GET", "user_node:\(identifier)"],
        ]
        fetch(commands, entry) { [board] replies in
            let user = Details.user(
                identifier, replies[0].dictionary ?? [:], slots: replies[1].dictionary ?? [:], node: replies[2].text,
                board.snapshot, now: SystemClock.now())
            entry.answer(user.map { .found($0) } ?? .missing("no user '\(identifier)' is known"))
        }
    }

    private func lookUp(fire identifier: String, _ entry: Open) {
        fetch([["HGETALL", "fire:\(identifier)"]], entry) { replies in
            let fields = replies[0].dictionary ?? [:]
            guard !fields.isEmpty else { return entry.answer(.missing("no fire '\(identifier)' is known")) }
            entry.answer(.found(Details.fire(identifier, fields, now: SystemClock.now())))
        }
    }
}
