import Citadel
import Domain
import Testing
import Wire

@testable import CitadelMonitor

@Suite("Protection queries")
struct ProtectionRequestTests {
    private func request(_ text: String) throws -> ProtectionRequest { try ProtectionRequest(Fixture.object(text)) }

    @Test("every field, as numbers or as text, under old names too")
    func fields() throws {
        let full = try request(
            #"{"symbol":"EURUSD","entry_price":1.08500,"direction":"BUY","stop_loss":1.0830,"take_profit":1.09,"signal_id":"S1"}"#
        )
        #expect(full.symbol == "EURUSD" && full.direction == .buy && full.signalIdentifier == "S1")
        #expect(full.entry == WrittenPrice(text: "1.08500", value: 1.085))
        #expect(full.stopLoss == 1.083 && full.takeProfit == 1.09)
        let old = try request(#"{"pair":"EURUSD","entry":"1.085","side":"sell","sl":"1.09","tp":1.08}"#)
        #expect(old.symbol == "EURUSD" && old.direction == .sell && old.stopLoss == 1.09 && old.takeProfit == 1.08)
        #expect(old.entry?.text == "1.085")
    }

    @Test("null, an empty text and 0 mean absent", arguments: ["0", "0.00000", "null", "\"\"", "\"0\""])
    func absent(value: String) throws {
        let request = try request(#"{"symbol":"EURUSD","entry_price":\#(value),"stop_loss":\#(value)}"#)
        #expect(request.entry == nil && request.stopLoss == nil)
    }

    @Test(
        "what can't be meant is an error that names the field",
        arguments: [
            (#"{"symbol":"EURUSD","entry_price":"abc"}"#, "bad_entry_price"),
            (#"{"symbol":"EURUSD","entry_price":1e999}"#, "bad_entry_price"),
            (#"{"symbol":"EURUSD","entry_price":"nan"}"#, "bad_entry_price"),
            (#"{"symbol":"EURUSD","entry_price":[1]}"#, "bad_entry_price"),
            (#"{"symbol":"EURUSD","sl":true}"#, "bad_stop_loss"),
            (#"{"symbol":"EURUSD","tp":"x"}"#, "bad_take_profit"),
            (#"{"symbol":"EURUSD","direction":"UP"}"#, "bad_direction"),
            (#"{"symbol":{"a":1}}"#, "bad_symbol"),
            (#"{"symbol":"A\nB"}"#, "bad_symbol"),
            (#"{"symbol":"0123456789012345678901234567890123"}"#, "bad_symbol"),
        ])
    func errors(text: String, code: String) throws {
        let object = try Fixture.object(text)
        let error = try #require(throws: QueryError.self) { try ProtectionRequest(object) }
        #expect(error.code == code && !error.message.isEmpty)
    }

    @Test("a live signal fills what the query leaves out, but not another symbol's prices")
    func fill() throws {
        let signal = TradingSignal(
            signalIdentifier: "S1", symbol: "EURUSD", direction: .sell, entryPrice: 1.085, stopLoss: 1.09,
            takeProfit: 1.08, createdMilliseconds: 0)
        let fields: JSONObject = ["symbol": .string("EURUSD.r"), "entry_price": .number("1.08500")]
        let canonical = Fixture.catalogue.canonical
        var bare = try request(#"{"signal_id":"S1"}"#)
        bare.fill(from: signal, fields: fields, canonical: canonical)
        #expect(bare.symbol == "EURUSD.r" && bare.direction == .sell && bare.entry?.text == "1.08500")
        #expect(bare.stopLoss == 1.09 && bare.takeProfit == 1.08)
        var own = try request(#"{"signal_id":"S1","symbol":"EURUSD","stop_loss":1.095}"#)
        own.fill(from: signal, fields: fields, canonical: canonical)
        #expect(own.symbol == "EURUSD" && own.stopLoss == 1.095 && own.direction == .sell)
        var other = try request(#"{"signal_id":"S1","symbol":"XAUUSD"}"#)
        other.fill(from: signal, fields: fields, canonical: canonical)
        #expect(other.entry == nil && other.direction == nil && other.stopLoss == nil)
    }

    @Test("the answer has the contract's fields and adds up")
    func reply() throws {
        let answer = try Fixture.answer()
        let text = answer.encoded(
            symbol: "EURUSD.r", entry: WrittenPrice(text: "1.08500", value: 1.085), digits: 5)
        let reply = try Fixture.object("{" + String(decoding: text, as: UTF8.self) + "}")
        let names = reply.fields.map(\.name)
        for name in [
            "symbol", "entry_price", "direction", "protection_score", "risk_level", "recommendation", "factors",
            "insights", "confidence", "stale", "levels", "timestamp",
        ] { #expect(names.contains(name)) }
        #expect(reply["entry_price"] == .number("1.08500") && reply["symbol"] == .string("EURUSD.r"))
        #expect(reply["canonical_symbol"] == .string("EURUSD") && reply["stale"] == .bool(true))
        let factors = try #require(reply["factors"]?.object)
        #expect(factors.fields.count == FactorName.allCases.count)
        var thousandths = 0
        for factor in factors.fields {
            let contribution = try #require(factor.value.object?["contribution"]?.text.flatMap { Amount($0) })
            thousandths += Int(contribution.units / 100_000)
            #expect(factor.value.object?["weight"]?.text != nil && factor.value.object?["score"]?.text != nil)
        }
        let score = try #require(reply["protection_score"]?.text.flatMap { Amount($0) })
        #expect(thousandths == Int(score.units / 100_000))
        #expect(reply["timestamp"]?.text.flatMap { Timestamp(rfc3339: $0) } == Fixture.now)
        #expect(try JSON(reply.bytes).object == reply)
    }

    @Test("a trade at market opens at the ask, the bid, or the middle")
    func marketPrice() throws {
        var engine = CitadelEngine(instruments: [:])
        var outputs: [CitadelOutput] = []
        engine.handle(
            MarketTick(
                symbol: "EURUSD", source: "S", timeMilliseconds: Fixture.now.milliseconds, bid: 1.085, ask: 1.0852,
                decimals: 5), now: Fixture.now.milliseconds, into: &outputs)
        let price = try #require(engine.symbols.first.flatMap(MarketPrice.init))
        #expect(price.entry(.buy).text == "1.0852" && price.entry(.sell).text == "1.085")
        #expect(price.entry(nil).text == "1.0851")
    }

    @Test("what is written straight into bytes reads back as it was, whatever the symbol's name")
    func encoded() throws {
        var answer = try Fixture.answer()
        answer.insights = ["quote \" backslash \\ tab \t é 日本", "plain"]
        answer.insightFactors = [nil, .spread]
        answer.levels = [
            NearLevel(
                price: 1.08315, side: .sellSide, state: .resting, strength: 6, distancePips: -18.5, members: 3,
                origins: ["swing_m15"])
        ]
        let text = answer.encoded(
            symbol: "EUR\"USD", entry: WrittenPrice(text: "1.085", value: 1.085), digits: 5)
        let reply = try Fixture.object("{" + String(decoding: text, as: UTF8.self) + "}")
        #expect(reply["symbol"] == .string("EUR\"USD") && reply["canonical_symbol"] == .string("EURUSD"))
        #expect(reply["insights"] == .array(answer.insights.map(JSON.string)))
        #expect(reply["insight_factors"] == .array([.null, .string("spread")]))
        let level = try #require(reply["levels"]?.array?.first?.object)
        #expect(level["price"] == .number("1.08315") && level["distance_pips"] == .number("-18.5"))
        #expect(level["strength"] == .number("6.0") && level["members"] == .number("3"))
        for factor in answer.factors {
            let shown = try #require(reply["factors"]?.object?[factor.name.rawValue]?.object)
            #expect(shown["score"]?.text.flatMap(Double.init) == factor.score)
            #expect(shown["contribution"]?.text.flatMap(Double.init) == factor.contribution)
            #expect(shown["weight"]?.text.flatMap(Double.init) == factor.weight)
        }
    }

    @Test(
        "figures are written with their digits and no more",
        arguments: [
            (0, 1, "0.0"), (7.4, 1, "7.4"), (10, 1, "10.0"), (0.07, 2, "0.07"), (0.1, 2, "0.1"), (-18.5, 1, "-18.5"),
            (1.08315, 5, "1.08315"), (3678.55, 2, "3678.55"), (-0.04, 1, "0.0"),
            (123_456.000_000_01, 8, "123456.00000001"),
        ] as [(Double, Int, String)])
    func figures(value: Double, decimals: Int, expected: String) {
        var text = AnswerText(capacity: 32)
        text.figure(value, decimals)
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
    }
}
