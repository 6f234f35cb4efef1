/// Signals: scored when they come, followed until they end.
extension CitadelEngine {
    /// The live signals in order of submission.
    public var liveSignals: [LiveSignal] { signals.live }

    /// One live signal; nil when it is not, or no longer.
    public func liveSignal(_ identifier: String) -> LiveSignal? { signals.live(identifier) }

    /// Scores a signal, publishes it once and follows it. The same identifier again gets the same answer and is not
    /// published again. Throws what `score` throws, and `bad_signal_id`, `signal_expired`, `signal_ended`,
    /// `too_many_signals`.
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
            let live = LiveSignal(signal: signal, answer: answer, expiresMilliseconds: expires)
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
            signals.live(live.signal.signalIdentifier) == nil,
            live.contributions.count == FactorName.allCases.count
        else { return false }
        signals.insert(live, nextScoring: Self.later(now, configuration.staleAfter))
        return true
    }

    /// Lets time pass: ends signals whose time is over and scores a bounded number of others again.
    public mutating func advance(to now: Int64, into outputs: inout [CitadelOutput]) {
        expireSignals(now, &outputs)
        for sequence in signals.due(at: now, limit: configuration.rescoresPerAdvance) {
            rescore(sequence, now, &outputs)
        }
    }

    private mutating func expireSignals(_ now: Int64, _ outputs: inout [CitadelOutput]) {
        let expired = signals.expired(at: now)
        for sequence in expired {
            guard let live = signals.entries[sequence]?.live else { continue }
            count(.signalsExpired)
            outputs.append(.signalUpdated(Self.end(live, .expired, "its time is over", now)))
        }
        signals.remove(expired.map { ($0, .expired) })
    }

    private mutating func rescore(_ sequence: Int, _ now: Int64, _ outputs: inout [CitadelOutput]) {
        guard let live = signals.entries[sequence]?.live else { return }
        let next = Self.later(now, configuration.rescoreEvery)
        let step = configuration.standingStep
        let answer: ProtectionScore
        do throws(QueryError) {
            answer = try score(live.signal.query, now: now)
        } catch {
            // It made sense when it was submitted: the market has left it behind.
            count(.signalsInvalidated)
            outputs.append(.signalUpdated(Self.end(live, .invalidated, error.message, now)))
            signals.remove([(sequence, .invalidated)])
            return
        }
        // A hair of slack, because differences of tenths are not exact in binary.
        let moved = abs(answer.protectionScore - live.score) >= step - 1e-9
        guard moved || answer.riskLevel != live.riskLevel else {
            signals.update(sequence) { $0.nextScoring = next }
            return
        }
        signals.update(sequence) {
            $0.nextScoring = next
            $0.live.score = answer.protectionScore
            $0.live.riskLevel = answer.riskLevel
            $0.live.contributions = answer.factors.map(\.contribution)
        }
        count(.signalsDecayed)
        outputs.append(
            .signalUpdated(
                SignalUpdate(
                    signal: live.signal, update: .decay, score: answer.protectionScore, riskLevel: answer.riskLevel,
                    answer: answer, reason: Self.reason(from: live, to: answer), timeMilliseconds: now)))
    }

    /// Names the factor that moved the score most, in the direction the score went.
    private static func reason(from live: LiveSignal, to answer: ProtectionScore) -> String {
        let fell = answer.protectionScore < live.score
        var best: ScoreFactor?
        var most = -Double.infinity
        for (factor, before) in zip(answer.factors, live.contributions) {
            let change = fell ? before - factor.contribution : factor.contribution - before
            if change > most {
                most = change
                best = factor
            }
        }
        let verb = fell ? "fell" : "rose"
        let text =
            "protection \(verb) from \(Decimals.text(live.score, 1)) to \(Decimals.text(answer.protectionScore, 1))"
        guard let best else { return text }
        return text + ", most by \(best.name.words) (now \(Decimals.text(best.score, 1))/10)"
    }

    /// Ends signals whose stop or target this quote touches: a buy is closed at the bid, a sell at the ask.
    mutating func touchSignals(_ tick: MarketTick, now: Int64, into outputs: inout [CitadelOutput]) {
        guard let watch = signals.watches[tick.symbol], watch.isTouched(bid: tick.bid, ask: tick.ask) else { return }
        var ended: [(sequence: Int, kind: SignalUpdate.Kind)] = []
        for sequence in watch.sequences {
            guard let live = signals.entries[sequence]?.live, let reason = Self.touched(live.signal, tick) else {
                continue
            }
            ended.append((sequence, .invalidated))
            count(.signalsInvalidated)
            outputs.append(.signalUpdated(Self.end(live, .invalidated, reason, now)))
        }
        signals.remove(ended)
    }

    private static func touched(_ signal: TradingSignal, _ tick: MarketTick) -> String? {
        let exit = signal.direction == .buy ? tick.bid : tick.ask
        let sign = signal.direction.sign
        if let stop = signal.stopLoss, (exit - stop) * sign <= 0 {
            return "the stop \(Decimals.text(stop, tick.decimals)) was touched"
        }
        if let target = signal.takeProfit, (exit - target) * sign >= 0 {
            return "the target \(Decimals.text(target, tick.decimals)) was reached"
        }
        return nil
    }

    private static func end(
        _ live: LiveSignal, _ kind: SignalUpdate.Kind, _ reason: String, _ now: Int64
    ) -> SignalUpdate {
        SignalUpdate(
            signal: live.signal, update: kind, score: live.score, riskLevel: live.riskLevel, answer: nil,
            reason: reason, timeMilliseconds: now)
    }

    /// A sum that stays in range whatever a message claimed.
    private static func later(_ time: Int64, _ interval: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(interval)
        return overflow ? .max : sum
    }
}
