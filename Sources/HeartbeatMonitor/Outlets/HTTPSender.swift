import AsyncHTTPClient
import Dispatch
import Fleet
import NIOCore
import NIOHTTP1
import ServiceKit
import Synchronization
import Wire

/// Sends over HTTP on other threads; results come back to the loop by its wake-up.
final class HTTPSender {
    struct Request: Sendable {
        var url: String
        var headers: [(String, String)]
        var body: String
        var timeout: Int64
        /// Takes out what must not show up in a result.
        var scrubber: Scrubber
    }

    /// Where other threads leave results.
    private final class Inbox: Sendable {
        let wakeUp = EventDescriptor()
        private let results = Mutex<[(number: Int, result: DeliveryResult)]>([])

        func put(_ number: Int, _ result: DeliveryResult) {
            results.withLock { $0.append((number, result)) }
            wakeUp.signal()
        }

        func take() -> [(number: Int, result: DeliveryResult)] {
            wakeUp.drain()
            return results.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
    }

    /// A thread for requests alone: what else the process computes never keeps them waiting.
    private final class Thread: TaskExecutor {
        private let queue = DispatchQueue(label: "alerts.http")

        func enqueue(_ job: consuming ExecutorJob) {
            let unowned = UnownedJob(job)
            queue.async { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private let inbox = Inbox()
    private let thread = Thread()
    private let client = HTTPSender.makeClient()
    private var completions: [Int: (DeliveryResult) -> Void] = [:]
    private var next = 0

    init(_ reactor: Reactor) {
        reactor.watch(descriptor: { [inbox] in inbox.wakeUp.descriptor }, readable: { [weak self] in self?.collect() })
    }

    // Nobody waits for it: what is under way is cut, and its message stays in the spool.
    deinit { client.shutdown { _ in } }

    /// A client of our own, since the shared one follows redirects: a POST that was answered 301, 302 or 303 would go on as
    /// a GET without its body, and a page that answers 200 would count as delivered. Source: RFC 9110, 15.4.
    private static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.redirectConfiguration = .disallow
        return HTTPClient(configuration: configuration)
    }

    /// Requests under way.
    var count: Int { completions.count }

    /// Sends one POST; the completion runs on the loop's thread.
    func send(_ request: Request, _ completion: @escaping (DeliveryResult) -> Void) {
        next += 1
        let number = next
        completions[number] = completion
        Task.detached(executorPreference: thread) { [inbox, client] in
            inbox.put(number, await HTTPSender.perform(request, client))
        }
    }

    private func collect() {
        for (number, result) in inbox.take() { completions.removeValue(forKey: number)?(result) }
    }

    // MARK: - One request, on another thread

    private static func perform(_ request: Request, _ client: HTTPClient) async -> DeliveryResult {
        let began = SystemClock.monotonicMilliseconds()
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = .POST
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        outgoing.body = .bytes(Array(request.body.utf8))
        do {
            let response = try await client.execute(outgoing, timeout: .milliseconds(request.timeout))
            let body = try? await response.body.collect(upTo: 65_536)
            let took = SystemClock.monotonicMilliseconds() - began
            return judge(
                Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"),
                location: response.headers.first(name: "Location"),
                body: body.map { Array($0.readableBytesView) } ?? [], took: took, request.scrubber)
        } catch {
            return .failed(words(error, request.scrubber), retryAfter: nil)
        }
    }

    /// A status and what it means for the message. Source: RFC 9110, RFC 6585; Telegram's `parameters.retry_after`.
    ///
    /// The other side's words may repeat what it was sent, the token among it.
    static func judge(
        _ status: Int, retryAfter: String?, location: String? = nil, body: [UInt8], took: Int64, _ scrubber: Scrubber
    ) -> DeliveryResult {
        switch status {
        case 200..<300: return .accepted("accepted (\(status), \(took) ms)")
        case 300..<400:
            guard let place = location.map({ scrubber.place($0, longest: 80) }), !place.isEmpty else { break }
            return .refused("refused with \(status): it redirects to \(place); redirects are not followed")
        case 408, 425, 429, 500...:
            let parameters = (try? JSON(body))?.object?["parameters"]?.object
            let seconds = parameters?["retry_after"]?.text.flatMap { Int64($0) } ?? retryAfter.flatMap { Int64($0) }
            let pause = seconds.map { max(0, min($0, 3_600)) * 1_000 }
            return .failed("answered \(status)", retryAfter: pause)
        default: break
        }
        let why = (try? JSON(body))?.object?["description"]?.text.map { ": \(scrubber.scrub($0, longest: 100))" } ?? ""
        return .refused("refused with \(status)\(why)")
    }

    private static func words(_ error: any Error, _ scrubber: Scrubber) -> String {
        let text = "\(error)"
        if text.contains("deadlineExceeded") || text.lowercased().contains("timeout") { return "no answer in time" }
        return "not reached: \(scrubber.scrub(text, longest: 120))"
    }
}
