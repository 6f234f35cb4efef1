/// Which way a trade goes; spelled on the wire as `BUY` and `SELL`, by some terminals in lower case.
public enum Direction: String, Sendable, Hashable, CaseIterable {
    case buy = "BUY"
    case sell = "SELL"

    public init?(wire text: String) {
        switch text.uppercased() {
        case "BUY", "LONG": self = .buy
        case "SELL", "SHORT": self = .sell
        default: return nil
        }
    }
}
