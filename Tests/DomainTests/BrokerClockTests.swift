import Domain
import Testing

/// A broker three hours ahead of UTC, as in the captures of ea-wire 1.2, and quotes that are some seconds behind.
private final class BrokerProbe {
    private static let start = Timestamp(seconds: 1_757_954_363)
    private static let zone: Int64 = 3 * 3600
    private var clock = BrokerClock()

    var offset: Int64? { clock.offset }

    func moment(_ second: Int64) -> Timestamp { BrokerProbe.start.adding(milliseconds: second * 1000) }

    func reading(_ second: Int64, behind: Int64 = 0) -> Int64 { moment(second).seconds + BrokerProbe.zone - behind }

    func isCurrent(at second: Int64, behind: Int64 = 0) -> Bool {
        clock.isCurrent(brokerSeconds: reading(second, behind: behind), now: moment(second))
    }

    func age(at second: Int64, behind: Int64) -> Int64? {
        clock.age(ofBrokerSeconds: reading(second, behind: behind), now: moment(second))
    }

    func age(ofBrokerSeconds seconds: Int64, now: Timestamp) -> Int64? {
        clock.age(ofBrokerSeconds: seconds, now: now)
    }

    func utc(_ brokerSeconds: Int64) -> Timestamp? { clock.utc(brokerSeconds: brokerSeconds) }
}

@Suite struct BrokerClockTests {
    private let broker = BrokerProbe()

    @Test func aFreshQuoteIsCurrentAtOnce() {
        #expect(broker.offset == nil && broker.utc(1) == nil)
        #expect(broker.isCurrent(at: 0))
        #expect(broker.offset == 10_800_000)
        #expect(broker.utc(broker.reading(0)) == broker.moment(0))
    }

    @Test func anOldQuoteIsNotThePresent() {
        #expect(broker.isCurrent(at: 0))
        #expect(broker.isCurrent(at: 10, behind: 5))
        #expect(!broker.isCurrent(at: 11, behind: 6))
        #expect(broker.age(at: 12, behind: 3600) == 3_600_000)
    }

    @Test func aQuoteOfAnotherDayTeachesNothing() {
        #expect(!broker.isCurrent(at: 0, behind: 3 * 86_400))
        #expect(broker.offset == nil)
        #expect(broker.isCurrent(at: 1))
    }

    @Test func anHourOldQuoteAtTheStartIsOvertakenByAFreshOne() {
        // 66 minutes 40 seconds behind: no whole hour is near, so it is not believed.
        #expect(!broker.isCurrent(at: 0, behind: 4000))
        // The jump must hold for a second.
        #expect(!broker.isCurrent(at: 1))
        #expect(broker.isCurrent(at: 2))
        #expect(!broker.isCurrent(at: 2, behind: 4000))
    }

    @Test func aBacklogIsOldUntilItsEnd() {
        #expect(broker.isCurrent(at: 0))
        // A thousand queued quotes of the last 1000 s in one burst.
        let current = (Int64(0)...1000).reversed().filter { behind in broker.isCurrent(at: 1000, behind: behind) }
        #expect(current == [5, 4, 3, 2, 1, 0])
    }

    @Test func aBacklogAtTheStartIsOldUntilItsEnd() {
        // It passes an offset of a whole hour on its way, and each of its quotes is the newest so far.
        let current = (Int64(0)...4000).reversed().filter { behind in broker.isCurrent(at: 0, behind: behind) }
        #expect(current.isEmpty)
        #expect(broker.isCurrent(at: 1))
    }

    @Test func aBacklogThatBeginsAQuarterOfAnHourAgoIsNoZone() {
        let current = stride(from: Int64(900), through: 180, by: -3).filter { broker.isCurrent(at: 0, behind: $0) }
        #expect(current.isEmpty)
        // The jump to the present must hold for a second.
        #expect(!broker.isCurrent(at: 1))
        #expect(broker.isCurrent(at: 2))
    }

    @Test func aZoneOfHalfAnHourIsBelievedOnceItHeld() {
        #expect(!broker.isCurrent(at: 0, behind: 1800))
        #expect(!broker.isCurrent(at: 9, behind: 1800))
        #expect(broker.isCurrent(at: 10, behind: 1800))
    }

    @Test func silenceIsNoClockChange() {
        #expect(broker.isCurrent(at: 0))
        #expect(!broker.isCurrent(at: 7200, behind: 3600))
        #expect(!broker.isCurrent(at: 7201, behind: 3600))
        #expect(broker.offset == 10_800_000)
    }

    @Test func anOddOffsetIsBelievedOnceItHeld() {
        #expect(!broker.isCurrent(at: 0, behind: 400))
        #expect(!broker.isCurrent(at: 9, behind: 400))
        #expect(broker.isCurrent(at: 11, behind: 400))
    }

    @Test func aClockThatGoesBackIsFollowedAfterAWindow() {
        #expect(broker.isCurrent(at: 0))
        #expect((Int64(1)...120).first { broker.isCurrent(at: $0, behind: 3600) } == 63)
        #expect(broker.offset == 7_200_000)
    }

    @Test func theEndsOfTheNumbersDoNotTrap() {
        for seconds in [Int64.max, .min, 0, -1, .max / 1000, .min / 1000] {
            for moment in [Timestamp(milliseconds: .max), Timestamp(milliseconds: .min), Timestamp(milliseconds: 0)] {
                #expect((broker.age(ofBrokerSeconds: seconds, now: moment) ?? 0) >= 0)
            }
        }
    }

    @Test func agesAreNeverNegative() {
        let seed: UInt64 = 31
        print("agesAreNeverNegative seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for second in Int64(0)..<20_000 {
            #expect((broker.age(at: second, behind: Int64.random(in: -3...7200, using: &random)) ?? -1) >= 0)
        }
    }
}
