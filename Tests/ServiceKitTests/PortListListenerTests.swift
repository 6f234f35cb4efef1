import Domain
import ServiceKit
import TestKit
import Testing

@Suite("Further listeners of ports.yaml") struct PortListListenerTests {
    private func list(_ rows: String...) throws(ConfigurationError) -> PortList {
        let text = try ConfigurationFile.text(path: Project.root + "/ports.yaml")
        return try PortList(yaml: text + rows.map { "  - { \($0) }\n" }.joined(), path: "ports.yaml")
    }

    private func complaint(_ rows: String...) throws -> String {
        let error = #expect(throws: ConfigurationError.self) {
            let text = try ConfigurationFile.text(path: Project.root + "/ports.yaml")
            _ = try PortList(yaml: text + rows.map { "  - { \($0) }\n" }.joined(), path: "ports.yaml")
        }
        return try #require(error).description
    }

    private let push =
        "port: 12001, name: ea-commands-pull, serves: ea-commands, service: position-tracker, socket: PUSH"

    @Test func aListenerServesBesideThePortItself() throws {
        let ports = try list(
            push + ", open: true, keep_alive_s: 30",
            "port: 12002, name: ea-telemetry-sub, serves: ea-telemetry, service: handshake-processor, socket: SUB")
        #expect(ports.listeners(serving: .eaCommands).map(\.label) == ["ea-commands", "ea-commands-pull"])
        #expect(ports.listeners(serving: .eaCommands).map(\.socket) == [.router, .push])
        #expect(ports.additional.map(\.keepAliveSeconds) == [30, 0])
        #expect(ports.ports(of: .handshakeProcessor).map(\.port).contains(12002))
        #expect(ports.entries.count == PortList.Name.allCases.count)
        #expect(ports.commandListeners == CommandListeners(hasPush: true))
    }

    @Test func aUserMayHaveAPushOfHisOwn() throws {
        let ports = try list(
            push, push.replacing("12001", with: "12003").replacing("-pull", with: "-bob") + ", user: bob_uuid_x")
        #expect(ports.commandListeners == CommandListeners(hasPush: true, ownPush: ["bob_uuid_x"]))
    }

    @Test func mistakesAreNamed() throws {
        #expect(try complaint(push.replacing("serves: ea-commands, ", with: "")).contains("says which one it serves"))
        #expect(try complaint(push.replacing("serves: ea-commands", with: "serves: orders")).contains("'serves' is"))
        #expect(try complaint(push.replacing("ea-commands-pull", with: "EA Pull")).contains("a name of its own"))
        #expect(
            try complaint(push.replacing("PUSH", with: "PULL")).contains("'ea-commands-pull' can be ROUTER, PUB, PUSH"))
        #expect(try complaint(push.replacing("PUSH", with: "ROUTER")).contains("both serve ea-commands as ROUTER"))
        #expect(try complaint(push.replacing("position-tracker", with: "node-registry")).contains("is bound by"))
        #expect(try complaint(push, push.replacing("12001", with: "12004")).contains("stands there twice"))
        let second = push.replacing("12001", with: "12004").replacing("-pull", with: "-two")
        #expect(try complaint(push, second).contains("both serve ea-commands as PUSH"))
        let sub = "port: 12002, name: sub, serves: ea-telemetry, service: handshake-processor, socket: SUB, user: x"
        #expect(try complaint(sub).contains("only a PUSH listener"))
        #expect(try complaint(push + ", keep_alive_s: 900").contains("1 to 120"))
    }
}

@Suite("Peers turned away") struct RefusedPeersTests {
    private let now = Timestamp(seconds: 1_700_000_000)

    @Test func whoeverLeavesAfterAFailureWithoutAWordWasTurnedAway() {
        var peers = RefusedPeers()
        peers.accepted(7, address: "10.0.0.1")
        peers.accepted(8, address: "10.0.0.2")
        peers.heard(8)
        peers.handshakeFailed()
        #expect(peers.ended(8, at: now) == nil)
        #expect(peers.ended(7, at: now) == "10.0.0.1")
        // Leaving without a failure is just leaving.
        peers.accepted(7, address: "10.0.0.1")
        #expect(peers.ended(7, at: now) == nil)
        #expect(peers.addresses.keys.sorted() == ["10.0.0.1"])
        #expect(peers.addresses["10.0.0.1"]?.count == 1)
        #expect(peers.addresses["10.0.0.1"]?.lastAt == now)
    }

    @Test func aScanOfThousandsCostsNoMemory() {
        var peers = RefusedPeers()
        for number in 0..<5_000 {
            peers.accepted(7, address: "address-\(number)")
            peers.handshakeFailed()
            _ = peers.ended(7, at: now.adding(milliseconds: Int64(number)))
        }
        #expect(peers.addresses.count == 1_000)
        #expect(peers.addresses["address-4999"] != nil)
    }
}
