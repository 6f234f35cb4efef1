import Domain
import Glibc
import Wire

/// The broker's truth: what every account of the fleet really did, whatever was said of it. One thread owns it.
///
/// Kept only where a file is to be written: it grows with every trade.
final class BrokerLedger {
    private struct Account {
        var head: [(String, JSON)]
        var nodes: [String] = []
        var opened: [JSON] = []
        var closed: [JSON] = []
        /// Fires that arrived, in order, and what came of each arrival: a ticket, or why not.
        var fires: [JSON] = []
        var swap = Amount.zero
        var profit = Amount.zero
        var startBalance: Amount
        var lost: [JSON] = []
        var unanswered = 0
        /// Figures at the moment the account was left or the run ended.
        var end: [(String, JSON)] = []
    }

    private var accounts: [String: Account] = [:]
    private var order: [String] = []

    private static func key(_ profile: TerminalProfile) -> String { "\(profile.server.text)|\(profile.account)" }

    /// An EA started on an account.
    func started(_ terminal: Terminal) {
        let profile = terminal.profile
        let key = BrokerLedger.key(profile)
        if accounts[key] == nil {
            order.append(key)
            accounts[key] = Account(
                head: [
                    ("account", .string(String(profile.account))), ("server", .string(profile.server.text)),
                    ("user_uuid", .string(profile.userUUID.text)), ("version", .string(profile.version.rawValue)),
                    ("currency", .string(profile.currency)),
                ], startBalance: terminal.account.balance)
        }
        accounts[key]?.nodes.append(terminal.nodeID.text)
    }

    func opened(_ position: BrokerPosition, fireID: TerminalText?, _ profile: TerminalProfile) {
        var item = BrokerLedger.item(position)
        if let fireID { item["fire_id"] = .string(fireID.text) }
        item["sl"] = .number(position.stopLoss.description)
        item["tp"] = .number(position.takeProfit.description)
        accounts[BrokerLedger.key(profile)]?.opened.append(.object(item))
        if let fireID { arrived(fireID, ("ticket", .integer(position.ticket)), profile) }
    }

    func refused(_ fireID: TerminalText, code: Int, _ profile: TerminalProfile) {
        arrived(fireID, ("retcode", .integer(code)), profile)
    }

    /// An EA refused the fire before the broker saw it.
    func refused(_ fireID: TerminalText, reason: TerminalText, _ profile: TerminalProfile) {
        arrived(fireID, ("message", .string(reason.text)), profile)
    }

    private func arrived(_ fireID: TerminalText, _ outcome: (String, JSON), _ profile: TerminalProfile) {
        var item: JSONObject = ["fire_id": .string(fireID.text)]
        item.append(outcome.0, outcome.1)
        accounts[BrokerLedger.key(profile)]?.fires.append(.object(item))
    }

    func closed(_ closed: ClosedPosition, _ profile: TerminalProfile) {
        var item = BrokerLedger.item(closed.position)
        item["close_price"] = .number(closed.price.description)
        item["profit"] = .number(closed.profit.money)
        item["swap"] = .number(closed.position.swap.money)
        item["reason"] = .string(closed.reason.rawValue)
        item["closed_at"] = .integer(closed.position.openedAt + closed.heldSeconds)
        let key = BrokerLedger.key(profile)
        accounts[key]?.closed.append(.object(item))
        accounts[key]?.profit += closed.profit
        accounts[key]?.swap += closed.position.swap
    }

    func lost(_ confirmation: [UInt8], _ profile: TerminalProfile) {
        accounts[BrokerLedger.key(profile)]?.lost.append(.string(TerminalText(bytes: confirmation).text))
    }

    /// The account is left, or the run ends: its figures as they are now.
    ///
    /// - Parameter unanswered: confirmations no receipt has come for.
    func ended(_ terminal: Terminal, unanswered: Int) {
        let figures = terminal.account.figures(terminal.context.market)
        let open = terminal.account.positions.map { position in
            var item = BrokerLedger.item(position)
            item["swap"] = .number(position.swap.money)
            return JSON.object(item)
        }
        let key = BrokerLedger.key(terminal.profile)
        accounts[key]?.unanswered = unanswered
        accounts[key]?.end = [
            ("balance", .number(figures.balance.money)), ("equity", .number(figures.equity.money)),
            ("margin", .number(figures.margin.money)), ("open", .array(open)),
        ]
    }

    private static func item(_ position: BrokerPosition) -> JSONObject {
        [
            "ticket": .integer(position.ticket), "comment": .string(position.comment.text),
            "magic": .integer(position.magic), "symbol": .string(position.symbolName.text),
            "direction": .string(position.direction.rawValue), "lot": .number(position.lot.description),
            "open_price": .number(position.openPrice.description), "opened_at": .integer(position.openedAt),
        ]
    }

    // MARK: - The file

    /// One document: per account what was opened, closed and is open, the fires that arrived, and the money.
    func document(seed: UInt64, now: Timestamp) -> JSON {
        let items = order.compactMap { accounts[$0] }.map { account in
            var object = JSONObject()
            for (name, value) in account.head { object.append(name, value) }
            object.append("node_ids", .array(account.nodes.map { .string($0) }))
            object.append("start_balance", .number(account.startBalance.money))
            for (name, value) in account.end { object.append(name, value) }
            object.append("closed_profit", .number(account.profit.money))
            object.append("closed_swap", .number(account.swap.money))
            object.append("opened", .array(account.opened))
            object.append("closed", .array(account.closed))
            object.append("fires", .array(account.fires))
            object.append("confirmations_lost", .array(account.lost))
            object.append("unanswered", .integer(account.unanswered))
            return JSON.object(object)
        }
        return .object([
            "seed": .string(String(seed)), "time": .string(now.description), "accounts": .array(items),
        ])
    }

    /// Writes a whole file or none: a reader never sees half of one.
    func write(to path: String, seed: UInt64, now: Timestamp) throws(SimulatorError) {
        guard case .object(let object) = document(seed: seed, now: now) else { return }
        let partial = path + ".partial"
        guard let file = fopen(partial, "w") else {
            throw SimulatorError("\(partial): \(String(cString: strerror(errno)))")
        }
        let bytes = object.bytes + [0x0A]
        let written = fwrite(bytes, 1, bytes.count, file)
        let isClosed = fclose(file) == 0
        guard written == bytes.count, isClosed, rename(partial, path) == 0 else {
            throw SimulatorError("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
