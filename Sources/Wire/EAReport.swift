import Domain

// HELLO, handshake, heartbeat, status, DISCONNECT, pong, and the positions of 2.06H.

extension TerminalReport {
    /// Symbols of one list that are kept; 2.x names its first twenty.
    private static let maximumSymbols = 256

    init(_ kind: Kind, _ fields: EAFields) throws(EAReject) {
        self.init(kind: kind)
        nodeID = try fields.identifier(.nodeID)
        userUUID = try fields.identifier(.userUUID)
        account = try fields.identifier(.account)
        server = try fields.optionalIdentifier(.server)
        broker = fields.text(.broker)
        if server == nil, kind == .hello || fields.hasAccountLogin {
            // On `ea-commands` `broker` is ACCOUNT_SERVER and `company` the broker. Source: ea-wire 2 and 7.
            server = try fields.optionalIdentifier(.broker)
            broker = nil
        }
        broker = fields.text(.company) ?? broker
        terminal = fields.text(.terminal)
        currency = fields.text(.currency)
        balance = try fields.decimal(.balance)
        equity = try fields.decimal(.equity)
        margin = try fields.decimal(.margin)
        freeMargin = try fields.decimal(.freeMargin)
        marginLevel = try fields.decimal(.marginLevel)
        leverage = fields.text(.leverage)
        version = fields.text(.version)
        chartSymbol = try fields.optionalIdentifier(.chartSymbol)
        symbols = try TerminalReport.symbols(fields)
        // HELLO's `symbols` is a count, the handshake's `symbol_list` the names.
        monitoredSymbols = fields.text(.monitoredSymbols) ?? TerminalReport.count(fields[.symbols])
        ticksProcessed = fields.text(.ticksProcessed)
        socketType = fields.text(.socketType)
        deploymentMode = fields.text(.deploymentMode)
        timestamp = fields.text(.timestamp)
        // 7.01 sends a number here; only a list says which positions are open.
        if let listed = fields[.positions]?.array {
            openPositions = try WitnessedPosition.list(listed, type: fields.type)
            openPositionCount = fields.text(.openPositions).flatMap { Int($0) }
            queryID = fields.text(.queryID)
        }
    }

    private static func symbols(_ fields: EAFields) throws(EAReject) -> [String] {
        let names: [String]
        if case .array(let items)? = fields[.symbols] {
            names = items.compactMap(\.text)
        } else {
            let list = fields[.symbolList] ?? fields[.symbols]
            guard case .string(let text)? = list else { return [] }
            names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        }
        for name in names where !EAFields.isIdentifier(name) {
            throw .bad("symbol_list", "holds no symbol: \(EAReject.quote(name))", type: fields.type)
        }
        return Array(names.prefix(maximumSymbols))
    }

    private static func count(_ value: JSON?) -> String? {
        guard case .number(let text)? = value else { return nil }
        return text
    }
}

extension EAFields {
    /// The spelling that only messages on `ea-commands` use.
    var hasAccountLogin: Bool { isSpelled(.account, "account_login") }
}

extension WitnessedPosition {
    /// A list is taken whole or not at all: a position left out would look closed.
    static func list(_ items: [JSON], type: String?) throws(EAReject) -> [WitnessedPosition] {
        var positions: [WitnessedPosition] = []
        positions.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let object = item.object else { throw .bad("positions[\(index)]", "is no object", type: type) }
            var fields = EAFields(object)
            fields.type = type
            do {
                positions.append(try WitnessedPosition(fields))
            } catch {
                throw EAReject(reason: error.reason, detail: "positions[\(index)]: \(error.detail)", type: type)
            }
        }
        return positions
    }

    private init(_ fields: EAFields) throws(EAReject) {
        guard let ticket = try fields.ticket() else {
            throw .bad("ticket", "is no ticket", type: fields.type)
        }
        self.init(ticket: ticket)
        // It comes from the order's comment, which anybody may have written: whatever it is, it is no reason to refuse.
        fireID = fields.text(.fireID).flatMap { EAFields.isIdentifier($0) ? $0 : nil }
        symbol = try fields.optionalIdentifier(.symbol)
        direction = fields.direction()
        volume = try fields.nonzero(.lot)
        openPrice = try fields.nonzero(.openPrice)
        currentPrice = try fields.nonzero(.currentPrice)
        profit = try fields.decimal(.profit)
        magicNumber = fields.text(.magicNumber)
    }
}

extension Disconnect {
    init(_ fields: EAFields) throws(EAReject) {
        self.init(
            nodeID: try fields.identifier(.nodeID), userUUID: try fields.identifier(.userUUID),
            reason: fields.text(.reason))
    }
}

extension Pong {
    init(_ fields: EAFields) throws(EAReject) {
        self.init(
            pingID: try fields.optionalIdentifier(.pingID), nodeID: try fields.identifier(.nodeID),
            userUUID: try fields.identifier(.userUUID))
    }
}
