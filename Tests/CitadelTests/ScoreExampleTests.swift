import Foundation
import Testing

@testable import Citadel

@Suite("Worked examples")
struct ScoreExampleTests {
    private static let document: URL = {
        let here = URL(fileURLWithPath: #filePath)
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/citadel-examples.md")
    }()

    private static let short: [FactorName: String] = [
        .stopPlacement: "stop", .levelPath: "path", .sweep: "sweep", .timeframes: "timeframes", .spread: "spread",
        .volatility: "volatility", .entryDrift: "drift", .sourceQuality: "source", .session: "session",
    ]

    private func price(_ value: Double?) -> String { value.map { Decimals.text($0, 5) } ?? "–" }

    private func text() throws -> String {
        var lines = [
            "# CITADEL: twenty worked examples", "",
            "Written by `ScoreExampleTests` from what the engine says, and compared with it by every test run: change a rule and",
            "this page must change with it (`MESH_WRITE_EXAMPLES=1 swift test --filter ScoreExampleTests` writes it).",
            "",
            "The market of all of them, where a line says nothing else: EURUSD at 1.10000 on a Wednesday, 13:00 UTC; spread 1.0 pip, as",
            "usual; M5 bars of 5 pips, as usual; M15 bars of 10 pips; a day and a half of history; H1, M15 and M5 rising; no level near.",
            "The trade is BUY at 1.10000; stop and target are in the table.", "",
            "| | situation | stop | target | score | | confidence |", "|---|---|---|---|---|---|---|",
        ]
        var parts = [
            "", "## What each factor gave", "",
            "A row adds up to its score exactly. At most: the weight times ten.", "",
            "| | " + FactorName.allCases.map { Self.short[$0] ?? "" }.joined(separator: " | ") + " | score |",
            "|---|" + FactorName.allCases.map { _ in "---|" }.joined() + "---|",
            "| at most | "
                + FactorName.allCases.map { Decimals.text(Double($0.percent) / 10, 2) }.joined(separator: " | ")
                + " | 10.0 |",
        ]
        var words = ["", "## What it says", ""]
        for (index, example) in ScoreExample.all.enumerated() {
            let answer = try Scorer.score(example.query, in: example.view)
            let score = Decimals.text(answer.protectionScore, 1)
            lines.append(
                "| \(index + 1) | \(example.situation) | \(price(example.query.stopLoss)) | "
                    + "\(price(example.query.takeProfit)) | \(score) | \(answer.riskLevel.rawValue) | "
                    + "\(Decimals.text(answer.confidence, 2))\(answer.stale ? ", stale" : "") |")
            parts.append(
                "| \(index + 1) | "
                    + answer.factors.map { Decimals.text($0.contribution, 3) }.joined(separator: " | ")
                    + " | \(score) |")
            words.append("\(index + 1). \(answer.insights.prefix(2).joined(separator: " ")) — \(answer.recommendation)")
        }
        return (lines + parts + words).joined(separator: "\n") + "\n"
    }

    @Test("docs/citadel-examples.md is what the engine says")
    func document() throws {
        #expect(ScoreExample.all.count == 20)
        let expected = try text()
        if ProcessInfo.processInfo.environment["MESH_WRITE_EXAMPLES"] == "1" {
            try Data(expected.utf8).write(to: Self.document)
        }
        let written = String(decoding: try Data(contentsOf: Self.document), as: UTF8.self)
        let differing = zip(expected.split(separator: "\n"), written.split(separator: "\n")).first { $0 != $1 }
        #expect(written == expected, "first difference: \(String(describing: differing))")
    }

    @Test(
        "the examples are worth reading: they use the scale, and moving the stop out of the crowd is worth a standing")
    func worthReading() throws {
        let scores = try ScoreExample.all.map { try Scorer.score($0.query, in: $0.view).protectionScore }
        #expect((scores.min() ?? 10) < 2 && (scores.max() ?? 0) >= 9)
        #expect(Set(scores.map { RiskLevel(score: $0) }) == Set(RiskLevel.allCases))
        // Under the lows, behind the crowd, among them, in front of them.
        #expect(scores[4] > scores[3] + 1.5 && scores[4] > scores[5] + 1.5 && scores[4] > scores[6])
        #expect(scores[1] > scores[2] && scores[0] > scores[8] && scores[10] > scores[9])
    }
}
