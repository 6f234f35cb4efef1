import Domain
import Glibc
import Journal
import ServiceKit

/// Reads decisions out of archived segments, on a thread of its own at low priority: which rows may get their end.
///
/// One request at a time; `onDone` is called on the thread and should only wake the loop.
final class ArchivedDecisions: Sendable {
    /// What one request brought.
    struct Chunk: Sendable {
        /// The first record that was asked for.
        var from: UInt64 = 0
        var rows: [ExpiryScript.Row] = []
        /// Every record up to here was read.
        var readTo: UInt64 = 0
        /// The highest frame among the rows; 0 where there are none.
        var booked: UInt64 = 0
        var failure: JournalError?
    }

    private struct Request: Sendable {
        let from: UInt64
        let through: UInt64
        let booked: UInt64
    }

    /// A call of the script holds others up for as long as it takes: some hundred rows are a millisecond.
    private static let rowsPerChunk = 256
    private static let recordsPerChunk = 4096

    private let thread: RequestThread<Request, Chunk>

    init(directory: String, onDone: @escaping @Sendable () -> Void) {
        thread = RequestThread(onDone: onDone) {
            // On Linux this is the calling thread alone. Source: setpriority(2), C library/kernel differences.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            var reader: JournalReader?
            var next: UInt64 = 0
            return { request in
                if next != request.from { reader = nil }
                let used = reader ?? JournalReader(directory: directory, from: request.from)
                let (chunk, isWhole) = ArchivedDecisions.read(used, request)
                // A reader that was stopped in its course, or failed, has gone past what it gave.
                reader = isWhole ? used : nil
                next = chunk.readTo + 1
                return chunk
            }
        }
    }

    /// Asks for what was decided from a record on, up to `through`, about frames up to `booked`.
    func request(from: UInt64, through: UInt64, booked: UInt64) {
        thread.ask(Request(from: from, through: through, booked: booked))
    }

    /// The result, once.
    func take() -> Chunk? { thread.take() }

    private static func read(_ reader: JournalReader, _ request: Request) -> (chunk: Chunk, isWhole: Bool) {
        var chunk = Chunk(from: request.from, readTo: request.from - 1)
        do throws(JournalError) {
            for _ in 0..<recordsPerChunk where chunk.rows.count < rowsPerChunk {
                guard let item = try reader.next(below: request.through + 1) else {
                    chunk.readTo = max(chunk.readTo, request.through)
                    return (chunk, true)
                }
                switch item {
                case .damage(let damage):
                    chunk.readTo = max(chunk.readTo, min(request.through, damage.sequences?.upperBound ?? 0))
                case .record(let record):
                    if record.source == .decision, let decision = DecisionRecord(record.bytes) {
                        guard decision.frame <= request.booked else { return (chunk, false) }
                        if !decision.events.isEmpty { chunk.booked = max(chunk.booked, decision.frame) }
                        chunk.rows += decision.events.map { ExpiryScript.Row($0, bookedAt: record.receivedAt) }
                    }
                    chunk.readTo = record.sequence
                }
            }
        } catch {
            chunk.failure = error
            return (chunk, false)
        }
        return (chunk, true)
    }
}
