public import Domain

// From the slot to the terminal, the queue behind an outstanding fire, and what time does to both.
extension PositionTrackerEngine {
    // MARK: - Slot and route

    public mutating func reservationAnswered(
        fireID: String, _ result: ReservationResult, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let fire = fires[fireID] else {
            return
        }
        switch result {
        case .reserved(let used):
            updateAnswer(fire) { $0.slotsUsed = used }
            if fire.state == .sending {
                handOver(fire, now, into: &outputs)
            } else {
                settle(fire, .queued, nil, now, into: &outputs)
            }
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
    }

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
            move(fire.fireID, to: .denied, by: "last look", reason: error.reason.rawValue, now: now, into: &outputs)
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

    /// Lets the next queued fire of a terminal go, if it still may.
    mutating func sendNext(_ userUUID: String, now: Timestamp, into outputs: inout [TrackerOutput]) {
        while (outstanding[userUUID]?.count ?? 0) < policy.outstandingPerTerminal,
            let fireID = queues[userUUID]?.first, let fire = fires[fireID]
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

    /// An operator says what became of an unknown fire: it never traded, or its terminal refused it.
    public mutating func settle(
        fireID: String, as state: FireState, reason: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> Bool {
        guard state == .neverExecuted || state == .rejected, let fire = fires[fireID], fire.state == .unknown else {
            return false
        }
        outputs.append(
            .audit(event: "settle", ["fire_id": fireID, "state": state.rawValue, "reason": reason]))
        return move(fireID, to: state, by: "operator", reason: reason, now: now, into: &outputs)
    }
}
