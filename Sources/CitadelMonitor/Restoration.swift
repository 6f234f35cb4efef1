import Citadel
import Domain
import Redis
import ServiceKit

/// Reads what an earlier run left in Redis: bars of every symbol, live signals, and how the last signals ended.
///
/// Each piece is handed over as it comes; `done` follows the last one and says whether every question was answered.
final class Restoration {
    private static let endedSignals = 10_000
    private let redis: RedisLink
    private let done: (Bool) -> Void
    private var questions = 0
    private var isWhole = true

    var onSymbol: (SymbolSnapshot) -> Void = { _ in }
    var onLiveSignal: (_ identifier: String, _ row: [String: String]) -> Void = { _, _ in }
    var onEndedSignal: (_ identifier: String, _ state: String) -> Void = { _, _ in }

    init(redis: RedisLink, done: @escaping (Bool) -> Void) {
        self.redis = redis
        self.done = done
    }

    func start() {
        questions += 1
        ask(["SMEMBERS", "citadel:symbols"]) { [self] in for symbol in $0.texts.sorted() { loadBars(symbol) } }
        ask(["SMEMBERS", "live_signals"]) { [self] in for identifier in $0.texts { loadSignal(identifier) } }
        ask(["ZREVRANGE", "signals", "0", String(Restoration.endedSignals - 1)]) { [self] in
            // Oldest first: that one is forgotten first.
            for identifier in $0.texts.reversed() { loadEnding(identifier) }
        }
        answered(true)
    }

    private func loadBars(_ symbol: String) {
        var lists: [Timeframe: [String]] = [:]
        for timeframe in Timeframe.allCases {
            ask(["LRANGE", BarStore.key(symbol, timeframe), "0", "-1"]) { lists[timeframe] = $0.texts }
        }
        // Answers come in order: this is the last of the symbol's five.
        ask(["GET", BarStore.openKey(symbol)]) { [self] reply in
            if let snapshot = BarStore.snapshot(symbol: symbol, lists: lists, open: reply.text) {
                onSymbol(snapshot)
            } else {
                redis.send(["SREM", "citadel:symbols", symbol])
            }
        }
    }

    private func loadSignal(_ identifier: String) {
        ask(["HGETALL", SignalRecord.key(identifier)]) { [self] in onLiveSignal(identifier, $0.dictionary ?? [:]) }
    }

    private func loadEnding(_ identifier: String) {
        ask(["HGET", SignalRecord.key(identifier), "state"]) { [self] reply in
            if let state = reply.text, state != SignalRecord.State.live.rawValue { onEndedSignal(identifier, state) }
        }
    }

    private func ask(_ command: [String], _ take: @escaping (RedisValue) -> Void) {
        questions += 1
        redis.send(command) { [self] (reply: RedisValue?) in
            if let reply, reply.errorMessage == nil { take(reply) }
            answered(reply != nil)
        }
    }

    private func answered(_ isAnswered: Bool) {
        if !isAnswered { isWhole = false }
        questions -= 1
        if questions == 0 { done(isWhole) }
    }
}
