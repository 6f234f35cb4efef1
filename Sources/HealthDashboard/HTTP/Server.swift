import Dispatch
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// The HTTP server: Hummingbird on its own threads, started and stopped by the loop.
final class Server: Sendable {
    /// More wait until one is closed: 1024 descriptors, a usual limit, are for files and Redis too.
    static let maximumConnections = 800

    enum State: Sendable {
        case starting
        case running
        /// It could not bind, or ended by itself; the text says why.
        case failed(String)
    }

    /// Signalled when the state changes; watched by the loop.
    let changed = EventDescriptor()
    private let current = Mutex(State.starting)
    private let group: ServiceGroup
    private let ended = DispatchSemaphore(value: 0)

    init(port: Int, responder: Responder, log: Logger) {
        // Its own messages about lifecycle would repeat ours; what goes wrong there is thrown as well.
        var quiet = log
        quiet.logLevel = .error
        let running = Running()
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(additionalChannelHandlers: [RequestDeadlineSetup()], idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Server.maximumConnections, logger: quiet)),
            onServerRunning: { _ in running.call() },
            logger: quiet)
        group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
        running.set { [weak self] in self?.become(.running) }
    }

    var state: State { current.withLock { $0 } }

    private func become(_ state: State) {
        current.withLock { $0 = state }
        changed.signal()
    }

    func start() {
        Task { [self] in
            do {
                try await group.run()
                become(.failed("it ended"))
            } catch {
                become(.failed("\(error)"))
            }
            ended.signal()
        }
    }

    /// Lets requests that are under way finish. Waits, at most so long; for the end of the process.
    func stop(milliseconds: Int) {
        Task { [group] in await group.triggerGracefulShutdown() }
        _ = ended.wait(timeout: .now() + .milliseconds(milliseconds))
    }
}

/// What to do once the server listens; known only after the application was made.
private final class Running: Sendable {
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }
    func call() { action.withLock { $0 }?() }
}
