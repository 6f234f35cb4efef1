public import Domain

/// What a terminal says of itself and its account; `name` is the field's name in `node:<node_id>`.
public enum NodeField: Int, Sendable, CaseIterable {
    case userUUID, account, server, broker, terminal, currency, leverage
    case balance, equity, margin, freeMargin, marginLevel, version
    case chartSymbol, symbols, monitoredSymbols, ticksProcessed, socketType, deploymentMode, dialect
    case family, hearsCommands, hearsCommandsReason, peerAddress

    public var name: String { NodeField.names[rawValue] }

    private static let names = [
        "user_uuid", "account", "server", "broker", "terminal", "currency", "leverage",
        "balance", "equity", "margin", "free_margin", "margin_level", "version",
        "chart_symbol", "symbols", "monitored_symbols", "ticks_processed", "socket_type", "deployment_mode", "dialect",
        "family", "hears_commands", "hears_commands_reason", "peer_address",
    ]

    /// Fields that change with every heartbeat and say nothing of who the terminal is.
    public static let figures: [NodeField] = [
        .balance, .equity, .margin, .freeMargin, .marginLevel, .currency, .leverage, .ticksProcessed,
    ]

    public var isFigure: Bool { NodeField.figures.contains(self) }

    /// Characters of an identifier (user, account, server, symbol).
    static let maximumIdentifier = 128
    static let maximumText = 512
    /// A list of symbols.
    static let maximumList = 8192

    /// What is wrong with a value, in words, or nil.
    public func complaint(about text: String) -> String? {
        switch self {
        case .userUUID, .account, .server, .chartSymbol, .dialect, .currency, .family, .hearsCommands, .peerAddress:
            return NodeField.identifierComplaint(text)
        case .balance, .equity, .margin, .freeMargin, .marginLevel, .leverage, .monitoredSymbols, .ticksProcessed:
            return Amount(text) == nil ? "must be a number" : nil
        case .symbols:
            return text.utf8.count > NodeField.maximumList ? "is longer than \(NodeField.maximumList) bytes" : nil
        case .broker, .terminal, .version, .socketType, .deploymentMode, .hearsCommandsReason:
            return text.unicodeScalars.count > NodeField.maximumText ? "is longer than 512 characters" : nil
        }
    }

    /// The same for identifiers of any kind, node ids among them.
    public static func identifierComplaint(_ text: String) -> String? {
        if text.isEmpty { return "is empty" }
        if text.utf8.count > 4 * maximumIdentifier || text.unicodeScalars.count > maximumIdentifier {
            return "is longer than \(maximumIdentifier) characters"
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }) {
            return "holds control characters"
        }
        return nil
    }
}

/// The fields that were said, each as the text that arrived. One allocation for all.
public struct NodeDetails: Sendable, Equatable {
    private var values: [String?] = []

    public init() {}

    public subscript(field: NodeField) -> String? {
        get { values.isEmpty ? nil : values[field.rawValue] }
        set {
            if values.isEmpty {
                guard newValue != nil else { return }
                values = Array(repeating: nil, count: NodeField.allCases.count)
            }
            values[field.rawValue] = newValue
        }
    }

    /// Takes over what the other says; returns the fields whose value is another one now.
    @discardableResult
    public mutating func merge(_ other: NodeDetails) -> [NodeField] {
        var changed: [NodeField] = []
        for field in NodeField.allCases {
            guard let value = other[field], value != self[field] else { continue }
            self[field] = value
            changed.append(field)
        }
        return changed
    }

    /// `<server>|<account>` where both are known.
    public var accountKey: String? {
        guard let server = self[.server], let account = self[.account] else { return nil }
        return PositionKey.accountKey(server: server, account: account)
    }
}

extension NodeDetails {
    /// What a message of a terminal says, as it arrived.
    public init(_ report: TerminalReport) {
        self[.userUUID] = report.userUUID
        self[.account] = report.account
        self[.server] = report.server
        self[.broker] = report.broker
        self[.terminal] = report.terminal
        self[.currency] = report.currency
        self[.leverage] = report.leverage
        self[.balance] = report.balance
        self[.equity] = report.equity
        self[.margin] = report.margin
        self[.freeMargin] = report.freeMargin
        self[.marginLevel] = report.marginLevel
        self[.version] = report.version
        self[.chartSymbol] = report.chartSymbol
        self[.symbols] = report.symbols.isEmpty ? nil : report.symbols.joined(separator: ",")
        self[.monitoredSymbols] = report.monitoredSymbols
        self[.ticksProcessed] = report.ticksProcessed
        self[.socketType] = report.socketType
        self[.deploymentMode] = report.deploymentMode
    }
}
