import Domain
import Testing
import Wire

/// The words of status, result and message, and what they make of a trade. Source: ea-wire 2, 4, 7; contract 3.
@Suite struct EATradeWordsTests {
    @Test(arguments: [
        ("success", TradeReport.Kind.opened), ("SUCCESS", .opened), ("FILLED", .opened), ("ok", .opened),
        ("failed", .failed), ("REJECTED", .failed), ("Error", .failed), ("CLOSED", .closed), ("COMPLETED", .closed),
        ("TP_HIT", .closed), ("sl_hit", .closed),
    ])
    func statusWords(word: String, kind: TradeReport.Kind) throws {
        let report = try readTrade(#"{"type":"confirmation","fire_id":"F1","status":"\#(word)","ticket":5}"#)
        #expect(report.kind == kind && report.fireID == "F1" && report.ticket == 5)
    }

    @Test func aHitIsTheReasonUnlessOneIsGiven() throws {
        #expect(try readTrade(#"{"type":"confirmation","status":"tp_hit"}"#).reason == "TP_HIT")
        #expect(try readTrade(#"{"type":"confirmation","status":"SL_HIT","reason":"x"}"#).reason == "x")
    }

    @Test func unknownCommandsTradeNothingWhateverTheStatus() throws {
        let report = try readTrade(#"{"type":"confirmation","command_type":"unknown","status":"success"}"#)
        #expect(report.kind == .unknownCommand)
    }

    private static let closings: [(status: String, message: String, kind: TradeReport.Kind, count: Int?)] = [
        ("success", "Closed 3 positions, 0 failed, Total volume: 0.30", .closedAll, 3),
        ("success", "Closed 0 positions, 0 failed, Total volume: 0.00", .closedAll, 0),
        ("failed", "Closed 2 positions, 1 failed, Total volume: 0.20", .closedSome, 2),
        ("failed", "Closed 0 positions, 3 failed, Total volume: 0.00", .closeFailed, 0),
        ("success", "all gone", .closedAll, nil), ("failed", "who knows", .closedSome, nil),
    ]

    @Test(arguments: closings)
    func closingEverything(status: String, message: String, kind: TradeReport.Kind, count: Int?) throws {
        let line =
            #"{"type":"close_confirmation","command_type":"close_all","status":"\#(status)","message":"\#(message)"}"#
        let report = try readTrade(line)
        #expect(report.kind == kind && report.closedCount == count && report.message == message)
    }

    @Test(arguments: [
        ("success", "Position closed successfully", TradeReport.Kind.closed),
        ("failed", "Failed to close position", .closeFailed), ("failed", "Invalid ticket number", .closeFailed),
        ("failed", "Position not owned by BITTEN", .closeFailed), ("SL_HIT", "", .closed),
    ])
    func closingOne(status: String, message: String, kind: TradeReport.Kind) throws {
        let line = """
            {"type":"close_confirmation","command_type":"close_ticket","status":"\(status)","ticket":4172424203,\
            "close_price":0.00000,"lot":0.10,"message":"\(message)"}
            """
        let report = try readTrade(line)
        #expect(report.kind == kind && report.ticket == 4_172_424_203)
        #expect(report.closePrice == nil && report.lot == "0.10")
    }

    @Test(arguments: [0, -1, -12_345_678])
    func aTicketThatIsNoneIsNil(ticket: Int) throws {
        #expect(try readTrade(#"{"type":"confirmation","status":"success","ticket":\#(ticket)}"#).ticket == nil)
    }

    @Test func zeroMeansUnknownForPricesLotsAndStops() throws {
        let report = try readTrade(
            """
            {"type":"confirmation","status":"success","price":0.00000,"lot":0.00,"sl":0,"tp":0.0,"close_price":0.00000,\
            "profit":0.00,"swap":0,"commission":-0.00}
            """)
        #expect(report.openPrice == nil && report.lot == nil && report.stopLoss == nil && report.takeProfit == nil)
        #expect(report.closePrice == nil && report.profit == "0.00" && report.swap == "0")
        #expect(report.commission == "-0.00")
    }

    // MARK: - The own form and 2.06H

    @Test func ownFormOpened() throws {
        let report = try readTrade(
            """
            {"ticket":77,"symbol":"EURUSD.r","result":"order_opened","type":"buy","volume":0.10,"open_price":1.17620,\
            "sl":1.17000,"tp":1.18000,"open_time":"2025.09.15 19:39:23","magic_number":7176191872,"comment":"F1",\
            "account":"843859","node_id":"N1","user_uuid":"user_1","fire_id":"F1","seq":12}
            """)
        var expected = TradeReport(kind: .opened)
        expected.ticket = 77
        expected.symbol = "EURUSD.r"
        expected.direction = .buy
        expected.lot = "0.10"
        expected.openPrice = "1.17620"
        expected.stopLoss = "1.17000"
        expected.takeProfit = "1.18000"
        expected.openTime = "2025.09.15 19:39:23"
        expected.magicNumber = "7176191872"
        expected.comment = "F1"
        expected.account = "843859"
        expected.nodeID = "N1"
        expected.userUUID = "user_1"
        expected.fireID = "F1"
        expected.sequence = 12
        #expect(report == expected)
    }

    @Test(arguments: [
        (#""result":"order_closed""#, TradeReport.Kind.closed), (#""result":"success","close_price":1.18"#, .closed),
        (#""result":"success","close_time":"2025.09.15 20:00:00""#, .closed), (#""result":"success""#, .opened),
        (#""result":"success","close_price":0.00000"#, .opened), (#""result":"failed""#, .failed),
    ])
    func ownFormResults(fields: String, kind: TradeReport.Kind) throws {
        let report = try readTrade(#"{"ticket":77,"type":"sell",\#(fields)}"#)
        #expect(report.kind == kind && report.direction == .sell)
        // Without any type the result and the ticket say what it is.
        #expect(try readTrade(#"{"ticket":77,\#(fields)}"#).kind == kind)
    }

    @Test(arguments: [("pnl", "close_reason"), ("profit", "reason")])
    func positionClosed(profit: String, reason: String) throws {
        let report = try readTrade(
            """
            {"type":"position_closed","uuid":"user_1","ticket":77,"fire_id":"F1","symbol":"GBPJPY","direction":"BUY",\
            "close_price":200.21,"\(reason)":"TP_HIT","\(profit)":-47.0,"duration_minutes":12}
            """)
        var expected = TradeReport(kind: .closed)
        expected.userUUID = "user_1"
        expected.ticket = 77
        expected.fireID = "F1"
        expected.symbol = "GBPJPY"
        expected.direction = .buy
        expected.closePrice = "200.21"
        expected.reason = "TP_HIT"
        expected.profit = "-47.0"
        #expect(report == expected)
    }

    @Test func aPlainPriceOfAClosedPositionIsTheClosingOne() throws {
        let bare = try readTrade(#"{"type":"position_closed","ticket":1,"price":1.2,"open_price":1.1}"#)
        #expect(bare.openPrice == "1.1" && bare.closePrice == "1.2")
        let named = try readTrade(#"{"type":"position_closed","ticket":1,"price":1.1,"close_price":1.2}"#)
        #expect(named.openPrice == "1.1" && named.closePrice == "1.2")
    }

    // MARK: - 7.01, 7.00C, ZMQ1.00

    @Test func closeOf701CountsOnlyWhatItClosed() throws {
        let line = Golden.tradeResult701.replacing(#""message":"""#, with: #""message":"Closed 2 positions""#)
        let report = try readTrade(line)
        #expect(report.kind == .closedSome && report.closedCount == 2)
    }

    @Test(arguments: [
        ("Unknown action: x", TradeReport.Kind.unknownCommand), ("No positions found for EURUSD", .closeFailed),
        ("Invalid symbol: x", .failed), ("Trade failed: No error", .failed),
    ])
    func errorsOf701(words: String, kind: TradeReport.Kind) throws {
        let report = try readTrade(#"{"type":"error","signal_id":"S","error":"\#(words)"}"#)
        #expect(report.kind == kind && report.message == words && report.signalID == "S")
    }

    @Test func tradeResultWithATruthValue() throws {
        #expect(try readTrade(#"{"type":"trade_result","uuid":"u","success":true,"ticket":5}"#).kind == .opened)
        #expect(try readTrade(#"{"type":"trade_result","uuid":"u","success":false,"ticket":0}"#).kind == .failed)
    }
}
