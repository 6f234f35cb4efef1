import ArgumentParser
import Redis
import ServiceKit
import Wire

extension UserCommand {
    /// Looks through the registered users and those whose terminals were seen.
    struct Find: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find users by a part of their UUID, login, broker, server, session, node or address.",
            discussion: """
                Examples:
                  meshctl user find COMMANDER
                  meshctl user find 5012345
                """)

        @Argument(help: "The part, in any case; everybody without it.") var text = ""
        @OptionGroup var page: LimitOption
        @OptionGroup var query: QueryOptions

        func run() throws {
            let mesh = try query.mesh()
            let redis = RedisConnection(mesh.configuration.redis)
            let wanted = text.lowercased()
            var names = try UserCommand.names(redis).filter { wanted.isEmpty || $0.lowercased().contains(wanted) }
            if !wanted.isEmpty { names.formUnion(Find.known(to: mesh, text)) }
            try UserListing(redis, names.sorted(), limit: page.limit).show(
                query, nothing: "nobody is named like '\(text)'")
        }

        /// Users of terminals that have the text in one of their names; none where the registry is not there.
        private static func known(to mesh: Mesh, _ text: String) -> [String] {
            let request: JSONObject = ["type": .string("find"), "q": .string(text), "limit": .integer(1000)]
            let items = (try? RequestPort(mesh, .registry).ask(request))?["items"]?.array ?? []
            return items.compactMap { $0.object?["user_uuid"]?.text }
        }
    }

    /// Lists users by tier and state.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the registered users.", discussion: "Example: meshctl user list --state suspended")

        @Option(help: "Only of this tier.") var tier: String?
        @Option(help: "active or suspended.") var state: String?
        @OptionGroup var page: LimitOption
        @OptionGroup var query: QueryOptions

        func run() throws {
            let redis = RedisConnection(try query.mesh().configuration.redis)
            let names = try UserCommand.names(redis, keys: ["users"]).sorted()
            var listing = try UserListing(redis, names, limit: names.count)
            listing.items = listing.items.filter { item in
                (tier.map { item["tier"]?.text == $0.uppercased() } ?? true)
                    && (state.map { item["state"]?.text == $0 } ?? true)
            }
            listing.total = listing.items.count
            listing.items = Array(listing.items.prefix(page.limit))
            try listing.show(query, nothing: "no user is registered like that")
        }
    }
}

/// Users with what Redis has of them.
struct UserListing {
    var items: [JSONObject]
    var total: Int

    private static let fields = ["tier", "risk_pct", "state", "registered", "addresses", "account", "server"]
    /// Users asked for in one pipeline.
    private static let portion = 500

    init(_ redis: RedisConnection, _ names: [String], limit: Int) throws {
        total = names.count
        items = []
        let shown = Array(names.prefix(limit))
        for start in stride(from: 0, to: shown.count, by: UserListing.portion) {
            let part = shown[start..<min(start + UserListing.portion, shown.count)]
            let rows = try redis.call(
                pipeline: part.map { ["HMGET", "user:\($0)"] + UserListing.fields }
                    + part.map { ["GET", "user_node:\($0)"] })
            for (index, name) in part.enumerated() {
                items.append(UserListing.item(name, rows[index].array ?? [], node: rows[part.count + index].text))
            }
        }
    }

    private static func item(_ name: String, _ values: [RedisValue], node: String?) -> JSONObject {
        var item: JSONObject = ["user_uuid": .string(name)]
        for (field, value) in zip(fields, values) {
            item.append(field, field == "registered" ? .bool(value.text == "1") : .text(value.text))
        }
        item.append("node_id", .text(node))
        return item
    }

    /// Prints them; exits with 1 where there is none.
    func show(_ query: QueryOptions, nothing: String) throws {
        if query.json {
            let answer: JSONObject = [
                "total": .integer(total), "limit": .integer(items.count), "items": .array(items.map { .object($0) }),
            ]
            print(answer.compactText)
        } else if items.isEmpty {
            print(TerminalText.sanitised(nothing))
        } else {
            table.show(isWide: query.wide)
            if total > items.count { print("\(items.count) of \(total) users; --limit shows more") }
        }
        if items.isEmpty { throw ExitCode(ExitStatus.denied) }
    }

    private var table: Table {
        var table = Table([
            .text("user"), .text("tier"), .number("risk %", rank: 5), .text("state"), .text("registered", rank: 6),
            .text("speaks from", rank: 7), .text("account"), .text("node", rank: 4),
        ])
        for item in items {
            func text(_ name: String) -> String { Fields.text(item[name]) }
            table.add([
                Table.Cell(text("user_uuid")), Table.Cell(text("tier")), Table.Cell(text("risk_pct")),
                .state(text("state")), Table.Cell(text("registered")), Table.Cell(text("addresses")),
                Table.Cell(text("account")), Table.Cell(text("node_id")),
            ])
        }
        return table
    }
}
