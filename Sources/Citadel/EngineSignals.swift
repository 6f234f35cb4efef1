/// Signals: scored when they come, followed until they end.
extension CitadelEngine {
    /// Without a quote for this long (milliseconds) a live signal stands where nothing is known.
    private static let marketGoneAfter: Int64 = 300_000

    /// The live signals in order of submission.
    public var liveSignals: [LiveSignal] { signals.live }

    /// One live signal; nil when it is not, or no longer.
    public func liveSignal(_ identifier: String) -> LiveSignal? { signals.live(identifier) }

    /// A live signal as it stands at `now`, with what its age and the market have left of it; nil when it is not, or no
    /// longer. Throws what `score` throws.
    public func score(following identifier: String, now: Int64) throws(QueryError) -> ProtectionScore? {
        guard let live = signals.live(identifier) else { return nil }
        return try standing(live, now: now)
    }

    private func standing(_ live: LiveSignal, now: Int64) throws(QueryError) -> ProtectionScore {
        try Scorer.score(live.signal.query, in: view(of: live.signal.symbol, at: now), following: live)
    }

    /// Scores a signal, publishes it once and follows it. The same identifier again gets the same answer and is not
    /// published again. Throws what `score` throws, and `bad_signal_id`, `signal_expired`, `signal_ended`,
    /// `too_many_signals`, and `invalidated` where the market of this moment would end it at once.
    public mutating func submit(
        _ signal: TradingSignal, now: Int64, into outputs: inout [CitadelOutput]
    ) throws(QueryError) -> ProtectionScore {
        if let live = signals.live(signal.signalIdentifier) {
            count(.signalsRepeated)
            return live.answer
        }
        do throws(QueryError) {
            let expires = try admit(signal, now: now)
            let answer = try score(signal.query, now: now)
            let view = view(of: signal.symbol, at: now)
            // Without a current quote nobody knows: then it is published, and its answer is stale.
            if !view.isStale, let bid = view.bid, let ask = view.ask,
                let reason = QuoteReach(
                    MarketTick(
                        symbol: signal.symbol, source: "", timeMilliseconds: now, bid: bid, ask: ask,
                        decimals: view.digits)
                ).reason(toEnd: signal)
            {
                throw QueryError(
                    code: "invalidated",
                    message: "\(reason) before the signal came (bid \(view.text(bid)), ask \(view.text(ask))); "
                        + "send a new one for the market of now")
            }
            let live = LiveSignal(
                signal: signal, answer: answer, expiresMilliseconds: expires, startSpread: view.spread,
                startRange: view.range5 > 0 ? view.range5 : nil)
            signals.insert(live, nextScoring: Self.later(now, configuration.rescoreEvery))
            count(.signalsAccepted)
            outputs.append(.signalPublished(signal, answer))
            return answer
        } catch {
            count(.signalsRefused)
            throw error
        }
    }

    private func admit(_ signal: TradingSignal, now: Int64) throws(QueryError) -> Int64 {
        let identifier = signal.signalIdentifier
        guard !identifier.isEmpty, identifier.utf8.count <= 128 else {
            throw QueryError(code: "bad_signal_id", message: "signal_id must have 1 to 128 characters")
        }
        if let ending = signals.ending(identifier) {
            throw QueryError(
                code: "signal_ended", message: "this signal ended (\(ending.rawValue)); send a new one with a new id")
        }
        let expires =
            signal.expiresMilliseconds ?? Self.later(signal.createdMilliseconds, configuration.signalLifetime)
        guard expires > now else {
            throw QueryError(code: "signal_expired", message: "the signal's time is over; send a fresh one")
        }
        guard signals.count < configuration.maximumSignals else {
            throw QueryError(
                code: "too_many_signals",
                message: "\(configuration.maximumSignals) signals are live already; try again when some have ended")
        }
        return expires
    }

    /// Takes back a signal that was published before a restart; nothing is published. False when it is over, known,
    /// or one too many. It is not scored again before the market had a minute to come back.
    public mutating func restore(signal live: LiveSignal, now: Int64) -> Bool {
        guard live.expiresMilliseconds > now, signals.count < configuration.maximumSignals,
            signals.live(live.signal.signalIdentifier) == nil
        else { return false }
        signals.insert(live, nextScoring: Self.later(now, configuration.staleAfter))
        return true
    }

    /// Lets time pass: ends signals that quotes touched or whose time is over and scores others again, a bounded number
    /// of each; the rest follow in the next calls.
    public mutating func advance(to now: Int64, into outputs: inout [CitadelOutput]) {
        endTouched(now, &outputs)
        while let sequence = signals.expired(at: now), mayEnd(now) {
            guard let live = signals.entries[sequence]?.live else { break }
            end(live, sequence, .expired, "its time is over", now, &outputs)
        }
        for _ in 0..<configuration.rescoresPerAdvance {
            guard let sequence = signals.due(at: now) else { break }
            rescore(sequence, now, &outputs)
        }
    }

