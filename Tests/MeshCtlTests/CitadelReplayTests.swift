import ArgumentParser
import Citadel
import Foundation
import Testing
import Wire

@testable import MeshCtl

@Suite("meshctl citadel on recorded ticks")
struct CitadelReplayTests {
    /// A folder of its own for each test, gone at its end.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("citadel-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }
        func path(_ name: String) -> String { url.appendingPathComponent(name).path }
        func write(_ text: String, to name: String) throws -> String {
            try text.write(toFile: path(name), atomically: true, encoding: .utf8)
            return path(name)
        }
    }

    private func run(_ arguments: [String]) throws {
        var command = try MeshCtlCommand.parseAsRoot(arguments)
        try command.run()
    }

    private func status(_ arguments: [String]) -> Int32 {
        do {
            try run(arguments)
            return 0
        } catch {
            return MeshCtlCommand.exitCode(for: error).rawValue
        }
    }

    private func lines(_ path: String) throws -> [JSONObject] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try #require(try JSON(String($0)).object)
        }
    }

    /// A day and a half of a random walk, a tick every five seconds; the seed is fixed.
    private func walk() -> String {
        var state: UInt64 = 20_140_502
        var price = 138_700
        var text = "ts_ms_utc,bid,ask\n"
        for index in 0..<25_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            price += Int(state >> 33) % 7 - 3
            text += "\(1_398_988_800_000 + index * 5_000),\(decimal(price)),\(decimal(price + 11))\n"
        }
        return text
    }

    private func decimal(_ points: Int) -> String {
        "\(points / 100_000).\(String(points % 100_000 + 100_000).dropFirst())"
    }

    @Test("the same ticks give the same bytes, plain or compressed")
    func sameBytes() throws {
        let folder = try Folder()
        let ticks = try folder.write(walk(), to: "eurusd_walk.csv")
        let options = ["--levels", "--bars", "--score-every", "30"]
        try run(["citadel", "replay", "--ticks", ticks, "--output", folder.path("1")] + options)
        try run(
            ["citadel", "replay", "--ticks", ticks, "--symbol", "EURUSD.r", "--output", folder.path("2")] + options)
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-k", ticks]
        try gzip.run()
        gzip.waitUntilExit()
        try run(["citadel", "replay", "--ticks", ticks + ".gz", "--output", folder.path("3")] + options)
        let first = try Data(contentsOf: URL(fileURLWithPath: folder.path("1")))
        let second = try Data(contentsOf: URL(fileURLWithPath: folder.path("2")))
        let third = try Data(contentsOf: URL(fileURLWithPath: folder.path("3")))
        #expect(first.count > 100_000)
        #expect(first == second && first == third)

        let types = try lines(folder.path("1")).compactMap { $0["type"]?.text }
        for type in ["bar", "score", "level_born", "level_taken", "liquidity_sweep", "level", "summary"] {
            #expect(types.contains(type), "\(type)")
        }
        #expect(types.last == "total" && types.dropLast().last == "summary")
    }

    @Test("a sweep carries its evidence, a score adds up")
    func documents() throws {
        let folder = try Folder()
        let ticks = try folder.write(walk(), to: "eurusd_walk.csv")
        try run(["citadel", "replay", "--ticks", ticks, "--output", folder.path("out")])
        let lines = try lines(folder.path("out"))
        let sweep = try #require(lines.first { $0["type"]?.text == "liquidity_sweep" })
        let evidence = try #require(sweep["evidence"]?.object)
        #expect(evidence["level"]?.text == sweep["level"]?.text)
        let bars = try #require(evidence["bars"]?.text.flatMap { Int($0) })
        #expect((1...4).contains(bars))
        let score = try #require(lines.last { $0["type"]?.text == "score" })
        let total = try #require(score["protection_score"]?.text.flatMap { Double($0) })
        let parts = try #require(score["contributions"]?.object).fields.compactMap {
            $0.value.text.flatMap { Double($0) }
        }
        #expect(abs(parts.reduce(0, +) - total) < 1e-6)
    }

    @Test("a trade that is asked for is scored all along, with its sentences; one that makes no sense says why")
    func trades() throws {
        let folder = try Folder()
        let ticks = try folder.write(walk(), to: "eurusd.csv")
        let trade = "buy:1.38700:1.38400:1.39300"
        try run([
            "citadel", "replay", "--ticks", ticks, "--symbol", "EURUSD", "--score-every", "30", "--trade", trade,
            "--trade",
            "SELL:9.99", "--output", folder.path("out"),
        ])
        let lines = try lines(folder.path("out"))
        let scores = lines.filter { $0["type"]?.text == "score" }
        #expect(scores.count > 20)
        for score in scores {
            #expect(score["direction"]?.text == "BUY" && score["entry_price"]?.text == "1.387")
            #expect(score["stop_loss"]?.text == "1.384" && score["take_profit"]?.text == "1.393")
            #expect(score["recommendation"]?.text?.isEmpty == false && score["insights"]?.array?.isEmpty == false)
        }
        let refused = lines.filter { $0["type"]?.text == "score_refused" }
        #expect(refused.count == scores.count)
        #expect(refused.first?["error"]?.object?["code"]?.text == "entry_far_from_market")
        for bad in ["BUY", "UP:1.1", "BUY:x", "BUY:1.1:0", "BUY:1.1:-1", "BUY:1:1:1:1", "BUY:1.1:", "BUY:nan"] {
            #expect(status(["citadel", "replay", "--ticks", ticks, "--trade", bad]) == 64, "\(bad)")
        }
        #expect(status(["citadel", "replay", "--ticks", ticks, "--trade", trade, "--score-every", "0"]) == 64)
        let none = try #require(ReplayTrade(argument: "SELL:1.1:-:1.09"))
        #expect(none.stop == nil && none.target == 1.09 && none.direction == .sell)
    }

    @Test("messages of an EA name their symbols: all are played, under their own names")
    func messages() throws {
        let folder = try Folder()
        var text = ""
        for second in 0..<600 {
            let time =
                "2025.08.20 \(String(second / 3600 + 113).dropFirst()):\(String(second / 60 % 60 + 100).dropFirst()):"
                + "\(String(second % 60 + 100).dropFirst())"
            for (symbol, price) in [("EURUSD.r", "1.1650\(second % 10)"), ("GOLD#", "3344.\(10 + second % 80)")] {
                text +=
                    #"{"type":"TICK","node_id":"n-1","user_uuid":"u-1","symbol":"\#(symbol)","bid":\#(price),"ask":\#(price),"#
                    + #""spread":1.0,"volume":0,"timestamp":"\#(time)"}"# + "\n"
            }
        }
        let ticks = try folder.write(text, to: "captured.jsonl")
        try run(["citadel", "replay", "--ticks", ticks, "--broker-offset", "3", "--output", folder.path("all")])
        let symbols = try lines(folder.path("all")).filter { $0["type"]?.text == "summary" }
            .compactMap { $0["symbol"]?.text }
        #expect(symbols == ["EURUSD", "XAUUSD"])
        try run(["citadel", "replay", "--ticks", ticks, "--symbol", "XAUUSDm", "--output", folder.path("one")])
        let one = try lines(folder.path("one")).filter { $0["type"]?.text == "summary" }
        #expect(one.compactMap { $0["symbol"]?.text } == ["XAUUSD"])
        #expect(one.first?["ticks"]?.text == "600")
        let total = try #require(try lines(folder.path("one")).last)
        #expect(total["type"]?.text == "total" && total["other_symbols"]?.text == "600")
    }

    @Test("what is missing is said with the exit status of its kind")
    func refusals() throws {
        let folder = try Folder()
        let nameless = try folder.write(walk(), to: "recording.csv")
        let empty = try folder.write("ts_ms_utc,bid,ask\n", to: "eurusd_empty.csv")
        #expect(status(["citadel", "replay", "--ticks", nameless, "--output", folder.path("x")]) == 64)
        #expect(status(["citadel", "replay", "--ticks", folder.path("none"), "--output", folder.path("x")]) == 66)
        #expect(status(["citadel", "replay", "--ticks", empty, "--output", folder.path("x")]) == 65)
        #expect(status(["citadel", "replay", "--ticks", nameless, "--symbol", "EURUSD", "--output", "/proc/x"]) == 73)
        #expect(status(["citadel", "replay", "--ticks", nameless, "--score-every", "-1"]) == 64)
        #expect(status(["citadel", "chart", "--ticks", nameless, "--output", "x", "--from", "yesterday"]) == 64)
        #expect(status(["citadel", "chart", "--ticks", nameless, "--output", "x", "--timeframe", "M2"]) == 64)
        #expect(status(["citadel", "measure", "--ticks", nameless, "--rounds", "0"]) == 64)
    }

    @Test("a damaged recording leaves no output, and what stood there stays")
    func damaged() throws {
        let folder = try Folder()
        let ticks = try folder.write(walk(), to: "eurusd_walk.csv")
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", ticks]
        try gzip.run()
        gzip.waitUntilExit()
        let whole = try Data(contentsOf: URL(fileURLWithPath: ticks + ".gz"))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: ticks + ".gz"))
        let output = try folder.write("older", to: "out")
        #expect(status(["citadel", "replay", "--ticks", ticks + ".gz", "--output", output]) == 65)
        #expect(try String(contentsOfFile: output, encoding: .utf8) == "older")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.sorted() == ["eurusd_walk.csv.gz", "out"])
        #expect(status(["citadel", "chart", "--ticks", ticks + ".gz", "--output", folder.path("x")]) == 65)
    }

    @Test("a chart is a whole SVG with candles, levels, sweeps, sessions and a legend")
    func chart() throws {
        let folder = try Folder()
        let ticks = try folder.write(walk(), to: "eurusd_walk.csv")
        let picture = folder.path("chart.svg")
        try run([
            "citadel", "chart", "--ticks", ticks, "--from", "2014-05-02", "--to", "2014-05-03T00:00", "--output",
            picture,
        ])
        let svg = try String(contentsOfFile: picture, encoding: .utf8)
        #expect(svg.contains("width=\"100%\" viewBox="))
        let nowhere = folder.path("nope") + "/x.svg"
        let day = ["--from", "2014-05-02", "--to", "2014-05-03T00:00", "--output", nowhere]
        #expect(status(["citadel", "chart", "--ticks", ticks] + day) == 73)
        #expect(svg.hasPrefix("<svg xmlns=") && svg.hasSuffix("</svg>\n"))
        for words in ["EURUSD", "M5", "London + New York", "broken", "sell-side level", "12:00", "<polygon", "UTC"] {
            #expect(svg.contains(words), "\(words)")
        }
        #expect(svg.components(separatedBy: "<text").count == svg.components(separatedBy: "</text>").count)
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        #expect(
            status([
                "citadel", "chart", "--ticks", ticks, "--from", "2015-01-01", "--to", "2015-01-02", "--output", picture,
            ]) == 64)
    }
}
