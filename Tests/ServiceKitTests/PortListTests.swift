import Domain
import ServiceKit
import TestKit
import Testing

@Suite("ports.yaml") struct PortListTests {
    private static let path = "ports.yaml"

    private func good() throws -> String { try ConfigurationFile.text(path: Project.root + "/ports.yaml") }

    private func line(_ name: String, in text: String) throws -> String {
        try #require(text.split(separator: "\n").map(String.init).first { $0.contains("name: \(name),") })
    }

    /// The message for a list in which one line was changed.
    private func complaint(about name: String, _ change: (String) -> String) throws -> String {
        let text = try good()
        let old = try line(name, in: text)
        let error = #expect(throws: ConfigurationError.self) {
            _ = try PortList(yaml: text.replacing(old, with: change(old)), path: Self.path)
        }
        return try #require(error).description
    }

    @Test func theProjectsListIsGoodAndComplete() throws {
        let list = try PortList(yaml: try good(), path: Self.path)
        #expect(list.entries.count == PortList.Name.allCases.count)
        #expect(Set(list.entries.map(\.port)).count == list.entries.count)
        for name in PortList.Name.allCases { #expect(list[name].name == name) }
        for service in ServiceName.startOrder { #expect(!list.ports(of: service).isEmpty) }
        #expect(list.entries.filter(\.isOpen).allSatisfy { $0.name.rawValue.hasPrefix("ea-") })
    }

    @Test func aPortGivenTwiceNamesBothHolders() throws {
        let list = try PortList(yaml: try good(), path: Self.path)
        let orders = list[.orders].port
        let text = try complaint(about: "registry") { $0.replacing("\(list[.registry].port)", with: "\(orders)") }
        #expect(text == "ports.yaml: port \(orders) is given to both 'registry' and 'orders'")
    }

    @Test func theWrongOwnerIsToldTheRightOne() throws {
        let text = try complaint(about: "orders") { $0.replacing("position-tracker", with: "node-registry") }
        #expect(text.contains("'orders' is bound by position-tracker, not by node-registry"))
    }

    @Test func anUnknownServiceIsNamed() throws {
        let text = try complaint(about: "orders") { $0.replacing("position-tracker", with: "tracker") }
        #expect(text.contains("unknown service 'tracker'"))
    }

    @Test func anUnknownSocketIsNamed() throws {
        let text = try complaint(about: "ea-commands") { $0.replacing("ROUTER", with: "DEALER") }
        #expect(text.contains("unknown socket type 'DEALER'"))
    }

    @Test func aSocketThatMakesNoSenseThereIsToldWhatDoes() throws {
        let text = try complaint(about: "ea-telemetry") { $0.replacing("PULL", with: "REP") }
        #expect(text.contains("'ea-telemetry' can be PULL, SUB, not REP"))
    }

    @Test func aMissingNameIsNamed() throws {
        #expect(try complaint(about: "node-alerts") { _ in "" } == "ports.yaml: 'node-alerts' is missing")
    }

    @Test func aNameThatStandsTwiceIsNamed() throws {
        let list = try PortList(yaml: try good(), path: Self.path)
        let text = try complaint(about: "signals") {
            $0 + "\n" + $0.replacing("\(list[.signals].port)", with: "\(list[.signals].port + 20_000)")
        }
        #expect(text == "ports.yaml: 'signals' stands there twice")
    }

    @Test func anUnknownNameIsToldTheKnownOnes() throws {
        let text = try complaint(about: "signals") { $0.replacing("name: signals", with: "name: signal") }
        #expect(text.contains("unknown name 'signal'; the names are ea-commands"))
    }

    @Test(arguments: ["0", "65536", "-1", "abc", "55.5"])
    func aPortOutsideTheRangeIsRefused(port: String) throws {
        let number = try PortList(yaml: try good(), path: Self.path)[.health].port
        let text = try complaint(about: "health") { $0.replacing("\(number)", with: port) }
        #expect(text.contains("'port' must be a number from 1 to 65535"))
    }

    @Test func aMisspeltFieldIsNamed() throws {
        let text = try complaint(about: "health") { $0.replacing("socket:", with: "sokcet:") }
        #expect(text.contains("unknown field 'sokcet'"))
    }

    @Test(arguments: [
        ("", "it needs a list named 'ports'"), ("ports: 5", "it needs a list named 'ports'"),
        ("ports: [ 7 ]", "entry 1 is not a mapping"), ("- a\n- b", "it must be a mapping"),
        ("ports: [", "it is not YAML"),
    ])
    func whatIsNoListIsSaidInOneLine(yaml: String, why: String) throws {
        let error = #expect(throws: ConfigurationError.self) { _ = try PortList(yaml: yaml, path: Self.path) }
        let text = try #require(error).description
        #expect(text.hasPrefix("ports.yaml: ") && text.contains(why) && !text.contains("\n"), "\(text)")
    }

    @Test func theOneWordThatServesOtherEAsIsAccepted() throws {
        let text = try good()
        let other = text.replacing("socket: ROUTER,", with: "socket: PUB,").replacing(
            "socket: PULL,  ", with: "socket: SUB,  ")
        let list = try PortList(yaml: other, path: Self.path)
        #expect(list[.eaCommands].socket == .pub)
        #expect(list[.eaTelemetry].socket == .sub)
        #expect(list[.eaConfirmations].socket == .sub)
    }
}
