// swift-tools-version:6.1
import PackageDescription

/// One settings array for every target: Swift 6 language mode comes from the tools version, warnings are errors.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-warnings-as-errors"]),
]

// MARK: - One helper per kind of target

func systemLibrary(_ name: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)")
}

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

func process(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/\(name)", resources: resources,
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

func product(_ name: String, _ target: String) -> Product { .executable(name: name, targets: [target]) }

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// What every process stands on.
let base: [Target.Dependency] = ["ServiceKit", "ZeroMQ", "Redis", "Wire", "Domain", log, arguments]

let package = Package(
    name: "terminal-mesh",
    platforms: [.macOS(.v15)],
    products: [
        product("handshake-processor", "HandshakeProcessor"),
        product("confirmation-logger", "ConfirmationLogger"),
        product("node-registry", "NodeRegistry"),
        product("position-tracker", "PositionTracker"),
        product("heartbeat-monitor", "HeartbeatMonitor"),
        product("citadel-monitor", "CitadelMonitor"),
        product("health-dashboard", "HealthDashboard"),
        product("meshctl", "MeshCtl"),
        product("ea-simulator", "EASimulator"),
        product("hello-reference", "HelloReference"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
    ],
    targets: [
        systemLibrary("CZeroMQ"),
        systemLibrary("CHiredis"),
        systemLibrary("CLinux"),
        systemLibrary("CZlib"),

        library("ZeroMQ", ["CZeroMQ"]),
        library("Redis", ["CHiredis", collections]),
        library("Domain"),
        library("Fleet", ["Domain"]),
        library("Trading", ["Domain"]),
        library("Citadel", ["Domain"]),
        library("Wire", ["Domain"]),
        library("Supervision"),
        library("Journal", ["Domain", "CLinux", "CZlib", crypto]),
        library("ServiceKit", ["ZeroMQ", "Redis", "Wire", "Domain", "CLinux", log, arguments, yams, collections]),

        process("HandshakeProcessor", base + ["Fleet"]),
        process("ConfirmationLogger", base + ["Trading", "Journal", collections]),
        process("NodeRegistry", base + ["Fleet"]),
        process("PositionTracker", base + ["Trading", "Journal", collections]),
        process("HeartbeatMonitor", base + ["Fleet", httpClient, nioCore, nioHTTP]),
        process("CitadelMonitor", base + ["Citadel"]),
        process(
            "HealthDashboard",
            base + [
                "Fleet", "Citadel", "Trading", "CZlib", "CLinux", hummingbird, hummingbirdCore, nioCore, lifecycle,
            ],
            resources: [.embedInCode("Resources")]),
        process("MeshCtl", base + ["Supervision", "Journal", "Citadel", yams]),
        process("EASimulator", base),
        // What the window's benchmark stands beside: the same HTTP library, answering one word.
        .executableTarget(
            name: "HelloReference", dependencies: [hummingbird, log], path: "Benchmarks/Reference/Hello",
            swiftSettings: settings),

        .target(
            name: "TestKit", dependencies: ["ServiceKit", "ZeroMQ", "Redis", "Wire", "Domain", log],
            path: "Tests/TestKit",
            swiftSettings: settings),
        tests("DomainTests", ["Domain"]),
        tests("WireTests", ["Wire", "Domain"]),
        tests("FleetTests", ["Fleet", "Domain"]),
        tests("TradingTests", ["Trading", "Domain", "Wire"]),
        tests("CitadelTests", ["Citadel"]),
        tests("JournalTests", ["Journal", "Domain"]),
        tests("SupervisionTests", ["Supervision"]),
        tests("ZeroMQTests", ["TestKit", "ZeroMQ"]),
        tests("RedisTests", ["TestKit", "Redis"]),
        tests("ServiceKitTests", ["TestKit", "ServiceKit", "ZeroMQ", "Redis", "Wire", "Domain", log]),
        tests(
            "ConfirmationLoggerTests",
            [
                "TestKit", "ConfirmationLogger", "Journal", "Trading", "ServiceKit", "Redis", "Wire", "Domain", log,
            ]),
        tests(
            "PositionTrackerTests",
            [
                "TestKit", "PositionTracker", "Journal", "Trading", "ServiceKit", "ZeroMQ", "Redis", "Wire", "Domain",
                log,
            ]),
        tests("CitadelMonitorTests", ["CitadelMonitor", "Citadel", "Wire", "Domain"]),
        tests(
            "HeartbeatMonitorTests", ["TestKit", "HeartbeatMonitor", "Fleet", "ServiceKit", "Wire", "Domain", log]),
        tests(
            "HealthDashboardTests",
            [
                "HealthDashboard", "PositionTracker", "Redis", "Trading", "Wire", "Domain", "ServiceKit", nioCore,
                nioEmbedded,
            ]),
        tests(
            "MeshCtlTests",
            ["MeshCtl", arguments, "Citadel", "Domain", "Journal", "Redis", "ServiceKit", "Supervision", "Wire"]),
        tests("EASimulatorTests", ["EASimulator", "TestKit", "ZeroMQ", "Domain"]),
        tests("SystemTests", ["TestKit", "ZeroMQ", "Redis", "ServiceKit", "Wire", "Domain"]),
    ]
)
