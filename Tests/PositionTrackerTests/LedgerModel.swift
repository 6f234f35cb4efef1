import Domain
import ServiceKit
import TestKit

@testable import PositionTracker
@testable import Trading

/// Makes random operations of a tracker, and puts each into every store that is to have it.
struct LedgerModel {
    static let slots = 3

    private(set) var fires: [String: Fire] = [:]
    private(set) var positions: [PositionKey: Position] = [:]
    private var closed: [PositionKey] = []
    private var number = 0
    private var sequence: UInt64 = 0
    var generator: SeededGenerator

    init(_ generator: SeededGenerator) { self.generator = generator }

    private let users = (1...5).map { "user-\($0)" }
    static let zero = Amount(units: 0)
    private static let lot = Amount(units: 7_000_000)
    private static let price = Amount(units: 110_000_000)

    mutating func newFire(now: Timestamp) -> Fire {
        number += 1
        let user = users[Int.random(in: 0..<users.count, using: &generator)]
        var fire = Fire(
            fireID: "fire-\(number)", userUUID: user, nodeID: "node-\(user)", server: "Demo", account: "7",
            symbol: "EURUSD.r", canonicalSymbol: "EURUSD", direction: .sell, lot: LedgerModel.lot,
            state: Bool.random(using: &generator) ? .sending : .reserved, createdAt: now,
            expiresAt: now.adding(milliseconds: 30_000))
        fire.stopLoss = "1.2000"
        fire.reason = "text with \"quotes\", a \\ and ü"
        return fire
    }

    mutating func reserved(_ fire: Fire) { fires[fire.fireID] = fire }

    /// One operation that every store gets at the same moment.
    mutating func step(now: Timestamp) -> (TrackerStore) -> Void {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<7: return move(now)
        case 7..<12: return close(now)
        case 12..<14: return correct()
        case 14: return openByHand(now)
        case 15:
            var user = User(uuid: users[0], tier: "MAJOR", createdAt: now)
            user.riskPercent = Amount(units: Int64.random(in: 1...200_000_000, using: &generator))
            return { $0.writeUser(user) }
        case 16:
            let isLifted = Bool.random(using: &generator)
            let setting = Brakes.Setting(state: isLifted ? .active : .halted, reason: "a | b", setAt: now)
            return { $0.writeBrake(.symbol("EURUSD"), setting) }
        case 17:
            number += 1
            return { [number] in $0.audit("test", ["number": "\(number)"], now: now) }
        case 18:
            var fire = newFire(now: now)
            fire.state = .denied
            return { [fire] in $0.recordDenial(fire) }
        default:
            let known = positions.values.map { position in
                var position = position
                position.currentProfit = LedgerModel.price
                return position
            }
            return { $0.writeFigures(known) }
        }
    }

    private mutating func place(_ event: String) -> EventPlace {
        // Now and then several events of one message.
        if sequence == 0 || Int.random(in: 0..<4, using: &generator) > 0 { sequence += 1 }
        number += 1
        return EventPlace(journal: "j", sequence: sequence, eventID: "\(event)|\(number)", entry: "\(number)-0")
    }

    private mutating func move(_ now: Timestamp) -> (TrackerStore) -> Void {
        guard var fire = fires.values.sorted(by: { $0.fireID < $1.fireID }).randomElement(using: &generator) else {
            return { _ in }
        }
        let next: FireState =
            switch fire.state {
            case .reserved: Bool.random(using: &generator) ? .sending : .expired
            case .sending: [.sent, .unknown, .denied].randomElement(using: &generator) ?? .sent
            case .sent: Bool.random(using: &generator) ? .unknown : .filled
            default: [.filled, .rejected, .neverExecuted].randomElement(using: &generator) ?? .filled
            }
        guard next == .filled || next == .rejected else {
            guard fire.become(next, at: now, by: "test") else { return { _ in } }
            keep(fire)
            return { [fire] in $0.move(fire, releasesSlot: next.releasesSlot) }
        }
        number += 1
        if next == .filled { fire.ticket = Int64(number) }
        guard fire.take(next, at: now, by: "test") else { return { _ in } }
        keep(fire)
        let place = place("answer")
        var effect = EventEffect(entryID: place.entry)
        effect.fire = fire
        effect.releasesSlot = next == .rejected
        if next == .filled { effect.opened.append(opened(fire, now)) }
        return { [effect] store in
            if store.begin(place) { store.apply(effect) }
        }
    }

    private mutating func keep(_ fire: Fire) { fires[fire.fireID] = fire.isOver ? nil : fire }

    private mutating func opened(_ fire: Fire, _ now: Timestamp) -> Position {
        var position = Position(
            key: PositionKey(server: "Demo", account: "7", ticket: Int64(number)), userUUID: fire.userUUID,
            nodeID: fire.nodeID, symbol: fire.symbol, canonicalSymbol: fire.canonicalSymbol,
            direction: fire.direction, lot: fire.lot, openPrice: LedgerModel.price, openPriceText: "1.10000",
            openedAt: now)
        position.fireID = fire.fireID
        positions[position.key] = position
        return position
    }

    private mutating func openByHand(_ now: Timestamp) -> (TrackerStore) -> Void {
        number += 1
        let fire = newFire(now: now)
        var position = opened(fire, now)
        position.fireID = nil
        position.isOrphan = true
        positions[position.key] = position
        return { [position] store in store.write(.always, store.openCommands(position)) }
    }

    private mutating func close(_ now: Timestamp) -> (TrackerStore) -> Void {
        let known = positions.values.sorted { $0.key.ticket < $1.key.ticket }
        guard var position = known.randomElement(using: &generator) else { return { _ in } }
        let place = place("close")
        var effect = EventEffect(entryID: place.entry)
        if Bool.random(using: &generator) {
            positions[position.key] = nil
            closed.append(position.key)
            position.state = .closed
            position.closedAt = now
            position.profit = "\(Int.random(in: -500...500, using: &generator)).07"
            effect.closed.append(position)
            let sum = DayBooking.Field(name: "realised.USD", value: "\(number)")
            effect.day = DayBooking(
                userUUID: position.userUUID, date: "2026-11-21", startsDay: number.isMultiple(of: 5),
                fields: [DayBooking.Field(name: "user_uuid", value: position.userUUID), sum])
        } else {
            position.lot = Amount(units: 1_000_000)
            positions[position.key] = position
            effect.reduced.append(position)
        }
        return { [effect] store in
            if store.begin(place) { store.apply(effect) }
        }
    }

    /// A correction of what is closed, of what is open, and of what nobody has.
    private mutating func correct() -> (TrackerStore) -> Void {
        let stranger = PositionKey(server: "Demo", account: "7", ticket: 999_999_999)
        let choice = [closed.randomElement(using: &generator), positions.keys.sorted { $0.ticket < $1.ticket }.first]
        let place = place("correction")
        var effect = EventEffect(entryID: place.entry)
        effect.corrected = (choice.compactMap { $0 } + [stranger]).map {
            PositionCorrection($0, [(name: "profit", value: "12.34"), (name: "profit_source", value: "message")])
        }
        return { [effect] store in
            if store.begin(place) { store.apply(effect) }
        }
    }
}
