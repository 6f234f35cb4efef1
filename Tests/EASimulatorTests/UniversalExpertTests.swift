import Domain
import Testing

@testable import EASimulator

@Suite("The universal EA's day")
struct UniversalExpertTests {
    private let start: Int64 = 1_757_954_363
    private let prices = market([("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")])

    private func type(_ text: String) -> String { CommandText(frame: Array(text.utf8)).value("type").text }

    private func second(_ terminal: Terminal, _ seconds: Int64) {
        terminal.refreshTime()
        terminal.expert?.onTimer()
    }

    @Test("HELLO on the command port, then the handshake; a second later all last ticks, both heartbeats, bars")
    func beginning() throws {
        let prices = market(
            [("EURUSD", "1.17617", "1.17620"), ("XAUUSD", "3678.55", "3678.72")], utcSeconds: start - 70)
        quote(prices, 0, "1.17618", "1.17621", start)
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        let first = terminal.takeOutbox()
        #expect(first.map(\.port) == [.commands, .telemetry])
        #expect(first.map { type(String(decoding: $0.bytes, as: UTF8.self)) } == ["HELLO", "handshake"])
        second(terminal, 1)
        #expect(written(terminal).map(type) == ["TICK", "TICK", "heartbeat", "HEARTBEAT", "OHLC"])
    }

    @Test("the chart's symbol is sent by tick and by timer, the others once a second at most")
    func duplicates() throws {
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        second(terminal, 1)
        _ = written(terminal)
        quote(prices, 0, "1.17618", "1.17621", start + 1)
        quote(prices, 1, "3678.60", "3678.77", start + 1)
        terminal.refreshTime()
        terminal.expert?.onTick()
        // A second quote of the same second: OnTick stays quiet.
        terminal.expert?.onTick()
        let byTick = written(terminal)
        #expect(byTick.count == 1)
        second(terminal, 2)
        let byTimer = written(terminal)
        #expect(byTimer.count == 2)
        #expect(byTimer.first == byTick.first)
        #expect(byTimer[1].contains(#""symbol":"XAUUSD","bid":3678.60,"ask":3678.77,"spread":17.0,"volume":0"#))
    }

    @Test("heartbeats follow the quotes' time and stop with it")
    func heartbeats() throws {
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        second(terminal, 1)
        _ = written(terminal)
        quote(prices, 0, "1.17617", "1.17620", start + 29)
        second(terminal, 2)
        #expect(written(terminal).map(type) == ["TICK"])
        quote(prices, 0, "1.17617", "1.17620", start + 30)
        second(terminal, 3)
        #expect(written(terminal).map(type) == ["TICK", "heartbeat", "HEARTBEAT"])
        for number in 4..<400 { second(terminal, Int64(number)) }
        #expect(written(terminal).isEmpty)
    }

    @Test("M5 and M15 bars only when the minute's cadence meets their second")
    func bars() throws {
        let quarter = start - start % 900
        let fresh = market([("EURUSD", "1.1", "1.2")], utcSeconds: quarter - 1800)
        for step in 1...30 { quote(fresh, 0, "1.1", "1.2", quarter - 1800 + Int64(step) * 60) }
        let terminal = try terminal(.v205, fresh)
        terminal.attach()
        second(terminal, 1)
        let frames = written(terminal).filter { type($0) == "OHLC" }
            .map { CommandText(frame: Array($0.utf8)).value("timeframe").text }
        #expect(frames == ["M1", "M5", "M15"])
    }

    @Test("first ticks may be hours old, the next ones are not")
    func staleTicks() throws {
        var behaviour = SimulatorBehaviour()
        behaviour.staleFirstTicksSeconds = 7200
        let terminal = try terminal(.v205, prices, behaviour: behaviour)
        terminal.attach()
        _ = written(terminal)
        second(terminal, 1)
        #expect(written(terminal)[0].contains(#""timestamp":"2025.09.15 17:39:23""#))
        quote(prices, 0, "1.17617", "1.17620", start + 1)
        second(terminal, 2)
        #expect(written(terminal)[0].contains(#""timestamp":"2025.09.15 19:39:24""#))
    }

    @Test("a backlog is old ticks in order, behind the handshake")
    func backlog() throws {
        var behaviour = SimulatorBehaviour()
        behaviour.backlog = 80
        let terminal = try terminal(.v205, prices, behaviour: behaviour)
        terminal.attach()
        let lines = written(terminal)
        #expect(lines.count == 82)
        let times = lines.map { CommandText(frame: Array($0.utf8)).value("timestamp").text }
        #expect(times.first == "2025.09.15 19:39:13")
        #expect(times == times.sorted())
    }

    @Test("DISCONNECT at the end, with the ticks of the chart's symbol that were counted")
    func ending() throws {
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        terminal.expert?.onTick()
        _ = written(terminal)
        terminal.expert?.stop(reason: "EA removed from chart")
        #expect(
            written(terminal).map { $0.contains(#""type":"DISCONNECT""#) && $0.contains(#"_processed":1,"#) } == [true])
    }

    @Test("text prefixes and a negative zero, when asked for")
    func oddities() throws {
        var behaviour = SimulatorBehaviour()
        behaviour.prefixesText = true
        behaviour.hasNegativeZero = true
        let terminal = try terminal(.v205, prices, behaviour: behaviour)
        terminal.attach()
        let hello = written(terminal)[0]
        #expect(hello.contains(#""free_margin":-0.00"#))
        second(terminal, 1)
        let lines = written(terminal)
        #expect(lines[0].hasPrefix(#"TICK {"type":"TICK""#))
        #expect(lines[2].hasPrefix(#"HEARTBEAT {"type":"heartbeat""#))
    }
}
