import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("Forms of an answer: text, gzip, tags, the document that describes them")
struct FormTests {
    @Test("format=text is a table; what a terminal wrote into a name moves no cursor")
    func text() throws {
        var snapshot = Fixtures.snapshot()
        snapshot.nodes = [Fixtures.node("n1", ["server": "evil\u{1B}[2J\u{202E}\n", "equity": "10.50"])]
        let answer = try #require(try Fixtures.answer("/nodes", [:], snapshot))
        let dressed = try AnswerForm(["format": "text"]).dressed(answer)
        let text = String(decoding: dressed.body, as: UTF8.self)
        #expect(dressed.contentType.hasPrefix("text/plain"))
        #expect(text.hasPrefix("NODE_ID") && text.contains("10.50") && text.contains("evil"))
        #expect(!text.unicodeScalars.contains { $0 != "\n" && !$0.properties.isPrintable })
        #expect(try AnswerForm([:]).dressed(answer) == answer)
        #expect(throws: HTTPProblem.self) { try AnswerForm(["format": "xml"]) }
    }

    @Test("Gzip is asked for by name and weight, and comes with its header and trailer")
    func gzip() throws {
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate, gzip ; q=1"] { #expect(Gzip.isAccepted(yes), "\(yes)") }
        for no in [nil, "", "br", "gzip;q=0", "gzip;q=0.0, br"] { #expect(!Gzip.isAccepted(no), "\(no ?? "nil")") }
        #expect(Gzip.compressed([UInt8](repeating: 65, count: 100)) == nil)
        let packed = try #require(Gzip.compressed([UInt8](repeating: 65, count: 5000)))
        #expect(packed.prefix(2) == [0x1F, 0x8B] && packed.count < 200)
        // RFC 1952: the last four bytes are the length, least byte first.
        #expect(packed.suffix(4) == [0x88, 0x13, 0, 0])
    }

    @Test("A tag holds until its part changes, is compared weakly, and belongs to one run")
    func tags() {
        var snapshot = Fixtures.snapshot()
        snapshot.partVersions = [.positions: 4]
        let before = Freshness.tag(.list(.positions), snapshot) ?? ""
        snapshot.version += 1
        #expect(Freshness.tag(.list(.positions), snapshot) == before)
        snapshot.partVersions[.positions] = 5
        #expect(Freshness.tag(.list(.positions), snapshot) != before)
        var other = snapshot
        other.startedAt = other.startedAt.adding(milliseconds: 1)
        #expect(Freshness.tag(.list(.positions), snapshot) != Freshness.tag(.list(.positions), other))
        #expect(Freshness.matches("W/\"\(before)\"", before) && Freshness.matches("\"x\", \"\(before)\"", before))
        #expect(
            Freshness.matches("*", before) && !Freshness.matches("\"x\"", before) && !Freshness.matches(nil, before))
        // Every endpoint has an answer to this question and none asks itself.
        let endpoints: [Endpoint] = [
            .stats, .levels, .sweeps, .audit, .reconciliation, .latency, .exposure, .performance, .silences, .health,
        ]
        for endpoint in endpoints { #expect(Freshness.tag(endpoint, snapshot) != nil) }
        #expect(Freshness.tag(.live, snapshot) == nil && Freshness.tag(.events, snapshot) == nil)
    }

    @Test("A kept answer is given while its tag holds, and the cache stays within its bounds")
    func cache() {
        let cache = AnswerCache()
        let answer = Answer.text("x", type: "text/plain")
        cache.keep(.init(tag: "1", answer: answer, packed: nil), for: "/a")
        #expect(cache.entry("/a", tag: "1")?.answer == answer)
        #expect(cache.entry("/a", tag: "2") == nil && cache.entry("/b", tag: "1") == nil)
        for number in 0..<(AnswerCache.maximumEntries + 1) {
            cache.keep(.init(tag: "1", answer: answer, packed: nil), for: "/\(number)")
        }
        #expect(cache.entry("/a", tag: "1") == nil)
        #expect(cache.entry("/\(AnswerCache.maximumEntries)", tag: "1") != nil)
    }

    @Test("Every path the document describes is answered, and every path that is answered is described")
    func described() throws {
        let paths = try #require(OpenAPI.document.object?["paths"]?.object)
        for field in paths.fields {
            let path = field.name.replacing(/\{[a-z]+\}/, with: "x")
            for (method, _) in (field.value.object?.fields ?? []).map({ ($0.name, $0.value) }) {
                #expect(throws: Never.self) { try Endpoint.resolve(method: method.uppercased(), path: path) }
            }
        }
        let lists = Endpoint.List.allCases.map { "/\($0.rawValue)" }
        for path in lists + ["/health", "/stats", "/overview", "/reconciliation", "/events", "/openapi.json"] {
            #expect(paths[path] != nil, "\(path) is not described")
        }
        let names = Set(Bodies.all.map(\.0))
        let text = OpenAPI.document.compactText
        for match in text.matches(of: /#\/components\/schemas\/([A-Za-z]+)/) {
            #expect(names.contains(String(match.1)), "\(match.1) is not defined")
        }
    }

    @Test("Lists without a table are sorted by any plain field; a stranger is refused by name")
    func plainOrder() throws {
        func item(_ number: String?, _ text: String) -> JSON {
            .object(["number": number.map { .number($0) } ?? .null, "text": .string(text)])
        }
        let items = [item("10", "b"), item(nil, "c"), item("9", "a")]
        func texts(_ sort: String) throws -> [String] {
            try PlainOrder.sorted(items, sort).compactMap { $0.object?["text"]?.text }
        }
        #expect(try texts("number") == ["a", "b", "c"])
        #expect(try texts("-number") == ["b", "a", "c"])
        #expect(try texts("-text") == ["c", "b", "a"])
        #expect(throws: HTTPProblem.self) { try PlainOrder.sorted(items, "nobody") }
    }

    @Test("What changes something says exactly what; a close names its position, a close of many one thing")
    func actions() throws {
        func errand(_ action: Endpoint.Action, _ body: String) throws -> Errand {
            try ActionRequests.errand(action, body: Array(body.utf8), now: Fixtures.now)
        }
        guard case .order(let close) = try errand(.close, #"{"user_uuid":"u1","ticket":12,"by":"ann"}"#) else {
            Issue.record("a close is an order")
            return
        }
        #expect(
            close == [
                "type": .string("close"), "user_uuid": .string("u1"), "ticket": .number("12"), "by": .string("ann"),
            ])
        for wrong in ["{}", #"{"user_uuid":"u1"}"#, #"{"user_uuid":"u1","ticket":"x"}"#] {
            #expect(throws: HTTPProblem.self) { try errand(.close, wrong) }
        }
        for wrong in ["{}", #"{"symbol":"EURUSD","all":true}"#, #"{"all":false}"#] {
            #expect(throws: HTTPProblem.self) { try errand(.closeAll, wrong) }
        }
        guard case .order(let all) = try errand(.closeAll, #"{"all":true}"#) else {
            Issue.record("a close of all is an order")
            return
        }
        #expect(all["all"] == .bool(true))
        guard case .alertAction(let fields) = try errand(.silence, #"{"matchers":{"type":"x"},"until_ms":"5"}"#) else {
            Issue.record("a silence is an entry of the stream")
            return
        }
        #expect(fields.contains(#"{"type":"x"}"#) && fields.contains("until_ms"))
    }
}
