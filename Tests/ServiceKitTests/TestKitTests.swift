import Domain
import Glibc
import Redis
import ServiceKit
import TestKit
import Testing
import ZeroMQ

/// The doubles are measured too: a wrong terminal would prove nothing.
@Suite("The test kit itself", .enabled(if: RedisServer.isInstalled)) struct TestKitTests {
    private let time = "2025.09.15 19:39:23"

    private func goldenProfile() -> TerminalProfile {
        var profile = TerminalProfile(userUUID: "COMMANDER_DEV_001", account: 843_859, tickCount: 109_092_125)
        profile.server = "Coinexx-Demo"
        profile.company = "Coinexx Limited"
        profile.balance = "9405.62"
        profile.equity = "9535.23"
        profile.freeMargin = "6012.52"
        profile.marginLevel = "270.68"
        profile.margin = "3522.71"
        return profile
    }

    /// Lines of a real EA 2.05 (ea-golden.jsonl).
    @Test func theTerminalSpeaksByteForByte() throws {
        let terminal = try TerminalDouble(try ZMQContext(), try TestMesh(), goldenProfile())
        #expect(
            terminal.handshakeText(time: time)
                == #"{"type":"handshake","deployment_mode":"universal_dealer","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo","chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,"version":"2.05","socket_type":"DEALER","timestamp":"2025.09.15 19:39:23"}"#
        )
        #expect(
            terminal.tickText("EURUSD", bid: "1.17617", ask: "1.17620", time: time)
                == #"{"type":"TICK","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","symbol":"EURUSD","bid":1.17617,"ask":1.17620,"spread":3.0,"volume":0,"timestamp":"2025.09.15 19:39:23"}"#
        )
        #expect(
            terminal.confirmationText(
                command: "fire", fireID: "ELITE_RAPID_EURUSD_1757954363", status: "success", ticket: 21_604_324,
                price: "1.17620", lot: "0.10", message: "Trade executed successfully via DEALER", time: time)
                == #"{"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","status":"success","ticket":21604324,"price":1.17620,"lot":0.10,"message":"Trade executed successfully via DEALER","account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"free_margin":6012.52,"margin_level":270.68,"timestamp":"2025.09.15 19:39:23"}"#
        )
        #expect(terminal.pongText("p-1", time: time).utf8.count == 131)
    }

    /// Lengths of the golden lines that carry 15 symbols and 4523 ticks; ours differ by those figures only.
    @Test func theOtherLinesHaveTheGoldenLength() throws {
        var profile = goldenProfile()
        profile.symbols = (1...15).map { "SYMBOL\($0)" }
        let terminal = try TerminalDouble(try ZMQContext(), try TestMesh(), profile)
        let digits = "4523".count - "0".count
        #expect(terminal.helloText(time: time).utf8.count == 379)
        #expect(terminal.commandHeartbeatText(time: time).utf8.count + digits == 273)
        #expect(terminal.heartbeatText(time: time).utf8.count + digits == 317)
        #expect(terminal.disconnectText(time: time).utf8.count + digits == 227)
        let closed = terminal.closeConfirmationText(
            command: "close_ticket", status: "success", ticket: 21_604_324, lot: "0.10",
            message: "Position closed successfully", time: time)
        #expect(closed.utf8.count + "0.00".count - "270.68".count == 381)
    }

    @Test func portsAreDistinctFreeAndLow() throws {
        let ports = try FreePorts.next(50)
        #expect(Set(ports).count == 50)
        for port in ports { #expect(port < 32_768 && FreePorts.isFree(port)) }
        let context = try ZMQContext()
        let socket = try ZMQSocket(context, .pull, SocketOptions())
        try socket.bind("tcp://127.0.0.1:\(ports[0])")
        #expect(!FreePorts.isFree(ports[0]))
    }

    @Test func aConditionThatFailsTellsWhatWasSeenLast() throws {
        var looks = 0
        let error = #expect(throws: ConditionNotMet.self) {
            try eventually("it is five", within: 0.05) {
                looks += 1
                return "four"
            } until: {
                $0 == "five"
            }
        }
        #expect(looks > 1)
        #expect(error?.description.contains("it is five; last seen: four") == true)
    }

    @Test func aChildEndsWithItsOwnerAndSaysHow() throws {
        let directory = try TemporaryDirectory("child")
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo out; echo err >&2; exit 3"], environment: [:], log: directory.path + "/child")
        #expect(try child.wait(within: 5) == .exited(3))
        #expect(child.output == "out\n" && child.errors == "err\n")
        var pid: Int32 = 0
        do {
            let sleeper = try ChildProcess("/bin/sleep", ["600"], environment: [:], log: directory.path + "/sleeper")
            pid = sleeper.pid
            #expect(sleeper.isRunning)
        }
        #expect(kill(pid, 0) == -1)
    }

    @Test func theMeshHasPortsAndStateOfItsOwn() throws {
        let mesh = try TestMesh(settings: ["listen": "127.0.0.1"])
        let project = try PortList.load(path: Project.root + "/ports.yaml")
        #expect(mesh.ports.entries.count == project.entries.count)
        #expect(Set(mesh.ports.entries.map(\.port)).isDisjoint(with: project.entries.map(\.port)))
        var overrides = MeshConfiguration.Overrides()
        overrides.config = mesh.configurationFile
        let configuration = try MeshConfiguration.load(overrides, environment: ["MESH_ROOT": Project.root])
        #expect(configuration.varDirectory == mesh.directory.path + "/var")
        #expect(configuration.redis.port == mesh.redis.port)
        #expect(try mesh.redis.call("CONFIG", "GET", "appendfsync").texts.last == "always")
    }
}
