public import Domain

extension PositionTrackerEngine {
    /// Takes a fire request in. Its answer comes as `.answer` with the same token, at once or after score and slot.
    public mutating func fire(
        _ request: FireRequest, token: Int, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        let targets = targets(of: request.target, now: now)
        let isMany: Bool = if case .user = request.target { false } else { true }
        var pendingRequest = PendingRequest(request: request, candidates: [], answers: [], requestedAt: now)
        for (index, userUUID) in targets.enumerated() {
            let fireID = isMany ? "\(request.fireID).\(index + 1)" : request.fireID
            do throws(Denial) {
                pendingRequest.candidates.append(try check(request, fireID: fireID, userUUID: userUUID, now: now))
            } catch {
                pendingRequest.answers.append(deny(pendingRequest, fireID, userUUID, error, now: now, into: &outputs))
            }
        }
        guard !pendingRequest.candidates.isEmpty else {
            return outputs.append(.answer(token: token, pendingRequest.answers))
        }
        pending[token] = pendingRequest
        if isMany {
            outputs.append(.claimBatch(token: token, fireID: request.fireID))
        } else {
            requestScore(token, request, into: &outputs)
        }
    }

    private func targets(of target: FireRequest.Target, now: Timestamp) -> [String] {
        switch target {
        case .user(let uuid): [uuid]
        case .users(let uuids): uuids
        case .tier(let name): firedAt.filter { user($0, now: now).tier == name }.sorted()
        case .all: firedAt.sorted()
        }
    }

    /// Users of terminals; the doctor's played one is nobody's.
    private var firedAt: [String] { terminals.byUser.keys.filter { $0 != ProbeTerminal.userUUID } }

    /// Whether this many-user request is the first of its id: another time its users might be numbered differently.
    public mutating func batchClaimed(
        token: Int, isNew: Bool?, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let request = pending[token] else { return }
        switch isNew {
        case true?: requestScore(token, request.request, into: &outputs)
        case false?: denyAll(token, Denial(.duplicateFire, "this fire_id was used before"), now, into: &outputs)
        case nil:
            denyAll(token, Denial(.stateUnavailable, "the mesh's Redis did not answer"), now, into: &outputs)
        }
    }

    private mutating func requestScore(_ token: Int, _ request: FireRequest, into outputs: inout [TrackerOutput]) {
        guard let candidate = pending[token]?.candidates.first else { return }
        outputs.append(
            .requestScore(
                token: token,
                ScoreRequest(
                    symbol: candidate.canonicalSymbol, direction: request.direction, entry: candidate.entry,
                    stopLoss: request.stopLoss, takeProfit: request.takeProfit, signalID: request.signalID)))
    }

    private mutating func denyAll(
        _ token: Int, _ denial: Denial, _ now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard var request = pending.removeValue(forKey: token) else { return }
        for candidate in request.candidates {
            var answer = denied(candidate.fireID, candidate.user.uuid, denial)
            answer.slotsMaximum = policy.tier(candidate.user.tier).slots
            request.answers.append(answer)
        }
        outputs.append(.answer(token: token, request.answers))
    }

    /// CITADEL's score, or nil where it gave none in time or only a stale one.
    ///
    /// - Parameters:
    ///   - factors: what the score is made of, CITADEL's own JSON.
    ///   - source: who gave it, or why there is none.
    public mutating func scoreAnswered(
        token: Int, score: Amount?, factors: String? = nil, by source: String = "citadel-monitor", now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) {
        guard var request = pending[token] else { return }
        request.score = score
        request.factors = factors
        request.scoreAt = now
        request.scoreBy = source
        for candidate in request.candidates {
            do throws(Denial) {
                if request.withdrawnUsers.contains(candidate.user.uuid) {
                    throw Denial(.expired, "withdrawn before its slot was taken")
                }
                let fire = try prepare(candidate, request, now)
                request.awaiting.insert(fire.fireID)
                tokenOfFire[fire.fireID] = token
                remember(fire)
                if fire.state == .reserved { queues[fire.userUUID, default: []].append(fire.fireID) }
                outputs.append(.reserve(fire, slotsMaximum: policy.tier(candidate.user.tier).slots))
            } catch {
                request.answers.append(
                    deny(request, candidate.fireID, candidate.user.uuid, error, now: now, into: &outputs))
            }
        }
        pending[token] = request
        finishIfDecided(token, into: &outputs)
    }

