import Domain
import Fleet
import Logging
import ServiceKit

/// Sends notices out: one queue for each outlet, a spool on disk, retries, tests and the dead man's switch.
final class OutletDesk {
    private let configuration: AlertsConfiguration
    private let sender: HTTPSender
    private let spool: Spool
    private let report: ServiceReport
    private let log: Logger
    private let clock: SteadyClock
    private var queues: [String: DeliveryQueue] = [:]
    private var switchSentAt: Timestamp?
    private var isSwitchUnderWay = false
    /// When terminals and services were judged last; nil before the first time.
    private var judgedAt: Timestamp?
    private var isDraining = false
    private let startedAt: Timestamp
    private let bornAt: Timestamp
    /// So long after the last look the switch goes on.
    private static let judgingPatience: Int64 = 30_000

    init(
        _ configuration: AlertsConfiguration, spool path: String, reactor: Reactor, report: ServiceReport, log: Logger,
        clock: SteadyClock, pauses: DeliveryQueue.Settings = DeliveryQueue.Settings()
    ) {
        self.configuration = configuration
        self.clock = clock
        self.report = report
        self.log = log
        sender = HTTPSender(reactor)
        spool = Spool(path: path)
        startedAt = SystemClock.now()
        bornAt = clock.now()
        for outlet in configuration.outlets {
            queues[outlet.name] = DeliveryQueue(outlet: outlet.name, settings: pauses)
        }
        for delivery in spool.load() {
            // An outlet that is no longer configured takes nothing any more.
            guard queues[delivery.outlet] != nil else {
                spool.finish(delivery.number)
                continue
            }
            for number in queues[delivery.outlet]?.add(delivery) ?? [] { spool.finish(number) }
        }
        reactor.every(milliseconds: 250) { [unowned self] in send() }
        reactor.every(milliseconds: 2_000) { [unowned self] in spool.mend() }
    }

    var waiting: Int { queues.values.reduce(0) { $0 + $1.waiting.count } }

    func refreshReport() {
        for (name, queue) in queues {
            report.gauges["outlet_\(name)_waiting"] = Int64(queue.waiting.count)
            report.set("outlet_\(name)_delivered", queue.delivered)
            report.set("outlet_\(name)_dropped", queue.dropped)
            report.set("outlet_\(name)_refused", queue.refused)
            let problem = queue.lastProblem.map { "alerts can't be delivered to \(name): \($0)" }
            report.problem("outlet_\(name)", problem)
        }
        let loss = "the spool of alerts can't be written (disk full?): what waits would not survive a restart"
        report.problem("alerts_spool", spool.isBroken ? loss : nil)
        let isSilent = configuration.deadMansSwitch != nil && isSwitchHeld && clock.now() - bornAt > 30_000
        report.problem("dead_mans_switch", isSilent ? "the dead man's switch is silent: nobody is judged" : nil)
    }

    // MARK: - Notices

    func tell(_ notice: Notice) {
        let rule = configuration.rules.rule(notice.alert.type)
        guard notice.endsAt == nil || rule.tellsResolved else { return }
        // An end is for those who were told of the begin: what grew worse in a silence was told to fewer.
        let severity = notice.endsAt == nil ? notice.alert.severity : notice.alert.toldSeverity ?? notice.alert.severity
        for outlet in configuration.outlets {
            guard rule.outlets?.contains(outlet.name) ?? true, severity >= outlet.minimumSeverity else {
                continue
            }
            let delivery = Delivery(
                number: spool.nextNumber(), outlet: outlet.name, alertID: notice.alert.alertID,
                body: OutletText.body(notice, for: outlet), createdAt: SystemClock.now())
            spool.add(delivery)
            for number in queues[outlet.name]?.add(delivery) ?? [] {
                spool.finish(number)
                report.count("alerts_dropped")
            }
        }
        send()
    }

    private func send() {
        guard !isDraining else { return }
        for outlet in configuration.outlets {
            guard let next = queues[outlet.name]?.next(at: SystemClock.now(), steady: clock.now()) else { continue }
            for number in next.expired { spool.finish(number) }
            guard let delivery = next.send else { continue }
            sender.send(OutletDesk.request(outlet, delivery.body)) { [weak self] result in
                self?.finish(outlet, delivery.number, result)
            }
        }
        sendSwitch()
    }

