import Domain
import Fleet
import Foundation
import ServiceKit
import TestKit
import Testing

@testable import HeartbeatMonitor

@Suite struct AlertsFileTests {
    private func read(_ yaml: String, _ environment: [String: String] = [:]) throws -> AlertsConfiguration {
        let values = try ConfigurationFile.mapping(yaml: yaml, path: "/etc/alerts.yaml")
        return try AlertsFile(path: "/etc/alerts.yaml", environment: environment).read(values)
    }

    private func complaint(_ yaml: String, _ environment: [String: String] = [:]) throws -> String {
        do {
            _ = try read(yaml, environment)
        } catch let error as ConfigurationError {
            return error.description
        }
        return "no complaint"
    }

    @Test func theFileThatIsShippedIsGoodAndNamesEveryType() throws {
        let path = "\(Project.root)/deploy/config/alerts.yaml"
        let values = try ConfigurationFile.mapping(path: path)
        let alerts = try AlertsFile(path: path, environment: [:]).read(values)
        let unnamed: Set<String> = ["dead_mans_switch", "test"]
        #expect(Set(alerts.rules.rules.keys) == Set(AlertType.known.keys).subtracting(unnamed))
        #expect(alerts.rules.rule("service_down").failuresBeforeCritical == 3)
        #expect(alerts.rules.rule("service_down").successBeforePassing == 2)
        #expect(alerts.rules.rule("node_timeout").failuresBeforeCritical == 1)
        #expect(alerts.outlets.isEmpty)
    }

    @Test func durationsAndDefaultsAreTakenOver() throws {
        let alerts = try read(
            """
            defaults: { repeat: 90m, cool_down: 250ms }
            causes: { minimum: 7, wait: 2s }
            rules:
              - { alert: brake, for: 1d, enabled: false, action: "Call Ann." }
            calendars:
              - { server: "Coin*", calendar: always }
            """)
        #expect(alerts.rules.rule("node_timeout").repeatEvery == 5_400_000)
        #expect(alerts.rules.rule("brake").coolDown == 250)
        #expect(alerts.rules.rule("brake").hold == 86_400_000)
        #expect(!alerts.rules.rule("brake").isEnabled)
        #expect(alerts.rules.action("brake") == "Call Ann.")
        #expect(alerts.rules.causes.minimum == 7 && alerts.rules.causes.calm == 2_000)
        #expect(alerts.calendar("CoinBase-1") == .always && alerts.calendar("Demo") == .forex)
    }

    @Test(arguments: [
        ("rulez: []", "'rulez' is unknown; there are calendars"),
        ("rules: [{ alert: nod_timeout }]", "rules[1] (nod_timeout): 'alert' must be one of brake"),
        ("rules: [{ alert: brake, for: 5 minutes }]", "'for' is a duration like 10s, 5m, 4h or 1d, not '5 minutes'"),
        ("rules: [{ alert: brake, severity: bad }]", "'severity' is info, warning or critical, not 'bad'"),
        ("rules: [{ alert: brake, send: [pager] }]", "'send' names the outlet 'pager'; there are none"),
        ("rules: [{ alert: brake }, { alert: brake }]", "'brake' has two rules"),
        ("defaults: { failures_before_critical: 0 }", "'failures_before_critical' is a whole number from 1 to 1000"),
        ("rules: [{ alert: brake, enabled: 3 }]", "'enabled' is true or false"),
        ("rules: 7", "'rules' must be a list"),
        ("outlets: { webhook: {} }", "outlets.webhook: a webhook needs 'url', 'url_file' or 'url_env'"),
        ("outlets: { webhook: { url: 'ftp://x' } }", "must begin with https:// or http://"),
        ("outlets: { telegram: { chat_id: 1 } }", "Telegram needs 'token_file' or 'token_env'"),
        ("outlets: { telegram: { chat_id: 1, token_env: ABSENT } }", "the environment has no ABSENT (token_env)"),
        ("outlets: { telegram: { chat_id: 1, token_file: /no/such } }", "/no/such can't be read"),
        ("outlets: { pager: { kind: sms } }", "'kind' is webhook or telegram, not 'sms'"),
        ("dead_mans_switch: { every: 1m, outlet: webhook }", "'outlet' must name one of the outlets"),
        ("causes: { wait: 1m, longest_wait: 1s }", "'longest_wait' can't be shorter than 'wait'"),
    ])
    func whatIsWrongIsNamedWithItsPlace(yaml: String, words: String) throws {
        let complaint = try complaint(yaml)
        #expect(complaint.hasPrefix("/etc/alerts.yaml: "))
        #expect(complaint.contains(words))
    }

    @Test func secretsComeFromFilesThatOnlyTheirOwnerReadsAndShowNowhere() throws {
        let directory = try TemporaryDirectory("alerts")
        let path = directory.path + "/token"
        try "123:ABC\n".write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o644)
        let yaml = "outlets: { telegram: { chat_id: 5, token_file: \(path) } }"
        #expect(try complaint(yaml).contains("others may read"))
        chmod(path, 0o600)
        let outlet = try #require(try read(yaml).outlets.first)
        guard case .telegram(_, let token, let chat) = outlet.kind else { throw ConfigurationError("", "no Telegram") }
        #expect(token.revealed == "123:ABC" && chat == "5")
        var shown = ""
        dump(outlet, to: &shown)
        #expect(!"\(outlet) \(String(reflecting: outlet)) \(outlet.title) \(shown)".contains("123:ABC"))
    }
}
