import Domain
import Redis
import ServiceKit
import TestKit
import Testing

@Suite("Configuration") struct MeshConfigurationTests {
    let directory: TemporaryDirectory
    let environment: [String: String]

    init() throws {
        directory = try TemporaryDirectory("configuration")
        environment = ["MESH_ROOT": Project.root]
    }

    private func load(
        file: String? = nil, _ more: [String: String] = [:],
        _ change: (inout MeshConfiguration.Overrides) -> Void = { _ in }
    ) throws -> MeshConfiguration {
        var overrides = MeshConfiguration.Overrides()
        if let file { overrides.config = try directory.write("mesh.yaml", file) }
        change(&overrides)
        return try MeshConfiguration.load(overrides, environment: environment.merging(more) { _, new in new })
    }

    @Test func withoutAnythingItIsTheProjectsOwn() throws {
        let configuration = try load()
        #expect(configuration.varDirectory == Project.root + "/var")
        #expect(configuration.logDirectory == Project.root + "/logs")
        #expect(configuration.listenAddress == "127.0.0.1" && !configuration.isOpenToTheWorld)
        #expect(configuration.redis.port == configuration.ports[.state].port)
        #expect(!configuration.isDemo && !configuration.allowUnsafeRedis)
    }

    @Test func aHeartbeatThatNobodyChoseIsForPeersThatAnswerAlone() throws {
        let usual = try load()
        #expect(usual.usualHeartbeat == 10_000 && usual.chosenHeartbeat == 0)
        let chosen = try load(file: "zmtp_heartbeat_ms: 500\n")
        #expect(chosen.usualHeartbeat == 500 && chosen.chosenHeartbeat == 500)
        let off = try load(file: "zmtp_heartbeat_ms: 500\n", ["MESH_ZMTP_HEARTBEAT_MS": "0"])
        #expect(off.usualHeartbeat == 0 && off.chosenHeartbeat == 0)
        for text in ["often", "-1", "50"] {
            #expect(throws: (any Error).self) { try load(file: "zmtp_heartbeat_ms: \(text)\n") }
        }
    }

    @Test func aFlagBeatsTheEnvironmentWhichBeatsTheFile() throws {
        let file = "log_level: error\nlisten: 10.0.0.1\nredis: redis://file:1\nlog_format: json\n"
        #expect(try load(file: file).logLevel == "error")
        let variables = ["MESH_LOG_LEVEL": "debug", "MESH_LISTEN": "10.0.0.2", "MESH_REDIS": "redis://variable:2"]
        let second = try load(file: file, variables)
        #expect(second.logLevel == "debug" && second.listenAddress == "10.0.0.2" && second.redis.host == "variable")
        #expect(second.logFormat == .json, "what only the file says stays")
        let third = try load(file: file, variables) {
            $0.logLevel = "trace"
            $0.listen = "0.0.0.0"
            $0.redis = "redis://flag:3"
        }
        #expect(third.logLevel == "trace" && third.listenAddress == "0.0.0.0" && third.redis.host == "flag")
        #expect(third.isOpenToTheWorld)
    }

    @Test func redisURLCountsWhereNothingOfOursIsSaid() throws {
        #expect(try load(["REDIS_URL": "redis://other:9"]).redis == RedisAddress(host: "other", port: 9))
        #expect(try load(["REDIS_URL": "redis://other:9", "MESH_REDIS": "redis://ours:8"]).redis.host == "ours")
    }

    @Test func pathsInAFileAreRelativeToTheFile() throws {
        let configuration = try load(file: "var: state\nlogs: ../logs\n")
        #expect(configuration.varDirectory == directory.path + "/state")
        #expect(configuration.logDirectory.hasSuffix("/logs"))
        #expect(!configuration.logDirectory.contains(directory.path))
        #expect(configuration.runDirectory == directory.path + "/state/run")
    }

    @Test func meshVarTakesLogsWithItAndRedisToo() throws {
        let configuration = try load(["MESH_VAR": directory.path + "/elsewhere"])
        #expect(configuration.logDirectory == directory.path + "/elsewhere/logs")
        #expect(configuration.tokenFile == directory.path + "/elsewhere/token")
        #expect(try load(["MESH_TOKEN_FILE": "/etc/mesh/token"]).tokenFile == "/etc/mesh/token")
    }

    @Test(arguments: [
        ("colour: red\n", "unknown setting 'colour'"), ("- a\n", "it must be a mapping"), ("a: [\n", "it is not YAML"),
        ("log_format: xml\n", "the log format is 'text' or 'json', not 'xml'"),
        ("redis: http://host\n", "unknown scheme 'http'"), ("ports: none.yaml\n", "there is no such file"),
    ])
    func aBrokenFileIsSaidInOneLine(file: String, why: String) throws {
        let error = #expect(throws: ConfigurationError.self) { _ = try load(file: file) }
        let text = try #require(error).description
        #expect(text.contains(why) && !text.contains("\n"), "\(text)")
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try load { $0.config = "/nowhere/mesh.yaml" }
        }
        #expect(error?.description == "/nowhere/mesh.yaml: there is no such file")
    }

    @Test func onlyTheEAPortsFollowTheListenAddress() throws {
        let configuration = try load { $0.listen = "0.0.0.0" }
        #expect(configuration.bindEndpoint(.eaTelemetry).hasPrefix("tcp://0.0.0.0:"))
        #expect(configuration.bindEndpoint(.orders).hasPrefix("tcp://127.0.0.1:"))
        #expect(configuration.connectEndpoint(.eaTelemetry).hasPrefix("tcp://127.0.0.1:"))
    }

    @Test func theProjectsInstrumentsAreReadable() throws {
        let catalogue = try InstrumentFile.load(path: try load().symbolsFile)
        let names = ["EURUSD", "EURUSD.r", "XAUUSDm", "GOLD#", "USDJPY", "US30"]
        for name in names { #expect(catalogue.instrument(for: name) != nil, "\(name)") }
    }
}
