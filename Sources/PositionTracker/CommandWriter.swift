import Domain
import Trading
import Wire

/// Commands as 2.05 reads them: compact, flat but for `hybrid`, ASCII, `type` first, then `fire_id`, then `target_uuid`.
///
/// The terminal finds keys by text search and values by the next quote: no escapes, no spaces. Source: ea-wire 1.5, 2.
enum CommandWriter {
    /// The terminal's read buffer.
    static let maximumBytes = 4096

    /// The frame, or nil where the addressee's name or a value can't be written so that the terminal reads it.
    ///
    /// - Parameter entry: instead of the fire's own, for families that read the direction from it.
    static func bytes(_ command: TerminalCommand, to userUUID: String, entry: String? = nil) -> [UInt8]? {
        guard isPlain(userUUID) else { return nil }
        var object: JSONObject
        switch command {
        case .fire(let fire):
            guard isPlain(fire.symbol) else { return nil }
            object = ["type": .string("fire"), "fire_id": .string(fire.fireID), "target_uuid": .string(userUUID)]
            object.append("symbol", .string(fire.symbol))
            object.append("direction", .string(fire.direction.rawValue))
            object.append("entry", .number(entry ?? fire.entry ?? "0"))
            object.append("sl", .number(fire.stopLoss ?? "0"))
            object.append("tp", .number(fire.takeProfit ?? "0"))
            object.append("lot", .number(fire.lot.text(minimumDecimals: 2)))
            if let hybrid = fire.hybrid { object.append("hybrid", .object(hybrid.command)) }
        case .closeTicket(let ticket):
            object = ["type": .string("close_ticket"), "target_uuid": .string(userUUID), "ticket": .integer(ticket)]
        case .closeAll:
            object = ["type": .string("close_all"), "target_uuid": .string(userUUID)]
        case .ping(let pingID):
            guard isPlain(pingID) else { return nil }
            object = ["type": .string("ping"), "ping_id": .string(pingID), "target_uuid": .string(userUUID)]
        }
        let bytes = object.bytes
        return bytes.count < maximumBytes ? bytes : nil
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
}
