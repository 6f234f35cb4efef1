import Domain

// What terminals say of trades: confirmation, close_confirmation, position_closed, trade_result, error.

/// What a status or result word says, whichever EA or bridge wrote it. Source: ea-wire 2, 7; contract 3.
private enum Outcome: Equatable {
    case done, failed
    case closed(reason: String?)

    init?(_ word: String) {
        switch word.uppercased() {
        case "SUCCESS", "OK", "FILLED", "ORDER_OPENED": self = .done
        case "FAILED", "REJECTED", "ERROR": self = .failed
        case "CLOSED", "COMPLETED", "ORDER_CLOSED": self = .closed(reason: nil)
        case "TP_HIT", "SL_HIT": self = .closed(reason: word.uppercased())
        default: return nil
        }
    }

    init(_ fields: EAFields) throws(EAReject) {
        let field: EAField = fields[.status] == nil && fields[.result] != nil ? .result : .status
        let word = try fields.required(field, fields.text(field))
        guard let outcome = Outcome(word) else {
            throw .bad(field.name, "is no outcome known: \(EAReject.quote(word))", type: fields.type)
        }
        self = outcome
    }
}

extension TradeReport {
    /// 2.0x `confirmation` and the own form, whose `type` is `buy` or `sell` and whose outcome is `result`.
    init(confirmation fields: EAFields) throws(EAReject) {
        let command = fields.text(.commandType)?.lowercased() ?? ""
        if command == "unknown" {
            self = try TradeReport(.unknownCommand, fields)
        } else if command.hasPrefix("close") {
            try self.init(closeConfirmation: fields)
        } else {
            switch try Outcome(fields) {
            case .failed: self = try TradeReport(.failed, fields)
            case .closed(let reason): self = try TradeReport(closed: reason, fields)
            case .done:
                // `success` of the own form is said of both ends; only a closed position has a closing time or price.
                let closePrice = try fields.nonzero(.closePrice)
                let isClosed = fields[.result] != nil && (closePrice != nil || fields.text(.closeTime) != nil)
                self = isClosed ? try TradeReport(closed: nil, fields) : try TradeReport(.opened, fields)
            }
        }
        if direction == nil { direction = fields.type.flatMap(Direction.init(wire:)) }
    }

    /// 2.02 and 2.05: one position by ticket, or everything at once with the counts in words.
    init(closeConfirmation fields: EAFields) throws(EAReject) {
        let outcome = try Outcome(fields)
        let counts = CloseCounts(fields.text(.message) ?? "")
        let isAll = fields.text(.commandType)?.lowercased() == "close_all"
        guard isAll || counts != nil else {
            if outcome == .failed {
                self = try TradeReport(.closeFailed, fields)
            } else if case .closed(let reason) = outcome {
                self = try TradeReport(closed: reason, fields)
            } else {
                self = try TradeReport(closed: nil, fields)
            }
            return
        }
        let kind: Kind =
            switch (outcome, counts) {
            case (.failed, let counts?) where counts.closed == 0: .closeFailed
            case (_, let counts?): counts.failed == 0 ? .closedAll : .closedSome
            // Without the words only the status is known: it fails where a single close failed.
            case (.failed, nil): .closedSome
            case (_, nil): .closedAll
            }
        self = try TradeReport(kind, fields)
        closedCount = counts?.closed
    }

    /// 2.06H and the own form: the broker closed it, and why.
    init(positionClosed fields: EAFields) throws(EAReject) {
        try self.init(closed: nil, fields)
        if ticket == nil, fireID == nil { throw .missing("ticket", type: fields.type) }
    }

    /// 7.01, 7.00C and ZMQ1.00: a trade done, or positions closed with their number in words.
    init(tradeResult fields: EAFields) throws(EAReject) {
        var outcome: Outcome
        if fields[.status] == nil, let isDone = fields[.success]?.bool {
            outcome = isDone ? .done : .failed
        } else {
            outcome = try Outcome(fields)
        }
        let counts = CloseCounts(fields.text(.message) ?? "")
        switch (outcome, counts) {
        case (.failed, _): self = try TradeReport(.failed, fields)
        case (.closed(let reason), _): self = try TradeReport(closed: reason, fields)
        case (.done, nil): self = try TradeReport(.opened, fields)
        case (.done, let counts?):
            // It counts what it closed, of one symbol or of all, and is silent about what it could not close.
            self = try TradeReport(counts.closed == 0 ? .closeFailed : .closedSome, fields)
            closedCount = counts.closed
        }
    }

    /// 7.01: the reason stands in `error`.
    init(error fields: EAFields) throws(EAReject) {
        let words = fields.text(.error) ?? fields.text(.message) ?? ""
        let kind: Kind =
            if words.hasPrefix("Unknown action") {
                .unknownCommand
            } else if words.hasPrefix("No positions found") {
                .closeFailed
            } else {
                .failed
            }
        try self.init(kind, fields)
        message = words.isEmpty ? nil : words
    }

    // MARK: - Fields

    private init(closed reason: String?, _ fields: EAFields) throws(EAReject) {
        try self.init(.closed, fields)
        self.reason = self.reason ?? reason
        // A closing message's plain `price` is the closing one, unless that has its own name.
        guard closePrice == nil else { return }
        openPrice = try fields.nonzero(.openPrice)
        closePrice = try fields.nonzero(.price)
    }

    private init(_ kind: Kind, _ fields: EAFields) throws(EAReject) {
        self.init(kind: kind)
        fireID = try fields.optionalIdentifier(.fireID)
        signalID = try fields.optionalIdentifier(.signalID)
        nodeID = try fields.identifier(.nodeID)
        userUUID = try fields.identifier(.userUUID)
        account = try fields.identifier(.account)
        server = try fields.optionalIdentifier(.server)
        currency = fields.text(.currency)
        ticket = try fields.ticket()
        symbol = try fields.optionalIdentifier(.symbol)
        direction = fields.direction()
        // 2.05 echoes the commanded lot: 0.00 where the command had none, although something was traded.
        lot = try fields.nonzero(.lot)
        openPrice = try fields.nonzero(fields[.openPrice] == nil ? .price : .openPrice)
        closePrice = try fields.nonzero(.closePrice)
        profit = try fields.decimal(.profit)
        swap = try fields.decimal(.swap)
        commission = try fields.decimal(.commission)
        stopLoss = try fields.nonzero(.stopLoss)
        takeProfit = try fields.nonzero(.takeProfit)
        openTime = fields.text(.openTime)
        closeTime = fields.text(.closeTime)
        magicNumber = fields.text(.magicNumber)
        comment = fields.text(.comment)
        reason = fields.text(.reason)
        message = fields.text(.message)
        balance = try fields.decimal(.balance)
        equity = try fields.decimal(.equity)
        freeMargin = try fields.decimal(.freeMargin)
        timestamp = fields.text(.timestamp)
        sequence = try fields.integer(.sequence)
        source = fields.text(.source)
        witness = fields.text(.witness)
        volumeLeft = try fields.decimal(.volumeLeft)
    }
}

/// `Closed <n> positions, <m> failed, Total volume: <v>` of 2.0x, `Closed <n> positions` of 7.01.
private struct CloseCounts {
    var closed: Int
    var failed: Int

    init?(_ message: String) {
        let words = message.split(separator: " ")
        guard words.count >= 3, words[0] == "Closed", words[2].hasPrefix("positions"), let closed = Int(words[1]),
            closed >= 0
        else { return nil }
        self.closed = closed
        failed = 0
        if words.count >= 5, words[4].hasPrefix("failed"), let failed = Int(words[3]) { self.failed = failed }
    }
}
