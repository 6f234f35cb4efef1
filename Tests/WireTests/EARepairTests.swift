import Domain
import Testing
import Wire

/// Broken JSON of EAs that escape nothing, and bytes that are no UTF-8. Source: ea-wire 1.2.
@Suite struct EARepairTests {
    private func repaired(_ text: String) throws -> TerminalReport {
        let read = try readNoting(Array(text.utf8))
        #expect(read.repaired)
        guard case .report(let report) = read.message else { throw UnexpectedMessage() }
        return report
    }

    @Test func quotesInANameOfABroker() throws {
        var expected = try readReport(Golden.handshake205)
        expected.broker = #"Joe "the Bear" Ltd"#
        let line = Golden.handshake205.replacing("Coinexx Limited", with: #"Joe "the Bear" Ltd"#)
        #expect(try repaired(line) == expected)
    }

    @Test func backslashesAreThemselves() throws {
        let line = Golden.handshake205.replacing("Coinexx Limited", with: #"C:\Program Files\x"#)
        #expect(try repaired(line).broker == #"C:\Program Files\x"#)
    }

    @Test func aBackslashBeforeTheClosingQuote() throws {
        let line = Golden.handshake205.replacing("Coinexx Limited", with: #"ends in \"#)
        let report = try repaired(line)
        #expect(report.broker == #"ends in \"#)
        #expect(report.server == "Coinexx-Demo")
    }

    @Test func aQuoteInTheLastField() throws {
        #expect(try repaired(#"{"type":"handshake","broker":"a"b"}"#).broker == #"a"b"#)
    }

    @Test func whatLooksLikeTheNextValueIsNoEnd() throws {
        // `","B` is not followed by a colon, so it belongs to the text.
        #expect(try repaired(#"{"type":"handshake","broker":"A","B","currency":"USD"}"#).broker == #"A","B"#)
    }

    @Test func nestedPositionsSurviveABadText() throws {
        let line = #"{"type":"HEARTBEAT","terminal":"a"b","positions":[{"ticket":5,"symbol":"EURUSD"}],"ts":1}"#
        #expect(try repaired(line).openPositions?.map(\.ticket) == [5])
    }

    @Test func aTradeWithQuotesInItsMessageIsNotLost() throws {
        let line = Golden.confirmationFireFailed205.replacing("Error: 4756", with: #"Error: "4756\x""#)
        let read = try readNoting(Array(line.utf8))
        guard case .trade(let report) = read.message else { throw UnexpectedMessage() }
        #expect(read.repaired && report.kind == .failed && report.fireID == "ELITE_RAPID_EURUSD_1757954363")
    }

    @Test func properEscapesAreNoRepair() throws {
        let read = try readNoting(Array(#"{"type":"handshake","broker":"a\"b\\c\u00e9"}"#.utf8))
        guard case .report(let report) = read.message else { throw UnexpectedMessage() }
        #expect(report.broker == #"a"b\cé"# && !read.repaired)
    }

    @Test func windowsCodePage() throws {
        let bytes =
            Array(#"{"type":"handshake","broker":"Soci"#.utf8) + [0xE9, 0x74, 0xE9, 0x20, 0x80]
            + Array(#"","server":"S"}"#.utf8)
        let read = try readNoting(bytes)
        guard case .report(let report) = read.message else { throw UnexpectedMessage() }
        #expect(report.broker == "Société €" && !read.repaired)
    }

    @Test func japaneseCodePageWithABackslashByte() throws {
        // `表` is 0x95 0x5C in CP932: the second byte is a backslash to every other reader.
        let bytes = Array(#"{"type":"handshake","broker":"X"#.utf8) + [0x95, 0x5C] + Array(#"","server":"S"}"#.utf8)
        let read = try readNoting(bytes)
        guard case .report(let report) = read.message else { throw UnexpectedMessage() }
        #expect(report.server == "S" && report.broker == "X•\\" && read.repaired)
    }

    @Test(arguments: [
        #"{"type":"handshake","broker":"a"b""#, #"{"type":"handshake","broker":"a"b","balance":12"#,
        #"{"type":"handshake","broker":"a"b",}"#, #"{"broker":"a"b","balance":1.2.3}"#, #"{"a"b":1}"#, #"{"":"a"b"}"#,
    ])
    func whatEvenThatDoesNotExplainIsRejected(text: String) {
        let reason = reject(text)?.reason
        #expect(reason == "truncated" || reason == "not_json")
    }

    @Test func aCutConfirmationIsNeverClosedForIt() {
        // `"ticket":216` may be the start of another number.
        for count in 1..<Golden.confirmationFireOk205.utf8.count {
            let cut = Array(Golden.confirmationFireOk205.utf8.prefix(count))
            #expect(reject(cut)?.reason == "truncated", "\(count) bytes")
        }
    }
}
