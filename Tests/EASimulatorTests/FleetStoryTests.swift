import Domain
import TestKit
import Testing
import ZeroMQ

@testable import EASimulator

@Suite("A fleet on real sockets")
struct FleetStoryTests {
    private func options(_ change: (inout FleetOptions) -> Void = { _ in }) -> FleetOptions {
        var options = FleetOptions()
        options.symbols = ["EURUSD", "XAUUSD"]
        options.seed = 11
        // Prices ten times as fast, so that the chart ticks often.
        options.speed = 10
        change(&options)
        return options
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private func value(_ text: String, _ key: StaticString) -> String {
        CommandText(frame: Array(text.utf8)).value(key).text
    }

    @Test("HELLO, handshake, ticks, fire, confirmation, close, DISCONNECT")
    func story() throws {
        let context = try ZMQContext()
        let mesh = try MeshPorts(context)
        let fleet = try SimulatedFleet(options(), endpoints: mesh.endpoints, events: EventLog(path: nil))
        var identity: [UInt8] = []
        var commands: [String] = []
        var telemetry: [String] = []
        var confirmations: [String] = []
        func collect() throws {
            while let frames = try mesh.commands.receiveFrames(mesh.scratch) {
                identity = frames[0]
                commands.append(text(frames[1]))
            }
            while try mesh.telemetry.receive(mesh.scratch) { telemetry.append(text(mesh.scratch.copyBytes())) }
            while try mesh.confirmations.receive(mesh.scratch) { confirmations.append(text(mesh.scratch.copyBytes())) }
        }
        func command(_ json: String) throws {
            #expect(try mesh.commands.send(identity, more: true) == .sent)
            #expect(try mesh.commands.send(json) == .sent)
        }
        let isUp = try drive(fleet) {
            try collect()
            return commands.contains { value($0, "type") == "HEARTBEAT" }
                && telemetry.contains { value($0, "type") == "heartbeat" }
        }
        #expect(isUp)
        // The identity lacks the user's last character; the message does not.
        #expect(text(identity) == "demo_user_00001")
        #expect(value(commands[0], "type") == "HELLO" && value(commands[0], "target_uuid") == "demo_user_00001x")
        #expect(value(telemetry[0], "type") == "handshake")
        #expect(telemetry.contains { value($0, "symbol") == "EURUSD" && value($0, "type") == "TICK" })

        try command(
            #"{"type":"fire","fire_id":"F1","target_uuid":"demo_user_00001x","symbol":"EURUSD","direction":"BUY","#
                + #""entry":0,"sl":1.0,"tp":2.0,"lot":0.10}"#)
        #expect(
            try drive(fleet) {
                try collect(); return !confirmations.isEmpty
            })
        let confirmation = try #require(confirmations.first)
        #expect(value(confirmation, "fire_id") == "F1" && value(confirmation, "status") == "success")

        confirmations = []
        try command(#"{"type":"close_ticket","ticket":\#(value(confirmation, "ticket"))}"#)
        #expect(
            try drive(fleet) {
                try collect(); return !confirmations.isEmpty
            })
        #expect(value(confirmations[0], "message") == "Position closed successfully")
        #expect(fleet.context.statistics.positionsClosed == 1)

        try fleet.stop()
        let deadline = ContinuousClock.now + .seconds(10)
        var items = [PollItem(socket: mesh.telemetry)]
        while value(telemetry.last ?? "", "type") != "DISCONNECT", ContinuousClock.now < deadline {
            _ = try poll(&items, timeout: 100)
            try collect()
        }
        #expect(value(telemetry.last ?? "", "type") == "DISCONNECT")
    }

    @Test("commands are read one per tick of the chart's symbol, none in a closed market")
    func oneCommandPerTick() throws {
        let context = try ZMQContext()
        let mesh = try MeshPorts(context)
        let weekend = options {
            $0.scenario = .weekend
            $0.scenarioPeriod = 1
        }
        let fleet = try SimulatedFleet(weekend, endpoints: mesh.endpoints, events: EventLog(path: nil))
        var identity: [UInt8] = []
        #expect(
            try drive(fleet) {
                if let frames = try mesh.commands.receiveFrames(mesh.scratch) { identity = frames[0] }
                return !identity.isEmpty
            })
        #expect(try mesh.commands.send(identity, more: true) == .sent)
        #expect(try mesh.commands.send(#"{"type":"ping","ping_id":"1"}"#) == .sent)
        // The market closed at once: two seconds pass and the command lies unread.
        let isAnswered = try drive(fleet, seconds: 2) { fleet.context.statistics.commandsReceived > 0 }
        #expect(!isAnswered)
        #expect(fleet.terminals[0].state == .running)
    }

