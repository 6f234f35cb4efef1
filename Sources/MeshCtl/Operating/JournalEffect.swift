import Domain
import Wire

/// One booked event, as small as it can be counted: there may be millions. Source: docs/contract.md, section 4.
struct JournalEffect {
    /// Texts that many events share, by number.
    struct Names {
        private(set) var texts: [String] = []
        private var numbers: [String: Int32] = [:]

        mutating func number(_ text: String?) -> Int32 {
            guard let text, !text.isEmpty else { return -1 }
            if let known = numbers[text] { return known }
            let number = Int32(clamping: texts.count)
            texts.append(text)
            numbers[text] = number
            return number
        }

        subscript(number: Int32) -> String? { texts.indices.contains(Int(number)) ? texts[Int(number)] : nil }
    }

    private let kind: Int32
    private let symbol: Int32
    private let account: Int32
    private let server: Int32
    private let currency: Int32
    private let user: Int32
    private let ticket: Int64
    private let isOrphan: Bool
    let isCounted: Bool
    /// Money in units of 10^-8.
    private let net: Int64
    private let swap: Int64
    private let commission: Int64
    /// What the position earned as a whole; nil is unknown.
    var positionProfit: Int64?
    private let duration: Int64?
    let receivedAt: Int64

    init(_ fields: JSONObject, _ names: inout Names) {
        func units(_ name: String) -> Int64 { fields[name]?.text.flatMap { Amount($0) }?.units ?? 0 }
        kind = names.number(fields["kind"]?.text)
        symbol = names.number(fields["canonical_symbol"]?.text)
        account = names.number(fields["account"]?.text)
        server = names.number(fields["server"]?.text)
        user = names.number(fields["user_uuid"]?.text)
        ticket = fields["ticket"]?.text.flatMap { Int64($0) } ?? 0
        let text = (fields["currency"]?.text ?? "").uppercased()
        let isPlain = (1...12).contains(text.utf8.count) && text.utf8.allSatisfy(JournalEffect.isLetterOrDigit)
        currency = names.number(isPlain ? text : "unknown")
        isOrphan = fields["orphan"]?.text == "1"
        let isClosed = fields["kind"]?.text == "closed"
        isCounted = isClosed && fields["counted"]?.text == "1"
        net = isClosed ? units("net_profit") : 0
        swap = isClosed ? units("swap") : 0
        commission = isClosed ? units("commission") : 0
        positionProfit = fields["position_profit"]?.text.flatMap { Amount($0) }?.units
        duration = fields["duration_s"]?.text.flatMap { Int64($0) }
        receivedAt = fields["received_at"]?.text.flatMap { Int64($0) } ?? 0
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }

    func isOf(user: String, account: String, ticket: String, _ names: Names) -> Bool {
        String(self.ticket) == ticket && names[self.user] == user && names[self.account] == account
    }

    private static let counters = [
        "opened": "opened", "failed": "failed", "close_failed": "close_failed", "unknown_command": "unknown_commands",
        "closed_all": "unresolved_closes", "closed_some": "unresolved_closes",
    ]

    func add(to scopes: inout [String: [String: Int64]], _ names: Names) {
        let currency = names[self.currency] ?? "unknown"
        add(to: &scopes["global", default: [:]], currency, names)
        if let symbol = names[symbol] {
            add(to: &scopes["symbol:\(KeyPart.encode(symbol))", default: [:]], currency, names)
        }
        if let account = names[account] {
            let suffix = "\(currency)@\(KeyPart.encode(names[server] ?? "unknown"))"
            add(to: &scopes["account:\(KeyPart.encode(account))", default: [:]], suffix, names)
        }
    }

    private func add(to sums: inout [String: Int64], _ suffix: String, _ names: Names) {
        let kind = names[kind] ?? ""
        if let field = JournalEffect.counters[kind] { sums[field, default: 0] += 1 }
        if isOrphan { sums["orphans", default: 0] += 1 }
        if net > 0 { sums["gross_profit.\(suffix)", default: 0] &+= net }
        if net < 0 { sums["gross_loss.\(suffix)", default: 0] &-= net }
        if swap != 0 { sums["swap.\(suffix)", default: 0] &+= swap }
        if commission != 0 { sums["commission.\(suffix)", default: 0] &+= commission }
        guard isCounted else { return }
        let outcome =
            positionProfit.map { $0 > 0 ? "wins" : $0 < 0 ? "losses" : "breakeven" } ?? "unknown_profit"
        for field in ["total_trades", outcome] {
            sums[field, default: 0] += 1
            sums["\(field).\(suffix)", default: 0] += 1
        }
        if let duration {
            sums["total_duration_s.\(suffix)", default: 0] += duration
            sums["timed_trades.\(suffix)", default: 0] += 1
        }
        guard let profit = positionProfit, profit != 0 else { return }
        let field = "\(profit > 0 ? "largest_win" : "largest_loss").\(suffix)"
        sums[field] = max(sums[field] ?? 0, profit.magnitude > UInt64(Int64.max) ? .max : Int64(profit.magnitude))
    }
}
