import Domain
import Foundation
import Testing
import Wire

/// The captured ticks of a live EA, where they stand beside the checkout: `../shared/data`.
private let capture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/data/ea_ticks_2025-08-21.jsonl.gz").standardizedFileURL

@Suite(
    .enabled(if: FileManager.default.fileExists(atPath: capture.path), "skipped: no ../shared/data beside the checkout")
)
struct RealTicksTests {
    private func lines() throws -> [[UInt8]] {
        let unpack = Process()
        unpack.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        unpack.arguments = ["gzip", "-dc", capture.path]
        let pipe = Pipe()
        unpack.standardOutput = pipe
        try unpack.run()
        let bytes = try #require(try pipe.fileHandleForReading.readToEnd())
        unpack.waitUntilExit()
        return bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }

    @Test func everyCapturedQuoteReadsTheSameBothWays() throws {
        let lines = try lines()
        #expect(lines.count == 20_391)
        var symbols: Set<String> = []
        for line in lines {
            guard case .tick(let tick) = try EADecoder.decode(line) else { throw UnexpectedMessage() }
            symbols.insert(tick.symbol)
            #expect(scanned(line) == .tick(tick))
            #expect(tick.brokerSeconds != nil && tick.userUUID == "COMMANDER_DEV_001")
        }
        #expect(symbols.count >= 10)
    }
}
