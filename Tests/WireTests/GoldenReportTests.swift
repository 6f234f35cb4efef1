import Domain
import Testing
import Wire

private let node = "NODE_843859_109092125"
private let user = "COMMANDER_DEV_001"
private let time = "2025.09.15 19:39:23"

@Suite struct GoldenReportTests {
    @Test func linesHaveTheirLengthOnTheWire() {
        #expect(Golden.all.count == 30)
        for line in Golden.all { #expect(line.text.utf8.count == line.bytes) }
    }

    @Test func noLineNeedsRepair() throws {
        for line in Golden.all { #expect(try readNoting(Array(line.text.utf8)).repaired == false) }
    }

    @Test func hello() throws {
        var expected = TerminalReport(kind: .hello)
        expected.nodeID = node
        expected.userUUID = user
        expected.account = "843859"
        expected.broker = "Coinexx Limited"
        expected.server = "Coinexx-Demo"
        expected.terminal = "MetaTrader 5"
        expected.currency = "USD"
        expected.balance = "9405.62"
        expected.equity = "9535.23"
        expected.margin = "3522.71"
        expected.freeMargin = "6012.52"
        expected.marginLevel = "270.68"
        expected.leverage = "500"
        expected.version = "2.05"
        expected.monitoredSymbols = "15"
        expected.timestamp = time
        #expect(try read(Golden.hello205) == .report(expected))
    }

    @Test func heartbeatOnTheCommandPort() throws {
        var expected = TerminalReport(kind: .heartbeat)
        expected.nodeID = node
        expected.userUUID = user
        expected.currency = "USD"
        expected.balance = "9405.62"
        expected.equity = "9535.23"
        expected.margin = "3522.71"
        expected.freeMargin = "6012.52"
        expected.marginLevel = "270.68"
        expected.leverage = "500"
        expected.ticksProcessed = "4523"
        expected.timestamp = time
        #expect(try read(Golden.dealerHeartbeat205) == .report(expected))
    }

    @Test func handshakeOfTheDealerVersion() throws {
        var expected = TerminalReport(kind: .handshake)
        expected.nodeID = node
        expected.userUUID = user
        expected.account = "843859"
        expected.broker = "Coinexx Limited"
        expected.server = "Coinexx-Demo"
        expected.currency = "USD"
        expected.balance = "9405.62"
        expected.equity = "9535.23"
        expected.leverage = "500"
        expected.version = "2.05"
        expected.chartSymbol = "EURUSD"
        expected.symbols = ["EURUSD", "GBPUSD", "XAUUSD"]
        expected.monitoredSymbols = "3"
        expected.socketType = "DEALER"
        expected.deploymentMode = "universal_dealer"
        expected.timestamp = time
        #expect(try read(Golden.handshake205) == .report(expected))
    }

    @Test(arguments: [("2.02", Golden.handshake202), ("2.01", Golden.handshake201)])
    func handshakeOfThePullVersions(version: String, line: String) throws {
        var expected = TerminalReport(kind: .handshake)
        expected.nodeID = node
        expected.userUUID = user
        expected.account = "843859"
        expected.broker = "Coinexx Limited"
        expected.server = "Coinexx-Demo"
        expected.balance = "850.47"
        expected.equity = "847.26"
        expected.version = version
        expected.chartSymbol = "EURUSD"
        expected.symbols = ["EURUSD", "GBPUSD", "XAUUSD"]
        expected.monitoredSymbols = "3"
        expected.deploymentMode = "universal"
        expected.timestamp = time
        #expect(try read(line) == .report(expected))
    }

    @Test func heartbeatOfTheDealerVersion() throws {
        var expected = TerminalReport(kind: .heartbeat)
        expected.nodeID = node
        expected.userUUID = user
        expected.account = "843859"
        expected.currency = "USD"
        expected.balance = "9405.62"
        expected.equity = "9535.23"
        expected.freeMargin = "6012.52"
        expected.marginLevel = "270.68"
        expected.leverage = "500"
        expected.monitoredSymbols = "15"
        expected.ticksProcessed = "4523"
        expected.socketType = "DEALER"
        expected.timestamp = time
        #expect(try read(Golden.heartbeat205) == .report(expected))
    }

    @Test(arguments: [Golden.heartbeat202, Golden.heartbeat201])
    func heartbeatOfThePullVersions(line: String) throws {
        var expected = TerminalReport(kind: .heartbeat)
        expected.nodeID = node
        expected.userUUID = user
        expected.account = "843859"
        expected.balance = "850.47"
        expected.equity = "847.26"
        expected.freeMargin = "828.61"
        expected.marginLevel = "5196.38"
        expected.monitoredSymbols = "15"
        expected.ticksProcessed = "4523"
        expected.timestamp = time
        #expect(try read(line) == .report(expected))
    }

    @Test(arguments: [Golden.disconnect205, Golden.disconnect202, Golden.disconnect201])
    func disconnect(line: String) throws {
        #expect(try read(line) == .disconnect(Disconnect(nodeID: node, userUUID: user, reason: nil)))
    }

    @Test func heartbeatOf701() throws {
        var expected = TerminalReport(kind: .heartbeat)
        expected.balance = "850.47"
        expected.equity = "847.26"
        expected.timestamp = time
        #expect(try read(Golden.heartbeat701) == .report(expected))
    }

    @Test func statusOf701() throws {
        var expected = TerminalReport(kind: .status)
        expected.account = "843859"
        expected.server = "Coinexx-Demo"
        expected.version = "7.01"
        expected.timestamp = time
        #expect(try read(Golden.status701) == .report(expected))
    }

    @Test func statusReportOf701() throws {
        var expected = TerminalReport(kind: .status)
        expected.balance = "850.47"
        expected.equity = "847.26"
        expected.margin = "21.86"
        expected.timestamp = time
        #expect(try read(Golden.statusReport701) == .report(expected))
    }

    @Test func pongs() throws {
        #expect(try read(Golden.pong205) == .pong(Pong(pingID: "p-1", nodeID: node, userUUID: user)))
        #expect(try read(Golden.pong701) == .pong(Pong()))
    }
}
