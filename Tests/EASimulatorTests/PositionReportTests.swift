import Domain
import Testing

@testable import EASimulator

@Suite("2.06H: positions in heartbeats, closes from OnTrade")
struct PositionReportTests {
    private let prices = market([("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")])

    private func running(_ behaviour: SimulatorBehaviour = SimulatorBehaviour()) throws -> Terminal {
        let terminal = try terminal(.v206H, prices, behaviour: behaviour)
        terminal.attach()
        _ = terminal.takeOutbox()
        return terminal
    }

    private func answer(_ terminal: Terminal, _ command: String) -> [String] {
        terminal.expert?.receive(Array(command.utf8))
        return written(terminal)
    }

    private func fire(_ terminal: Terminal, _ fireID: String = "F1", _ more: String = #","lot":0.10"#) -> String {
        let command = #"{"type":"fire","fire_id":"\#(fireID)","symbol":"EURUSD","direction":"BUY"\#(more)}"#
        return answer(terminal, command).first ?? ""
    }

    private func value(_ text: String, _ key: StaticString) -> String {
        CommandText(frame: Array(text.utf8)).value(key).text
    }

    @Test("the heartbeat lists what is open, byte for byte as documented")
    func heartbeat() throws {
        let terminal = try running()
        let ticket = value(fire(terminal, "ELITE_SNIPER_EURUSD_1757886793_TRAIL"), "ticket")
        terminal.expert?.onTimer()
        let heartbeat = try #require(written(terminal).first { $0.hasPrefix(#"{"type":"HEARTBEAT""#) })
        // 0.10 lots from 1.17620 to 1.17617; the comment lost what is past its 31st character.
        #expect(
            heartbeat
                == #"{"type":"HEARTBEAT","target_uuid":"COMMANDER_DEV_001","user_id":"COMMANDER_DEV_001","#
                + #""account_login":"843859","broker":"Coinexx-Demo","balance":10000.00,"equity":9999.70,"#
                + #""leverage":500,"currency":"USD","ts":1757965163,"open_positions":1,"positions":[{"ticket":"#
                + #"\#(ticket),"fire_id":"ELITE_SNIPER_EURUSD_1757886793_","symbol":"EURUSD","direction":"BUY","#
                + #""open_price":1.17620,"current_price":1.17617,"volume":0.10,"pnl":-0.30}]}"#)
    }

    @Test("an empty account has an empty list")
    func empty() throws {
        let terminal = try running()
        terminal.expert?.onTimer()
        #expect(written(terminal).contains { $0.hasSuffix(#""open_positions":0,"positions":[]}"#) })
    }

    @Test("a commanded close is told twice: as the answer, then by OnTrade with its money")
    func commandedClose() throws {
        let terminal = try running()
        let ticket = value(fire(terminal), "ticket")
        quote(prices, 0, "1.17720", "1.17723", 1_757_954_370)
        let lines = answer(terminal, #"{"type":"close_ticket","ticket":\#(ticket)}"#)
        #expect(lines.map { value($0, "type") } == ["close_confirmation", "position_closed"])
        #expect(
            lines.last
                == #"{"type":"position_closed","uuid":"COMMANDER_DEV_001","ticket":\#(ticket),"fire_id":"F1","#
                + #""symbol":"EURUSD","direction":"BUY","close_price":1.17720,"close_reason":"MANUAL","pnl":10.00,"#
                + #""duration_minutes":0}"#)
    }

    @Test("a stop is reported with its reason")
    func stop() throws {
        let terminal = try running()
        _ = fire(terminal, "F1", #","sl":1.1750,"lot":1"#)
        quote(prices, 0, "1.17490", "1.17493", 1_757_954_370)
        terminal.brokerQuoted(symbol: 0)
        let lines = written(terminal)
        #expect(lines.map { value($0, "close_reason") } == ["SL_HIT"])
        #expect(lines.map { value($0, "pnl") } == ["-130.00"])
    }

    @Test("a terminal that hangs tells of a stop when it wakes")
    func silent() throws {
        let terminal = try running()
        _ = fire(terminal, "F1", #","sl":1.1750,"lot":1"#)
        terminal.setSilent(true)
        quote(prices, 0, "1.17490", "1.17493", 1_757_954_370)
        terminal.brokerQuoted(symbol: 0)
        #expect(written(terminal).isEmpty)
        terminal.setSilent(false)
        terminal.onTrade()
        #expect(written(terminal).map { value($0, "close_reason") } == ["SL_HIT"])
    }

    @Test("the eleventh position is refused, and so is a hedge")
    func limits() throws {
        let terminal = try running()
        let hedge = #"{"type":"fire","fire_id":"H","symbol":"EURUSD","direction":"SELL","lot":0.01}"#
        _ = fire(terminal, "F0", #","lot":0.01"#)
        #expect(value(answer(terminal, hedge)[0], "message") == "Hedge blocked: EURUSD")
        for number in 1..<10 { _ = fire(terminal, "F\(number)", #","lot":0.01"#) }
        let refused = fire(terminal, "F10", #","lot":0.01"#)
        #expect(value(refused, "status") == "failed" && value(refused, "fire_id") == "F10")
        #expect(value(refused, "message") == "Maximum of 10 positions reached")
        #expect(terminal.account.positions.count == 10)
    }

    @Test("a hybrid is three tickets of which one is confirmed; all three are in the list")
    func hybrid() throws {
        let terminal = try running()
        let more = #","lot":0.40,"hybrid":{"enabled":true,"p1":{"trigger":8},"p2":{"trigger":12}}"#
        let line = fire(terminal, "H1", more)
        #expect(value(line, "message") == "HYBRID: 3/3 positions opened")
        #expect(terminal.account.positions.map(\.lot) == [amount("0.1"), amount("0.1"), amount("0.2")])
        terminal.expert?.onTimer()
        let heartbeat = written(terminal).first { $0.hasPrefix(#"{"type":"HEARTBEAT""#) } ?? ""
        #expect(heartbeat.contains(#""open_positions":3"#))
        #expect(["H1_P1", "H1_P2", "H1_TRAIL"].allSatisfy { heartbeat.contains(#""fire_id":"\#($0)""#) })
    }
}
