/// A frame of an EA port as one JSON object, with what had to be forgiven on the way.
///
/// Forgives: padding behind and a byte order mark before, a text prefix, quotes and backslashes that an EA did not
/// escape, 6.00's missing last brace. Source: ea-wire 1.2, 2, 6, 8.
struct EAFrame {
    let object: JSONObject
    /// The type a text prefix names, in lower case.
    let prefix: String?
    /// Whether the JSON was broken.
    let isRepaired: Bool

    /// Types that some senders write before the JSON, or instead of it.
    private static let prefixes: Set<String> = ["tick", "ohlc", "heartbeat", "hello", "handshake", "disconnect"]

    init(_ frame: UnsafeBufferPointer<UInt8>) throws(EAReject) {
        guard frame.count <= EADecoder.maximumBytes else { throw .tooLong(frame.count) }
        let body = EAFrame.trimmed(frame)
        guard let first = body.first else { throw .emptyFrame }
        if first == UInt8(ascii: "{") {
            (object, isRepaired) = try EAFrame.object(body)
            prefix = nil
        } else if let brace = body.firstIndex(of: UInt8(ascii: "{")), let word = EAFrame.word(body[..<brace]) {
            (object, isRepaired, prefix) = try EAFrame.prefixed(word, EAFrame.slice(body, from: brace))
        } else {
            (object, prefix) = try EAFrame.words(body)
            isRepaired = false
        }
    }

    // MARK: - The kinds of frame

    private static func object(_ body: UnsafeBufferPointer<UInt8>) throws(EAReject) -> (JSONObject, Bool) {
        let value: JSON
        do throws(JSONError) {
            value = try JSON(body)
        } catch {
            if let object = repaired(body, error) { return (object, true) }
            throw EAReject(error)
        }
        guard let object = value.object else { throw .notAnObject }
        return (object, false)
    }

    /// What only a broken frame's usual faults explain, or nil.
    private static func repaired(_ body: UnsafeBufferPointer<UInt8>, _ error: JSONError) -> JSONObject? {
        // What is nested too deep or names nan is no fault of quoting.
        guard error.code != .tooDeep, error.code != .notANumber else { return nil }
        var reader = EALenientReader(body)
        if let object = reader.read() { return object }
        guard error.code == .truncated, body.last != UInt8(ascii: "}"), let object = closed(body) else { return nil }
        // 6.00 cuts one byte off everything. A number could have lost more, so only where none matters.
        let type = object["type"]?.text
        return type == "startup" || type == "shutdown" ? object : nil
    }

    /// The text with 6.00's missing brace put back.
    private static func closed(_ body: UnsafeBufferPointer<UInt8>) -> JSONObject? {
        let bytes = Array(body) + [UInt8(ascii: "}")]
        if let object = try? JSON(bytes).object { return object }
        return bytes.withUnsafeBufferPointer {
            var reader = EALenientReader($0)
            return reader.read()
        }
    }

    /// `OHLC {…}`, `HEARTBEAT{…}`, `tick {…}`; or 6.00's `EURUSD {…` with the last brace cut off.
    private static func prefixed(
        _ word: String, _ body: UnsafeBufferPointer<UInt8>
    ) throws(EAReject) -> (JSONObject, Bool, String?) {
        let type = word.lowercased()
        if prefixes.contains(type) {
            let (object, isRepaired) = try object(body)
            return (object, isRepaired, type)
        }
        // Its text always ends in a quote, so nothing but the brace can be missing.
        let isCut = body.last == UInt8(ascii: "\"")
        let found: (JSONObject, Bool)
        if isCut, let object = closed(body) { found = (object, true) } else { found = try object(body) }
        guard found.0["symbol"]?.text == word else {
            throw .notJSON("text before the object: \(EAReject.quote(word))")
        }
        return (found.0, found.1, nil)
    }

    /// `TICK SYMBOL BID ASK`, a bare `HEARTBEAT`, or something that is no message.
    private static func words(_ body: UnsafeBufferPointer<UInt8>) throws(EAReject) -> (JSONObject, String?) {
        if body.count <= 512, body[0] | 0x20 == UInt8(ascii: "t") || body[0] | 0x20 == UInt8(ascii: "h") {
            let words = ForeignText.decode(body).split(whereSeparator: \.isWhitespace).map(String.init)
            let type = words[0].lowercased()
            if type == "heartbeat", words.count == 1 { return (JSONObject(), type) }
            if type == "tick", words.count == 4 {
                return (["symbol": .string(words[1]), "bid": .string(words[2]), "ask": .string(words[3])], type)
            }
        }
        do throws(JSONError) { _ = try JSON(body) } catch { throw EAReject(error) }
        throw .notAnObject
    }

    // MARK: - Bytes

    private static func trimmed(_ frame: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var end = frame.count
        while end > 0, frame[end - 1] <= 0x20 { end -= 1 }
        var start = 0
        if end >= 3, frame[0] == 0xEF, frame[1] == 0xBB, frame[2] == 0xBF { start = 3 }
        while start < end, frame[start] <= 0x20 { start += 1 }
        return UnsafeBufferPointer(rebasing: frame[start..<end])
    }

    private static func slice(_ body: UnsafeBufferPointer<UInt8>, from start: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: body[start...])
    }

    /// The one word before the object; nil where there is more, or JSON punctuation.
    private static func word(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        var bytes = text
        while bytes.last == 0x20 { bytes.removeLast() }
        guard bytes.count <= EAFields.maximumIdentifier else { return nil }
        let forbidden = Array("[]\"':,".utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && !forbidden.contains($0) }) else { return nil }
        return ForeignText.decode(UnsafeBufferPointer(rebasing: bytes))
    }
}
