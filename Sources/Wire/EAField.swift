/// What a field means, whatever an EA version calls it.
enum EAField: UInt8, CaseIterable {
    case type, nodeID, userUUID, account, broker, company, server, terminal, currency
    case balance, equity, margin, freeMargin, marginLevel, leverage, version
    case chartSymbol, symbolList, symbols, monitoredSymbols, ticksProcessed, socketType, deploymentMode, positions
    case timestamp, symbol, bid, ask, timeframe, time, open, high, low, close, data
    case m1, m5, m15, m30, h1, h4, d1
    case status, result, success, commandType, fireID, signalID, pingID, ticket, direction, lot
    case price, openPrice, closePrice, profit, swap, commission, stopLoss, takeProfit, openTime, closeTime
    case magicNumber, comment, reason, message, error, sequence
    case openPositions, currentPrice, queryID, source, witness, volumeLeft

    /// The name complaints use: the one the newest EA writes.
    var name: String { EAField.spellings[Int(rawValue)].first ?? "" }

    /// Every spelling in the field, the preferred one first. Source: ea-wire 2 to 8.
    var spelled: [String] {
        switch self {
        case .type: ["type"]
        case .nodeID: ["node_id", "ea_id"]
        // 2.06H sends a user_id beside target_uuid that is another name of the user: the uuid wins.
        case .userUUID: ["user_uuid", "target_uuid", "uuid", "user_id"]
        case .account: ["account", "account_login", "login"]
        case .broker: ["broker"]
        case .company: ["company"]
        case .server: ["server"]
        case .terminal: ["terminal"]
        case .currency: ["currency"]
        case .balance: ["balance", "account_balance"]
        case .equity: ["equity", "account_equity"]
        case .margin: ["margin", "account_margin"]
        case .freeMargin: ["free_margin", "account_free_margin"]
        case .marginLevel: ["margin_level"]
        case .leverage: ["leverage"]
        case .version: ["version", "ea_version"]
        case .chartSymbol: ["chart_symbol"]
        case .symbolList: ["symbol_list"]
        case .symbols: ["symbols"]
        case .monitoredSymbols: ["monitored_symbols", "symbols_monitored"]
        case .ticksProcessed: ["ticks_processed"]
        case .socketType: ["socket_type"]
        case .deploymentMode: ["deployment_mode"]
        case .positions: ["positions"]
        case .timestamp: ["timestamp", "ts"]
        case .symbol: ["symbol"]
        case .bid: ["bid"]
        case .ask: ["ask"]
        case .timeframe: ["timeframe"]
        case .time: ["time"]
        case .open: ["open"]
        case .high: ["high"]
        case .low: ["low"]
        case .close: ["close"]
        case .data: ["data"]
        case .m1: ["M1"]
        case .m5: ["M5"]
        case .m15: ["M15"]
        case .m30: ["M30"]
        case .h1: ["H1"]
        case .h4: ["H4"]
        case .d1: ["D1"]
        case .status: ["status"]
        case .result: ["result"]
        case .success: ["success"]
        case .commandType: ["command_type"]
        case .fireID: ["fire_id"]
        case .signalID: ["signal_id"]
        case .pingID: ["ping_id"]
        case .ticket: ["ticket", "order"]
        case .direction: ["direction", "side"]
        case .lot: ["lot", "volume"]
        case .price: ["price"]
        case .openPrice: ["open_price"]
        case .closePrice: ["close_price"]
        case .profit: ["profit", "pnl"]
        case .swap: ["swap"]
        case .commission: ["commission"]
        case .stopLoss: ["sl", "stop_loss"]
        case .takeProfit: ["tp", "take_profit"]
        case .openTime: ["open_time"]
        case .closeTime: ["close_time"]
        case .magicNumber: ["magic_number", "magic"]
        case .comment: ["comment"]
        case .reason: ["reason", "close_reason"]
        case .message: ["message"]
        case .error: ["error"]
        case .sequence: ["seq"]
        case .openPositions: ["open_positions"]
        case .currentPrice: ["current_price"]
        case .queryID: ["query_id"]
        case .source: ["source"]
        case .witness: ["witness"]
        case .volumeLeft: ["volume_left"]
        }
    }

    private static let spellings: [[String]] = allCases.map(\.spelled)

    /// A spelling's field and its rank among that field's spellings.
    struct Meaning {
        let field: EAField
        let rank: UInt8
    }

    static let meanings: [String: Meaning] = {
        var table: [String: Meaning] = [:]
        for field in allCases {
            for (rank, name) in field.spelled.enumerated() {
                table[name] = Meaning(field: field, rank: UInt8(rank))
            }
        }
        return table
    }()
}
