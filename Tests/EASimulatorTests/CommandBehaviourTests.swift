import Domain
import Testing

@testable import EASimulator

@Suite("What EAs do with commands")
struct CommandBehaviourTests {
    private let prices = market([("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")])

    private func running(
        _ version: EAVersion = .v205, suffix: String = "", behaviour: SimulatorBehaviour = SimulatorBehaviour()
    ) throws -> Terminal {
        let terminal = try terminal(version, prices, behaviour: behaviour, suffix: suffix)
        terminal.attach()
        _ = terminal.takeOutbox()
        return terminal
    }

    private func answer(_ terminal: Terminal, _ command: String) -> [String] {
        terminal.expert?.receive(Array(command.utf8))
        return written(terminal)
    }

    private func value(_ text: String, _ key: StaticString) -> String {
        CommandText(frame: Array(text.utf8)).value(key).text
    }

    @Test("a fire opens at the ask and echoes the lot")
    func fire() throws {
        let terminal = try running()
        let lines = answer(
            terminal,
            #"{"type":"fire","fire_id":"F1","target_uuid":"COMMANDER_DEV_001","symbol":"EURUSD","direction":"BUY","#
                + #""entry":0,"sl":1.1700,"tp":1.1800,"lot":0.10}"#)
        #expect(lines.count == 1)
        #expect(value(lines[0], "status") == "success")
        #expect(value(lines[0], "price") == "1.17620")
        #expect(value(lines[0], "lot") == "0.10")
        #expect(value(lines[0], "message") == "Trade executed successfully via DEALER")
        let position = try #require(terminal.account.positions.first)
        #expect(value(lines[0], "ticket") == String(position.ticket))
        #expect(position.stopLoss == amount("1.17"))
        #expect(position.comment == "F1")
    }

    @Test("the same fire twice opens two positions")
    func notIdempotent() throws {
        let terminal = try running()
        let command = #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","direction":"BUY","lot":0.01}"#
        #expect(answer(terminal, command).count == 1)
        #expect(answer(terminal, command).count == 1)
        #expect(terminal.account.positions.count == 2)
    }

    @Test("another user's command is ignored; one without an address is taken")
    func address() throws {
        let terminal = try running()
        #expect(answer(terminal, #"{"type":"ping","ping_id":"1","target_uuid":"COMMANDER_DEV_00"}"#).isEmpty)
        #expect(answer(terminal, #"{"type":"ping","ping_id":"1"}"#).count == 1)
        #expect(terminal.context.statistics.commandsIgnored == 1)
    }

    @Test("stops on the wrong side vanish, and a missing lot is traded as 0.01 but confirmed as 0.00")
    func wrongSides() throws {
        let terminal = try running()
        let lines = answer(
            terminal, #"{"type":"fire","symbol":"EURUSD","direction":"SELL","sl":1.1700,"tp":1.1800}"#)
        #expect(value(lines[0], "lot") == "0.00")
        let position = try #require(terminal.account.positions.first)
        #expect(position.direction == .sell)
        #expect(position.stopLoss.isZero && position.takeProfit.isZero)
        #expect(position.lot == amount("0.01"))
        #expect(position.comment == "BITTEN_DEALER")
    }

    @Test(
        "directions",
        arguments: [
            (#""direction":"BUY""#, Direction.buy), (#""direction":"buy""#, .buy), (#""direction":"Buy""#, .sell),
            (#""side":"SELL""#, .sell), (#""entry":0"#, .buy), (#""entry":1.10"#, .sell), (#""entry":1.20"#, .buy),
        ])
    func directions(fields: String, direction: Direction) throws {
        let terminal = try running()
        _ = answer(terminal, #"{"type":"fire","symbol":"EURUSD","lot":0.01,"# + fields + "}")
        #expect(terminal.account.positions.map(\.direction) == [direction])
    }

    @Test("failures say what failed")
    func failures() throws {
        let terminal = try running()
        let unknown = answer(terminal, #"{"type":"fire","fire_id":"F","symbol":"EURXXX","lot":0.5}"#)[0]
        #expect(value(unknown, "message") == "Symbol not available: EURXXX")
        #expect(value(unknown, "ticket") == "0" && value(unknown, "lot") == "0.50")
        let volume = answer(terminal, #"{"type":"fire","symbol":"EURUSD","lot":0.09447600000000202}"#)[0]
        #expect(value(volume, "message") == "Trade execution failed - Error: 4756 Result: 10014")
        #expect(value(volume, "price") == "0.00000")
    }

    @Test("the broker's own names, suffix and all")
    func suffix() throws {
        let terminal = try running(suffix: ".r")
        #expect(value(answer(terminal, #"{"type":"fire","symbol":"EURUSD","lot":0.1}"#)[0], "status") == "failed")
        #expect(value(answer(terminal, #"{"type":"fire","symbol":"EURUSD.r","lot":0.1}"#)[0], "status") == "success")
    }

    @Test("unknown commands are confirmed as failed, without a fire id", arguments: ["WELCOME", "PONG", ""])
    func unknown(type: String) throws {
        let terminal = try running()
        let line = answer(terminal, #"{"type":"\#(type)","fire_id":"F1"}"#)[0]
        #expect(value(line, "command_type") == "unknown" && value(line, "fire_id") == "")
        #expect(value(line, "message") == "Unknown command type: \(type)")
    }

    @Test("closing by ticket, and what is wrong with it")
    func closeTicket() throws {
        let terminal = try running()
        #expect(value(answer(terminal, #"{"type":"close_ticket"}"#)[0], "message") == "Invalid ticket number")
        #expect(value(answer(terminal, #"{"type":"close_ticket","ticket":7}"#)[0], "message") == "Position not found")
        let fired = answer(terminal, #"{"type":"fire","symbol":"EURUSD","direction":"BUY","lot":0.1}"#)[0]
        let ticket = value(fired, "ticket")
        let closed = answer(terminal, #"{"type":"close_ticket","ticket":"\#(ticket)"}"#)[0]
        #expect(value(closed, "message") == "Position closed successfully")
        #expect(value(closed, "ticket") == ticket && value(closed, "close_price") == "0.00000")
        #expect(value(closed, "balance") == "9999.70")
        #expect(terminal.account.positions.isEmpty)
    }

    @Test("closing everything is one message with the sum of lots")
    func closeAll() throws {
        let terminal = try running()
        for _ in 0..<3 { _ = answer(terminal, #"{"type":"fire","symbol":"EURUSD","lot":0.10}"#) }
        let line = answer(terminal, #"{"type":"close_all"}"#)[0]
        #expect(value(line, "message") == "Closed 3 positions, 0 failed, Total volume: 0.30")
        #expect(value(line, "ticket") == "0" && value(line, "lot") == "0.30")
    }

    @Test("a hybrid opens three parts and reports the first")
    func hybrid() throws {
        let terminal = try running()
        let command =
            #"{"type":"fire","fire_id":"H1","symbol":"EURUSD","direction":"BUY","sl":1.17,"lot":0.10,"#
            + #""hybrid":{"enabled":true,"p1":{"trigger":8},"p2":{"trigger":12},"trail":{"distance":20}}}"#
        let line = answer(terminal, command)[0]
        #expect(value(line, "message") == "HYBRID: 3/3 positions opened")
        #expect(value(line, "lot") == "0.10")
        let positions = terminal.account.positions
        #expect(positions.map(\.lot) == [amount("0.03"), amount("0.03"), amount("0.04")])
        #expect(positions.map(\.comment) == ["H1_P1", "H1_P2", "H1_TRAIL"])
        // What the EA takes for a pip is a point here.
        #expect(positions.map(\.takeProfit) == [amount("1.17628"), amount("1.17632"), .zero])
        #expect(value(line, "ticket") == String(positions[0].ticket))
        let spaced = command.replacing(#""hybrid":{"enabled":true"#, with: #""hybrid": {"enabled": true"#)
        #expect(value(answer(terminal, spaced)[0], "message") == "Trade executed successfully via DEALER")
    }

    @Test("stops hit by quotes are silent; reported only when asked for", arguments: [false, true])
    func silentStops(isReported: Bool) throws {
        var behaviour = SimulatorBehaviour()
        behaviour.reportsCloses = isReported
        let terminal = try running(behaviour: behaviour)
        _ = answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"EURUSD","direction":"BUY","sl":1.1750,"lot":1}"#)
        quote(prices, 0, "1.17490", "1.17493", 1_757_954_370)
        terminal.brokerQuoted(symbol: 0)
        #expect(terminal.account.positions.isEmpty)
        let lines = written(terminal)
        #expect(lines.count == (isReported ? 1 : 0))
        if let line = lines.first {
            #expect(value(line, "type") == "position_closed" && value(line, "reason") == "SL_HIT")
            #expect(value(line, "profit") == "-130.00" && value(line, "fire_id") == "F1")
        }
        #expect(terminal.account.balance.money == "9870.00")
    }

    @Test("confirmations can be lost or doubled")
    func unreliable() throws {
        var behaviour = SimulatorBehaviour()
        behaviour.loseConfirmations = 1
        #expect(answer(try running(behaviour: behaviour), #"{"type":"ping"}"#).isEmpty)
        behaviour.loseConfirmations = 0
        behaviour.duplicateConfirmations = 1
        let lines = answer(try running(behaviour: behaviour), #"{"type":"ping"}"#)
        #expect(lines.count == 2 && lines[0] == lines[1])
    }
}
