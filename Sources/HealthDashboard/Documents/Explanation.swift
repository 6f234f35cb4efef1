import Domain
import Wire

/// `/explain/{id}`: the whole story of one fire as data, from the ledger's row and what it points to.
///
/// Every section has all its fields; a null has its reason under `not_known` of the same section.
struct Explanation {
    /// What was read from Redis. Empty where nothing was there.
    struct Sources {
        /// `fire:<fire_id>`.
        var fire: [String: String] = [:]
        /// `signal:<signal_id>`.
        var signal: [String: String] = [:]
        /// `position:<server>|<account>|<ticket>`.
        var position: [String: String] = [:]
        /// `trade:<event_id>` of the answer.
        var answer: [String: String] = [:]
        /// `user:<uuid>`.
        var user: [String: String] = [:]
        /// `slots:<uuid>`, the field of this fire: `reserved` or the position.
        var slot: String?
    }

    let sources: Sources
    let instrument: Instrument?
    let standing: FireStanding
    let now: Timestamp
    /// Open questions to an operator about this fire.
    let questions: [Record]

    init(_ sources: Sources, instrument: Instrument?, questions: [Record], now: Timestamp) {
        self.sources = sources
        self.instrument = instrument
        self.questions = questions
        self.now = now
        let fire = sources.fire
        standing = FireStanding(now: now) { fire[$0] }
    }

    var state: String { standing.state }
    /// Whether it got as far as a slot: from there on it was sized and routed.
    var wasReserved: Bool {
        has("reserved_at") || has("sending_at") || has("sent_at") || !["denied", ""].contains(state)
    }
    var hasLeft: Bool { !["reserved", "expired", "denied", ""].contains(state) }

    /// Whether it traded after it had been settled as one that did not.
    var isContradicted: Bool { sources.fire["contradicted"] == "1" }

    func has(_ name: String) -> Bool { sources.fire[name]?.isEmpty == false }
    func json(_ name: String, _ kind: FieldKind = .text) -> JSON { Schema.json(sources.fire[name], kind) }
    var reasonWord: String { sources.fire["reason"] ?? "no reason was kept" }

    var document: JSONObject {
        let identifier = sources.fire["fire_id"] ?? ""
        var object: JSONObject = [
            "fire_id": .string(identifier), "state": .string(state),
            "late": .bool(standing.isLate),
            "accounted": .bool(FireStanding.accountedStates.contains(state)), "contradicted": .bool(isContradicted),
        ]
        standing.extend(&object)
        object.append("summary", .string(summary))
        object.append("request", request)
        object.append("signal", signal)
        object.append("score", score)
        object.append("risk", risk)
        object.append("slot", slot)
        object.append("route", route)
        object.append("answer", answer)
        object.append("position", position)
        object.append("money", money)
        object.append("questions", .array(questions.map { .object(Items.question($0, now: now)) }))
        object.append("timeline", .array(Details.timeline(sources.fire["timeline"])))
        object.append("now", .string("\(now)"))
        return object
    }

    /// Why it ended here before it left: by its deadline, or because somebody took it back.
    var expiry: String {
        let word = sources.fire["reason"] ?? ""
        return word.isEmpty || word == "expired" ? "its time was over before" : word
    }

    /// One sentence.
    private var summary: String {
        func text(_ name: String) -> String { sources.fire[name] ?? "?" }
        // A denied one has no lot: it was refused before one was computed.
        let lot = Amount(text("lot")).map { $0.isPositive ? "\(text("lot")) " : "" } ?? ""
        let what = "\(text("direction")) \(lot)\(text("symbol")) for \(text("user_uuid"))"
        let age = standing.ageMilliseconds.map { ", \($0 / 1000) s after it left" } ?? ""
        let late = standing.isLate ? ", after its deadline" : ""
        if isContradicted {
            let ticket = has("ticket") ? " as ticket \(text("ticket"))" : ""
            return "\(what) was settled as \(state) (\(reasonWord)), and traded after all\(ticket)\(late)"
        }
        return switch state {
        case "reserved": "\(what) waits here: nothing has left yet"
        case "sending", "sent":
            "\(what) is under way\(age)" + (standing.isOverdue ? ": it should have been answered" : "")
        case "acknowledged": "\(what) was answered; its effect is being booked"
        case "unknown": "\(what): nobody knows what became of it\(age); its slot stays taken until that is found out"
        case "filled": "\(what) was filled" + (has("ticket") ? " as ticket \(text("ticket"))" : "") + late
        case "rejected": "\(what) was rejected\(late): \(reasonWord)"
        case "never_executed": "\(what) never traded: \(reasonWord)"
        case "expired": "\(what) never left: \(expiry)"
        case "denied": "\(what) never left: denied \(reasonWord)"
        default: "\(what) is in a state this version does not know: \(state)"
        }
    }
}

