import Domain
import Fleet
import Foundation
import Logging
import TestKit
import Testing
import Wire

@testable import HeartbeatMonitor
@testable import ServiceKit

/// The desk as the service has it, without a Redis, in front of a webhook and a subscriber of its port.
private final class AlertDeskBench {
    let receiver: Receiver
    let environment: ServiceEnvironment
    let desk: AlertDesk
    let subscriber: Subscriber
    private let directory: TemporaryDirectory
    private let writes: PendingWrites
    private let redis: RedisLink

    init(_ change: (inout AlertsConfiguration) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory("alerts")
        receiver = try Receiver()
        try receiver.start()
        var settings = try MeshConfiguration.load(MeshConfiguration.Overrides())
        settings.varDirectory = directory.path
        var ports = ""
        for line in try String(contentsOfFile: settings.portsFile, encoding: .utf8).split(separator: "\n") {
            guard let range = line.firstRange(of: /port: +[0-9]+/), !line.hasPrefix("#") else {
                ports += line + "\n"
                continue
            }
            ports += line.replacingCharacters(in: range, with: "port: \(try FreePorts.next())") + "\n"
        }
        settings.ports = try PortList(yaml: ports, path: "ports.yaml")
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        environment = try ServiceEnvironment(service: .heartbeatMonitor, configuration: settings, log: log)
        redis = environment.makeRedisLink()
        writes = PendingWrites(redis, environment.report)
        var configuration = webhook(receiver.url)
        configuration.rules.defaults.coolDown = 0
        configuration.outlets[0].minimumSeverity = .warning
        change(&configuration)
        desk = try AlertDesk(environment, writes, configuration, SteadyClock())
        subscriber = try Subscriber(environment.context, settings.connectEndpoint(.nodeAlerts))
        // A subscription takes a moment.
        try eventually("the port is heard") {
            condition("probe", .info)
            desk.resolve("service_down:probe", "over")
            return try !subscriber.listen().isEmpty
        }
    }

    func condition(_ service: String, _ severity: Alert.Severity = .warning) {
        desk.raise(
            Condition(
                key: "service_down:\(service)", type: "service_down", severity: severity, message: service,
                fields: ["service": service], story: AlertStory(.service, service)))
    }

    func silence() throws {
        let until = SystemClock.now().adding(milliseconds: 3_600_000)
        let silence = try #require(
            AlertSilence(identifier: "s", matchers: ["service": "x"], until: until, by: "ann", comment: "work"))
        #expect(desk.engine.add(silence) == true)
        desk.tick()
    }

    /// What the webhook was told of `x`: the status of each message.
    var told: [String] {
        receiver.requests.compactMap { request in
            let body = request["body"]?.text.flatMap { (try? JSON($0))?.object }
            let alert = body?["alerts"]?.array?.first?.object
            return alert?["labels"]?.object?["service"]?.text == "x" ? body?["status"]?.text : nil
        }
    }

    /// What the port said of `x`, in order.
    var published: [JSONObject] {
        _ = try? subscriber.listen()
        return subscriber.objects(topic: "NODE_ALERT").filter { $0["service"]?.text == "x" }
    }

    func run(until condition: () -> Bool) throws -> Bool {
        try environment.reactor.run(until: condition, milliseconds: 30_000)
    }
}

@Suite(.serialized) struct AlertDeskTests {
    @Test func theEndOfWhatWasToldIsToldInASilenceToo() async throws {
        try await onOwnThread {
            let bench = try AlertDeskBench()
            bench.condition("x")
            #expect(try bench.run { bench.told == ["firing"] })
            try bench.silence()
            bench.desk.resolve("service_down:x", "well")
            #expect(try bench.run { bench.told.count > 1 })
            #expect(bench.told == ["firing", "resolved"])
            // What begins and ends in it is nobody's concern; the port has it all the same.
            bench.condition("x")
            bench.desk.resolve("service_down:x", "well")
            bench.condition("y")
            #expect(try bench.run { bench.receiver.told().last == "y" })
            #expect(bench.told == ["firing", "resolved"])
            #expect(try bench.run { bench.published.count >= 4 })
            #expect(bench.published.map { $0["state"]?.text } == ["firing", "resolved", "firing", "resolved"])
        }
    }

    /// Who listens for critical ones only was not told of a warning; what it became in a silence he was not told either.
    @Test func anEndIsNotToldToWhoHeardOfNoBegin() async throws {
        try await onOwnThread {
            let bench = try AlertDeskBench { $0.outlets[0].minimumSeverity = .critical }
            bench.condition("x")
            try bench.silence()
            bench.condition("x", .critical)
            bench.desk.resolve("service_down:x", "well")
            bench.condition("y", .critical)
            #expect(try bench.run { bench.receiver.told().last == "y" })
            #expect(bench.told.isEmpty)
        }
    }

    @Test func whatIsToldAgainIsToldAgainOnThePortAsWell() async throws {
        try await onOwnThread {
            let bench = try AlertDeskBench { $0.rules.defaults.repeatEvery = 300 }
            bench.condition("x")
            #expect(
                try bench.run {
                    bench.desk.tick()
                    return bench.told.count >= 3 && bench.published.count >= 3
                })
            let rows = bench.published
            #expect(rows.first?["reminder"] == nil)
            #expect(rows.dropFirst().allSatisfy { $0["reminder"]?.bool == true && $0["state"]?.text == "firing" })
            #expect(Set(rows.map { $0["alert_id"]?.text }).count == 1)
        }
    }
}
