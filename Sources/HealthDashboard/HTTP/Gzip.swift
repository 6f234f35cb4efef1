import CZlib

/// Compresses the bodies of answers. Sources: zlib.h; RFC 1952.
enum Gzip {
    /// Shorter bodies gain nothing: they fit one packet either way.
    static let leastBytes = 1024

    /// Gzip data of some bytes; nil where zlib has no memory or nothing would be gained.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= leastBytes else { return nil }
        var stream = z_stream()
        // 16 beside the window bits: with the header and the checksum of gzip. Level 4: most of the gain, half the time.
        let begun = deflateInit2_(
            &stream, 4, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        var isComplete = false
        var input = bytes
        let output = input.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                isComplete = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = target.count - Int(stream.avail_out)
            }
        }
        return isComplete && output.count < bytes.count ? output : nil
    }

    /// Whether `Accept-Encoding` takes gzip. Source: RFC 9110, section 12.5.3; a weight of 0 means "not this one".
    static func isAccepted(_ header: String?) -> Bool {
        guard let header else { return false }
        return header.lowercased().split(separator: ",").contains { item in
            let parts = item.split(separator: ";").map { $0.trimmingSpaces() }
            guard parts.first == "gzip" else { return false }
            return !parts.dropFirst().contains { weight in
                weight.hasPrefix("q=") && Double(weight.dropFirst(2)) == 0
            }
        }
    }
}
