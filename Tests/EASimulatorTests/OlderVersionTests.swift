import Domain
import Testing

@testable import EASimulator

@Suite("Older EAs")
struct OlderVersionTests {
    private let prices = market([("EURUSD", "1.17617", "1.17620"), ("USDJPY", "147.360", "147.366")])

    private func running(_ version: EAVersion) throws -> Terminal {
        let terminal = try terminal(version, prices)
        terminal.attach()
        return terminal
    }

    private func answer(_ terminal: Terminal, _ command: String) -> [String] {
        _ = terminal.takeOutbox()
        terminal.expert?.receive(Array(command.utf8))
        return written(terminal)
    }

    @Test("2.02 and 2.01 say no HELLO and need an address", arguments: [EAVersion.v202, .v201])
    func noHello(version: EAVersion) throws {
        let terminal = try running(version)
        #expect(terminal.takeOutbox().map(\.port) == [.telemetry])
        #expect(answer(terminal, #"{"type":"fire","symbol":"EURUSD","lot":0.1}"#).isEmpty)
    }

    @Test("2.02 ignores the direction: no entry is a buy")
    func version202() throws {
        let terminal = try running(.v202)
        let line = answer(
            terminal,
            #"{"type":"fire","fire_id":"F","target_uuid":"COMMANDER_DEV_001","symbol":"EURUSD","direction":"SELL","lot":0.1}"#
        )[0]
        #expect(line.contains(#""command_type":"fire","node_id""#))
        #expect(line.contains(#""message":"Trade executed successfully","account":843859,"balance""#))
        #expect(terminal.account.positions.map(\.direction) == [.buy])
        #expect(terminal.account.positions.map(\.comment) == ["BITTEN_UNIFIED"])
        let ping = answer(terminal, #"{"type":"ping","target_uuid":"COMMANDER_DEV_001"}"#)[0]
        #expect(ping.contains("Unknown command type: ping"))
    }

    @Test("2.01 knows only fire, sells without an entry, and prints the symbol's decimals")
    func version201() throws {
        let terminal = try running(.v201)
        let command = #"{"type":"fire","target_uuid":"COMMANDER_DEV_001","symbol":"USDJPY","lot":0.1}"#
        let line = answer(terminal, command)[0]
        #expect(line.contains(#""symbol":"USDJPY","status":"success""#))
        #expect(line.contains(#""price":147.360,"lot":0.10"#))
        #expect(terminal.account.positions.map(\.direction) == [.sell])
        let stranger = answer(terminal, command.replacing("USDJPY", with: "USDXXX"))[0]
        #expect(stranger.contains(#""price":0,"lot":0.10,"message":"Symbol not available""#))
        #expect(answer(terminal, #"{"type":"close_all","target_uuid":"COMMANDER_DEV_001"}"#).isEmpty)
    }

    @Test("7.01 answers on the telemetry port, in points, with half a ticket")
    func version701() throws {
        let terminal = try running(.v701)
        #expect(written(terminal)[0].contains(#""message":"EA v7.01 initialized with tick streaming""#))
        let command =
            #"{"type":"signal","symbol":"EURUSD","action":"buy","lot":0.1,"sl":100,"tp":200,"signal_id":"S1"}"#
        terminal.expert?.receive(Array(command.utf8))
        let answers = terminal.takeOutbox()
        #expect(answers.map(\.port) == [.telemetry])
        let position = try #require(terminal.account.positions.first)
        #expect(position.stopLoss == amount("1.17520") && position.takeProfit == amount("1.17820"))
        let text = String(decoding: answers[0].bytes, as: UTF8.self)
        #expect(text.contains(#""ticket":\#(Int32(truncatingIfNeeded: position.ticket)),"#))
        let closed = answer(terminal, #"{"type":"signal","symbol":"EURUSD","action":"close","signal_id":"S2"}"#)[0]
        #expect(closed.contains(#""ticket":0,"price":0.00000,"message":"Closed 1 positions""#))
        let none = answer(terminal, #"{"type":"signal","symbol":"EURUSD","action":"close","signal_id":"S3"}"#)[0]
        #expect(none.contains(#""error":"No positions found for EURUSD""#))
    }

    @Test("7.01 sends one tick after each wait, and candles every five seconds")
    func executorTicks() throws {
        let terminal = try running(.v701)
        _ = written(terminal)
        for _ in 0..<5 { terminal.expert?.onTick() }
        terminal.expert?.onTimer()
        let types = written(terminal).map { CommandText(frame: Array($0.utf8)).value("type").text }
        #expect(types == ["heartbeat", "tick", "candle_batch"])
        terminal.expert?.onTimer()
        #expect(written(terminal).isEmpty)
    }

    @Test("7.01 closes its sockets after 120 s without a frame")
    func silence() throws {
        let terminal = try running(.v701)
        _ = written(terminal)
        quote(prices, 0, "1.17617", "1.17620", 1_757_954_363 + 121)
        terminal.refreshTime()
        terminal.expert?.onTimer()
        #expect(terminal.reopenAt == terminal.context.monotonic + 3000)
    }
}
