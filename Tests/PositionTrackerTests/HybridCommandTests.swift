import Domain
import Testing
import Wire

@testable import PositionTracker
@testable import Trading

/// `hybrid` of a fire from its request to the bytes the terminal gets, and over a restart.
@Suite("hybrid in words") struct HybridCommandTests {
    private func read(_ hybrid: String) throws -> HybridPlan? {
        let object = try #require(try JSON(#"{"type":"fire","hybrid":\#(hybrid)}"#).object)
        return try OrderFields(object: object).hybrid()
    }

    private func fire(_ lot: String = "0.40") throws -> Fire {
        var fire = Fire(
            fireID: "h-1", userUUID: "USER_0001", nodeID: "NODE_1_2", server: "Demo", account: "1", symbol: "EURUSD.r",
            canonicalSymbol: "EURUSD", direction: .buy, lot: try #require(Amount(lot)), state: .sending,
            createdAt: Timestamp(milliseconds: 1000), expiresAt: Timestamp(milliseconds: 31_000))
        fire.stopLoss = "1.08"
        fire.hybrid = HybridPlan(first: 10, second: 20, trail: 15)
        return fire
    }

    @Test(
        "three ways of saying the same",
        arguments: [
            #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
            #"{"enabled":true,"partial1":{"trigger":10.0,"percent":25.0},"partial2":{"trigger":"20","percent":25},"#
                + #""trail":{"distance":15}}"#,
            #"{"enabled":true,"p1":{"trigger":10},"p2":{"trigger":20},"trail":{"distance":15}}"#,
            #"{"trail":{"distance":15},"partials":[{"trigger":10},{"trigger":20}],"enabled":true}"#,
        ])
    func shapes(text: String) throws {
        #expect(try read(text) == HybridPlan(first: 10, second: 20, trail: 15))
    }

    @Test("absent, null and not enabled are a plain fire", arguments: ["null", #"{"enabled":false}"#])
    func plain(text: String) throws {
        #expect(try read(text) == nil)
        #expect(try OrderFields(object: ["type": .string("fire")]).hybrid() == nil)
    }

    private static let good = #""partial1":{"trigger":10},"partial2":{"trigger":20},"trail":{"distance":15}"#
    private static let refused = [
        "true", #""yes""#, "{}", "{\(good)}", #"{"enabled":"yes",\#(good)}"#, #"{"enabled":true}"#,
        #"{"enabled":true,\#(good),"breakeven":true}"#, #"{"enabled":true,\#(good),"p1":{"trigger":1}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":20},"partial2":{"trigger":10},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":20}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":20},"trail":{}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":20},"trail":{"distance":15,"step":1}}"#,
        #"{"enabled":true,"partial1":{"trigger":0},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":-3},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":1.5},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":10001},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":1e30},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":"far"},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":10,"percent":50},"partial2":{"trigger":20},"trail":{"distance":15}}"#,
        #"{"enabled":true,"partial1":{"trigger":10},"partial2":{"trigger":20,"move_sl_breakeven":true},"#
            + #""trail":{"distance":15}}"#,
        #"{"enabled":true,"partials":[{"trigger":10}],"trail":{"distance":15}}"#,
        #"{"enabled":true,"partials":[10,20],"trail":{"distance":15}}"#,
        #"{"enabled":true,"partials":7,"trail":{"distance":15}}"#,
    ]

    @Test("what the terminals can't do is refused by name, never left out", arguments: refused)
    func refuses(text: String) throws {
        let object = try #require(try JSON(#"{"hybrid":\#(text)}"#).object)
        let error = #expect(throws: OrderError.self) { try OrderFields(object: object).hybrid() }
        #expect(error?.message.contains("hybrid") == true, "\(error?.message ?? "")")
    }

    @Test("the command has the words the terminal looks for, without a space, behind the keys it reads first")
    func bytes() throws {
        let bytes = try #require(CommandWriter.bytes(.fire(try fire()), to: "USER_0001"))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"type":"fire","fire_id":"h-1","target_uuid":"USER_0001","symbol":"EURUSD.r","direction":"BUY","#
                + #""entry":0,"sl":1.08,"tp":0,"lot":0.40,"hybrid":{"enabled":true,"partial1":{"trigger":10,"percent":25},"#
                + #""partial2":{"trigger":20,"percent":25},"trail":{"distance":15}}}"#)
        #expect(bytes.count < CommandWriter.maximumBytes)
    }

    @Test("its row says the plan and the lots, and is read back after a restart", arguments: ["0.40", "0"])
    func row(lot: String) throws {
        let fire = try fire(lot)
        var row: [String: String] = [:]
        for index in stride(from: 0, to: fire.row.count, by: 2) { row[fire.row[index]] = fire.row[index + 1] }
        let read = try #require(Fire(row: row))
        #expect(read.hybrid == fire.hybrid)
        let shown = FireRow.json(row)["hybrid"]?.object
        #expect(shown?["trail"]?.object?["distance"]?.text == "15")
        #expect(shown?["trail"]?.object?["lot"]?.text == (lot == "0" ? nil : "0.20"))
        var plain = fire
        plain.hybrid = nil
        #expect(!plain.row.contains("hybrid"))
    }
}
