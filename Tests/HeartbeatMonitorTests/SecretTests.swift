import Domain
import Fleet
import Foundation
import Logging
import ServiceKit
import Synchronization
import TestKit
import Testing
import Wire

@testable import HeartbeatMonitor

/// Keeps everything that is logged.
private final class LogKeeper: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
}

private struct KeepingHandler: LogHandler {
    let keeper: LogKeeper
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        keeper.add("\(event.message) \(event.metadata?.description ?? "")")
    }
}

@Suite(.serialized) struct SecretTests {
    private static let token = "T0kEn-9:AbCdEfGhIjKlMnOpQrStUvWxYz"
    private static let path = "B00KEYPART/XyZzYsEcReTpAtH"

    @Test func everyPartOfASecretIsTakenOutBeforeATextIsCut() {
        let url = "https://joe:pa55@hooks.example.com/services/\(SecretTests.path)?key=qUeRySeCrEt#frag"
        let scrubber = Scrubber(secrets: [SecretTests.token], urls: [url])
        let texts = [
            url, "connect to \(url): refused", "/services/\(SecretTests.path) not found", "XyZzYsEcReTpAtH",
            "bad key qUeRySeCrEt", SecretTests.token, "bot\(SecretTests.token)/sendMessage",
            SecretTests.token.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "",
        ]
        for text in texts {
            for before in [0, 40, 100, 140] {
                let scrubbed = scrubber.scrub(String(repeating: "x", count: before) + text, longest: 150)
                for secret in ["T0kEn", "AbCdEf", "XyZzY", "B00KEY", "qUeRy", "pa55"] {
                    #expect(!scrubbed.contains(secret), "\(scrubbed)")
                }
                #expect(scrubbed.count <= 150 && !scrubbed.contains("\n"))
            }
        }
        #expect(scrubber.scrub("hooks.example.com does not answer") == "hooks.example.com does not answer")
        #expect(Scrubber(secrets: [""]).scrub("two\nlines") == "two lines")
    }

    @Test func theOtherSidesWordsAreScrubbedToo() {
        let scrubber = Scrubber(secrets: [SecretTests.token])
        let body = Array("{\"description\":\"Unauthorized: \(SecretTests.token) is revoked\"}".utf8)
        let result = HTTPSender.judge(401, retryAfter: nil, body: body, took: 1, scrubber)
        #expect(result.words == "refused with 401: Unauthorized: •••• is revoked")
        let url = "https://hooks.example.com/\(SecretTests.path)"
        let strict = Scrubber(secrets: [SecretTests.token], urls: [url])
        func words(_ location: String) -> String {
            HTTPSender.judge(302, retryAfter: nil, location: location, body: [], took: 1, strict).words
        }
        let end = "; redirects are not followed"
        #expect(
            words("https://joe:pa55@login.example.com/in?next=\(url)")
                == "refused with 302: it redirects to https://login.example.com/in" + end)
        let moved = words("\(url)/v2/\(SecretTests.token)#key")
        #expect(moved.hasPrefix("refused with 302: it redirects to ") && moved.hasSuffix(end))
        for secret in ["XyZzY", "B00KEY", "AbCdEf", "#key"] { #expect(!moved.contains(secret)) }
    }

    /// Whatever goes wrong with an outlet, neither the log nor the report nor the spool shows its secrets.
    @Test func aFailingOutletTellsNobodyItsSecrets() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            try receiver.start()
            let directory = try TemporaryDirectory("alerts")
            let nobody = try FreePorts.next()
            let addresses = [
                "http://127.0.0.1:\(nobody)/\(SecretTests.path)?key=qUeRySeCrEt",
                "http://no-such-host.invalid/\(SecretTests.path)",
                "https://127.0.0.1:\(receiver.port)/\(SecretTests.path)",
                "http://127.0.0.1:\(receiver.port)/\(SecretTests.path)",
            ]
            try receiver.answer(403)
            var configuration = AlertsConfiguration()
            for (index, address) in addresses.enumerated() {
                configuration.outlets.append(
                    OutletConfiguration(
                        name: "webhook-\(index)",
                        kind: .webhook(
                            url: Secret(revealed: address), authorization: Secret(revealed: SecretTests.token)),
                        timeout: 1_000))
            }
            for api in ["http://127.0.0.1:\(nobody)", "https://127.0.0.1:\(receiver.port)"] {
                configuration.outlets.append(
                    OutletConfiguration(
                        name: "telegram-\(configuration.outlets.count)",
                        kind: .telegram(api: api, token: Secret(revealed: SecretTests.token), chat: "7"),
                        timeout: 1_000))
            }
            let keeper = LogKeeper()
            let bench = DeskBench(
                configuration, spool: directory.path + "/spool",
                log: Logger(label: "test") { _ in KeepingHandler(keeper: keeper) })
            bench.tell("A")
            let told = try bench.run(30) {
                bench.desk.refreshReport()
                return configuration.outlets.allSatisfy { bench.report.problems["outlet_\($0.name)"] != nil }
            }
            #expect(told)
            let spool = try String(contentsOfFile: directory.path + "/spool", encoding: .utf8)
            let everything = [keeper.text, spool] + bench.report.problems.map(\.value)
            #expect(keeper.text.contains("an alert is not delivered"))
            for text in everything {
                for secret in [SecretTests.token, "AbCdEf", "XyZzY", "B00KEY", "qUeRy"] {
                    #expect(!text.contains(secret), "\(text)")
                }
            }
            bench.desk.drain(bench.reactor)
        }
    }

    @Test func aFileThatIsNotYAMLIsComplainedOfWithoutItsLines() throws {
        let directory = try TemporaryDirectory("alerts")
        let file = directory.path + "/alerts.yaml"
        try "outlets:\n  webhook: { url: \"https://h.example/\(SecretTests.path)\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        var configuration = try MeshConfiguration.load(MeshConfiguration.Overrides())
        configuration.alertsFile = file
        do {
            _ = try AlertsFile.load(configuration)
            Issue.record("it was taken")
        } catch {
            #expect(error.path == file && error.message.hasPrefix("it is not YAML: look at line"))
            #expect(!"\(error)".contains("XyZzY"))
        }
    }
}
