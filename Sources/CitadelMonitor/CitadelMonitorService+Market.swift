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
            case .sweep(let sweep): announce(sweep)
            case .signalUpdated(let update): follow(update)
            case .sourceSwitched(let symbol, let from, let to):
                log.info(
                    "quotes change their source", metadata: ["symbol": "\(symbol)", "from": "\(from)", "to": "\(to)"])
            case .signalPublished: break  // The intake publishes what it submitted.
            }
        }
    }

    private func announce(_ sweep: LiquiditySweep) {
        let alert = sweep.alert
        let frame = Array("CITADEL_ALERT ".utf8) + alert.bytes
        outbox.add(recording: { [sweepStore] in sweepStore.write(alert, $0) }) { [unowned self] _ in
            report.count("sweeps_published")
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
            queries?.reply(request, try answer(request.object))
        } catch {
            report.reject(error.code)
            queries?.fail(request, error.code, error.message)
        }
    }

    private func answer(_ object: JSONObject) throws(QueryError) -> JSONObject {
        var asked = try ProtectionRequest(object)
        if let record = asked.signalIdentifier.flatMap({ records[$0] }) {
            asked.fill(from: record.signal, fields: record.fields, canonical: feed.canonical)
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
        let score = try engine.score(query, now: SystemClock.now().milliseconds)
        return score.reply(symbol: name, entry: entry)
    }
}
