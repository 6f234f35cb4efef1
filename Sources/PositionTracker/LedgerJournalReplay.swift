import Journal
import ServiceKit
import Wire

/// Reads the tracker's journal on a thread of its own, for a Redis that lost what it was told.
///
/// Two passes: the first finds which records were refused, since that is said somewhere behind them; the second hands
/// the others out in order, in chunks. `onDone` is called on the thread and should only wake the loop.
final class LedgerJournalReplay: Sendable {
    struct Entry: Sendable {
        let sequence: UInt64
        /// Steps that were refused, as the script takes them.
        let skip: String
        let text: String
    }

    struct Chunk: Sendable {
        var entries: [Entry] = []
        var damages: [String] = []
        var isEnd = false
        var failure: JournalError?
    }

    private enum Request: Sendable {
        /// Records of these sequences; refusals are looked for up to the bound.
        case begin(ClosedRange<UInt64>, refusalsThrough: UInt64)
        case goOn
    }

    private static let chunkBytes = 1 << 20

    private let thread: RequestThread<Request, Chunk>

    init(directory: String, onDone: @escaping @Sendable () -> Void) {
        thread = RequestThread(onDone: onDone) {
            var reading: Reading?
            return { request in
                if case .begin(let range, let bound) = request {
                    reading = Reading(directory: directory, range: range, bound: bound)
                }
                return reading?.next() ?? Chunk(isEnd: true)
            }
        }
    }

    func begin(_ range: ClosedRange<UInt64>, refusalsThrough bound: UInt64) {
        thread.ask(.begin(range, refusalsThrough: bound))
    }

    func goOn() { thread.ask(.goOn) }

    /// The result of the last request, once.
    func take() -> Chunk? { thread.take() }

    private struct Reading {
        let directory: String
        let range: ClosedRange<UInt64>
        let bound: UInt64
        private var refused: [UInt64: String]?
        private let reader: JournalReader

        init(directory: String, range: ClosedRange<UInt64>, bound: UInt64) {
            self.directory = directory
            self.range = range
            self.bound = bound
            reader = JournalReader(directory: directory, from: range.lowerBound)
        }

        mutating func next() -> Chunk {
            var chunk = Chunk()
            do throws(JournalError) {
                if refused == nil { refused = try findRefusals() }
                var bytes = 0
                while bytes < LedgerJournalReplay.chunkBytes {
                    guard let item = try reader.next(below: range.upperBound + 1) else {
                        chunk.isEnd = true
                        return chunk
                    }
                    switch item {
                    case .damage(let damage): chunk.damages.append("\(damage)")
                    case .record(let record):
                        guard record.source == .ledger else { continue }
                        let text = String(decoding: record.bytes, as: UTF8.self)
                        let skip = refused?[record.sequence] ?? ""
                        guard LedgerRecord.kind(of: text) != .refused, skip != LedgerRecord.skip([0]) else { continue }
                        chunk.entries.append(Entry(sequence: record.sequence, skip: skip, text: text))
                        bytes += record.bytes.count
                    }
                }
            } catch {
                chunk.failure = error
            }
            return chunk
        }

        /// Also parts of a write whose last part a crash kept from the disk: then Redis never got any of them.
        private func findRefusals() throws(JournalError) -> [UInt64: String] {
            var found: [UInt64: String] = [:]
            var parts: [UInt64] = []
            let reader = JournalReader(directory: directory, from: range.lowerBound)
            while let item = try reader.next(below: bound + 1) {
                guard case .record(let record) = item, record.source == .ledger else { continue }
                let text = String(decoding: record.bytes, as: UTF8.self)
                let part = LedgerRecord.part(of: text)
                if part == nil { for sequence in parts { found[sequence] = LedgerRecord.skip([0]) } }
                if part == .more { parts.append(record.sequence) } else { parts = [] }
                guard LedgerRecord.kind(of: text) == .refused, let object = (try? JSON(text))?.object,
                    let sequence = object["of"]?.text.flatMap({ UInt64($0) }), let numbers = object["numbers"]?.text
                else { continue }
                found[sequence] = numbers
            }
            for sequence in parts { found[sequence] = LedgerRecord.skip([0]) }
            return found
        }
    }
}
