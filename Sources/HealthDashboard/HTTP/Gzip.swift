import CZlib

/// Compresses the bodies of answers. Sources: zlib.h; RFC 1952.
enum Gzip {
    /// Shorter bodies gain nothing: they fit one packet either way.
    static let leastBytes = 1024

    /// Gzip data of some bytes; nil where zlib has no memory or nothing would be gained.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= leastBytes else { return nil }
        // 16 beside the window bits: with the header and the checksum of gzip. Level 4: most of the gain, half the time.
        let output = [UInt8](unsafeUninitializedCapacity: mesh_deflate_bound(bytes.count)) { target, count in
            count = bytes.withUnsafeBufferPointer { source in
                mesh_deflate(source.baseAddress, source.count, target.baseAddress, target.count, 4, MAX_WBITS + 16)
            }
        }
        return output.isEmpty || output.count >= bytes.count ? nil : output
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
