import Domain
import Testing

@testable import EASimulator

@Suite("Messages equal the field's, byte for byte")
struct GoldenTests {
    private let time: TerminalText = "2025.09.15 19:39:23"
    private let live = AccountFigures(
        balance: amount("9405.62"), equity: amount("9535.23"), margin: amount("3522.71"),
        freeMargin: amount("6012.52"), marginLevel: amount("270.68"))
    private let small = AccountFigures(
        balance: amount("850.47"), equity: amount("847.26"), margin: amount("21.86"), freeMargin: amount("828.61"),
        marginLevel: amount("5196.38"))
    private var flat: AccountFigures {
        var figures = live
        figures.marginLevel = .zero
        return figures
    }

    private func messages(_ version: EAVersion, symbols: Int = 15) -> UniversalMessages {
        let names = ["EURUSD", "GBPUSD", "XAUUSD"] + (3..<15).map { "SYMBOL\($0)" }
        let market = Market(names.prefix(symbols).map { SymbolSpecification.named($0) })
        return UniversalMessages(profile: profile(version, market), nodeID: "NODE_843859_109092125")
    }

    private func check(_ bytes: [UInt8], _ version: String, _ name: String) {
        #expect(String(decoding: bytes, as: UTF8.self) == GoldenMessages.text(version, name))
    }

    @Test("2.05 on the command and telemetry ports")
    func dealer() {
        let all = messages(.v205)
        check(all.hello(live, time: time), "2.05", "HELLO")
        check(all.commandHeartbeat(live, ticks: 4523, time: time), "2.05", "HEARTBEAT")
        check(messages(.v205, symbols: 3).handshake(live, time: time), "2.05", "handshake")
        check(all.heartbeat(live, ticks: 4523, time: time), "2.05", "heartbeat")
        check(all.disconnect(ticks: 4523, time: time), "2.05", "DISCONNECT")
    }

    @Test("ticks and bars", arguments: [EAVersion.v205, .v202, .v201])
    func prices(version: EAVersion) {
        let all = messages(version)
        let tick = all.tick(0, bid: amount("1.17617"), ask: amount("1.17620"), time: time)
        check(tick, "2.01/2.02/2.05", "TICK")
        let bar = MarketBar(
            utcSeconds: 0, open: amount("1.17601"), high: amount("1.17620"), low: amount("1.17598"),
            close: amount("1.17617"))
        check(
            all.bar(0, timeframe: .m1, bar, brokerSeconds: 1_757_965_140, time: time), "2.01/2.02/2.05", "OHLC")
    }

    @Test("2.05 confirmations")
    func confirmations() {
        let all = messages(.v205)
        var outcome = CommandOutcome(
            fireID: "ELITE_RAPID_EURUSD_1757954363", isSuccess: true, ticket: 21_604_324, price: amount("1.17620"),
            lot: amount("0.1"), message: "Trade executed successfully via DEALER")
        check(all.confirmation(outcome, live, time: time), "2.05", "confirmation fire ok")
        outcome.isSuccess = false
        outcome.ticket = 0
        outcome.price = .zero
        outcome.message = "Trade execution failed - Error: 4756 Result: 10016"
        check(all.confirmation(outcome, flat, time: time), "2.05", "confirmation fire failed")
        let unknown = CommandOutcome(command: "unknown", message: "Unknown command type: WELCOME")
        check(all.confirmation(unknown, flat, time: time), "2.05", "confirmation unknown")
        check(all.pong("p-1", time: time), "2.05", "pong")
    }

    @Test("2.05 close confirmations")
    func closes() {
        let all = messages(.v205)
        let ticket = CommandOutcome(
            command: "close_ticket", isSuccess: true, ticket: 21_604_324, lot: amount("0.1"),
            message: "Position closed successfully")
        check(all.closeConfirmation(ticket, flat, time: time), "2.05", "close_confirmation ticket")
        var afterwards = flat
        afterwards.freeMargin = afterwards.equity
        let everything = CommandOutcome(
            command: "close_all", isSuccess: true, lot: amount("0.3"),
            message: "Closed 3 positions, 0 failed, Total volume: 0.30")
        check(all.closeConfirmation(everything, afterwards, time: time), "2.05", "close_confirmation all")
    }

    @Test("2.02 and 2.01", arguments: [EAVersion.v202, .v201])
    func older(version: EAVersion) {
        let all = messages(version)
        check(messages(version, symbols: 3).handshake(small, time: time), version.rawValue, "handshake")
        check(all.heartbeat(small, ticks: 4523, time: time), version.rawValue, "heartbeat")
        check(all.disconnect(ticks: 4523, time: time), version.rawValue, "DISCONNECT")
    }

    @Test("older confirmations")
    func olderConfirmations() {
        var outcome = CommandOutcome(
            isSuccess: true, ticket: 20_658_628, price: amount("1.16631"), lot: amount("0.01"),
            message: "Trade executed successfully")
        check(messages(.v202).confirmation(outcome, small, time: time), "2.02", "confirmation")
        outcome.symbol = "USDJPY"
        outcome.digits = 3
        outcome.price = amount("147.366")
        check(messages(.v201).confirmation(outcome, small, time: time), "2.01", "confirmation")
        var flat = small
        flat.marginLevel = .zero
        let close = CommandOutcome(command: "close_ticket", ticket: 99, message: "Position not found")
        check(messages(.v202).closeConfirmation(close, flat, time: time), "2.02", "close_confirmation")
    }

    @Test("7.01")
    func executor() {
        var profile = profile(.v701, market([("EURUSD", "1.1", "1.2")]))
        profile.brokerOffsetSeconds = 0
        let all = ExecutorMessages(profile: profile)
        check(
            all.tick(bid: amount("1.15548"), ask: amount("1.15561"), brokerSeconds: 1_754_060_224), "7.01", "tick")
        check(all.heartbeat(small, positions: 2, time: time), "7.01", "heartbeat")
        check(all.status("startup", "EA v7.01 initialized with tick streaming", time: time), "7.01", "status")
        let counters = ExecutorMessages.Counters(received: 12, sent: 99, trades: 1, errors: 0)
        let report = all.statusReport(counters, secondsSinceReceived: 3, positions: 2, small, time: time)
        check(report, "7.01", "status_report")
        let result = all.tradeResult(
            signalID: "SIG_1", deal: 20_658_628, price: amount("1.16631"), "", small, time: time)
        check(result, "7.01", "trade_result")
        check(all.error(signalID: "SIG_1", "Trade failed: Invalid stops in the request", time: time), "7.01", "error")
        check(all.pong(time: time), "7.01", "pong")
        let starts: [(Timeframe, Int64, Int64)] = [
            (.m1, 1_754_082_800, 60), (.m5, 1_754_080_640, 300), (.m15, 1_754_075_240, 900),
        ]
        let bars = starts.map { timeframe, start, step in
            (
                timeframe,
                (0..<10).map { index in
                    MarketBar(
                        utcSeconds: start + Int64(index) * step, open: amount("1.15283"), high: amount("1.15301"),
                        low: amount("1.15275"), close: amount("1.15290"), tickCount: 125)
                }
            )
        }
        check(all.candleBatch(bars, brokerSeconds: 1_754_083_399), "7.01", "candle_batch")
    }

    @Test("every golden message is produced by a test above")
    func completeness() { #expect(GoldenMessages.all.count == 30) }
}
