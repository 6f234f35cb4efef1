import Logging
import Redis
import ServiceKit
import TestKit
import Testing

@testable import ConfirmationLogger

@Suite("Whose numbers were heard", .enabled(if: RedisServer.isInstalled))
final class ReceiptBookTests {
    private let server: RedisServer
    private let reactor = Reactor()
    /// The reactor asks them as long as it runs.
    private var links: [RedisLink] = []

    init() throws {
        server = try RedisServer()
        reactor.every(milliseconds: 2) {}
    }

    private func wait(_ what: String, until condition: () -> Bool) throws {
        guard try reactor.run(until: condition, milliseconds: 30_000) else {
            throw ConditionNotMet(description: "never: \(what)")
        }
    }

    /// A book on a link that is ready, as after a start.
    private func start() throws -> ReceiptBook {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let link = RedisLink(address: server.address, scripts: [], allowUnsafe: true, reactor: reactor, log: log)
        links.append(link)
        try wait("ready") { link.isReady }
        return ReceiptBook(link)
    }

    private func next(_ book: ReceiptBook, _ node: String = "N") throws -> Int64? {
        var answer: Int64??
        book.next(node: node) { answer = .some($0) }
        try wait("an answer") { answer != nil }
        return answer ?? nil
    }

    @Test("numbers told before a node was somebody's are forgotten, in Redis too, once it is; his own count")
    func forgotten() throws {
        let book = try start()
        for number: Int64 in 1...5 { book.heard(("N", number, "stranger")) }
        #expect(try next(book) == 6)
        #expect(book.numbers(of: ["N"]).map(\.speaker) == ["stranger"])
        // As booking keeps them.
        try server.call("HSET", "receipts:N", "last_seq", "5", "above", "", "owner", "stranger")
        try server.call("HSET", "node:N", "user_uuid", "anna")
        #expect(try next(book) == 1, "the terminal resumes before it says anything")
        try wait("forgotten") { (try? server.call("EXISTS", "receipts:N").integer) == 0 }
        for number: Int64 in 1...2 { book.heard(("N", number, "anna")) }
        book.heard(("N", 3, "stranger"))
        #expect(try next(book) == 3)
        #expect(book.numbers(of: ["N"]).map(\.speaker) == ["anna"])
    }

    @Test("the same after a restart, where only Redis knows who told them; one's own and those of before stay")
    func restarted() throws {
        try server.call("HSET", "node:N", "user_uuid", "anna")
        for (owner, expected) in [("stranger", 1), ("", 1), ("anna", 6), (nil, 6)] as [(String?, Int64)] {
            try server.call("DEL", "receipts:N")
            try server.call("HSET", "receipts:N", "last_seq", "5", "above", "")
            if let owner { try server.call("HSET", "receipts:N", "owner", owner) }
            let book = try start()
            #expect(try next(book) == expected, "told by \(owner ?? "nobody knows whom")")
        }
    }

    @Test("numbers that several told of nobody's node are nobody's: whoever asks is to tell all of his")
    func several() throws {
        let book = try start()
        book.heard(("N", 1, "stranger"))
        #expect(try next(book) == 2)
        book.heard(("N", 2, "anna"))
        #expect(try next(book) == 1)
        #expect(book.numbers(of: ["N"]).map(\.speaker) == ["*"])
        // As booking keeps them, after a restart too.
        try server.call("HSET", "receipts:N", "last_seq", "2", "above", "", "owner", "*")
        #expect(try next(try start()) == 1)
        try server.call("HSET", "node:N", "user_uuid", "anna")
        #expect(try next(book) == 1)
    }

    @Test("nor are those of somebody without a name on another machine; a service of this one names nobody and may")
    func nameless() throws {
        let book = try start()
        for number: Int64 in 1...5 {
            book.heard(("outside", number, ""))
            book.heard(("inside", number, nil))
        }
        #expect(try next(book, "outside") == 1)
        #expect(try next(book, "inside") == 6)
    }
}
