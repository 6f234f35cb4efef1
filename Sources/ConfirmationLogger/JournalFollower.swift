import Journal
import ServiceKit
import Trading

/// Reads the journal for the pipeline on a thread of its own: at the start, and whatever did not fit into memory.
///
/// Two readers go through it: one over the frames, one ahead over the decisions, so that a frame that was decided
/// before comes with its decision. One request at a time; `onDone` is called on the thread and should only wake
/// the loop.
final class JournalFollower: Sendable {
    /// What one request brought.
    struct Chunk: Sendable {
        var items: [WindowItem] = []
        var damages: [JournalDamage] = []
        /// Everything up to here was read.
        var readTo: UInt64 = 0
        var failure: JournalError?
    }

    private struct Request: Sendable {
        let from: UInt64
        let upTo: UInt64
        let limit: Int
    }

    private let thread: RequestThread<Request, Chunk>

    init(directory: String, secret: SharedSecret, onDone: @escaping @Sendable () -> Void) {
        thread = RequestThread(onDone: onDone) {
            var reading = Reading(directory: directory, secret: secret, from: 0)
            return { request in
                if reading.next != request.from {
                    reading = Reading(directory: directory, secret: secret, from: request.from)
                }
                return reading.chunk(upTo: request.upTo, limit: request.limit)
            }
        }
    }

    var isBusy: Bool { thread.isBusy }

    /// Asks for at most `limit` frames from a sequence on, all of them durable: up to `upTo`.
    func request(from: UInt64, upTo: UInt64, limit: Int) {
        thread.ask(Request(from: from, upTo: upTo, limit: limit))
    }

    /// The result, once.
    func take() -> Chunk? { thread.take() }

    /// The two readers, on their thread.
    private struct Reading {
        private let frames: JournalReader
        private let decisions: JournalReader
        private var ahead: DecisionRecord?
        private(set) var next: UInt64
        private let secret: SharedSecret

        init(directory: String, secret: SharedSecret, from: UInt64) {
            self.secret = secret
            frames = JournalReader(directory: directory, from: from)
            decisions = JournalReader(directory: directory, from: from)
            next = from
        }

        mutating func chunk(upTo: UInt64, limit: Int) -> Chunk {
            var chunk = Chunk()
            chunk.readTo = next > 0 ? next - 1 : 0
            do throws(JournalError) {
                while chunk.items.count < limit {
                    guard let item = try frames.next(below: upTo + 1) else {
                        chunk.readTo = max(chunk.readTo, upTo)
                        break
                    }
                    switch item {
                    case .damage(let damage):
                        chunk.damages.append(damage)
                        chunk.readTo = max(chunk.readTo, damage.sequences?.upperBound ?? 0)
                    case .record(let record):
                        chunk.readTo = record.sequence
                        guard record.source.isFrame else { continue }
                        var item = WindowItem(record, secret)
                        item.earlier = try decision(of: record.sequence, upTo)
                        chunk.items.append(item)
                    }
                }
            } catch {
                chunk.failure = error
            }
            next = chunk.readTo + 1
            return chunk
        }

        /// Decisions stand in the order of their frames, each somewhere behind its own.
        private mutating func decision(of sequence: UInt64, _ upTo: UInt64) throws(JournalError) -> [TradeEvent]? {
            while ahead.map({ $0.frame < sequence }) ?? true {
                ahead = nil
                while ahead == nil {
                    guard let item = try decisions.next(below: upTo + 1) else { return nil }
                    if case .record(let record) = item, record.source == .decision {
                        ahead = DecisionRecord(record.bytes)
                    }
                }
            }
            return ahead?.frame == sequence ? ahead?.events : nil
        }
    }
}
