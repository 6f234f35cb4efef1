import Citadel
import Domain
import ServiceKit
import Wire

// Signals: taken in, recorded, published, answered; followed until they end.
extension CitadelMonitorService {
    func takeSignal(_ request: Request) {
        report.count("signals")
        do throws(QueryError) {
            try submit(request)
        } catch {
            report.reject(error.code)
            // Behind what is still being recorded: a client that sends twice reads its answers in order.
            outbox.add(recording: nil) { [unowned self] _ in intake?.fail(request, error.code, error.message) }
        }
    }

    private func submit(_ request: Request) throws(QueryError) {
        let now = SystemClock.now()
        let wanted = try SignalRequest(
            request.object, now: now, lifetime: settings.signalLifetime, feed: feed,
            price: { summaries.price(of: $0, engine) })
        let identifier = wanted.signal.signalIdentifier
        if let ending = endings[identifier] {
            throw QueryError(
                code: "signal_ended", message: "this signal ended (\(ending)); send a new one with a new id")
        }
        var events: [CitadelOutput] = []
        let answer = try engine.submit(wanted.signal, now: now.milliseconds, into: &events)
        guard !events.isEmpty, let live = engine.liveSignal(identifier) else {
            return outbox.add(recording: nil) { [unowned self] _ in
                let isRecorded = signalStore.isRecorded(identifier)
                reply(request, identifier, answer, isDuplicate: true, isRecorded: isRecorded)
            }
        }
        let record = SignalRecord(live, fields: wanted.fields)
        records[identifier] = record
        send(record) { [unowned self] isRecorded in
            reply(request, identifier, answer, isDuplicate: false, isRecorded: isRecorded)
        }
    }

    /// Records, then publishes, then goes on.
    private func send(_ record: SignalRecord, then: @escaping (Bool) -> Void = { _ in }) {
        let frame = record.frame
        outbox.add(recording: { [signalStore] in signalStore.write(record, $0) }) { [unowned self] recorded in
            if !recorded { report.count("signals_published_unrecorded") }
            report.count("signals_published")
            publish(signal: frame)
            then(recorded)
        }
    }

    private func reply(
        _ request: Request, _ identifier: String, _ answer: ProtectionScore, isDuplicate: Bool, isRecorded: Bool
    ) {
        intake?.reply(
            request,
            [
                "signal_id": .string(identifier), "protection_score": Figure.json(answer.protectionScore),
                "risk_level": .string(answer.riskLevel.rawValue), "recommendation": .string(answer.recommendation),
                "factors": answer.factorsJSON, "insights": answer.insightsJSON,
                "confidence": Figure.json(answer.confidence), "stale": .bool(answer.stale),
                "duplicate": .bool(isDuplicate), "recorded": .bool(isRecorded),
            ])
    }

    /// A live signal's standing changed, or it ended.
    func follow(_ update: SignalUpdate) {
        let identifier = update.signal.signalIdentifier
        guard var record = records[identifier] else { return }
        if let live = engine.liveSignal(identifier) { record.curve = live.curve }
        record.apply(update)
        records[identifier] = record.isLive ? record : nil
        if !record.isLive { endings.remember(identifier, ended: record.state.rawValue) }
        send(record)
    }

    /// Keeps what the curves of live signals gained between publications: a few signals in one call, all in turn.
    func keepCurves() {
        if curveQueue.isEmpty {
            let now = SystemClock.monotonicMilliseconds()
            guard now - curvesAt >= 10_000 else { return }
            curvesAt = now
            curveQueue = Array(records.keys)
        }
        guard redis.isReady else { return }
        for _ in 0..<min(50, curveQueue.count) {
            let identifier = curveQueue.removeLast()
            guard var record = records[identifier], let live = engine.liveSignal(identifier),
                live.curve.last != record.curve.last
            else { continue }
            record.curve = live.curve
            records[identifier] = record
            signalStore.write(record) { _ in }
        }
    }

    /// Takes back a signal that was live when the last run ended.
    func restore(signal identifier: String, _ row: [String: String]) {
        guard let stored = SignalRecord.restore(row), stored.record.isLive, stored.record.identifier == identifier
        else {
            // A member without a row: the row expired, or an end was written and the set was not.
            report.count("signals_unreadable")
            redis.send(["SREM", "live_signals", identifier])
            return
        }
        let now = SystemClock.now()
        if engine.restore(signal: stored.live, now: now.milliseconds) {
            report.count("signals_restored")
            records[identifier] = stored.record
        } else if stored.live.expiresMilliseconds <= now.milliseconds {
            var record = stored.record
            record.expire(at: now)
            endings.remember(identifier, ended: SignalRecord.State.expired.rawValue)
            report.count("signals_expired_while_away")
            // Subscribers are still on their way back to a port that was closed.
            let ended = record
            environment.reactor.after(milliseconds: 1_500) { [unowned self] in send(ended) }
        }
    }
}
