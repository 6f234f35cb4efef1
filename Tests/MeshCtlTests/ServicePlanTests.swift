import Foundation
import Redis
import ServiceKit
import Supervision
import Testing

@testable import MeshCtl

@Suite("What services are started with")
struct ServicePlanTests {
    @Test("Every setting in force is passed, absolute, and nothing else of the caller")
    func environment() throws {
        try PrivateMesh.with(environment: ["MESH_LOG_LEVEL": "debug", "HOME": "/root", "MESH_SPECIAL": "x"]) { test in
            let environment = test.mesh.childEnvironment
            #expect(environment["MESH_VAR"] == test.directory + "/var")
            #expect(environment["MESH_LOGS"] == test.directory + "/logs")
            #expect(environment["MESH_PORTS"] == test.directory + "/var/run/ports.yaml")
            #expect(environment["MESH_CONFIG"] == test.directory + "/mesh.yaml")
            #expect(environment["MESH_ROOT"] == PrivateMesh.root)
            #expect(environment["MESH_LOG_LEVEL"] == "debug")
            #expect(environment["MESH_SPECIAL"] == "x")
            #expect(environment["MESH_LISTEN"] == "127.0.0.1")
            #expect(environment["MESH_DEMO"] == "0")
            #expect(environment["HOME"] == nil)
            #expect(environment["MESH_REDIS"] == nil)
        }
    }

    @Test("An operator's Redis is passed on with its password, and no Redis of our own is started")
    func externalRedis() throws {
        try PrivateMesh.with(environment: ["REDIS_URL": "redis://bob:secret@db.example:7000/3"]) { test in
            #expect(test.mesh.childEnvironment["MESH_REDIS"] == "redis://bob:secret@db.example:7000/3")
            #expect(test.mesh.childEnvironment["REDIS_URL"] == nil)
            #expect(!test.mesh.serviceNames.contains("redis"))
        }
    }

    @Test("The demonstration has a state and a Redis of its own on the same ports")
    func demonstration() throws {
        try PrivateMesh.with(environment: ["REDIS_URL": "redis://db.example:7000"]) { test in
            let demo = try test.mesh.demonstration()
            let environment = demo.childEnvironment
            let state = test.mesh.configuration.ports[.state].port
            #expect(environment["MESH_VAR"] == test.directory + "/var/demo")
            #expect(environment["MESH_LOGS"] == test.directory + "/var/demo/logs")
            #expect(environment["MESH_DEMO"] == "1")
            #expect(environment["MESH_REDIS"] == "redis://127.0.0.1:\(state)")
            #expect(demo.serviceNames.first == "redis")
            #expect(demo.serviceNames.last == Mesh.simulator)
            #expect(demo.configuration.ports == test.mesh.configuration.ports)
        }
    }

    @Test("Our own Redis listens on this machine only, on the port of ports.yaml, in the state directory")
    func ownRedis() throws {
        try PrivateMesh.with { test in
            try test.makePretenders()
            let redis = try #require(try test.mesh.supervisedServices().first { $0.name == "redis" })
            let port = test.mesh.configuration.ports[.state].port
            #expect(
                redis.arguments == [
                    test.mesh.configuration.redisConfigFile, "--port", "\(port)", "--bind", "127.0.0.1", "--dir",
                    test.directory + "/var/redis",
                ])
        }
    }

    @Test(
        "A Redis address survives being written out",
        arguments: [
            "redis://localhost:7000", "redis://:pa:ss@h:1/2", "redis://user:p@ss@host:65535", "redis://u:@h:9",
        ])
    func redisAddress(url: String) throws {
        let address = try RedisAddress(url: url)
        #expect(try RedisAddress(url: address.url) == address)
    }

    @Test("ports.env has one line for each port")
    func portsRendered() throws {
        try PrivateMesh.with { test in
            let ports = test.mesh.configuration.ports
            let lines = PortsCommand.Render.text(ports).split(separator: "\n").dropFirst()
            #expect(lines.count == ports.entries.count)
            #expect(lines.contains("MESH_PORT_EA_COMMANDS=\(ports[.eaCommands].port)"))
            #expect(lines.contains("MESH_PORT_STATE=\(ports[.state].port)"))
        }
    }

    @Test(
        "An address the EA ports can't listen on is refused with its reason",
        arguments: ["eth0", "192.0.2.77", "::1", "0.0.0"])
    func listenAddress(address: String) throws {
        try PrivateMesh.with(environment: ["MESH_LISTEN": address]) { test in
            let error = #expect(throws: ToolError.self) { try PortCheck.run(test.mesh) }
            #expect(error?.code == 78)
            #expect(error?.message.contains(address) == true)
        }
    }
}
