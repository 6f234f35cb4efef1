import Domain
import Testing

@testable import EASimulator

@Suite("The own form")
struct OwnFormTests {
    private let prices = market([("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")])

    private func running() throws -> Terminal {
        let terminal = try terminal(.own, prices)
        terminal.attach()
        _ = terminal.takeOutbox()
        return terminal
    }

    private func answer(_ terminal: Terminal, _ command: String) -> [String] {
        terminal.expert?.receive(Array(command.utf8))
        return written(terminal)
    }

    private func fire(_ terminal: Terminal, _ fireID: String) -> String {
        answer(
            terminal,
            #"{"type":"fire","fire_id":"\#(fireID)","symbol":"EURUSD","direction":"BUY","sl":1.17,"tp":1.19,"lot":0.10}"#
        ).first ?? ""
    }

    private func value(_ text: String, _ key: StaticString) -> String {
        CommandText(frame: Array(text.utf8)).value(key).text
    }

    @Test("an opening and a close tell everything")
    func trade() throws {
        let terminal = try running()
        let opened = fire(terminal, "F1")
        let ticket = value(opened, "ticket")
        let who =
            #""account":843859,"currency":"USD","node_id":"\#(terminal.nodeID.text)","user_uuid":"COMMANDER_DEV_001","#
            + #""fire_id":"F1"}"#
        let order = #""sl":1.17000,"tp":1.19000,"magic_number":7176191872,"comment":"F1","#
        #expect(
            opened
                == #"{"ticket":\#(ticket),"symbol":"EURUSD","result":"order_opened","type":"buy","volume":0.10,"#
                + #""open_price":1.17620,"open_time":"2025.09.15 19:39:23","# + order + who)
        quote(prices, 0, "1.17720", "1.17723", 1_757_954_370)
        terminal.account.chargeSwap(perLot: Amount(5))
        let closed = answer(terminal, #"{"type":"close_ticket","ticket":\#(ticket)}"#)
        #expect(
            closed == [
                #"{"ticket":\#(ticket),"symbol":"EURUSD","result":"order_closed","type":"buy","volume":0.10,"#
                    + #""open_price":1.17620,"close_price":1.17720,"profit":10.00,"swap":-0.50,"commission":0.00,"#
                    + #""open_time":"2025.09.15 19:39:23","close_time":"2025.09.15 19:39:23","reason":"COMMAND","#
                    + order + who
            ])
        #expect(terminal.account.balance.money == "10009.50")
    }

    @Test("what failed says so; a failed close names its command")
    func failures() throws {
        let terminal = try running()
        let fire = answer(terminal, #"{"type":"fire","fire_id":"F1","symbol":"NONE","direction":"BUY","lot":0.1}"#)[0]
        #expect(value(fire, "result") == "failed" && value(fire, "fire_id") == "F1")
        #expect(value(fire, "command_type") == "" && value(fire, "message") == "Symbol not available: NONE")
        let close = answer(terminal, #"{"type":"close_ticket","ticket":7}"#)[0]
        #expect(value(close, "command_type") == "close_ticket" && value(close, "message") == "Position not found")
    }

    @Test("close_all is one message a position, and one when there is none")
    func closeAll() throws {
        let terminal = try running()
        for number in 0..<3 { _ = fire(terminal, "F\(number)") }
        let lines = answer(terminal, #"{"type":"close_all"}"#)
        #expect(lines.map { value($0, "result") } == Array(repeating: "order_closed", count: 3))
        #expect(answer(terminal, #"{"type":"close_all"}"#).count == 1)
    }

    @Test("query_positions is answered with every position and the question's id; 2.05 does not know it")
    func query() throws {
        let terminal = try running()
        for number in 0..<12 { _ = fire(terminal, "F\(number)") }
        let lines = answer(terminal, #"{"type":"query_positions","query_id":"q-1","target_uuid":"COMMANDER_DEV_001"}"#)
        #expect(lines.count == 1)
        #expect(value(lines[0], "type") == "HEARTBEAT" && value(lines[0], "query_id") == "q-1")
        #expect(value(lines[0], "open_positions") == "12")
        #expect(lines[0].matches(of: #/"ticket":/#).count == 12)
        let older = try EASimulatorTests.terminal(.v205, prices)
        older.attach()
        _ = older.takeOutbox()
        #expect(value(answer(older, #"{"type":"query_positions"}"#)[0], "command_type") == "unknown")
    }
}