    @Test("a restart is a new node, a reconnection is not, an account switch is a new account")
    func lives() throws {
        let context = try ZMQContext()
        let mesh = try MeshPorts(context)
        for scenario in [ScenarioName.restart, .storm, .switchAccount] {
            let choice = options {
                $0.scenario = scenario
                $0.scenarioPeriod = 300
            }
            let fleet = try SimulatedFleet(choice, endpoints: mesh.endpoints, events: EventLog(path: nil))
            var nodes: Set<String> = []
            var accounts: Set<String> = []
            var hellos = 0
            let isDone = try drive(fleet) {
                while try mesh.telemetry.receive(mesh.scratch) {
                    let line = text(mesh.scratch.copyBytes())
                    guard value(line, "type") == "handshake" else { continue }
                    nodes.insert(value(line, "node_id"))
                    accounts.insert(value(line, "account"))
                }
                while let frames = try mesh.commands.receiveFrames(mesh.scratch) {
                    if value(text(frames[1]), "type") == "HELLO" { hellos += 1 }
                }
                return fleet.context.statistics.connections >= 3 && (scenario == .storm || nodes.count >= 3)
            }
            #expect(isDone, "\(scenario)")
            if scenario == .storm { #expect(nodes.count <= 1 && hellos <= 1) }
            if scenario == .switchAccount { #expect(accounts.count >= 3) }
            try fleet.stop()
        }
    }

    @Test("without a server an EA queues a thousand messages, then stands still; all arrive later, in order")
    func backlog() throws {
        let context = try ZMQContext()
        // Not the port of a socket that was closed: zmq_close lets go of it later, and messages that were sent to what is
        // still listening there are lost. Source: zmq_close(3).
        let endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        let blocked = options {
            $0.behaviour.backlog = 1500
            $0.symbols = ["EURUSD"]
        }
        let endpoints = Endpoints(
            commands: endpoint, telemetry: endpoint, confirmations: endpoint, receipts: endpoint, orders: endpoint)
        let fleet = try SimulatedFleet(blocked, endpoints: endpoints, events: EventLog(path: nil))
        #expect(try drive(fleet) { fleet.terminals[0].isBlocked })
        let ticks = fleet.context.statistics.ticksSent
        _ = try drive(fleet, seconds: 1.5) { false }
        // Blocked means blocked: no timer, no heartbeat, no tick.
        #expect(fleet.context.statistics.ticksSent == ticks && fleet.context.statistics.heartbeatsSent == 0)

        let server = try ZMQSocket(context, .pull)
        let message = ZMQMessage()
        try server.bind(endpoint)
        var times: [String] = []
        let hasAll = try drive(fleet) {
            while try server.receive(message) { times.append(value(text(message.copyBytes()), "timestamp")) }
            return times.count >= 1501 && !fleet.terminals[0].isBlocked
        }
        #expect(hasAll)
        #expect(times.prefix(1501).elementsEqual(times.prefix(1501).sorted()))
        #expect(fleet.context.statistics.timesBlocked >= 1)
    }

    @Test("receipts: numbered, repeated until answered")
    func receipts() throws {
        let context = try ZMQContext()
        let mesh = try MeshPorts(context)
        let choice = options { $0.behaviour.usesReceipts = true }
        let fleet = try SimulatedFleet(choice, endpoints: mesh.endpoints, events: EventLog(path: nil))
        var identity: [UInt8] = []
        var received: [String] = []
        var hasFired = false
        var answers = 0
        let isDone = try drive(fleet) {
            if let frames = try mesh.commands.receiveFrames(mesh.scratch) { identity = frames[0] }
            if !hasFired, !identity.isEmpty {
                hasFired = true
                for number in 1...2 {
                    _ = try mesh.commands.send(identity, more: true)
                    _ = try mesh.commands.send(#"{"type":"ping","ping_id":"\#(number)"}"#)
                }
            }
            while let frames = try mesh.receipts.receiveFrames(mesh.scratch) {
                let line = text(frames[1])
                received.append(line)
                let isResume = value(line, "type") == "resume"
                // The first confirmation's first answer is withheld: it has to come again.
                if !isResume && received.filter({ $0.contains(#""seq":1}"#) }).count < 2 { continue }
                let sequence = isResume ? 0 : CommandText(frame: Array(line.utf8)).integer("seq")
                let reply =
                    isResume
                    ? #"{"ok":true,"next_seq":1}"# : #"{"ok":true,"seq":\#(sequence),"duplicate":false}"#
                _ = try mesh.receipts.send(frames[0], more: true)
                _ = try mesh.receipts.send(reply)
                answers += isResume ? 0 : 1
            }
            return fleet.context.statistics.receipts == 2
        }
        #expect(isDone)
        #expect(received.map { value($0, "seq") } == ["", "1", "1", "2"])
        #expect(received[1] == received[2] && received[1].contains(#""type":"pong""#))
        #expect(answers == 2)
        #expect(try !mesh.confirmations.receive(mesh.scratch))
    }

    @Test("7.01 has bars from the start, streams its chart and takes a signal from a PUSH server")
    func executor() throws {
        let context = try ZMQContext()
        let commands = try ZMQSocket(context, .push)
        let telemetry = try ZMQSocket(context, .pull)
        let message = ZMQMessage()
        let endpoints = Endpoints(
            commands: try bindFree(commands), telemetry: try bindFree(telemetry), confirmations: "", receipts: "",
            orders: "")
        let choice = options { $0.version = .v701 }
        let fleet = try SimulatedFleet(choice, endpoints: endpoints, events: EventLog(path: nil))
        var lines: [String] = []
        var hasAsked = false
        let isDone = try drive(fleet) {
            while try telemetry.receive(message) { lines.append(text(message.copyBytes())) }
            if !hasAsked, lines.contains(where: { value($0, "type") == "candle_batch" }) {
                let signal = #"{"type":"signal","symbol":"EURUSD","action":"sell","lot":0.05,"signal_id":"S1"}"#
                hasAsked = try commands.send(signal) == .sent
            }
            return lines.contains { value($0, "signal_id") == "S1" }
        }
        #expect(isDone)
        #expect(value(lines[0], "status") == "startup")
        let batch = try #require(lines.first { value($0, "type") == "candle_batch" })
        #expect(batch.matches(of: #/"time":/#).count == 15)
        #expect(fleet.terminals[0].account.positions.map(\.direction) == [.sell])
    }
}
