import Domain

@testable import Trading

// Redis as the real scripts use it: conditions are checked, nothing takes effect twice, answers come in order.
extension LedgerWorld {
    /// Redis goes away. The first of what was on the way still arrived; nothing of it is answered.
    mutating func redisLeaves(_ generator: inout SeededGenerator) {
        isRedisUp = false
        fixture.engine.stateIsAvailable = false
        let arrived = wire.isEmpty ? 0 : Int.random(in: 0...wire.count, using: &generator)
        let waiting = wire
        wire = []
        for (index, output) in waiting.enumerated() {
            switch output {
            case .reserve(let fire, let maximum):
                if index < arrived { _ = take(fire, maximum) }
                fixture.engine.reservationAnswered(
                    fireID: fire.fireID, .unavailable, now: fixture.now, into: &fixture.outputs)
            case .move(let fire, _) where index < arrived: swallowed.append((fire, write(output)))
            default: if index < arrived { _ = write(output) } else { wire.append(output) }
            }
        }
    }

    mutating func redisReturns() {
        isRedisUp = true
        fixture.engine.stateIsAvailable = true
        let answers = swallowed
        swallowed = []
        for (fire, isDone) in answers { moved(fire, isDone) }
        pump(.max)
        reload()
    }

    private mutating func moved(_ fire: Fire, _ isDone: Bool) {
        if !isDone { refusedMoves += 1 }
        guard fire.state == .sending else { return }
        fixture.engine.moveAnswered(fireID: fire.fireID, isDone: isDone, now: fixture.now, into: &fixture.outputs)
    }

    /// Redis carries out and answers so many commands.
    mutating func pump(_ count: Int) {
        var left = count
        while left > 0, !wire.isEmpty {
            left -= 1
            let output = wire.removeFirst()
            switch output {
            case .reserve(let fire, let maximum):
                let result = take(fire, maximum)
                fixture.engine.reservationAnswered(
                    fireID: fire.fireID, result, now: fixture.now, into: &fixture.outputs)
            case .move(let fire, _): moved(fire, write(output))
            default: _ = write(output)
            }
            check()
        }
    }

    /// The slot script.
    private mutating func take(_ fire: Fire, _ maximum: Int) -> ReservationResult {
        let used = slots[fire.userUUID]?.count ?? 0
        if let known = rows[fire.fireID], known.state != .denied { return .duplicate(state: known.state.rawValue) }
        guard used < maximum else { return .noSlot(slotsUsed: used) }
        if rows[fire.fireID] != nil { counters["denied", default: 0] -= 1 }
        rows[fire.fireID] = fire
        slots[fire.userUUID, default: []].insert(fire.fireID)
        return .reserved(slotsUsed: used + 1)
    }

    /// The guarded script; returns whether its condition held.
    private mutating func write(_ output: TrackerOutput) -> Bool {
        switch output {
        case .recordDenial(let fire):
            let known = rows[fire.fireID]
            guard known == nil || known?.state == .denied else { return false }
            if known == nil { counters["denied", default: 0] += 1 }
            rows[fire.fireID] = fire
        case .move(let fire, let releases):
            guard move(fire) else { return false }
            if releases { slots[fire.userUUID]?.remove(fire.fireID) }
        case .apply(let effect):
            guard acknowledged.insert(effect.entryID).inserted else { return false }
            pendingEvents.removeAll { $0.entry == effect.entryID }
            if let fire = effect.fire, move(fire) {
                if effect.releasesSlot { slots[fire.userUUID]?.remove(fire.fireID) }
                if effect.contradicts { counters["contradicted", default: 0] += 1 }
            }
            for position in effect.opened {
                positions[position.key] = position
                if !position.isOrphan { slots[position.userUUID, default: []].insert(position.slotField) }
            }
            for position in effect.closed {
                positions[position.key] = position
                slots[position.userUUID]?.remove(position.slotField)
            }
            for position in effect.reduced where positions[position.key] != nil { positions[position.key] = position }
            for correction in effect.corrected { correct(correction) }
            if let day = effect.day { book(day) }
        case .rememberEarlyClose(let close): earlyCloses[close.key] = close
        case .forgetEarlyClose(let key): earlyCloses[key] = nil
        default: break
        }
        return true
    }

    private mutating func move(_ fire: Fire) -> Bool {
        guard let row = rows[fire.fireID], row.state == fire.previousState else { return false }
        let isDirect = row.state.canBecome(fire.state)
        let isAnswer = row.state.canBecome(.acknowledged) && FireState.acknowledged.canBecome(fire.state)
        guard isDirect || isAnswer || (row.state == fire.state && (row.state == .filled || row.isRevisable)) else {
            violations.append("\(fire.fireID) went from \(row.state) to \(fire.state)")
            return false
        }
        for change in LedgerCounts.changes(from: row.state, to: fire.state) {
            counters[change.field, default: 0] += change.by
        }
        rows[fire.fireID] = fire
        return true
    }

    /// The sum as the script makes it.
    private mutating func correct(_ correction: PositionCorrection) {
        guard var position = positions[correction.key], let closing = correction.closing else { return }
        position.closings.put(closing)
        if correction.isClosed {
            position.profit = position.closings.profit?.text(minimumDecimals: 2)
            position.profitSource = position.closings.source
        }
        positions[correction.key] = position
    }

    private mutating func book(_ booking: DayBooking) {
        var row: [String: String] = [:]
        if !booking.startsDay { for field in days[booking.userUUID]?.row ?? [] { row[field.name] = field.value } }
        for field in booking.fields { row[field.name] = field.value }
        days[booking.userUUID] = UserDay(row: row)
    }
}
