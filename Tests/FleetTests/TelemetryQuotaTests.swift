import Domain
import Testing

@testable import Fleet

/// Sends frames as a connection does and counts what goes through.
private struct QuotaBench {
    var quota: TelemetryQuota
    var now: Int64 = 1_000_000
    var free = 0

    init(rate: Int = 100, burst: Int = 2_000, connections: Int64 = 100_000) {
        quota = TelemetryQuota(rate: rate, burst: burst, seed: 42)
        // So many that each is held to its own rate.
        quota.share(among: connections)
    }

    /// Returns how many of the frames went through.
    mutating func send(_ count: Int, _ rank: TelemetryRank = .tick, descriptor: Int32 = 9, shares: Int = 1) -> Int {
        var passed = 0
        for _ in 0..<count {
            guard free == 0 else {
                free -= 1
                passed += 1
                continue
            }
            let (weight, next) = quota.next(at: now)
            free = next
            if weight == 0 || quota.charge(descriptor, weight, shares: shares, at: now)
                || quota.admits(rank, descriptor)
            {
                passed += 1
            }
        }
        return passed
    }
}

@Suite("A terminal's quota on the telemetry port") struct TelemetryQuotaTests {
    @Test("a backlog of the burst's size passes whole")
    func backlog() {
        var bench = QuotaBench()
        #expect(bench.send(2_000) == 2_000)
        #expect(bench.quota.takeBreaches().isEmpty)
    }

    @Test("a flood is shed to the sustained rate")
    func flood() {
        var bench = QuotaBench()
        _ = bench.send(5_000)
        _ = bench.quota.takeBreaches()
        var passed = 0
        for _ in 0..<10_000 {
            bench.now += 1
            passed += bench.send(50)
        }
        #expect((900...1_200).contains(passed), "\(passed) in ten seconds at 100/s")
        let breaches = bench.quota.takeBreaches()
        #expect(breaches.map(\.descriptor) == [9])
        #expect(breaches.first?.shed.ticks == Int64(500_000 - passed))
    }

    @Test("ticks first, then bars, then heartbeats; what is said of trades never")
    func order() {
        var bench = QuotaBench()
        _ = bench.send(10_000)
        #expect(bench.send(10, .tick) == 0)
        #expect(bench.send(50, .bar) == 50)
        #expect(bench.send(50, .report) == 50)
        _ = bench.send(10_000, .bar)
        #expect(bench.send(10, .bar) == 0)
        #expect(bench.send(50, .report) == 50)
        _ = bench.send(10_000, .report)
        #expect(bench.send(10, .report) == 0)
        #expect(bench.send(10_000, .trade) == 10_000)
    }

    @Test("whoever floods costs nobody else anything")
    func neighbours() {
        var bench = QuotaBench()
        var honest = 0
        for _ in 0..<1_000 {
            bench.now += 10
            _ = bench.send(500, descriptor: 9)
            honest += bench.send(1, descriptor: 10)
        }
        #expect(honest == 1_000)
        #expect(bench.quota.takeBreaches().map(\.descriptor) == [9])
    }

    @Test("a connection that carries several terminals has several shares")
    func shares() {
        var bench = QuotaBench()
        var passed = 0
        for _ in 0..<10_000 {
            bench.now += 1
            passed += bench.send(1, shares: 10)
        }
        #expect(passed == 10_000)
        #expect(bench.quota.takeBreaches().isEmpty)
    }

    @Test("while few are connected a terminal may have what is left over, and one alone is still no flood's size")
    func spare() {
        var bench = QuotaBench(rate: 1_000, burst: 10_000, connections: 2)
        #expect(bench.quota.rateNow(shares: 1) == 40_000)
        #expect(bench.quota.rateNow(shares: 20) == 2_500_000)
        bench.quota.share(among: 5_000)
        #expect(bench.quota.rateNow(shares: 1) == 1_000)
    }

    @Test("a descriptor that another connection gets begins anew")
    func reuse() {
        var bench = QuotaBench()
        _ = bench.send(10_000)
        #expect(bench.send(10) == 0)
        bench.quota.begin(9)
        #expect(bench.send(1_000) == 1_000)
    }

    @Test("no rate is no limit")
    func off() {
        var bench = QuotaBench(rate: 0)
        #expect(bench.send(100_000) == 100_000)
    }

    @Test("a clock that is set back does not stop the filling")
    func clock() {
        var bench = QuotaBench()
        _ = bench.send(10_000)
        bench.now -= 3_600_000
        _ = bench.send(1)
        bench.now += 1_000
        let passed = bench.send(200)
        #expect((80...120).contains(passed), "\(passed) after a second at 100/s")
    }
}
