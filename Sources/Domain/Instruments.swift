/// One canonical instrument: what a point, a pip and a lot of it are.
public struct Instrument: Sendable, Equatable {
    public enum Kind: String, Sendable { case forex, metal, index, crypto, energy, other }

    public var symbol: String
    public var kind: Kind
    public var digits: Int
    public var pip: Amount
    /// Units of the base in one lot.
    public var contractSize: Amount
    /// The currency profit arises in, before conversion to the account's.
    public var quoteCurrency: String
    public var lotStep: Amount
    public var minimumLot: Amount
    public var maximumLot: Amount
    /// Whether `symbols.yaml` names it; an unknown one is learned from its digits and marked.
    public var isKnown: Bool

    public init(
        symbol: String, kind: Kind, digits: Int, pip: Amount, contractSize: Amount, quoteCurrency: String,
        lotStep: Amount, minimumLot: Amount, maximumLot: Amount, isKnown: Bool = true
    ) {
        self.symbol = symbol
        self.kind = kind
        self.digits = digits
        self.pip = pip
        self.contractSize = contractSize
        self.quoteCurrency = quoteCurrency
        self.lotStep = lotStep
        self.minimumLot = minimumLot
        self.maximumLot = maximumLot
        self.isKnown = isKnown
    }
}

/// All instruments of `deploy/config/symbols.yaml` and how brokers spell them.
public struct InstrumentCatalogue: Sendable, Equatable {
    public let instruments: [String: Instrument]
    /// Upper-case foreign name -> canonical name (`GOLD` -> `XAUUSD`).
    public let aliases: [String: String]

    public init(instruments: [Instrument], aliases: [String: String] = [:]) {
        self.instruments = Dictionary(instruments.map { ($0.symbol, $0) }) { first, _ in first }
        self.aliases = aliases
    }

    /// The canonical name of a broker's symbol: `EURUSD.r`, `XAUUSDm`, `GOLD#`, `#US30` -> `EURUSD`, `XAUUSD`, `XAUUSD`, `US30`.
    ///
    /// What the catalogue does not know keeps its own name, so that nothing is lost and nothing is guessed.
    public func canonical(_ brokerSymbol: String) -> String {
        let upper = brokerSymbol.uppercased()
        if let name = exact(upper) { return name }
        let bare = String(upper.drop { !$0.isLetter && !$0.isNumber })
        if let name = exact(bare) { return name }
        // Suffixes come behind the name: take the longest known prefix, so that US500 is never read as US50.
        var end = bare.endIndex
        while end > bare.startIndex, bare.distance(from: bare.startIndex, to: end) > 3 {
            end = bare.index(before: end)
            let isSuffix = suffixIsPlausible(bare[end...])
            if isSuffix, let name = exact(String(bare[..<end])) { return name }
        }
        return brokerSymbol
    }

    private func exact(_ name: String) -> String? { instruments[name] != nil ? name : aliases[name] }

    /// A suffix starts with a separator, or is one or a few letters (`m`, `pro`, `ecn`); digits would be another name.
    private func suffixIsPlausible(_ suffix: Substring) -> Bool {
        guard let first = suffix.first else { return false }
        if !first.isLetter && !first.isNumber { return true }
        return suffix.count <= 5 && suffix.allSatisfy { $0.isLetter }
    }

    /// The instrument behind a broker's name, or nil when it is unknown.
    public func instrument(for brokerSymbol: String) -> Instrument? { instruments[canonical(brokerSymbol)] }
}
