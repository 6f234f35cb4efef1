import CZlib

/// Deflate and inflate of whole blocks in memory. Source: zlib.h; RFC 1951.
enum GzipCodec {
    /// Raw deflate data of some bytes; nil where zlib has no memory.
    static func deflated(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        // Negative window bits: no header of zlib's own, ours carries more.
        let output = [UInt8](unsafeUninitializedCapacity: mesh_deflate_bound(bytes.count)) { target, count in
            count = bytes.withUnsafeBufferPointer { source in
                mesh_deflate(source.baseAddress, source.count, target.baseAddress, target.count, 6, -MAX_WBITS)
            }
        }
        // Even of nothing there are two bytes.
        return output.isEmpty ? nil : output
    }

    /// What can be inflated of raw deflate data, at most `count` bytes: of damaged data what stands before the damage.
    static func inflated(_ bytes: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        var stream = z_stream()
        let begun = inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK, count > 0 else { return [] }
        defer { inflateEnd(&stream) }
        var input = Array(bytes)
        return input.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: count) { target, made in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                // Whether it ends well is for the checksums to say: what came out so far is wanted either way.
                _ = inflate(&stream, Z_SYNC_FLUSH)
                made = target.count - Int(stream.avail_out)
            }
        }
    }
}
