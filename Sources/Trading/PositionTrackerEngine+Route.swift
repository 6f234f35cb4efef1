public import Domain

// From the slot to the terminal, the queue behind an outstanding fire, and what time does to both.
extension PositionTrackerEngine {
    // MARK: - Slot and route

    public mutating func reservationAnswered(
        fireID: String, _ result: ReservationResult, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let fire = fires[fireID] else { return }
        switch result {
        case .reserved(let used):
            withdrawn.remove(fireID)
            updateAnswer(fire) { $0.slotsUsed = used }
            if fire.state == .sending {
                handOver(fire, now, into: &outputs)
            } else {
                settle(fire, .queued, nil, now, into: &outputs)
                // The terminal may have become free while the slot was asked for.
                sendNext(fire.userUUID, now: now, into: &outputs)
            }
            return
        case .duplicate(let state):
            forget(fire)
            settle(fire, .denied, Denial(.duplicateFire, "this fire_id is \(state) already"), now, into: &outputs)
        case .noSlot(let used):
            forget(fire)
            updateAnswer(fire) { $0.slotsUsed = used }
            let denial = Denial(.noSlot, "\(used) of \(slotsMaximum(of: fire.userUUID, now: now)) slots are in use")
            outputs.append(.recordDenial(denied(fire, denial, now)))
            settle(fire, .denied, denial, now, into: &outputs)
        case .unavailable:
            // Not sent, and never will be: when Redis is back the row, if it was written, is withdrawn.
            forget(fire)
            withdrawn.insert(fireID)
            let denial = Denial(.stateUnavailable, "the slot could not be reserved; nothing was sent")
            settle(fire, .denied, denial, now, into: &outputs)
        }
        sendNext(fire.userUUID, now: now, into: &outputs)
    }

    /// Lets go of a fire that was never recorded as taken.
    mutating func forget(_ fire: Fire) {
        var over = fire
        over.state = .denied
        remember(over)
    }

    /// The last look before it leaves: Redis may have taken its time since the checks.
    mutating func handOver(_ fire: Fire, _ now: Timestamp, into outputs: inout [TrackerOutput]) {
        do throws(Denial) {
            try checkStillGood(fire, now)
        } catch {
            move(
                fire.fireID, to: .denied, by: "last look: \(error.message)", reason: error.reason.rawValue, now: now,
                into: &outputs)
            settle(fire, .denied, error, now, into: &outputs)
            return sendNext(fire.userUUID, now: now, into: &outputs)
        }
        guard let identity = terminals[fire.userUUID].flatMap({ route(to: $0) }) else {
            return commandHandedOver(fireID: fire.fireID, .unreachable, now: now, into: &outputs)
        }
        outputs.append(.send(identity: identity, userUUID: fire.userUUID, .fire(fire)))
    }

    /// What libzmq said to a fire's frame. Only `sent` may have reached anybody.
    public mutating func commandHandedOver(
        fireID: String, _ result: HandOver, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let fire = fires[fireID] else { return }
        switch result {
        case .sent:
            move(fireID, to: .sent, by: "libzmq", now: now, into: &outputs)
            settle(fire, .sent, nil, now, into: &outputs)
        case .unreachable, .full:
            let why = result == .full ? "its queue is full" : "its connection is gone"
            let denial = Denial(.nodeOffline, "\(fire.nodeID) can't be reached: \(why); nothing was sent")
            move(fireID, to: .denied, by: "libzmq", reason: denial.reason.rawValue, now: now, into: &outputs)
            settle(fire, .denied, denial, now, into: &outputs)
            sendNext(fire.userUUID, now: now, into: &outputs)
        }
    }

    // MARK: - The queue behind an outstanding fire

    /// Lets the next queued fire of a terminal go, if it still may. One whose slot Redis has not confirmed waits for
    /// that: what leaves must be recorded as leaving.
    mutating func sendNext(_ userUUID: String, now: Timestamp, into outputs: inout [TrackerOutput]) {
        while (outstanding[userUUID]?.count ?? 0) < policy.outstandingPerTerminal,
            let fireID = queues[userUUID]?.first, let fire = fires[fireID], tokenOfFire[fireID] == nil
        {
            queues[userUUID]?.removeFirst()
            do throws(Denial) {
                try checkStillGood(fire, now)
                move(fireID, to: .sending, by: "queue", now: now, into: &outputs)
            } catch {
                move(fireID, to: .expired, by: "queue", reason: error.reason.rawValue, now: now, into: &outputs)
            }
        }
    }

