import Crypto

/// A SHA-256 value: 32 bytes. In the journal each covers the one before it, so that nothing can be changed unseen.
public struct ChainHash: Sendable, Hashable, CustomStringConvertible {
    static let count = 32

    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ bytes: some Collection<UInt8>) {
        var all = [UInt64](repeating: 0, count: 4)
        for (index, byte) in bytes.prefix(ChainHash.count).enumerated() {
            all[index / 8] |= UInt64(byte) << (8 * UInt64(index % 8))
        }
        words = (all[0], all[1], all[2], all[3])
    }

    private init(_ digest: SHA256.Digest) {
        words = digest.withUnsafeBytes { raw in
            (
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
            )
        }
    }

    /// The hash of some bytes alone.
    public static func of(_ bytes: [UInt8]) -> ChainHash {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return ChainHash(hash.finalize())
    }

    /// The hash of a file's bytes and how many they are.
    public static func of(file path: String) throws(JournalError) -> (hash: ChainHash, bytes: Int) {
        let file = try JournalFile.open(path, flags: 0)
        var hash = SHA256()
        var place = 0
        while true {
            let bytes = try file.read(at: place, count: 1 << 20)
            guard !bytes.isEmpty else { return (ChainHash(hash.finalize()), place) }
            bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
            place += bytes.count
        }
    }

    /// The next link: the hash of this value and the payload behind it.
    func following(_ payload: UnsafeRawBufferPointer) -> ChainHash {
        var hash = SHA256()
        withUnsafeBytes(of: words) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: payload)
        return ChainHash(hash.finalize())
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(ChainHash.count)
        for word in [words.0, words.1, words.2, words.3] { out.append(littleEndian: word) }
        return out
    }

    public static func == (left: ChainHash, right: ChainHash) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    /// 64 hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
