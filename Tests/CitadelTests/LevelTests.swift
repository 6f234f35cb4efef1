import Testing

@testable import Citadel

@Suite("Levels")
struct LevelTests {
    private let surroundings = LevelBook.Surroundings(
        averageTrueRange: 0.0004, pip: 0.0001, close: 1.1, time: Drawn.start)

    private func member(_ price: Double, hour: Int = 0, origin: LevelOrigins = .swingFiveMinute) -> LevelMember {
        LevelMember(price: price, time: Drawn.start + Int64(hour) * Drawn.hour, origin: origin)
    }

    @Test("the transition table is complete, ends in expired and never returns")
    func transitions() {
        let order: [LevelState] = [.resting, .taken, .swept, .broken, .expired]
        for state in LevelState.allCases {
            for event in LevelState.Event.allCases {
                guard let next = state.next(on: event) else { continue }
                #expect((order.firstIndex(of: next) ?? 0) > (order.firstIndex(of: state) ?? 9))
            }
        }
        #expect(LevelState.Event.allCases.allSatisfy { LevelState.expired.next(on: $0) == nil })
        #expect(LevelState.resting.next(on: .closedBack) == nil)
        #expect(LevelState.swept.next(on: .windowPassed) == nil)
        let pairs = LevelState.transitions.map { "\($0.from) \($0.event)" }
        #expect(Set(pairs).count == pairs.count)
    }

    @Test("equal highs within the band of the first are one pool, its level their mean, its edge the farthest")
    func pools() {
        var book = LevelBook(configuration: CitadelConfiguration())
        book.add(member(1.1010), side: .buySide, in: surroundings)
        book.add(member(1.1012, hour: 2), side: .buySide, in: surroundings)
        book.add(member(1.10085, hour: 4), side: .buySide, in: surroundings)
        book.add(member(1.10125, hour: 6), side: .buySide, in: surroundings)
        book.add(member(1.1010, hour: 8), side: .sellSide, in: surroundings)
        // 1.10125 lies 2.5 pips from the anchor, the band is 2: a level of its own. The sell side level is born beyond.
        #expect(book.levels.count == 2)
        #expect(book.levels[0].members.count == 3)
        #expect(abs(book.levels[0].price - (1.1010 + 1.1012 + 1.10085) / 3) < 1e-12)
        #expect(book.levels[0].outer == 1.1012)
        #expect(abs(book.levels[0].trigger - (1.1012 + 0.00004)) < 1e-12)
    }

    @Test("the same extreme seen on M5 and M15 is one member with both origins")
    func sameExtreme() {
        var book = LevelBook(configuration: CitadelConfiguration())
        var fifteen = member(1.1010, origin: .swingFifteenMinute)
        fifteen.time += 600_000
        book.add(fifteen, side: .buySide, in: surroundings)
        book.add(member(1.1010), side: .buySide, in: surroundings)
        #expect(book.levels.count == 1)
        #expect(book.levels[0].members.count == 1)
        #expect(book.levels[0].origins == [.swingFiveMinute, .swingFifteenMinute])
    }

    @Test("a stronger neighbour moves the member instead of adding one")
    func replacement() {
        var book = LevelBook(configuration: CitadelConfiguration())
        book.add(member(1.1010), side: .buySide, in: surroundings)
        book.replace(member(1.1010), by: member(1.10105, hour: 1), side: .buySide, in: surroundings)
        #expect(book.levels.count == 1)
        #expect(book.levels[0].members == [member(1.10105, hour: 1)])
        #expect(book.levels[0].price == 1.10105 && book.levels[0].outer == 1.10105)
    }

    @Test("strength grows with members, touches and origin, falls with age, and stays within 0 and 10")
    func strength() {
        let configuration = CitadelConfiguration()
        func value(_ change: (inout LiquidityLevel) -> Void, age: Int64 = 0) -> Double {
            var level = Drawn.level(1.1, .buySide, origins: .swingFiveMinute)
            change(&level)
            return level.strength(at: Drawn.start + age, configuration)
        }
        let plain = value { _ in }
        #expect(plain == 3)
        #expect(value { $0.touches = 2 } > plain)
        #expect(value { $0.members.append(contentsOf: $0.members) } > plain)
        #expect(value { $0.origins.insert(.swingFifteenMinute) } > plain)
        #expect(value({ _ in }, age: 12 * Drawn.hour) < plain)
        #expect(value({ _ in }, age: 1_000 * Drawn.hour) >= 0)
        let most = value {
            $0.origins.insert(.previousDay)
            $0.touches = 50
            $0.members = Array(repeating: $0.members[0], count: 16)
        }
        #expect(most == 10)
    }

    @Test("the book is bounded: the weakest goes")
    func bounded() {
        var configuration = CitadelConfiguration()
        configuration.maximumLevels = 20
        var book = LevelBook(configuration: configuration)
        book.add(member(1.5, origin: .previousDay), side: .buySide, in: surroundings)
        for index in 0..<200 {
            book.add(member(1.101 + Double(index) * 0.001), side: .buySide, in: surroundings)
        }
        #expect(book.levels.count == 20)
        #expect(book.changes.filter { $0.kind == .evicted }.count == 181)
        #expect(book.levels.contains { $0.origins.contains(.previousDay) })
    }

    @Test("round numbers stand on both sides of the price, once each")
    func roundNumbers() {
        var engine = Drawn.engine { $0.roundNumberPips = 50 }
        Drawn.feed(&engine, Drawn.path([(0, 1.1021), (120, 1.1024), (240, 1.1021)]))
        let rounds = engine.levels(of: "EURUSD").filter { $0.origins.contains(.roundNumber) }
        #expect(rounds.map(\.price) == [1.105, 1.1])
        #expect(rounds.map(\.side) == [.buySide, .sellSide])
    }

    @Test("the previous day's extremes are levels on the next day, not before; a short evening does not count")
    func previousDay() {
        func days(_ engine: inout CitadelEngine, _ points: [(minute: Int, price: Double)]) -> [Double] {
            Drawn.feed(&engine, Drawn.path(points))
            return engine.levels(of: "EURUSD").filter { $0.origins.contains(.previousDay) }
                .map { Decimals.rounded($0.price, 5) }
        }
        var engine = Drawn.engine()
        let day = 1_440
        let during = days(&engine, [(0, 1.10), (400, 1.11), (900, 1.09), (day - 1, 1.10)])
        let after = days(&engine, [(day, 1.10), (day + 6, 1.1001)])
        #expect(during.isEmpty)
        #expect(after == [1.11, 1.09])
        // Two hours before midnight only: nothing may come of it.
        var evening = Drawn.engine()
        let short = days(&evening, [(day - 120, 1.10), (day - 60, 1.105), (day + 10, 1.10)])
        #expect(short.isEmpty)
    }

    @Test("old levels expire and are forgotten")
    func expiry() {
        var engine = Drawn.engine()
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        #expect(engine.levels(of: "EURUSD").contains { abs($0.price - 1.104) < 1e-9 })
        let later = Drawn.start + 300 * Drawn.hour
        Drawn.feed(&engine, (0..<40).map { Drawn.tick(1.102, at: later + Int64($0) * 60_000) })
        #expect(!engine.levels(of: "EURUSD").contains { abs($0.price - 1.104) < 1e-9 })
    }
}
