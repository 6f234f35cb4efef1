import Domain
import Journal
import Trading
import Wire

/// One message of an EA port as the journal keeps it, and what it says.
enum FrameReading {
    /// The bytes and flags of a message's journal record: one frame as it came, several behind their lengths.
    static func packed(_ frames: [[UInt8]]) -> (bytes: [UInt8], flags: JournalFlags) {
        if frames.count == 1 { return (frames[0], []) }
        var bytes: [UInt8] = []
        for frame in frames where bytes.count + 4 <= JournalWriter.maximumFrame {
            let part = frame.prefix(JournalWriter.maximumFrame - bytes.count - 4)
            let length = UInt32(part.count)
            for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
            bytes.append(contentsOf: part)
        }
        return (bytes, .multipart)
    }

    /// What the record says. Of several frames exactly one may hold something: some bindings send an empty one ahead.
    static func decode(_ bytes: [UInt8], _ flags: JournalFlags) throws(EAReject) -> TerminalMessage {
        try EADecoder.decode(content(bytes, flags))
    }

    private static func content(_ bytes: [UInt8], _ flags: JournalFlags) throws(EAReject) -> [UInt8] {
        guard flags.contains(.multipart) else { return bytes }
        let full = frames(bytes).filter { !$0.isEmpty }
        guard let only = full.first, full.count == 1 else {
            throw EAReject(
                reason: "frame_count", detail: "\(full.count) frames with content; every message is one frame")
        }
        return only
    }

    /// Whether position-tracker signed it.
    static func isSigned(_ bytes: [UInt8], _ flags: JournalFlags, _ secret: SharedSecret) -> Bool {
        guard let content = try? content(bytes, flags), let object = (try? JSON(content))?.object,
            let signature = object[JSONObject.signatureName]?.text
        else { return false }
        return secret.isSigned(object.signedBytes, signature)
    }

    private static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            let end = min(bytes.count, offset + 4 + length)
            frames.append(Array(bytes[(offset + 4)..<end]))
            offset = end
        }
        return frames
    }

    /// The sender's own number, where the message's type has no place for it.
    static func number(_ bytes: [UInt8]) -> Int64? {
        (try? JSON(bytes))?.object?["seq"]?.text.flatMap { Int64($0) }
    }

    /// Name of the port a record's source stands for.
    static func portName(_ source: JournalSource) -> String {
        source == .receipts ? "ea-receipts" : "ea-confirmations"
    }

    /// The confirmation in a record, if it is one.
    static func confirmation(
        _ report: TradeReport, sequence: UInt64, receivedAt: Timestamp, source: JournalSource, bytes: [UInt8]
    ) -> Confirmation {
        Confirmation(
            sequence: sequence, receivedAt: receivedAt, sourcePort: portName(source),
            frameHash: String(ChainHash.of(bytes).description.prefix(32)), report: report)
    }
}
