import Redis
@testable import ServiceKit
import TestKit
import Testing

@Suite("The link to Redis", .enabled(if: RedisServer.isInstalled)) struct RedisLinkTests {
    let loop = Loop()

    private func link(_ server: RedisServer, scripts: [RedisScript] = [], allowUnsafe: Bool = false) -> RedisLink {
        RedisLink(
            address: server.address, scripts: scripts, allowUnsafe: allowUnsafe, reactor: loop.reactor, log: loop.log)
    }

    @Test func itBecomesReadyAndAnswers() throws {
        let server = try RedisServer()
        let link = link(server)
        try loop.run("ready") { link.isReady }
        let reply = Box<RedisValue?>(nil)
        link.send(["ECHO", "hello"]) { reply.value = $0 }
        try loop.run("the reply") { reply.value != nil }
        #expect(reply.value?.text == "hello")
    }

    @Test func beforeItIsReadyCommandsCompleteWithNothingAtOnce() throws {
        let server = try RedisServer()
        let link = link(server)
        var heard: [RedisValue?] = []
        link.send(["SET", "early", "1"]) { heard.append($0) }
        #expect(heard.count == 1 && heard.allSatisfy { $0 == nil })
        try loop.run("ready") { link.isReady }
        #expect(try server.call("EXISTS", "early") == .integer(0))
    }

    @Test func itComesBackByItselfAfterAKill() throws {
        let server = try RedisServer()
        let link = link(server)
        let ready = Box(0)
        let lost = Box(0)
        link.onReady.append { ready.value += 1 }
        link.onLost.append { lost.value += 1 }
        try loop.run("ready") { link.isReady }
        for round in 1...2 {
            let reply = Box<[RedisValue?]>([])
            server.pause()
            link.send(["SET", "x", "1"]) { reply.value.append($0) }
            try loop.run(milliseconds: 20)
            try server.kill()
            try loop.run("lost") { !link.isReady && !reply.value.isEmpty }
            #expect(reply.value.count == 1 && reply.value.allSatisfy { $0 == nil })
            #expect(lost.value == round)
            try server.start()
            try loop.run("ready again") { link.isReady }
            #expect(ready.value == round + 1)
        }
    }

    @Test func aRedisThatIsSilentIsNotReadyUntilItSpeaks() throws {
        let server = try RedisServer()
        let link = link(server)
        try loop.run("ready") { link.isReady }
        server.pause()
        let answers = Box<[RedisValue?]>([])
        link.send(["PING"]) { answers.value.append($0) }
        try loop.run("stalled", within: 5) { link.isStalled }
        #expect(!link.isReady)
        server.resume()
        try loop.run("it answers") { link.isReady }
        #expect(answers.value.first??.text == "PONG" && answers.value.count == 1)
    }

    @Test func aSilenceThatLastsIsToldToWhoeverWaits() throws {
        let server = try RedisServer()
        let link = link(server)
        let ready = Box(0)
        link.onReady.append { ready.value += 1 }
        try loop.run("ready") { link.isReady }
        server.pause()
        let answers = Box<[RedisValue?]>([])
        link.send(["SET", "x", "1"]) { answers.value.append($0) }
        try loop.run("it is given up", within: 5) { !answers.value.isEmpty }
        #expect(answers.value.count == 1 && answers.value.allSatisfy { $0 == nil })
        #expect(link.state != .ready)
        server.resume()
        try loop.run("ready again") { link.isReady }
        #expect(ready.value == 2 && answers.value.count == 1)
    }

    @Test(arguments: [
        (["--appendonly", "no"], "appendonly"), (["--appendfsync", "everysec"], "appendfsync"),
        (["--maxmemory-policy", "allkeys-lru"], "maxmemory-policy"),
    ])
    func anUnsafeOneIsNamedAndNeverReady(settings: [String], word: String) throws {
        let server = try RedisServer(settings: settings)
        let link = link(server)
        let problems = Box<[String]>([])
        link.onUnsafe = { problems.value.append($0) }
        try loop.run("it is found out") { !problems.value.isEmpty }
        try loop.run(milliseconds: 100)
        #expect(problems.value.count == 1)
        #expect(problems.value.first?.hasPrefix(word) == true, "\(problems.value)")
        #expect(!link.isReady)
        let allowed = self.link(server, allowUnsafe: true)
        try loop.run("allowed") { allowed.isReady }
    }

    @Test func aScriptRunsAgainAfterRedisForgotIt() throws {
        let server = try RedisServer()
        let script = RedisScript(name: "add", source: "return redis.call('INCRBY', KEYS[1], ARGV[1])")
        let link = link(server, scripts: [script])
        try loop.run("ready") { link.isReady }
        let sums = Box<[Int64?]>([])
        let add = { link.run(script, keys: ["sum"], ["5"]) { sums.value.append($0?.integer) } }
        add()
        try loop.run("the first sum") { sums.value.count == 1 }
        try server.call("SCRIPT", "FLUSH")
        add()
        add()
        try loop.run("all sums") { sums.value.count == 3 }
        #expect(sums.value.compactMap { $0 }.sorted() == [5, 10, 15])
        #expect(try server.call("GET", "sum").integer == 15)
    }

    @Test func aRedisThatIsNotThereYetIsWaitedFor() throws {
        let server = try RedisServer()
        try server.stop()
        let link = link(server)
        try loop.run(milliseconds: 200)
        #expect(!link.isReady)
        try server.start()
        try loop.run("ready") { link.isReady }
    }
}

@Suite("What makes a Redis unfit") struct RedisSafetyTests {
    @Test(arguments: [
        ("5.0.15", true), ("6.2.14", true), ("7.0.15", false), ("8.1.0", false), ("10.0.0", false), ("new", true),
    ])
    func itsVersion(version: String, isRefused: Bool) throws {
        let settings: [RedisValue] = ["appendonly", "yes", "appendfsync", "always", "maxmemory-policy", "noeviction"]
            .map { .string(Array($0.utf8)) }
        let problem = RedisSafety.problem([
            .string(Array("# Server\r\nredis_version:\(version)\r\nprocess_id:1\r\n".utf8)), .array(settings),
        ])
        #expect((problem != nil) == isRefused)
        if isRefused { #expect(problem?.contains(version) == true) }
    }
}
