import Testing
import Wire

/// How far a message reaches, seen from its first byte.
@Suite("ZMTP message head")
struct ZMTPMessageHeadTests {
    private func read(_ bytes: [UInt8]) -> ZMTPMessageHead { bytes.withUnsafeBufferPointer(ZMTPMessageHead.read) }

    private func frame(_ body: Int, flags: UInt8 = 0) -> [UInt8] {
        let head: [UInt8] =
            body < 256
            ? [flags, UInt8(body)]
            : [flags | 2, 0, 0, 0, 0, 0] + [16, 8, 0].map { UInt8(truncatingIfNeeded: body >> $0) }
        return head + [UInt8](repeating: 7, count: body)
    }

    @Test("every beginning of a message says how much more it needs, and never more than it has", arguments: [1, 300])
    func beginnings(length: Int) {
        let message = frame(length, flags: 1) + frame(0, flags: 1) + frame(length)
        let whole = read(message)
        #expect(whole == .message(head: length < 256 ? 2 : 9, size: message.count, frames: 3))
        for count in 0..<message.count {
            guard case .needs(let needed) = read(Array(message.prefix(count))) else {
                Issue.record("\(count) bytes of \(message.count) are no message: \(read(Array(message.prefix(count))))")
                return
            }
            #expect(needed > count && needed <= message.count)
        }
        #expect(read(message + frame(5)) == whole)
    }

    @Test func framesAreCopiedUpToTheirLimit() {
        let most = ZMTPMessageHead.mostFrames
        #expect(read((0...most).flatMap { frame(3, flags: $0 < most ? 1 : 0) }) == .refused("too_many_frames"))
        let message = (0..<most).flatMap { frame(3, flags: $0 < most - 1 ? 1 : 0) }
        #expect(read(message) == .message(head: 2, size: message.count, frames: most))
        let parts = message.withUnsafeBufferPointer(ZMTPMessageHead.parts)
        #expect(parts == [[UInt8]](repeating: [7, 7, 7], count: most))
    }

    @Test func whatIsTooMuchIsRefusedBeforeItIsWaitedFor() {
        #expect(read(frame(64 * 1024)) == .message(head: 9, size: 9 + 64 * 1024, frames: 1))
        #expect(read(Array(frame(64 * 1024 + 1).prefix(9))) == .refused("frame_too_long"))
        let part = frame(60_000, flags: 1)
        #expect(ZMTPMessageHead.mostFrames == 64 && ZMTPMessageHead.mostBytes == 64 * 1024 + 144)
        #expect(read(part + Array(frame(10_000).prefix(9))) == .refused("frame_too_long"))
        // A message as long as the longest, with 2 bytes more at a time, would be looked at again with each.
        #expect(read(part + frame(0, flags: 1) + frame(0, flags: 1)) == .needs(part.count + 6))
        #expect(read((0..<1500).flatMap { _ in frame(0, flags: 1) }) == .refused("too_many_frames"))
    }

    @Test func commandsStandAloneAndBetweenMessages() {
        #expect(read([4, 6, 4] + Array("PINGx".utf8)) == .command(body: 6, size: 8))
        #expect(read([5, 6, 4] + Array("PINGx".utf8)) == .refused("zmtp_frame"))
        #expect(read(frame(1, flags: 1) + [4, 1, 0]) == .refused("zmtp_frame"))
        #expect(read([8, 0]) == .refused("zmtp_frame"))
    }
}
