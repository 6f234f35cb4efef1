import Citadel
import Domain
import Foundation
import ServiceKit
import Wire

/// Lines of a tick file, plain or gzip; a compressed one comes through a `gzip -dc` child. One owner.
final class ReplayTickFile {
    let path: String
    private let source: FileHandle
    private var child: Process?
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private static let chunk = 1 << 18

    init(path: String) throws(ReplayError) {
        self.path = path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else {
            let reason = isDirectory.boolValue ? "it is a directory" : "there is no such file"
            throw ReplayError(message: "\(path): \(reason)", status: ReplayError.noInput)
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ReplayError(message: "\(path): it can't be read (permission?)", status: ReplayError.noInput)
        }
        let magic = (try? file.read(upToCount: 2)).map { [UInt8]($0) } ?? []
        guard magic == [0x1F, 0x8B] else {
            source = file
            buffer = magic
            return
        }
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // The child reads the very file that was looked at, whatever its name is.
        process.arguments = ["gzip", "-dc"]
        do {
            try file.seek(toOffset: 0)
            process.standardInput = file
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
        } catch {
            throw ReplayError(message: "gzip can't be started: \(error)", status: ReplayError.noInput)
        }
        child = process
        source = pipe.fileHandleForReading
    }

    /// The next line without its end, or nil at the end of the file.
    func next() throws(ReplayError) -> ArraySlice<UInt8>? {
        var scanned = position
        while true {
            if let end = buffer[scanned...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                return buffer[position..<end]
            }
            scanned = buffer.count - position
            guard try fill() else {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                return buffer[position...]
            }
        }
    }

    /// What the next line says, or nil at the end of the file.
    func nextRecord(brokerOffset: Int64) throws(ReplayError) -> RecordedQuote? {
        guard let line = try next() else { return nil }
        return RecordedQuote(line, brokerOffset: brokerOffset)
    }

    private func fill() throws(ReplayError) -> Bool {
        guard !isAtEnd else { return false }
        buffer.removeFirst(position)
        position = 0
        do {
            if let data = try source.read(upToCount: ReplayTickFile.chunk), !data.isEmpty {
                buffer.append(contentsOf: data)
                return true
            }
        } catch {
            throw ReplayError(message: "\(path): it can't be read: \(error)", status: ReplayError.inputOutput)
        }
        isAtEnd = true
        if let child {
            child.waitUntilExit()
            guard child.terminationStatus == 0 else {
                throw ReplayError(
                    message: "\(path): gzip can't read it to its end (damaged?)", status: ReplayError.badData)
            }
        }
        return false
    }
}

/// One line of a tick file.
enum RecordedQuote: Equatable {
    struct Price: Equatable {
        /// UTC.
        var milliseconds: Int64
        var bid: Double
        var ask: Double
        var decimals: Int
    }

    struct Quote: Equatable {
        /// As the file spells it.
        var symbol: String
        /// The terminal that sent it; `recording` where it does not say.
        var source: String
        var price: Price
    }

    /// A row of a file of prices: it says neither whose they are nor who sent them. Numbers alone, because such files are
    /// long, and what has a name in it is copied and released for every line.
    case price(Price)
    case quote(Quote)
    /// Finished bars a terminal sent, by UTC; the symbol as the file spells it.
    case bars([MarketBar])
    /// A terminal's message that is no quote.
    case other
    /// An empty line or a comment.
    case header
    case unreadable

    /// The quote in it, whoever's it is.
    var price: Price? {
        switch self {
        case .price(let price): price
        case .quote(let quote): quote.price
        case .bars, .other, .header, .unreadable: nil
        }
    }

    /// - Parameter brokerOffset: milliseconds that the clock of terminals' messages is ahead of UTC.
    init(_ line: ArraySlice<UInt8>, brokerOffset: Int64) {
        guard let first = line.first(where: { $0 > 0x20 }), first != UInt8(ascii: "#") else {
            self = .header
            return
        }
        self =
            line.withUnsafeBufferPointer { bytes in
                first == UInt8(ascii: "{")
                    ? RecordedQuote.message(bytes, brokerOffset) : RecordedQuote.row(bytes)
            }
    }

    private static func message(_ bytes: UnsafeBufferPointer<UInt8>, _ brokerOffset: Int64) -> RecordedQuote {
        let scan = scanTelemetry(bytes)
        var tick = Tick(scan, bytes)
        if tick == nil {
            switch try? EADecoder.decode(bytes) {
            case .tick(let decoded)?: tick = decoded
            case .bars(let bars)?: return .bars(bars.compactMap { RecordedQuote.bar($0, brokerOffset) })
            case nil: return .unreadable
            default: return .other
            }
        }
        guard let tick, let seconds = tick.brokerSeconds else { return .unreadable }
        return .quote(
            Quote(
                symbol: tick.symbol, source: tick.nodeID ?? "recording",
                price: Price(
                    milliseconds: seconds * 1000 - brokerOffset, bid: tick.bid.double, ask: tick.ask.double,
                    decimals: tick.decimals)))
    }

    private static func bar(_ bar: Domain.Bar, _ brokerOffset: Int64) -> MarketBar? {
        guard let timeframe = Timeframe(rawValue: bar.timeframe.uppercased()) else { return nil }
        return MarketBar(
            symbol: bar.symbol, source: bar.nodeID ?? "recording", timeframe: timeframe,
            startMilliseconds: bar.brokerSeconds * 1000 - brokerOffset, open: bar.open.double, high: bar.high.double,
            low: bar.low.double, close: bar.close.double)
    }

    private static func row(_ bytes: UnsafeBufferPointer<UInt8>) -> RecordedQuote {
        guard let first = bytes.firstIndex(of: UInt8(ascii: ",")),
            let second = bytes[(first + 1)...].firstIndex(of: UInt8(ascii: ","))
        else { return .unreadable }
        // Further columns, and a carriage return, are passed over.
        let end = bytes[(second + 1)...].firstIndex { $0 == UInt8(ascii: ",") || $0 == 0x0D } ?? bytes.count
        guard let time = time(bytes[..<first]), let bid = number(bytes[(first + 1)..<second]),
            let ask = number(bytes[(second + 1)..<end])
        else { return .unreadable }
        return .price(
            Price(
                milliseconds: time, bid: bid.value, ask: ask.value, decimals: max(bid.decimals, ask.decimals)))
    }

    private static func number(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> (value: Double, decimals: Int)? {
        guard let amount = Amount(ascii: UnsafeBufferPointer(rebasing: field)) else { return nil }
        let decimals = field.firstIndex(of: UInt8(ascii: ".")).map { field.endIndex - $0 - 1 } ?? 0
        return (amount.double, min(8, decimals))
    }

    /// Epoch seconds with or without a fraction, epoch milliseconds, or RFC 3339.
    private static func time(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        let digits = field.prefix { $0 >= 0x30 && $0 <= 0x39 }
        if (1...15).contains(digits.count), digits.count == field.count || field[digits.endIndex] == UInt8(ascii: ".") {
            let whole = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
            // No market was recorded in milliseconds before 1973, so a smaller number is seconds.
            guard whole < 100_000_000_000 else { return whole }
            guard let seconds = Amount(ascii: UnsafeBufferPointer(rebasing: field)) else { return nil }
            return seconds.units / (Amount.unitsPerOne / 1000)
        }
        return Timestamp(rfc3339: String(decoding: field, as: UTF8.self))?.milliseconds
    }
}
