import Domain
import Testing
import Wire

@Suite struct GoldenTradeTests {
    /// What every confirmation line of the same account holds.
    private func report(_ kind: TradeReport.Kind) -> TradeReport {
        var report = TradeReport(kind: kind)
        report.nodeID = "NODE_843859_109092125"
        report.userUUID = "COMMANDER_DEV_001"
        report.account = "843859"
        report.timestamp = "2025.09.15 19:39:23"
        return report
    }

    private func dealer(_ kind: TradeReport.Kind) -> TradeReport {
        var report = report(kind)
        report.currency = "USD"
        report.balance = "9405.62"
        report.equity = "9535.23"
        report.freeMargin = "6012.52"
        return report
    }

    private func pull(_ kind: TradeReport.Kind) -> TradeReport {
        var report = report(kind)
        report.balance = "850.47"
        report.equity = "847.26"
        report.freeMargin = "828.61"
        return report
    }

    @Test func openedBy205() throws {
        var expected = dealer(.opened)
        expected.fireID = "ELITE_RAPID_EURUSD_1757954363"
        expected.ticket = 21_604_324
        expected.openPrice = "1.17620"
        expected.lot = "0.10"
        expected.message = "Trade executed successfully via DEALER"
        #expect(try read(Golden.confirmationFireOk205) == .trade(expected))
    }

    @Test func failedBy205() throws {
        var expected = dealer(.failed)
        expected.fireID = "ELITE_RAPID_EURUSD_1757954363"
        expected.lot = "0.10"
        expected.message = "Trade execution failed - Error: 4756 Result: 10016"
        #expect(try read(Golden.confirmationFireFailed205) == .trade(expected))
    }

    @Test func unknownCommandOf205() throws {
        var expected = dealer(.unknownCommand)
        expected.message = "Unknown command type: WELCOME"
        #expect(try read(Golden.confirmationUnknown205) == .trade(expected))
    }

    @Test func closedTicketOf205() throws {
        var expected = dealer(.closed)
        expected.ticket = 21_604_324
        expected.lot = "0.10"
        expected.message = "Position closed successfully"
        #expect(try read(Golden.closeConfirmationTicket205) == .trade(expected))
    }

    @Test func closedAllOf205() throws {
        var expected = dealer(.closedAll)
        expected.lot = "0.30"
        expected.message = "Closed 3 positions, 0 failed, Total volume: 0.30"
        expected.freeMargin = "9535.23"
        expected.closedCount = 3
        #expect(try read(Golden.closeConfirmationAll205) == .trade(expected))
    }

    @Test func openedBy202() throws {
        var expected = pull(.opened)
        expected.ticket = 20_658_628
        expected.openPrice = "1.16631"
        expected.lot = "0.01"
        expected.message = "Trade executed successfully"
        #expect(try read(Golden.confirmation202) == .trade(expected))
    }

    @Test func closeFailedOf202() throws {
        var expected = pull(.closeFailed)
        expected.ticket = 99
        expected.message = "Position not found"
        #expect(try read(Golden.closeConfirmation202) == .trade(expected))
    }

    @Test func openedBy201() throws {
        var expected = pull(.opened)
        expected.symbol = "USDJPY"
        expected.ticket = 20_658_628
        expected.openPrice = "147.366"
        expected.lot = "0.01"
        expected.message = "Trade executed successfully"
        #expect(try read(Golden.confirmation201) == .trade(expected))
    }

    @Test func tradeResultOf701() throws {
        var expected = TradeReport(kind: .opened)
        expected.signalID = "SIG_1"
        expected.ticket = 20_658_628
        expected.openPrice = "1.16631"
        expected.balance = "850.47"
        expected.equity = "847.26"
        expected.timestamp = "2025.09.15 19:39:23"
        #expect(try read(Golden.tradeResult701) == .trade(expected))
    }

    @Test func errorOf701() throws {
        var expected = TradeReport(kind: .failed)
        expected.signalID = "SIG_1"
        expected.message = "Trade failed: Invalid stops in the request"
        expected.timestamp = "2025.09.15 19:39:23"
        #expect(try read(Golden.error701) == .trade(expected))
    }
}

@Suite struct GoldenMarketTests {
    @Test func quoteOf2x() throws {
        var expected = Tick(
            symbol: "EURUSD", bid: Amount(units: 117_617_000), ask: Amount(units: 117_620_000), decimals: 5)
        expected.nodeID = "NODE_843859_109092125"
        expected.userUUID = "COMMANDER_DEV_001"
        expected.brokerSeconds = 1_757_965_163
        #expect(try read(Golden.tick2x) == .tick(expected))
    }

    @Test func barOf2x() throws {
        var expected = Bar(
            symbol: "EURUSD", timeframe: "M1", brokerSeconds: 1_757_965_140, open: Amount(units: 117_601_000),
            high: Amount(units: 117_620_000), low: Amount(units: 117_598_000), close: Amount(units: 117_617_000))
        expected.nodeID = "NODE_843859_109092125"
        expected.userUUID = "COMMANDER_DEV_001"
        #expect(try read(Golden.ohlc2x) == .bars([expected]))
    }

    @Test func quoteOf701() throws {
        var expected = Tick(
            symbol: "EURUSD", bid: Amount(units: 115_548_000), ask: Amount(units: 115_561_000), decimals: 5)
        expected.brokerSeconds = 1_754_060_224
        #expect(try read(Golden.tick701) == .tick(expected))
    }

    @Test func candleBatchOf701() throws {
        let starts: [(String, Int64, Int64)] = [
            ("M1", 1_754_082_800, 60), ("M5", 1_754_080_640, 300), ("M15", 1_754_075_240, 900),
        ]
        let expected = starts.flatMap { timeframe, first, step in
            (0..<5).map { index in
                Bar(
                    symbol: "EURUSD", timeframe: timeframe, brokerSeconds: first + Int64(index) * step,
                    open: Amount(units: 115_283_000), high: Amount(units: 115_301_000),
                    low: Amount(units: 115_275_000), close: Amount(units: 115_290_000))
            }
        }
        #expect(try read(Golden.candleBatch701) == .bars(expected))
    }
}
