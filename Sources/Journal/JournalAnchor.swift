import Domain
import Glibc

/// The file `anchor` of a journal: its id, and the first record that is kept with the chain before it.
///
/// It makes a journal checkable whose oldest segments are past their time: what begins later than it says is cut. And it
/// keeps the id a second time, without which nothing of a segment could be told from noise.
struct JournalAnchor: Equatable {
    static let name = "anchor"
    private static let title = "mesh journal anchor 1"

    let identifier: [UInt8]
    let first: UInt64
    let chain: ChainHash

    var text: String {
        let body = """
            \(JournalAnchor.title)
            journal \(JournalFormat.text(ofIdentifier: identifier))
            first \(first)
            chain \(chain)

            """
        return body + "crc \(Checksum.crc32(Array(body.utf8)))\n"
    }

    init(_ header: SegmentHeader) {
        identifier = header.identifier
        first = header.firstSequence
        chain = header.previousChain
    }

    /// Nil where the text is not as it was written.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.split(separator: " ") }
        guard lines.count == 6, lines[1...4].allSatisfy({ $0.count == 2 }), let first = UInt64(lines[2][1]),
            let identifier = JournalAnchor.bytes(lines[1][1]), let chain = JournalAnchor.bytes(lines[3][1]),
            identifier.count == JournalFormat.identifierBytes, chain.count == ChainHash.count
        else { return nil }
        self.identifier = identifier
        self.first = first
        self.chain = ChainHash(chain)
        guard self.text == text else { return nil }
    }

    private static func bytes(_ hex: Substring) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    /// The header of the oldest segment that is kept, as it must be.
    var header: SegmentHeader {
        SegmentHeader(
            identifier: identifier, firstSequence: first, createdAt: Timestamp(milliseconds: 0),
            previousChain: chain)
    }
}

extension JournalDirectory {
    enum AnchorState: Equatable {
        case absent
        case unreadable
        case present(JournalAnchor)

        var anchor: JournalAnchor? { if case .present(let anchor) = self { anchor } else { nil } }
    }

    func anchor() throws(JournalError) -> AnchorState {
        let file: JournalFile
        do throws(JournalError) {
            file = try JournalFile.open(path(of: JournalAnchor.name), flags: 0)
        } catch  where error.errno == ENOENT {
            return .absent
        }
        let bytes = try file.read(at: 0, count: min(4096, try file.size()))
        guard let text = String(validating: bytes, as: UTF8.self), let anchor = JournalAnchor(text) else {
            return .unreadable
        }
        return .present(anchor)
    }

    func write(_ anchor: JournalAnchor) throws(JournalError) {
        let temporary = JournalAnchor.name + JournalDirectory.temporarySuffix
        try remove(temporary)
        let file = try JournalFile.open(path(of: temporary), flags: O_WRONLY | O_CREAT | O_EXCL)
        try file.write(Array(anchor.text.utf8), at: 0)
        try file.synchronize()
        try rename(temporary, to: JournalAnchor.name)
        try synchronize()
    }

    /// Ends the name of a file that is not finished; what a crash left of such is removed by the next pass of upkeep.
    static let temporarySuffix = ".tmp"
}
