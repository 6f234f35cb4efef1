import ArgumentParser
import Citadel
import Domain
import Foundation
import ServiceKit

/// `meshctl citadel`: the market's side of the mesh, without a mesh running.
struct CitadelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "citadel", abstract: "Market analysis on recorded ticks.",
        subcommands: [CitadelReplayCommand.self, CitadelChartCommand.self, CitadelMeasureCommand.self])
}

/// What every look at recorded ticks is told.
struct RecordingOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("File with the ticks: CSV or EA JSON lines, plain or gzip.", valueName: "file"))
    var ticks: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whose ticks, for example EURUSD; a broker's spelling will do. Default: all, or the one the file's name says.",
            valueName: "symbol"))
    var symbol: String?

    @Option(name: .long, help: ArgumentHelp("Hours the broker's clock is ahead of UTC.", valueName: "hours"))
    var brokerOffset: Double = 0

    @Option(name: .long, help: "Configuration file (YAML). Default: deploy/config/mesh.yaml; environment: MESH_CONFIG.")
    var config: String?

    func validate() throws {
        if let symbol, !(1...32).contains(symbol.utf8.count) {
            throw ValidationError("--symbol must have 1 to 32 characters.")
        }
        guard brokerOffset.isFinite, abs(brokerOffset) <= 14 else {
            throw ValidationError("--broker-offset must be a number of hours from -14 to 14.")
        }
    }

    /// A playback of these ticks, ready to run.
    func playback() throws(ReplayError) -> (playback: CitadelPlayback, file: ReplayTickFile) {
        let catalogue = try instruments()
        let file = try ReplayTickFile(path: ticks)
        let playback = CitadelPlayback(
            catalogue: catalogue, symbol: symbol.map(catalogue.canonical),
            symbolOfFile: RecordingOptions.symbol(inNameOf: ticks, catalogue),
            brokerOffset: Int64(brokerOffset * 3_600_000))
        return (playback, file)
    }

    /// `eurusd_oanda_2014.csv.gz` is about EURUSD.
    static func symbol(inNameOf path: String, _ catalogue: InstrumentCatalogue) -> String? {
        let name = path.split(separator: "/").last.map { $0.uppercased() } ?? ""
        let words = name.split { !$0.isLetter && !$0.isNumber }.map { catalogue.canonical(String($0)) }
        return words.first { catalogue.instruments[$0] != nil }
    }

    private func instruments() throws(ReplayError) -> InstrumentCatalogue {
        var overrides = MeshConfiguration.Overrides()
        overrides.config = config
        do throws(ConfigurationError) {
            return try InstrumentFile.load(path: try MeshConfiguration.load(overrides).symbolsFile)
        } catch {
            let environment = ProcessInfo.processInfo.environment
            // Recorded ticks need no ports: outside a project the symbols file alone will do, or none.
            guard config == nil, environment["MESH_CONFIG"] == nil, error.path.hasSuffix("/ports.yaml"),
                !FileManager.default.fileExists(atPath: error.path)
            else { throw ReplayError(message: "\(error)", status: ExitStatus.configuration) }
            return try instrumentsAlone(environment["MESH_SYMBOLS"])
        }
    }

    private func instrumentsAlone(_ named: String?) throws(ReplayError) -> InstrumentCatalogue {
        let path = named ?? "deploy/config/symbols.yaml"
        guard named != nil || FileManager.default.fileExists(atPath: path) else {
            StandardError.write(line: "meshctl: no symbols file (MESH_SYMBOLS): pips follow from the decimals")
            return InstrumentCatalogue(instruments: [])
        }
        do throws(ConfigurationError) {
            return try InstrumentFile.load(path: path)
        } catch {
            throw ReplayError(message: "\(error)", status: ExitStatus.configuration)
        }
    }
}

/// Why a look at recorded ticks ends early: one line, and an exit status of sysexits(3).
struct ReplayError: Error {
    let message: String
    let status: Int32

    static let noInput: Int32 = 66
    static let badData: Int32 = 65
    static let cannotCreate: Int32 = 73
    static let inputOutput: Int32 = 74

    /// Runs the work of a command; its error becomes a line on standard error and the exit status.
    static func reported(_ work: () throws(ReplayError) -> Void) throws {
        do throws(ReplayError) {
            try work()
        } catch {
            StandardError.write(line: "meshctl: \(error.message)")
            throw ExitCode(error.status)
        }
    }
}
