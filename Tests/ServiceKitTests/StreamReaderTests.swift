import Redis
import ServiceKit
import TestKit
import Testing

@Suite("A reader of a stream", .enabled(if: RedisServer.isInstalled)) struct StreamReaderTests {
    let loop = Loop()
    let server: RedisServer

    init() throws { server = try RedisServer() }

    private func reader(
        group: String?, consumer: String = "main", after: String = "$",
        _ handler: @escaping ([StreamReader.Entry]) -> Void
    ) -> StreamReader {
        StreamReader(
            address: server.address, stream: "events:trades", group: group, consumer: consumer, after: after,
            reactor: loop.reactor, log: loop.log, handler: handler)
    }

    private func add(_ range: ClosedRange<Int>) throws {
        for number in range { try server.call("XADD", "events:trades", "*", "n", String(number)) }
    }

    private func acknowledge(_ entries: [StreamReader.Entry]) throws {
        for entry in entries { try server.call("XACK", "events:trades", "tracker", entry.identifier) }
    }

    @Test func aGroupGetsTheBacklogAndThenWhatIsNew() throws {
        try add(1...600)
        let heard = Box<[String]>([])
        let reader = reader(group: "tracker") { heard.value += $0.compactMap { $0.fields["n"] } }
        try loop.run("the backlog") { heard.value.count >= 600 }
        try add(601...610)
        try loop.run("the new ones") { heard.value.count >= 610 }
        #expect(heard.value == (1...610).map(String.init))
        withExtendedLifetime(reader) {}
    }

    @Test func whileNothingIsWantedEntriesWaitInTheStream() throws {
        let (heard, isWanted) = (Box<[String]>([]), Box(true))
        let reader = StreamReader(
            address: server.address, stream: "events:trades", group: "tracker", reactor: loop.reactor, log: loop.log,
            while: { isWanted.value }
        ) { entries in
            heard.value += entries.compactMap { $0.fields["n"] }
            // Full by the first entries: what comes behind them is not asked for.
            if heard.value.count >= 256 { isWanted.value = false }
        }
        try add(1...600)
        try loop.run("the first") { heard.value.count >= 256 }
        let taken = heard.value.count
        let since = SystemClock.monotonicMilliseconds()
        try loop.run("some turns") { SystemClock.monotonicMilliseconds() - since > 400 }
        #expect(heard.value.count == taken && taken < 600)
        isWanted.value = true
        try loop.run("the rest") {
            isWanted.value = true
            return heard.value.count >= 600
        }
        #expect(heard.value == (1...600).map(String.init))
        withExtendedLifetime(reader) {}
    }

    @Test func whatWasGivenAndNotAcknowledgedComesAgainAfterARestart() throws {
        try add(1...5)
        let first = Box<[StreamReader.Entry]>([])
        do {
            let before = Loop()
            let reader = StreamReader(
                address: server.address, stream: "events:trades", group: "tracker", reactor: before.reactor,
                log: before.log
            ) { first.value += $0 }
            try before.run("all five") { first.value.count == 5 }
            withExtendedLifetime(reader) {}
        }
        try acknowledge(Array(first.value.prefix(2)))
        try add(6...7)
        let heard = Box<[String]>([])
        let reader = reader(group: "tracker") { heard.value += $0.compactMap { $0.fields["n"] } }
        try loop.run("the unfinished and the new") { heard.value.count >= 5 }
        #expect(heard.value == ["3", "4", "5", "6", "7"])
        withExtendedLifetime(reader) {}
    }

    @Test func nothingIsLostOverAKillOfRedis() throws {
        let heard = Box<Set<String>>([])
        let reader = reader(group: "tracker") { heard.value.formUnion($0.compactMap { $0.fields["n"] }) }
        try add(1...20)
        try loop.run("the first") { heard.value.count == 20 }
        for round in 1...2 {
            try server.kill()
            try loop.run(milliseconds: 50)
            try server.start()
            try add((round * 20 + 1)...(round * 20 + 20))
            try loop.run("round \(round)") { heard.value.count == round * 20 + 20 }
        }
        #expect(heard.value == Set((1...60).map(String.init)))
        withExtendedLifetime(reader) {}
    }

    @Test func withoutAGroupItFollowsFromNowOn() throws {
        try add(1...3)
        let heard = Box<[String]>([])
        let reader = reader(group: nil) { heard.value += $0.compactMap { $0.fields["n"] } }
        try loop.run("it listens") { (try? server.call("CLIENT", "LIST").text?.contains("cmd=xread")) == true }
        try add(4...5)
        try loop.run("the new ones") { heard.value.count >= 2 }
        #expect(heard.value == ["4", "5"])
        withExtendedLifetime(reader) {}
    }

    @Test func withoutAGroupNothingIsLostWhileItWasAway() throws {
        try add(1...3)
        let heard = Box<[String]>([])
        let reader = reader(group: nil) { heard.value += $0.compactMap { $0.fields["n"] } }
        try loop.run("it listens") { (try? server.call("CLIENT", "LIST").text?.contains("cmd=xread")) == true }
        // Lost before it heard anything: "from now on" still means from its start.
        try server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        try add(4...6)
        try loop.run("what came meanwhile") { heard.value.count >= 3 }
        #expect(heard.value == ["4", "5", "6"])
        withExtendedLifetime(reader) {}
    }

    @Test func fromTheBeginningMeansAll() throws {
        try add(1...300)
        let heard = Box<[String]>([])
        let reader = reader(group: nil, after: "0") { heard.value += $0.compactMap { $0.fields["n"] } }
        try loop.run("all") { heard.value.count >= 300 }
        #expect(heard.value == (1...300).map(String.init))
        withExtendedLifetime(reader) {}
    }

    @Test func aStreamThatWasRemovedWithItsGroupIsMadeAnew() throws {
        let heard = Box<[String]>([])
        let reader = reader(group: "tracker") { heard.value += $0.compactMap { $0.fields["n"] } }
        try add(1...1)
        try loop.run("the first") { heard.value == ["1"] }
        try server.call("DEL", "events:trades")
        try add(2...2)
        try loop.run("the second", within: 10) { heard.value == ["1", "2"] }
        withExtendedLifetime(reader) {}
    }
}
