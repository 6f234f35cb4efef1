import ArgumentParser
import Citadel
import Foundation
import ServiceKit
import Wire

/// `meshctl citadel measure`: how fast a replay is beside reading and parsing alone, and what a symbol weighs.
struct CitadelMeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure the engine on recorded ticks: speed beside reading alone, memory per symbol.",
        discussion: """
            Each round reads and parses the file alone, then plays it through the engine, in turn; prints one JSON \
            object. A compressed file is unpacked by a child of its own: measure an unpacked one, held on one core \
            (taskset -c 0), for figures of one core.
            """)

    @OptionGroup var recording: RecordingOptions

    @Option(name: .long, help: ArgumentHelp("How often each is done.", valueName: "number"))
    var rounds = 7

    @Option(
        name: .long,
        help: ArgumentHelp("Symbols that get the file's ticks at once, for the memory.", valueName: "number"))
    var symbols = 16

    func validate() throws {
        guard (1...1_000).contains(rounds), (1...512).contains(symbols) else {
            throw ValidationError("--rounds is from 1 to 1000, --symbols from 1 to 512.")
        }
    }

    func run() throws {
        try ReplayError.reported { () throws(ReplayError) in
            var parsing: [Double] = []
            var playing: [Double] = []
            var ticks = 0
            for _ in 0..<rounds {
                parsing.append(try parseAlone())
                let round = try play()
                playing.append(round.seconds)
                ticks = round.ticks
            }
            let memory = try memoryPerSymbol()
            var output = ReplayOutput()
            try output.write([
                "ticks": .integer(ticks), "rounds": .integer(rounds),
                "parse_ticks_per_second": rate(ticks, parsing), "replay_ticks_per_second": rate(ticks, playing),
                "ratios": .array(zip(parsing, playing).map { ReplayDocuments.number(rounded($0 / $1)) }),
                "ratio": ReplayDocuments.number(rounded(median(zip(parsing, playing).map { $0 / $1 }))),
                "symbols": .integer(symbols), "bytes_per_symbol": .integer(memory),
            ])
            try output.flush()
        }
    }

    private func rounded(_ value: Double) -> Double { ReplayDocuments.rounded(value, 3) }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func rate(_ ticks: Int, _ seconds: [Double]) -> JSON { .integer(Int(Double(ticks) / median(seconds))) }

    private func timed(_ work: () throws(ReplayError) -> Void) throws(ReplayError) -> Double {
        let began = CitadelMeasureCommand.processorSeconds()
        try work()
        return CitadelMeasureCommand.processorSeconds() - began
    }

    /// The time this thread held a processor: what other work the machine has does not count.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func parseAlone() throws(ReplayError) -> Double {
        let file = try ReplayTickFile(path: recording.ticks)
        var sum = 0.0
        let seconds = try timed { () throws(ReplayError) in
            while let record = try file.nextRecord(brokerOffset: 0) {
                switch record {
                case .price(let price): sum += price.bid
                case .quote(let quote): sum += quote.price.bid
                case .bars, .other, .header, .unreadable: continue
                }
            }
        }
        // The sum is looked at, so that no compiler may leave the parsing out.
        return sum >= 0 ? seconds : .infinity
    }

    private func play() throws(ReplayError) -> (seconds: Double, ticks: Int) {
        var (playback, file) = try recording.playback()
        let seconds = try timed { () throws(ReplayError) in
            try playback.run(file) { (_, _, _) throws(ReplayError) in .max }
        }
        return (seconds, playback.summary.ticks)
    }

    /// The growth of the resident memory when one engine follows so many symbols, bytes a symbol.
    private func memoryPerSymbol() throws(ReplayError) -> Int {
        let file = try ReplayTickFile(path: recording.ticks)
        var engine = CitadelEngine(instruments: [:])
        let names = (0..<symbols).map { "SYMBOL\($0)" }
        var outputs: [CitadelOutput] = []
        let before = CitadelMeasureCommand.residentBytes()
        while let record = try file.nextRecord(brokerOffset: 0) {
            guard let price = record.price else { continue }
            for name in names {
                engine.handle(
                    MarketTick(
                        symbol: name, source: "recording", timeMilliseconds: price.milliseconds, bid: price.bid,
                        ask: price.ask, decimals: price.decimals), now: price.milliseconds, into: &outputs)
            }
            outputs.removeAll(keepingCapacity: true)
        }
        let grown = CitadelMeasureCommand.residentBytes() - before
        return engine.symbols.isEmpty ? 0 : max(0, grown) / symbols
    }

    private static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 1 ? pages[1] * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
