import Citadel
import Domain
import Logging
import ServiceKit
import Wire

// Quotes in, the engine's outputs out, queries answered.
extension CitadelMonitorService {
    func take(_ items: [MarketRelay.Item], at now: Timestamp) {
        for item in items {
            switch item {
            case .tick(let tick):
                if case .use(let quote) = feed.accept(tick, now: now) {
                    engine.handle(quote, now: now.milliseconds, into: &outputs)
                }
            case .bars(let bars):
                for bar in bars {
                    if case .use(let history) = feed.accept(bar, now: now) {
                        engine.handle(bar: history, now: now.milliseconds, into: &outputs)
                    }
                }
            }
        }
        execute()
    }

    /// Carries out what the engine decided, in its order.
    func execute() {
        guard !outputs.isEmpty else { return }
        let list = outputs
        outputs.removeAll(keepingCapacity: true)
        for output in list {
            switch output {
            case .barClosed(let symbol, let timeframe, let bar): barStore.append(bar, symbol: symbol, timeframe)
            case .historyRebuilt(let symbol): barStore.replace(symbol)
            case .sweep(let sweep): announce(sweep)
            case .manipulation(let event): announce(event)
            case .signalUpdated(let update): follow(update)
            case .sourceSwitched(let symbol, let from, let to):
                log.info(
                    "quotes change their source", metadata: ["symbol": "\(symbol)", "from": "\(from)", "to": "\(to)"])
            // The intake publishes what it submitted; levels are shown as they stand, by `LevelStore`.
            case .signalPublished, .levelChanged: break
            }
        }
    }

    private func announce(_ sweep: LiquiditySweep) { announce(sweep.alert, in: sweepStore, "sweeps_published") }

    private func announce(_ event: ManipulationEvent) {
        announce(event.alert, in: manipulationStore, "manipulation_published")
    }

    /// Records, then publishes.
    private func announce(_ alert: JSONObject, in store: AlertStore, _ counter: String) {
        let frame = Array("CITADEL_ALERT ".utf8) + alert.bytes
        outbox.add(recording: { store.write(alert, $0) }) { [unowned self] _ in
            report.count(counter)
            publish(alert: frame)
        }
    }

    func restore(_ snapshot: SymbolSnapshot) {
        feed.restored(symbol: snapshot.symbol)
        if engine.restore(snapshot, now: SystemClock.now().milliseconds) { report.count("symbols_restored") }
    }

    // MARK: - Queries

    func answerQuery(_ request: Request) {
        report.count("queries")
        do throws(QueryError) {
            queries?.reply(request, encoded: try answer(request.object))
        } catch {
            report.reject(error.code)
            queries?.fail(request, error.code, error.message)
        }
    }

    private func answer(_ object: JSONObject) throws(QueryError) -> [UInt8] {
        var asked = try ProtectionRequest(object)
        let record = asked.signalIdentifier.flatMap { records[$0] }
        if let record {
            asked.fill(from: record.signal, fields: record.fields, canonical: feed.canonical)
        } else if asked.symbol == nil, let identifier = asked.signalIdentifier {
            throw unknownSignal(identifier)
        }
        guard let name = asked.symbol else {
            throw QueryError(code: "bad_symbol", message: "symbol is missing; send for example {\"symbol\":\"EURUSD\"}")
        }
        let symbol = feed.canonical(name)
        guard let entry = asked.entry ?? summaries.price(of: symbol, engine)?.entry(asked.direction) else {
            throw QueryError(
                code: "bad_entry_price", message: "entry_price is missing and no quote of \(name) is known; send it")
        }
        let query = ProtectionQuery(
            symbol: symbol, entryPrice: entry.value, direction: asked.direction, stopLoss: asked.stopLoss,
            takeProfit: asked.takeProfit, signalIdentifier: asked.signalIdentifier)
        let now = SystemClock.now().milliseconds
        let digits = summaries.digits(of: symbol, engine) ?? feed.digits(of: symbol)
        let followed = record.flatMap { query == $0.query ? $0.identifier : nil }
        let score = try CitadelMonitorService.score(query, following: followed, by: &engine, now: now)
        return score.encoded(symbol: name, entry: entry, digits: digits)
    }

    /// In its place (`inout`): a property's value would be copied for each question.
    private static func score(
        _ query: ProtectionQuery, following identifier: String?, by engine: inout CitadelEngine, now: Int64
    ) throws(QueryError) -> ProtectionScore {
        if let identifier, let standing = try engine.score(following: identifier, now: now) { return standing }
        return try engine.score(query, now: now)
    }

    private func unknownSignal(_ identifier: String) -> QueryError {
        if let ending = endings[identifier] {
            return QueryError(
                code: "signal_ended", message: "this signal ended (\(ending)); ask about the trade itself instead")
        }
        return QueryError(
            code: "unknown_signal", message: "no live signal has this signal_id; send symbol and entry_price instead")
    }
}
