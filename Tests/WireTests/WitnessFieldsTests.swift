import Domain
import Testing
import Wire

@Suite("Witness fields") struct WitnessFieldsTests {
    @Test("an inferred confirmation says that it is one, who saw it, and what is left")
    func inferred() throws {
        let text = """
            {"result":"order_closed","source":"inferred","witness":"positions","user_uuid":"user_1","account":"42",\
            "server":"Demo-Server","ticket":4294967297,"symbol":"EURUSD","type":"buy","volume":0.02,"volume_left":0.08}
            """
        guard case .trade(let report) = try EADecoder.decode(Array(text.utf8)) else {
            Issue.record("no trade")
            return
        }
        #expect(report.kind == .closed)
        #expect(report.source == "inferred")
        #expect(report.witness == "positions")
        #expect(report.ticket == 4_294_967_297)
        #expect(report.lot == "0.02")
        #expect(report.volumeLeft == "0.08")
        #expect(report.profit == nil)
    }

    @Test("a terminal's own confirmation has no source")
    func own() throws {
        let text = #"{"type":"confirmation","command_type":"fire","fire_id":"f1","status":"success","ticket":7}"#
        guard case .trade(let report) = try EADecoder.decode(Array(text.utf8)) else {
            Issue.record("no trade")
            return
        }
        #expect(report.source == nil)
        #expect(report.witness == nil)
    }

    @Test("a list says how many positions there are beside those it has, and which question it answers")
    func list() throws {
        let text = """
            {"type":"HEARTBEAT","target_uuid":"user_1","query_id":"q7","account_login":"42","broker":"Demo-Server",\
            "balance":100.00,"equity":99.00,"open_positions":12,"positions":[{"ticket":1,"fire_id":"f1",\
            "symbol":"EURUSD","direction":"BUY","open_price":1.1,"current_price":1.2,"volume":0.10,"pnl":-1.00}]}
            """
        guard case .report(let report) = try EADecoder.decode(Array(text.utf8)) else {
            Issue.record("no report")
            return
        }
        #expect(report.openPositionCount == 12)
        #expect(report.queryID == "q7")
        #expect(report.openPositions?.first?.currentPrice == "1.2")
        #expect(report.openPositions?.first?.profit == "-1.00")
    }
}
