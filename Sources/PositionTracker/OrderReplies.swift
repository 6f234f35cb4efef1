import Domain
import ServiceKit
import Trading
import Wire

// How answers on port `orders` look.

extension FireAnswer {
    /// The reply for one user.
    var json: JSONObject {
        var object: JSONObject = [
            "state": .string(state.rawValue), "reason": .text(denial?.reason.rawValue), "fire_id": .string(fireID),
            "user_uuid": .string(userUUID), "lot": .decimal(lot?.text(minimumDecimals: 2)),
            "slots_used": slotsUsed.map { .integer($0) } ?? .null,
            "slots_max": slotsMaximum.map { .integer($0) } ?? .null,
            "risk": risk.map { .object($0.json) } ?? .null, "protection_score": .decimal(protectionScore?.description),
        ]
        if let hybrid, let lot { object.append("hybrid", .object(hybrid.row(lot: lot))) }
        if let denial { object.append("message", .string(denial.message)) }
        return object
    }

    /// The line in a reply for many.
    var brief: JSONObject {
        var object: JSONObject = [
            "fire_id": .string(fireID), "user_uuid": .string(userUUID), "state": .string(state.rawValue),
            "lot": .decimal(lot?.text(minimumDecimals: 2)),
        ]
        if let denial {
            object.append("reason", .string(denial.reason.rawValue))
            object.append("message", .string(denial.message))
        }
        return object
    }
}

extension CloseResult {
    /// As the audit trail says it.
    func outcomeWord(isRefused: Bool) -> String {
        isRefused ? "unknown_position" : denial?.reason.rawValue ?? "sent"
    }

    var json: JSONObject {
        var object: JSONObject = [
            "state": .string(denial == nil ? "sent" : "denied"), "reason": .text(denial?.reason.rawValue),
            "user_uuid": .string(userUUID), "commands": .integer(commands),
            "withdrawn": .array(withdrawn.map(JSON.string)), "market_quiet": .bool(isMarketQuiet),
        ]
        if let denial { object.append("message", .string(denial.message)) }
        if !hybridPartsUnknown.isEmpty {
            object.append("hybrid_parts_unknown", .array(hybridPartsUnknown.map { .integer($0) }))
        }
        return object
    }
}

extension Position {
    func json(now: Timestamp) -> JSONObject {
        [
            "user_uuid": .string(userUUID), "account": .string(key.account), "server": .string(key.server),
            "ticket": .integer(key.ticket), "fire_id": .text(fireID), "symbol": .string(symbol),
            "canonical_symbol": .string(canonicalSymbol), "direction": .string(direction.rawValue),
            "lot": .number(lot.text(minimumDecimals: 2)), "open_price": .decimal(openPriceText),
            "sl": .decimal(stopLoss),
            "tp": .decimal(takeProfit), "state": .string(state.rawValue),
            "current_price": .decimal(currentPrice?.description), "current_pnl": .decimal(currentProfit?.money),
            "max_profit": .decimal(maximumProfit?.money), "max_loss": .decimal(maximumLoss?.money),
            "profit": .decimal(profit), "profit_source": .text(profitSource), "currency": .text(currency),
            "opened_at": .integer(openedAt.milliseconds),
            "closed_at": closedAt.map { .integer($0.milliseconds) } ?? .null,
            "duration_s": .integer(((closedAt ?? now) - openedAt) / 1000), "orphan": .bool(isOrphan),
            "hybrid_part": .text(hybridPart?.rawValue),
            "risk_amount": .decimal(risk?.money), "source": .string(source ?? "message"),
            "closings": .array(
                closings.list.map {
                    .object([
                        "lot": .decimal($0.lot?.description), "profit": .decimal($0.profit?.text(minimumDecimals: 2)),
                        "profit_source": .string($0.source),
                    ])
                }),
        ]
    }
}

extension User {
    func json(policy: RiskPolicy) -> JSONObject {
        [
            "user_uuid": .string(uuid), "tier": .string(tier), "slots_max": .integer(policy.tier(tier).slots),
            "risk_pct": .decimal((riskPercent ?? policy.basePercent).description), "state": .string(state.rawValue),
            "registered": .bool(isRegistered),
            "daily_loss_pct": .decimal((dailyLossPercent ?? policy.dailyLossPercent).description),
            "open_risk_pct": .decimal((openRiskPercent ?? policy.openRiskPercent).description),
            "addresses": .string(addresses.text), "bound_account": .text(account), "bound_server": .text(server),
        ]
    }
}

extension LedgerSummary {
    /// The part of the `ledger` reply that is of this moment.
    var json: JSONObject {
        [
            "overdue": .integer(overdue), "oldest_age_s": oldestAgeSeconds.map { .integer($0) } ?? .null,
            "money_at_risk": .object(moneyAtRisk.sortedObject { .number($0.money) }),
            "without_figure": .integer(withoutFigure),
        ]
    }
}

extension Brakes {
    var json: [JSON] {
        settings.sorted { $0.key.description < $1.key.description }.map { scope, setting in
            .object([
                "scope": .string(scope.description), "state": .string(setting.state.rawValue),
                "reason": .string(setting.reason), "set_at": .string("\(setting.setAt)"),
            ])
        }
    }
}

/// A ledger row as `outcome` tells it.
enum FireRow {
    private static let numbers: Set<String> = [
        "lot", "entry", "sl", "tp", "protection_score", "quote_bid", "quote_ask",
    ]
    private static let documents: Set<String> = ["timeline", "risk", "factors", "hybrid"]

    static func json(_ row: [String: String]) -> JSONObject {
        var object = JSONObject()
        for (name, text) in row.sorted(by: { $0.key < $1.key }) {
            if documents.contains(name) {
                object.append(name, (try? JSON(text)) ?? .null)
            } else if name == "late" || name == "contradicted" {
                object.append(name, .bool(text == "1"))
            } else if name.hasSuffix("_at"), let number = Int64(text) {
                object.append(name, .string("\(Timestamp(milliseconds: number))"))
            } else if numbers.contains(name) || name == "ticket" {
                object.append(name, .decimal(text))
            } else {
                object.append(name, .string(text))
            }
        }
        return object
    }
}
