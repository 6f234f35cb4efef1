public import Domain

/// Bytes of an EA port as what they mean, for every EA version in the field.
///
/// Pure and stateless, safe on any thread. A frame becomes either a ``TerminalMessage`` or an ``EAReject``; nothing is
/// dropped and nothing is guessed: a field that a version does not send is nil. Source: ea-wire 1 to 8, contract 3.
public enum EADecoder {
    /// The longest frame read, in bytes: what the EA ports let through (MAXMSGSIZE).
    public static let maximumBytes = 65_536

    /// One frame as it came from an EA port. Throws a reject with a stable snake_case reason.
    public static func decode(_ frame: UnsafeBufferPointer<UInt8>) throws(EAReject) -> TerminalMessage {
        try decodeNoting(frame).message
    }

    public static func decode(_ frame: [UInt8]) throws(EAReject) -> TerminalMessage { try decodeNoting(frame).message }

    /// The same, saying also whether the frame was broken JSON that could be read only by knowing how EAs break it.
    ///
    /// `repaired` is true for an unescaped quote or backslash in a text and for the brace that 6.00 cuts off.
    public static func decodeNoting(
        _ frame: UnsafeBufferPointer<UInt8>
    ) throws(EAReject) -> (message: TerminalMessage, repaired: Bool) {
        let read = try EAFrame(frame)
        return (try message(EAFields(read.object), prefix: read.prefix), read.isRepaired)
    }

    public static func decodeNoting(_ frame: [UInt8]) throws(EAReject) -> (message: TerminalMessage, repaired: Bool) {
        let result: Result<(message: TerminalMessage, repaired: Bool), EAReject> = frame.withUnsafeBufferPointer {
            do throws(EAReject) { return .success(try decodeNoting($0)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private static func message(_ found: EAFields, prefix: String?) throws(EAReject) -> TerminalMessage {
        var fields = found
        if let said = fields[.type] {
            guard let word = said.text, EAFields.isIdentifier(word) else {
                throw .bad("type", "is no word", type: nil)
            }
            fields.type = word
        } else {
            fields.type = prefix
        }
        guard let type = fields.type else { return try typeless(fields) }
        switch type.lowercased() {
        case "tick": return .tick(try Tick(fields))
        case "market_data": return .tick(try Tick(fields.flattened(.data)))
        case "ohlc": return .bars([try Bar(fields)])
        case "candle_batch": return .bars(try Bar.batch(fields))
        case "hello": return .report(try TerminalReport(.hello, fields))
        case "handshake", "startup": return .report(try TerminalReport(.handshake, fields))
        case "heartbeat": return .report(try TerminalReport(.heartbeat, fields))
        case "status": return try status(fields)
        case "status_report": return .report(try TerminalReport(.status, fields))
        case "disconnect", "shutdown": return .disconnect(try Disconnect(fields))
        case "confirmation": return .trade(try TradeReport(confirmation: fields))
        case "close_confirmation": return .trade(try TradeReport(closeConfirmation: fields))
        case "position_closed": return .trade(try TradeReport(positionClosed: fields))
        case "trade_result": return .trade(try TradeReport(tradeResult: fields))
        case "error": return .trade(try TradeReport(error: fields))
        // The own confirmation form says the direction in `type`; its outcome stands in `result`.
        case "buy", "sell": return .trade(try TradeReport(confirmation: fields))
        case "pong": return .pong(try Pong(fields))
        case "resume": return .resume(nodeID: try fields.required(.nodeID, fields.identifier(.nodeID)))
        default: return .unknown(type: type)
        }
    }

    /// Messages without a type: 7.01cp and 6.00 quotes, ZMQ1.00 account figures, the own confirmation form.
    private static func typeless(_ fields: EAFields) throws(EAReject) -> TerminalMessage {
        if fields[.symbol] != nil, fields[.bid] != nil, fields[.ask] != nil { return .tick(try Tick(fields)) }
        if fields[.result] != nil, fields[.ticket] != nil || fields[.fireID] != nil {
            return .trade(try TradeReport(confirmation: fields))
        }
        if fields[.userUUID] != nil, fields[.balance] != nil {
            return .report(try TerminalReport(.heartbeat, fields))
        }
        throw .missing("type", type: nil)
    }

    /// 7.01 says its end as a status; every other status is a sign of life.
    private static func status(_ fields: EAFields) throws(EAReject) -> TerminalMessage {
        guard fields.text(.status)?.lowercased() == "shutdown" else {
            return .report(try TerminalReport(.status, fields))
        }
        var end = try Disconnect(fields)
        end.reason = end.reason ?? fields.text(.message) ?? "shutdown"
        return .disconnect(end)
    }
}
