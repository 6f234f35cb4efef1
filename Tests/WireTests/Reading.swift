import Domain
import Testing
import Wire

/// Decodes text, as its UTF-8 bytes.
func read(_ text: String) throws -> TerminalMessage { try EADecoder.decode(Array(text.utf8)) }

func readNoting(_ bytes: [UInt8]) throws -> (message: TerminalMessage, repaired: Bool) {
    try EADecoder.decodeNoting(bytes)
}

func readReport(_ text: String) throws -> TerminalReport {
    guard case .report(let report) = try read(text) else { throw UnexpectedMessage() }
    return report
}

func readTick(_ text: String) throws -> Tick {
    guard case .tick(let tick) = try read(text) else { throw UnexpectedMessage() }
    return tick
}

func readTrade(_ text: String) throws -> TradeReport {
    guard case .trade(let report) = try read(text) else { throw UnexpectedMessage() }
    return report
}

/// The reject of bytes that must not decode.
func reject(_ bytes: [UInt8]) -> EAReject? {
    do throws(EAReject) {
        _ = try EADecoder.decode(bytes)
        return nil
    } catch {
        return error
    }
}

func reject(_ text: String) -> EAReject? { reject(Array(text.utf8)) }

/// A message of another kind than the test asked for.
struct UnexpectedMessage: Error {}

/// What a scan makes of bytes: the whole quote or bar, or nil.
func scanned(_ bytes: [UInt8]) -> TerminalMessage? {
    bytes.withUnsafeBufferPointer { frame in
        let scan = scanTelemetry(frame)
        switch scan.kind {
        case .tick: return Tick(scan, frame).map(TerminalMessage.tick)
        case .bar: return Bar(scan, frame).map { .bars([$0]) }
        case .other: return nil
        }
    }
}

/// SplitMix64: small, seedable, the same everywhere. Source: S. Vigna, public domain.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