    private func prepare(
        _ candidate: FireCandidate, _ pendingRequest: PendingRequest, _ now: Timestamp
    ) throws(Denial) -> Fire {
        let request = pendingRequest.request
        let score = pendingRequest.score
        if policy.minimumProtectionScore.isPositive, (score ?? .zero) < policy.minimumProtectionScore {
            let said = score.map { "\($0)" } ?? "unknown"
            throw Denial(.protectionTooLow, "protection is \(said), the minimum is \(policy.minimumProtectionScore)")
        }
        // A second request of the same id while the first is under way.
        if let known = fires[candidate.fireID] {
            throw Denial(.duplicateFire, "this fire_id is \(known.state.rawValue)")
        }
        let input = RiskCalculator.Input(
            instrument: candidate.instrument, entry: candidate.entry,
            stop: request.stopLoss.flatMap { $0.isZero ? nil : $0 }, equity: candidate.equity,
            currency: candidate.currency, conversionRate: candidate.conversionRate,
            capPercent: policy.percentCap(user: candidate.user, score: score),
            tierMultiplier: policy.tier(candidate.user.tier).multiplier,
            citadelMultiplier: policy.citadelMultiplier(score), size: request.size,
            basePercent: policy.base(of: candidate.user), hardCapPercent: policy.capPercent)
        var assessment: RiskAssessment
        do throws(RiskRefusal) {
            assessment = try RiskCalculator.assess(input)
        } catch {
            throw Denial(.riskExceeded, error.message)
        }
        if request.hybrid != nil { assessment = try parted(assessment, input) }
        try checkCaps(assessment, candidate.user, now: now)
        let isQueued = (outstanding[candidate.user.uuid]?.count ?? 0) >= policy.outstandingPerTerminal
        var fire = Fire(
            fireID: candidate.fireID, userUUID: candidate.user.uuid, nodeID: candidate.terminal.nodeID,
            server: candidate.terminal.server ?? "unknown", account: candidate.terminal.account ?? "unknown",
            symbol: candidate.symbol, canonicalSymbol: candidate.canonicalSymbol, direction: request.direction,
            lot: assessment.lot, state: isQueued ? .reserved : .sending, createdAt: pendingRequest.requestedAt,
            expiresAt: request.expiresAt ?? now.adding(milliseconds: policy.lifetimeMilliseconds))
        fire.entry = request.entry?.description
        fire.stopLoss = request.stopLoss?.description
        fire.takeProfit = request.takeProfit?.description
        fire.hybrid = request.hybrid
        fire.signalID = request.signalID
        fire.protectionScore = score
        fire.factors = pendingRequest.factors
        fire.risk = assessment
        fire.quoteBid = candidate.quote.bid
        fire.quoteAsk = candidate.quote.ask
        fire.noteRequest(pendingRequest)
        fire.note("slot", .reserved, at: now, by: "slot script")
        if !isQueued { fire.note("sending", .sending, at: now, by: "slot script") }
        return fire
    }

    // MARK: - Answers

    mutating func updateAnswer(_ fire: Fire, _ change: (inout FireAnswer) -> Void) {
        guard let token = tokenOfFire[fire.fireID] else { return }
        if let index = pending[token]?.answers.firstIndex(where: { $0.fireID == fire.fireID }) {
            if var answer = pending[token]?.answers[index] {
                change(&answer)
                pending[token]?.answers[index] = answer
            }
        } else {
            var answer = FireAnswer(fireID: fire.fireID, userUUID: fire.userUUID, state: .queued)
            change(&answer)
            pending[token]?.answers.append(answer)
        }
    }

    mutating func settle(
        _ fire: Fire, _ state: FireAnswer.State, _ denial: Denial?, _ now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) {
        guard let token = tokenOfFire[fire.fireID] else { return }
        let maximum = slotsMaximum(of: fire.userUUID, now: now)
        updateAnswer(fire) {
            $0.state = state
            $0.denial = denial
            $0.lot = fire.lot
            $0.slotsMaximum = maximum
            $0.hybrid = fire.hybrid
            $0.risk = fire.risk
            $0.protectionScore = fire.protectionScore
        }
        tokenOfFire[fire.fireID] = nil
        pending[token]?.awaiting.remove(fire.fireID)
        finishIfDecided(token, into: &outputs)
    }

    private mutating func finishIfDecided(_ token: Int, into outputs: inout [TrackerOutput]) {
        guard let request = pending[token], request.awaiting.isEmpty else { return }
        pending[token] = nil
        outputs.append(.answer(token: token, request.answers))
    }

    /// The row of a fire that got no slot.
    func denied(_ fire: Fire, _ denial: Denial, _ now: Timestamp) -> Fire {
        var row = fire
        row.state = .denied
        row.reason = denial.reason.rawValue
        row.timeline.removeAll { $0.state == "slot" || $0.state == "sending" }
        row.times[.reserved] = nil
        row.times[.sending] = nil
        row.note(FireState.denied.rawValue, .resolved, at: now, by: "slot script: \(denial.message)")
        return row
    }

    private func denied(_ fireID: String, _ userUUID: String, _ denial: Denial) -> FireAnswer {
        FireAnswer(fireID: fireID, userUUID: userUUID, state: .denied, denial: denial)
    }

    private func deny(
        _ pendingRequest: PendingRequest, _ fireID: String, _ userUUID: String, _ denial: Denial, now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> FireAnswer {
        let request = pendingRequest.request
        let terminal = terminals[userUUID]
        var fire = Fire(
            fireID: fireID, userUUID: userUUID, nodeID: terminal?.nodeID ?? "", server: terminal?.server ?? "",
            account: terminal?.account ?? "", symbol: request.symbol,
            canonicalSymbol: catalogue.canonical(request.symbol), direction: request.direction,
            lot: request.size.asked ?? .zero, state: .denied, createdAt: pendingRequest.requestedAt,
            expiresAt: request.expiresAt ?? now)
        fire.reason = denial.reason.rawValue
        fire.hybrid = request.hybrid
        fire.signalID = request.signalID
        fire.stopLoss = request.stopLoss?.description
        fire.takeProfit = request.takeProfit?.description
        fire.protectionScore = pendingRequest.score
        fire.factors = pendingRequest.factors
        fire.noteRequest(pendingRequest)
        fire.note(FireState.denied.rawValue, .resolved, at: now, by: "checks: \(denial.message)")
        outputs.append(.recordDenial(fire))
        var answer = denied(fireID, userUUID, denial)
        answer.slotsMaximum = slotsMaximum(of: userUUID, now: now)
        answer.protectionScore = pendingRequest.score
        return answer
    }
}
