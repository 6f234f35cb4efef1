import Testing

@testable import PositionTracker

@Suite("Bound accounts as others read them")
struct BoundAccountsTests {
    @Test("by login for whoever knows no server, by server where one is bound, and apart from it who is bound anywhere")
    func fields() {
        let fields = BoundAccounts.fields([
            .init(user: "cleo", account: "1", server: nil), .init(user: "anna", account: "1", server: "A|x"),
            .init(user: "bert", account: "1", server: "B"), .init(user: "dora", account: "2", server: "B"),
        ])
        #expect(
            fields == [
                "1", "anna bert cleo", "2", "dora", "A%7Cx|1", "anna cleo", "B|1", "bert cleo", "B|2", "dora",
                "|1", "cleo",
            ])
        #expect(BoundAccounts.fields([]).isEmpty)
    }
}