extension Explanation {
    private var request: JSON {
        var part = StorySection()
        part.put("fire_id", json("fire_id"))
        for name in ["user_uuid", "symbol", "canonical_symbol", "direction"] {
            part.put(name, json(name), "the row does not say")
        }
        part.put("entry", json("entry", .decimal), "none was given: at the market's price")
        part.put("sl", json("sl", .decimal), "no stop was given")
        part.put("tp", json("tp", .decimal), "no target was given")
        part.put("hybrid", json("hybrid", .json), "not asked for: one position")
        part.put("signal_id", json("signal_id"), "it follows no signal")
        part.put("created_at", json("created_at", .time), "the row does not say")
        part.put("expires_at", json("expires_at", .time), "the row does not say")
        return part.json
    }

    private var signal: JSON {
        var part = StorySection()
        guard let identifier = sources.fire["signal_id"], !identifier.isEmpty else {
            part.put("signal_id", .null, "the request named no signal")
            return part.json
        }
        part.put("signal_id", .string(identifier))
        let fields = sources.signal
        let gone = "the signal is not there any more: signals are kept for 7 days"
        let silent = fields.isEmpty ? gone : "the signal does not say"
        func value(_ name: String, _ kind: FieldKind = .text, key: String? = nil) -> JSON {
            Schema.json(fields[key ?? name], kind)
        }
        let published = json("signal_at", .time)
        part.put("published_at", published == .null ? value("created_at", .time) : published, silent)
        for name in ["state", "symbol", "direction"] { part.put(name, value(name), silent) }
        for name in ["entry_price", "stop_loss", "take_profit"] { part.put(name, value(name, .decimal), silent) }
        part.put("protection_score", value("score", .decimal), silent)
        let document = fields["json"].flatMap { try? JSON($0) }?.object
        for name in ["pattern", "confidence"] { part.put(name, document?[name] ?? .null, silent) }
        part.put("expires_at", value("expires_at", .time), silent)
        return part.json
    }

    private var score: JSON {
        var part = StorySection()
        let isAsked = has("score_at") || has("protection_score") || wasReserved
        let missing =
            isAsked
            ? "CITADEL gave no answer in time, or one that is not of now: the most careful multiplier was taken"
            : "denied (\(reasonWord)) before CITADEL was asked"
        part.put("protection_score", json("protection_score", .decimal), missing)
        part.put("score_at", json("score_at", .time), has("protection_score") ? "the row does not say" : missing)
        part.put("multiplier", riskObject?["citadel_multiplier"] ?? .null, "no lot was computed")
        let factors = sources.fire["factors"].flatMap { try? JSON($0) }
        let kept = has("protection_score") ? "the row kept no factors" : missing
        part.put("factors", factors ?? .null, kept)
        if let contributions = factors?.object?.fields.compactMap({ $0.value.object?["contribution"]?.text }),
            !contributions.isEmpty
        {
            let sum = contributions.compactMap { Amount($0) }.reduce(.zero, +)
            part.put("contributions_sum", .number(sum.rounded(decimals: 4).description))
        }
        return part.json
    }

    var riskObject: JSONObject? { sources.fire["risk"].flatMap { try? JSON($0) }?.object }

    private var risk: JSON {
        var part = StorySection()
        let missing =
            wasReserved ? "the row kept no arithmetic" : "denied (\(reasonWord)) before a lot was computed"
        let risk = riskObject
        let lot = sources.fire["lot"].flatMap { Amount($0) }?.isPositive == true ? json("lot", .decimal) : .null
        part.put("lot", lot, missing)
        let names = [
            "amount", "currency", "percent", "cap_percent", "equity", "entry_price", "stop_pips", "loss_per_lot",
            "conversion_rate", "tier_multiplier", "citadel_multiplier",
        ]
        for name in names { part.put(name, risk?[name] ?? .null, missing) }
        for field in risk?.fields ?? [] where !(names + ["lot"]).contains(field.name) {
            part.put(field.name, field.value, "the row says so")
        }
        let steps = risk.map { RiskArithmetic($0, stop: sources.fire["sl"], instrument: instrument).steps } ?? []
        part.put("steps", steps.isEmpty ? .null : .array(steps), missing)
        return part.json
    }
}
