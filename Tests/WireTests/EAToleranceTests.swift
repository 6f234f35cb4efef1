import Domain
import Testing
import Wire

/// What readers forgive, and what it becomes. Source: contract 3, ea-wire 1.2, 2, 6, 7, 8.
@Suite struct EAToleranceTests {
    @Test(arguments: ["tick", "TICK", "Tick", "tIcK"])
    func typeInAnyCase(word: String) throws {
        #expect(try read(Golden.tick2x.replacing("\"TICK\"", with: "\"\(word)\"")) == read(Golden.tick2x))
    }

    @Test(arguments: ["target_uuid", "user_uuid", "uuid", "user_id"])
    func namesOfTheUser(name: String) throws {
        #expect(try readReport(#"{"type":"heartbeat","\#(name)":"user_12345"}"#).userUUID == "user_12345")
    }

    @Test func theUUIDWinsOverTheUserNumber() throws {
        let report = try readReport(#"{"type":"HEARTBEAT","user_id":"7176191872","target_uuid":"COMMANDER_DEV_001"}"#)
        #expect(report.userUUID == "COMMANDER_DEV_001")
    }

    @Test(arguments: ["account", "account_login", "login"], [#""843859""#, "843859"])
    func namesAndKindsOfTheAccount(name: String, value: String) throws {
        #expect(try readReport(#"{"type":"handshake","\#(name)":\#(value)}"#).account == "843859")
    }

    @Test func namesOfATradesFields() throws {
        let short = try readTrade(
            #"{"type":"confirmation","status":"success","ticket":7,"lot":0.10,"price":1.1,"sl":1.0,"tp":1.2,"side":"sell"}"#
        )
        let long = try readTrade(
            """
            {"type":"confirmation","status":"success","order":"7","volume":"0.10","open_price":"1.1",\
            "stop_loss":"1.0","take_profit":"1.2","direction":"SELL"}
            """)
        #expect(short == long)
        #expect(short.ticket == 7 && short.direction == .sell && short.stopLoss == "1.0")
    }

    @Test func numbersAndTextsForEachOther() throws {
        let quoted = Golden.tick2x.replacing("1.17617", with: "\"1.17617\"").replacing("1.17620", with: "\"1.17620\"")
        #expect(try read(quoted) == read(Golden.tick2x))
        #expect(try readReport(#"{"type":"handshake","version":2.05,"node_id":12}"#).version == "2.05")
    }

    @Test(arguments: ["\0", "\0\0\0", "\n", "\r\n\0", "   "])
    func paddingBehind(padding: String) throws {
        #expect(try read(Golden.pong205 + padding) == read(Golden.pong205))
    }

    @Test func byteOrderMarkAndSpaceBefore() throws {
        #expect(try read("\u{FEFF}" + Golden.pong205) == read(Golden.pong205))
        #expect(try read(" \n" + Golden.pong205) == read(Golden.pong205))
    }

    @Test(arguments: [("OHLC ", Golden.ohlc2x), ("TICK ", Golden.tick2x), ("tick ", Golden.tick2x)])
    func textPrefixes(prefix: String, line: String) throws {
        #expect(try read(prefix + line) == read(line))
    }

    @Test func prefixWithoutASpaceNamesTheType() throws {
        #expect(try read("HEARTBEAT" + Golden.heartbeat205) == read(Golden.heartbeat205))
        #expect(try readReport(#"HEARTBEAT{"node_id":"N1"}"#).nodeID == "N1")
        #expect(try readReport("HEARTBEAT").kind == .heartbeat)
    }

    @Test func plainTextQuote() throws {
        let expected = Tick(
            symbol: "EURUSD", bid: Amount(units: 117_617_000), ask: Amount(units: 117_620_000), decimals: 5)
        #expect(try read("TICK EURUSD 1.17617 1.17620") == .tick(expected))
        #expect(try read("tick EURUSD 1.17617 1.1762\n") == .tick(expected))
    }

    @Test func quoteOf600WithoutItsLastBrace() throws {
        let frame = """
            EURUSD {"symbol":"EURUSD","bid":1.15548,"ask":1.15561,"spread":13.0,"volume":0,"timestamp":1754060224,\
            "account_balance":850.47,"broker":"Coinexx Limited","source":"MT5_LIVE"
            """
        let read = try readNoting(Array(frame.utf8))
        #expect(try read.message == .tick(readTick(Golden.tick701)))
        #expect(read.repaired)
        #expect(try readNoting(Array((frame + "}").utf8)).repaired == false)
    }

    @Test func startAndEndOf600WithoutTheirLastBrace() throws {
        let start = try readNoting(Array(#"{"type":"startup","timestamp":1754060224"#.utf8))
        #expect(start.repaired)
        guard case .report(let report) = start.message else { throw UnexpectedMessage() }
        #expect(report.timestamp == "1754060224")
        #expect(try read(#"{"type":"shutdown","timestamp":1754060224"#) == .disconnect(Disconnect()))
    }

    @Test func quoteOf701CrashProtectedHasNoType() throws {
        let frame =
            #"{"symbol":"EURUSD","bid":1.15548,"ask":1.15561,"spread":0.00013,"volume":0,"timestamp":1754060224}"#
        #expect(try read(frame) == read(Golden.tick701))
    }

    @Test func marketDataOf700IsNested() throws {
        var expected = try readTick(Golden.tick701)
        expected.nodeID = "MT5_EA_843859_1754060000"
        let frame = """
            {"ea_id":"MT5_EA_843859_1754060000","type":"market_data","data":{"symbol":"EURUSD","bid":1.15548,\
            "ask":1.15561,"spread":13.0,"volume":0,"timestamp":1754060224,"broker":"X","source":"MT5_LIVE"}}
            """
        #expect(try read(frame) == .tick(expected))
    }

    @Test func accountFiguresOfZMQ100HaveNoType() throws {
        let report = try readReport(
            #"{"uuid":"user_1","balance":10.00,"equity":9.50,"margin":1.00,"free_margin":8.50,"profit":-0.50,"positions":1,"timestamp":1}"#
        )
        #expect(report.kind == .heartbeat && report.userUUID == "user_1" && report.freeMargin == "8.50")
    }

    @Test func heartbeatOf206HListsItsPositions() throws {
        let report = try readReport(
            """
            {"type":"HEARTBEAT","target_uuid":"COMMANDER_DEV_001","user_id":"7176191872","account_login":"60062731",\
            "broker":"OANDA-v20 Live-1","balance":850.45,"equity":835.20,"leverage":100,"currency":"USD",\
            "ts":1726351234,"open_positions":1,"positions":[{"ticket":21604324,\
            "fire_id":"ELITE_SNIPER_GBPJPY_1757886793","symbol":"GBPJPY","direction":"BUY","open_price":200.249,\
            "current_price":200.21,"volume":1.78,"pnl":-47.0}]}
            """)
        var position = WitnessedPosition(ticket: 21_604_324)
        position.fireID = "ELITE_SNIPER_GBPJPY_1757886793"
        position.symbol = "GBPJPY"
        position.direction = .buy
        position.volume = "1.78"
        position.openPrice = "200.249"
        position.profit = "-47.0"
        position.currentPrice = "200.21"
        #expect(report.openPositions == [position])
        // Its broker is a server, as in HELLO: both travel on the command port.
        #expect(report.server == "OANDA-v20 Live-1" && report.broker == nil)
        #expect(report.timestamp == "1726351234")
        #expect(try readReport(#"{"type":"HEARTBEAT","positions":[]}"#).openPositions == [])
        #expect(try readReport(Golden.heartbeat701).openPositions == nil)
    }

    @Test func ofARepeatedFieldTheFirstCounts() throws {
        #expect(try readReport(#"{"type":"heartbeat","node_id":"A","node_id":"B"}"#).nodeID == "A")
        #expect(try readReport(#"{"type":"heartbeat","ea_id":"A","node_id":"B"}"#).nodeID == "B")
    }

    @Test func aNullIsAnAbsentField() throws {
        let report = try readReport(#"{"type":"heartbeat","node_id":null,"balance":null,"account":null}"#)
        #expect(report == TerminalReport(kind: .heartbeat))
    }

    @Test func negativeZeroStaysAsItCame() throws {
        #expect(try readReport(#"{"type":"heartbeat","balance":-0.00}"#).balance == "-0.00")
    }

    @Test func numbersThatOnlyTextCanHoldBecomeProperOnes() throws {
        let report = try readReport(
            #"{"type":"heartbeat","balance":"+1","equity":".5","margin":"","free_margin":"7."}"#)
        #expect(report.balance == "1" && report.equity == "0.5" && report.margin == nil && report.freeMargin == "7")
    }

    @Test func longTextsAreCut() throws {
        let long = String(repeating: "é", count: 600)
        #expect(try readReport(#"{"type":"handshake","broker":"\#(long)"}"#).broker == String(long.prefix(512)))
    }

    @Test func unknownTypesKeepTheirName() throws {
        #expect(try read(#"{"type":"Hybrid_Event","x":1}"#) == .unknown(type: "Hybrid_Event"))
        #expect(try read(#"{"type":"ping"}"#) == .unknown(type: "ping"))
        #expect(try read(#"{"type":"resume","node_id":"N1"}"#) == .resume(nodeID: "N1"))
    }

    @Test func shutdownOf701IsADisconnect() throws {
        let line = Golden.status701.replacing("startup", with: "shutdown")
        #expect(try read(line) == .disconnect(Disconnect(reason: "EA v7.01 initialized with tick streaming")))
    }
}