    private func finish(_ outlet: OutletConfiguration, _ number: Int64, _ result: DeliveryResult) {
        let before = queues[outlet.name]?.lastProblem
        if let done = queues[outlet.name]?.finish(number, result, steady: clock.now()) { spool.finish(done) }
        switch result {
        case .accepted:
            if before != nil { log.info("alerts are delivered again", metadata: ["outlet": "\(outlet.name)"]) }
        case .failed(let words, _), .refused(let words):
            guard before != words else { return }
            log.warning("an alert is not delivered", metadata: ["outlet": "\(outlet.name)", "why": "\(words)"])
        }
        send()
    }

    private static func request(_ outlet: OutletConfiguration, _ body: String) -> HTTPSender.Request {
        var headers = [("Content-Type", "application/json"), ("User-Agent", "terminal-mesh/\(MeshVersion.current)")]
        switch outlet.kind {
        case .webhook(let url, let authorization):
            if let authorization { headers.append(("Authorization", "Bearer \(authorization.revealed)")) }
            return HTTPSender.Request(
                url: url.revealed, headers: headers, body: body, timeout: outlet.timeout,
                scrubber: Scrubber(secrets: [authorization?.revealed ?? ""], urls: [url.revealed]))
        case .telegram(let api, let token, _):
            return HTTPSender.Request(
                url: "\(api)/bot\(token.revealed)/sendMessage", headers: headers, body: body, timeout: outlet.timeout,
                scrubber: Scrubber(secrets: [token.revealed]))
        }
    }

    // MARK: - The dead man's switch

    /// A look at terminals and services was finished: the switch may say so.
    func noteJudged() { judgedAt = clock.now() }

    /// Whether the switch is silent since nobody is judged.
    private var isSwitchHeld: Bool { OutletDesk.isSwitchSilent(judgedAt: judgedAt, now: clock.now()) }

    static func isSwitchSilent(judgedAt: Timestamp?, now: Timestamp) -> Bool {
        judgedAt.map { now - $0 > OutletDesk.judgingPatience } ?? true
    }

    /// Tells an outlet that we live and judge, without spool and retries: what is late says nothing any more.
    ///
    /// A process that lives but can't judge, since Redis is away or a round never ends, is as good as dead to those who
    /// rely on it: the switch falls silent then as well.
    private func sendSwitch() {
        guard let setting = configuration.deadMansSwitch, !isSwitchUnderWay,
            let outlet = configuration.outlets.first(where: { $0.name == setting.outlet })
        else { return }
        let now = clock.now()
        guard !isSwitchHeld else { return }
        if let switchSentAt, now - switchSentAt < setting.every { return }
        switchSentAt = now
        isSwitchUnderWay = true
        let alert = Alert(
            alertID: "dead-mans-switch", key: "dead_mans_switch", type: "dead_mans_switch", severity: .info,
            message: "heartbeat-monitor lives and judges", fields: ["service": ServiceName.heartbeatMonitor.rawValue],
            raisedAt: startedAt)
        let body = OutletText.body(notice(alert, startsAt: startedAt), for: outlet)
        sender.send(OutletDesk.request(outlet, body)) { [weak self] result in
            self?.isSwitchUnderWay = false
            if case .accepted = result {
                self?.report.count("dead_mans_switch_sent")
            } else {
                self?.report.count("dead_mans_switch_failed")
            }
        }
    }

    private func notice(_ alert: Alert, startsAt: Timestamp) -> Notice {
        Notice(alert: alert, startsAt: startsAt, endsAt: nil, resolution: "", externalURL: configuration.externalURL)
    }

    // MARK: - Tests

    /// Sends the alert once through every outlet, past queues and spool; the completion gets what each said.
    func test(_ alert: Alert, _ completion: @escaping ([(outlet: String, result: DeliveryResult)]) -> Void) {
        let outlets = configuration.outlets
        guard !outlets.isEmpty else { return completion([]) }
        var results: [(outlet: String, result: DeliveryResult)] = []
        for outlet in outlets {
            let body = OutletText.body(notice(alert, startsAt: SystemClock.now()), for: outlet)
            sender.send(OutletDesk.request(outlet, body)) { result in
                results.append((outlet.name, result))
                if results.count == outlets.count { completion(results.sorted { $0.outlet < $1.outlet }) }
            }
        }
    }

    /// The process ends: what is under way has a moment to come back, the rest stays in the spool.
    func drain(_ reactor: Reactor) {
        isDraining = true
        _ = try? reactor.run(until: { self.sender.count == 0 }, milliseconds: 1_500)
    }
}
