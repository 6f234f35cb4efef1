import Domain

// What a witness told first and the terminal tells at last.
extension PositionTrackerEngine {
    /// The terminal's own word on what a witness told before: figures are put right, nothing happens a second time.
    mutating func correct(
        _ event: TradeEvent, _ effect: inout EventEffect, _ now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let key = event.positionKey else { return }
        switch event.kind {
        case .closed:
            effect.day = book(event)
            correctClosing(event, key, &effect, into: &outputs)
        case .opened:
            // The terminal's answer, at last.
            revise(event, .filled, &effect, now, into: &outputs)
            correctOpening(event, key, &effect)
        default: break
        }
    }

    /// The terminal's own figures of an opening, over what was taken for them before it was heard.
    func correctedOpening(_ position: Position, by event: TradeEvent) -> Position {
        var position = position
        if let told = event.lot.flatMap({ Amount($0) }), position.lot.isPositive {
            // A part may be closed by now.
            let rest = max(.zero, told - (position.openedLot - position.lot))
            position.risk = position.risk.flatMap { ($0 * rest).divided(by: position.lot) }
            position.lot = rest
            position.openedLot = told
        }
        if let text = event.openPrice, let price = Amount(text) {
            position.openPrice = price
            position.openPriceText = text
        }
        position.stopLoss = event.stopLoss ?? position.stopLoss
        position.takeProfit = position.hybridPart == nil ? event.takeProfit ?? position.takeProfit : nil
        position.source = event.source.rawValue
        return position
    }

    mutating func correctOpening(_ event: TradeEvent, _ key: PositionKey, _ effect: inout EventEffect) {
        let before = positions[key]
        let position = before.map { correctedOpening($0, by: event) }
        if let position { positions[key] = position }
        let isLotTold = event.lot.flatMap { Amount($0) } != nil && before?.lot.isPositive == true
        let lots = isLotTold ? position : nil
        // Of a position that has ended only its fire says what it was.
        let isHybrid = before?.hybridPart != nil || event.fireID.flatMap { hybrids[$0] } != nil
        effect.corrected.append(
            PositionCorrection(
                key,
                [
                    ("open_price", event.openPrice), ("lot", lots?.lot.text(minimumDecimals: 2)),
                    ("opened_lot", lots?.openedLot.text(minimumDecimals: 2)), ("risk_amount", lots?.risk?.description),
                    ("sl", event.stopLoss), ("tp", isHybrid ? nil : event.takeProfit),
                    ("source", event.source.rawValue),
                ]))
    }

    /// One closing's real figures: the sum of all of them moves with it.
    private mutating func correctClosing(
        _ event: TradeEvent, _ key: PositionKey, _ effect: inout EventEffect, into outputs: inout [TrackerOutput]
    ) {
        let closing = Closing(event)
        if var early = earlyCloses[key] {
            early.closings.put(closing)
            if event.isFinal {
                early.price = event.closePrice ?? early.price
                early.reason = event.reason ?? early.reason
                early.source = event.source.rawValue
            }
            earlyCloses[key] = early
            outputs.append(.rememberEarlyClose(early))
        }
        if positions[key] != nil {
            positions[key]?.closings.put(closing)
            effect.corrected.append(PositionCorrection(key, closing: closing, []))
        } else {
            let isEnd = event.isFinal
            effect.corrected.append(
                PositionCorrection(
                    key, closing: closing, isClosed: true,
                    [
                        ("close_price", isEnd ? event.closePrice : nil), ("close_reason", isEnd ? event.reason : nil),
                        ("source", event.source.rawValue),
                    ]))
        }
    }
}