    /// The market and the terminal may have changed while a fire waited.
    private func checkStillGood(_ fire: Fire, _ now: Timestamp) throws(Denial) {
        if let why = stopped[fire.fireID] { throw Denial(.expired, why) }
        guard fire.expiresAt > now else { throw Denial(.expired, "its time was over before it left") }
        guard let terminal = terminals[fire.userUUID], terminal.isActive, route(to: terminal) != nil else {
            throw Denial(.nodeOffline, "its terminal left")
        }
        if terminal.isDoubtful(now) { throw Denial(.identityConflict, "its terminal's identity is in doubt") }
        if let setting = brake(user(fire.userUUID, now: now), terminal, fire.canonicalSymbol) {
            throw Denial(setting.state == .halted ? .halted : .reducingOnly, setting.reason)
        }
        try checkMarket(terminal, now)
    }

    /// Whether Redis let a queued fire become `sending`.
    public mutating func moveAnswered(
        fireID: String, isDone: Bool, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let fire = fires[fireID], fire.state == .sending else { return }
        if isDone { return handOver(fire, now, into: &outputs) }
        // Not recorded, so not sent: what is not durable must not leave.
        forget(fire)
        outputs.append(.count("queued_fires_not_recorded"))
        sendNext(fire.userUUID, now: now, into: &outputs)
    }

    // MARK: - Deadlines

    /// Time passes: answers that did not come make fires unknown, queued ones expire.
    public mutating func advance(to now: Timestamp, into outputs: inout [TrackerOutput]) {
        forgetOldEarlyCloses(now, into: &outputs)
        let late = fires.values.filter { $0.expiresAt <= now && ($0.state == .sent || $0.state == .reserved) }
        for fire in late.sorted(by: { $0.fireID < $1.fireID }) {
            if fire.state == .sent {
                move(fire.fireID, to: .unknown, by: "deadline", now: now, into: &outputs)
                sendNext(fire.userUUID, now: now, into: &outputs)
            } else if tokenOfFire[fire.fireID] == nil {
                move(fire.fireID, to: .expired, by: "deadline", reason: "expired", now: now, into: &outputs)
            }
        }
    }

    /// An operator or a witness says what became of an unknown fire: it never traded, or its terminal refused it.
    /// A fill comes as its confirmation, the terminal's or an inferred one.
    public mutating func settle(
        fireID: String, as state: FireState, reason: String, by actor: String = "operator", now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> Bool {
        guard state == .neverExecuted || state == .rejected, let fire = fires[fireID], fire.state == .unknown else {
            return false
        }
        outputs.append(
            .audit(event: "settle", ["fire_id": fireID, "state": state.rawValue, "reason": reason, "by": actor]))
        return move(fireID, to: state, by: actor, reason: reason, now: now, into: &outputs)
    }

    // MARK: - Withdrawing

    /// Takes back what has not left: queued fires, and such as wait for Redis. Returns their ids.
    public mutating func withdraw(
        fireID: String, by actor: String, reason: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> Bool {
        guard let fire = fires[fireID] else { return false }
        switch fire.state {
        case .reserved:
            move(fireID, to: .expired, by: actor, reason: reason, now: now, into: &outputs)
            // Whoever asked for it may still wait for the slot script's word.
            settle(fire, .denied, Denial(.expired, reason), now, into: &outputs)
            return true
        case .sending:
            stopped[fireID] = reason
            return true
        default: return false
        }
    }

    /// All of a user's, those included whose score is still awaited.
    public mutating func withdrawAll(
        of userUUID: String, by actor: String, reason: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> [String] {
        var list: [String] = []
        for (token, request) in pending where request.scoreAt == nil {
            let own = request.candidates.filter { $0.user.uuid == userUUID }
            guard !own.isEmpty, !request.withdrawnUsers.contains(userUUID) else { continue }
            pending[token]?.withdrawnUsers.insert(userUUID)
            list += own.map(\.fireID)
        }
        for fireID in (firesByUser[userUUID] ?? []).sorted()
        where withdraw(fireID: fireID, by: actor, reason: reason, now: now, into: &outputs) {
            list.append(fireID)
        }
        return list.sorted()
    }

    /// Everything in a symbol that has not left, those included whose score is still awaited: ids by user.
    mutating func withdrawAll(
        inSymbol canonical: String, by actor: String, reason: String, now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> [String: [String]] {
        var lists: [String: [String]] = [:]
        for (token, request) in pending where request.scoreAt == nil {
            for candidate in request.candidates where candidate.canonicalSymbol == canonical {
                let user = candidate.user.uuid
                guard pending[token]?.withdrawnUsers.insert(user).inserted == true else { continue }
                lists[user, default: []].append(candidate.fireID)
            }
        }
        let waiting = fires.values.filter { $0.canonicalSymbol == canonical }.sorted { $0.fireID < $1.fireID }
        for fire in waiting
        where withdraw(fireID: fire.fireID, by: actor, reason: reason, now: now, into: &outputs) {
            lists[fire.userUUID, default: []].append(fire.fireID)
        }
        return lists.mapValues { $0.sorted() }
    }
}