    /// Whether another signal may be ended at this `now`: what ends costs a publication and a row each, and a burst of
    /// quotes may touch thousands.
    private mutating func mayEnd(_ now: Int64) -> Bool {
        if endingsNow.now != now { endingsNow = (now, 0) }
        guard endingsNow.count < configuration.endingsPerStep else { return false }
        endingsNow.count += 1
        return true
    }

    private mutating func end(
        _ live: LiveSignal, _ sequence: Int, _ kind: SignalUpdate.Kind, _ reason: String, _ now: Int64,
        _ outputs: inout [CitadelOutput]
    ) {
        count(kind == .expired ? .signalsExpired : .signalsInvalidated)
        outputs.append(
            .signalUpdated(
                SignalUpdate(
                    signal: live.signal, update: kind, score: live.score, riskLevel: live.riskLevel, answer: nil,
                    reason: reason, timeMilliseconds: now)))
        signals.remove(sequence, kind)
    }

    private mutating func rescore(_ sequence: Int, _ now: Int64, _ outputs: inout [CitadelOutput]) {
        guard let live = signals.entries[sequence]?.live else { return }
        let next = Self.later(now, configuration.rescoreEvery)
        // One that waits to be ended has no standing any more.
        guard live.expiresMilliseconds > now else { return signals.update(sequence) { $0.nextScoring = next } }
        let step = configuration.standingStep
        let answer: ProtectionScore
        do throws(QueryError) {
            answer = try standing(live, now: now)
        } catch {
            // It made sense when it was submitted: the market has left it behind.
            return end(live, sequence, .invalidated, error.message, now, &outputs)
        }
        // A pause between quotes is no new standing; a market that stays away is.
        if answer.stale, !isMarketGone(live.signal.symbol, now) {
            signals.update(sequence) { $0.nextScoring = next }
            return
        }
        // A hair of slack, because differences of tenths are not exact in binary.
        let moved = abs(answer.protectionScore - live.score) >= step - 1e-9
        guard moved || answer.riskLevel != live.riskLevel else {
            signals.update(sequence) {
                $0.nextScoring = next
                $0.live.mark(answer.protectionScore, at: now, isPublished: false)
            }
            return
        }
        signals.update(sequence) {
            $0.nextScoring = next
            $0.live.score = answer.protectionScore
            $0.live.riskLevel = answer.riskLevel
            $0.live.contributions = answer.factors.map(\.contribution)
            $0.live.mark(answer.protectionScore, at: now, isPublished: true)
        }
        count(.signalsDecayed)
        outputs.append(
            .signalUpdated(
                SignalUpdate(
                    signal: live.signal, update: .decay, score: answer.protectionScore, riskLevel: answer.riskLevel,
                    answer: answer, reason: Self.reason(from: live, to: answer), timeMilliseconds: now)))
    }

    private func isMarketGone(_ symbol: String, _ now: Int64) -> Bool {
        view(of: symbol, at: now).quoteAge.map { $0 > Self.marketGoneAfter } ?? true
    }

    /// Names the factor that moved the score most, in the direction the score went.
    private static func reason(from live: LiveSignal, to answer: ProtectionScore) -> String {
        let fell = answer.protectionScore < live.score
        var best: ScoreFactor?
        var most = -Double.infinity
        // A signal of an earlier version has contributions of other factors: then none is named.
        guard live.contributions.count == answer.factors.count else { return change(live, answer) }
        for (factor, before) in zip(answer.factors, live.contributions) {
            let change = fell ? before - factor.contribution : factor.contribution - before
            if change > most {
                most = change
                best = factor
            }
        }
        guard let best else { return change(live, answer) }
        return change(live, answer) + ", most by \(best.name.words) (now \(Decimals.text(best.score, 1))/10)"
    }

    private static func change(_ live: LiveSignal, _ answer: ProtectionScore) -> String {
        "protection \(answer.protectionScore < live.score ? "fell" : "rose") from \(Decimals.text(live.score, 1)) to "
            + Decimals.text(answer.protectionScore, 1)
    }

    /// Ends signals whose stop or target this quote touches: a buy is closed at the bid, a sell at the ask.
    mutating func touchSignals(_ tick: MarketTick, now: Int64, into outputs: inout [CitadelOutput]) {
        signals.touch(tick)
        endTouched(now, &outputs)
    }

    private mutating func endTouched(_ now: Int64, _ outputs: inout [CitadelOutput]) {
        while let (sequence, reach) = signals.nextTouched(), mayEnd(now) {
            guard let live = signals.entries[sequence]?.live, let reason = reach.reason(toEnd: live.signal) else {
                break
            }
            end(live, sequence, .invalidated, reason, now, &outputs)
        }
    }

    /// A sum that stays in range whatever a message claimed.
    private static func later(_ time: Int64, _ interval: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(interval)
        return overflow ? .max : sum
    }
}
