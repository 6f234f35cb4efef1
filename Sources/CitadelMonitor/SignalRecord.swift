import Citadel
import Domain
import Foundation
import Wire

/// A signal with everything that is published of it and kept in `signal:<id>`.
struct SignalRecord {
    enum State: String { case live, expired, invalidated }

    let signal: TradingSignal
    /// The sender's fields as ``SignalRequest`` completed them.
    let fields: JSONObject
    var state = State.live
    var score: Double
    var riskLevel: RiskLevel
    /// The last answer the engine gave.
    var answer: ProtectionScore
    /// What was published last.
    var published = JSONObject()
    /// How the score went, oldest first; a step function.
    var curve: [CurvePoint]
    /// When it ended, milliseconds of UTC, and why its standing last changed.
    private(set) var ended: Int64?
    private(set) var reason: String?
    /// The engine's own form as it was at the beginning: encoded once, because that is what takes time.
    private let engineText: String

    static let topic = "ELITE_GUARD_SIGNAL "

    init(_ live: LiveSignal, fields: JSONObject) {
        var kept = live
        // Nobody asks for the levels of back then, and they would be half of the text.
        kept.answer.levels = []
        let text = (try? JSONEncoder().encode(kept)).map { String(decoding: $0, as: UTF8.self) }
        self.init(live, fields: fields, engineText: text ?? "")
    }

    private init(_ live: LiveSignal, fields: JSONObject, engineText: String) {
        self.fields = fields
        self.engineText = engineText
        signal = live.signal
        answer = live.answer
        score = live.score
        riskLevel = live.riskLevel
        curve = live.curve
        published = message(answer.citadel)
    }

    var identifier: String { signal.signalIdentifier }
    var isLive: Bool { state == .live }

    /// The question that asks for exactly this signal.
    var query: ProtectionQuery {
        ProtectionQuery(
            symbol: signal.symbol, entryPrice: signal.entryPrice, direction: signal.direction,
            stopLoss: signal.stopLoss, takeProfit: signal.takeProfit, signalIdentifier: identifier)
    }

    /// Takes in that the standing changed and makes the message that says so.
    mutating func apply(_ update: SignalUpdate) {
        switch update.update {
        case .decay: break
        case .expired: state = .expired
        case .invalidated: state = .invalidated
        }
        score = update.score
        riskLevel = update.riskLevel
        if let fresh = update.answer { answer = fresh }
        if state != .live { finish(at: update.timeMilliseconds) }
        end(update.update, update.reason, at: update.timeMilliseconds)
    }

    /// The signal's time was over while nobody watched.
    mutating func expire(at now: Timestamp) {
        state = .expired
        finish(at: now.milliseconds)
        end(.expired, "its time is over", at: now.milliseconds)
    }

    /// The curve's last point is the end.
    private mutating func finish(at time: Int64) {
        ended = time
        if let last = curve.last, last.timeMilliseconds >= time { return }
        curve.append(CurvePoint(timeMilliseconds: time, score: score))
    }

    private mutating func end(_ kind: SignalUpdate.Kind, _ reason: String, at milliseconds: Int64) {
        self.reason = reason
        var citadel = answer.citadel
        citadel["risk_level"] = .string(riskLevel.rawValue)
        var object = message(citadel)
        object.append("update", .string(kind.rawValue))
        object.append("update_reason", .string(reason))
        object.append("updated_at", Timestamp.json(milliseconds: milliseconds))
        published = object
    }

    private func message(_ citadel: JSONObject) -> JSONObject {
        var object = fields
        object.append("protection_score", Figure.json(score))
        object.append("citadel", .object(citadel))
        return object
    }

    var frame: [UInt8] { Array(SignalRecord.topic.utf8) + published.bytes }

    // MARK: - Redis

    var key: String { SignalRecord.key(identifier) }
    static func key(_ identifier: String) -> String { "signal:\(identifier)" }

    /// The hash's fields; `engine` and `contributions` are what the engine needs to go on after a restart.
    var row: [String] {
        var row = [
            "signal_id", identifier, "state", state.rawValue, "score", "\(score)", "risk_level", riskLevel.rawValue,
            "symbol", signal.symbol, "direction", signal.direction.rawValue, "created_at",
            String(signal.createdMilliseconds), "json", published.compactText, "request", fields.compactText,
            "engine", engineText, "contributions",
            JSON.array(answer.factors.map { Figure.json($0.contribution) }).compactText,
        ]
        func add(_ name: String, _ value: String?) { if let value { row += [name, value] } }
        add("entry_price", fields["entry_price"]?.text)
        add("stop_loss", signal.stopLoss == nil ? nil : fields["stop_loss"]?.text)
        add("take_profit", signal.takeProfit == nil ? nil : fields["take_profit"]?.text)
        add("expires_at", signal.expiresMilliseconds.map { String($0) })
        add("ended_at", ended.map { String($0) })
        add("update_reason", reason)
        add("curve", Curve.text(curve))
        return row
    }

    /// A live signal as an earlier run left it; nil where the row can't be read.
    static func restore(_ row: [String: String]) -> (record: SignalRecord, live: LiveSignal)? {
        guard let text = row["engine"], var live = try? JSONDecoder().decode(LiveSignal.self, from: Data(text.utf8)),
            let fields = row["request"].flatMap({ try? JSON($0) })?.object
        else { return nil }
        // Where it stood last, beside the answer it was given first.
        let contributions = row["contributions"].flatMap { try? JSON($0) }?.array?.compactMap {
            $0.text.flatMap(Double.init)
        }
        if let contributions, contributions.count == live.contributions.count { live.contributions = contributions }
        if let score = row["score"].flatMap(Double.init), score.isFinite { live.score = score }
        let points = row["curve"].flatMap(Curve.points) ?? []
        let first = CurvePoint(timeMilliseconds: live.answer.timestampMilliseconds, score: live.answer.protectionScore)
        live.curve = points.isEmpty ? [first] : points
        if let risk = row["risk_level"].flatMap(RiskLevel.init(rawValue:)) { live.riskLevel = risk }
        var record = SignalRecord(live, fields: fields, engineText: text)
        record.state = row["state"].flatMap(State.init(rawValue:)) ?? .live
        if let published = row["json"].flatMap({ try? JSON($0) })?.object { record.published = published }
        return (record, live)
    }
}

/// A signal's curve as `[[time_ms,score],…]`.
enum Curve {
    static func text(_ points: [CurvePoint]) -> String {
        JSON.array(points.map { .array([.integer($0.timeMilliseconds), Figure.json($0.score)]) }).compactText
    }

    /// nil where the text is not a curve in the order of time.
    static func points(_ text: String) -> [CurvePoint]? {
        guard let rows = (try? JSON(text))?.array else { return nil }
        var points: [CurvePoint] = []
        for row in rows {
            guard let pair = row.array, pair.count == 2, let time = pair[0].text.flatMap({ Int64($0) }),
                let score = pair[1].text.flatMap(Double.init), (1...10).contains(score),
                time >= points.last?.timeMilliseconds ?? 0
            else { return nil }
            points.append(CurvePoint(timeMilliseconds: time, score: score))
        }
        return points
    }
}
