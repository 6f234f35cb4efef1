import Citadel
import Domain
import ServiceKit
import Wire
import ZeroMQ

/// The subscription to the market relay: a bounded number of frames in one turn, decoded and handed on together.
final class MarketRelay {
    /// What a batch held, in the order it came.
    enum Item {
        case tick(Tick)
        case bars([Domain.Bar])
    }

    /// Few enough that a query waits less than a millisecond behind them.
    private static let framesPerTurn = 512
    /// Milliseconds; levels and scores change with bars and touches, not within two thousandths of a second.
    private static let rest: Int64 = 2
    private let socket: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport
    private let quarantine: Quarantine
    private var items: [Item] = []
    var onTicks: (_ items: [Item], _ now: Timestamp) -> Void = { _, _ in }

    init(_ environment: ServiceEnvironment, _ quarantine: Quarantine) throws {
        socket = try ZMQSocket(environment.context, .subscribe, SocketProfile.subscriber)
        try socket.subscribe()
        try socket.connect(environment.configuration.connectEndpoint(.marketRelay))
        report = environment.report
        self.quarantine = quarantine
        items.reserveCapacity(MarketRelay.framesPerTurn)
        environment.reactor.watch(socket, restingMilliseconds: MarketRelay.rest) { [unowned self] in try drain() }
    }

    private func drain() throws {
        items.removeAll(keepingCapacity: true)
        var ticks: Int64 = 0
        var bars: Int64 = 0
        var others: Int64 = 0
        for _ in 0..<MarketRelay.framesPerTurn {
            guard try socket.receive(message) else { break }
            message.withBytes { frame in
                switch RelayFrame(frame) {
                case .tick(let tick):
                    ticks += 1
                    items.append(.tick(tick))
                case .bars(let found):
                    bars += Int64(found.count)
                    items.append(.bars(found))
                case .other: others += 1
                case .refused(let reject): quarantine.keep(reject, port: .marketRelay, frame: frame)
                }
            }
        }
        report.count("ticks", ticks)
        report.count("bars", bars)
        if others > 0 { report.count("relay_other", others) }
        onTicks(items, SystemClock.now())
    }
}
