import ArgumentParser
import Redis
import ServiceKit
import Wire

extension UserCommand {
    /// Looks through the registered users and those whose terminals were seen.
    struct Find: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find users by a part of their UUID.", discussion: "Example: meshctl user find COMMANDER")

        @Argument(help: "Part of the UUID, in any case; everybody without it.") var text = ""
        @OptionGroup var page: LimitOption
        @OptionGroup var query: QueryOptions

        private static let fields = ["tier", "risk_pct", "state", "registered"]

        func run() throws {
            let redis = RedisConnection(try query.mesh().configuration.redis)
            let names = try matching(redis)
            let shown = Array(names.prefix(page.limit))
            let rows = try redis.call(
                pipeline: shown.map { ["HMGET", "user:\($0)"] + Find.fields }
                    + shown.map { ["GET", "user_node:\($0)"] })
            let items = shown.indices.map { index in
                Find.item(shown[index], rows[index].array ?? [], node: rows[shown.count + index].text)
            }
            if query.json {
                let answer: JSONObject = [
                    "total": .integer(names.count), "limit": .integer(page.limit),
                    "items": .array(items.map { .object($0) }),
                ]
                print(answer.compactText)
            } else {
                show(items, of: names.count)
            }
            if names.isEmpty { throw ExitCode(ExitStatus.denied) }
        }

        private func matching(_ redis: RedisConnection) throws -> [String] {
            var found: Swift.Set<String> = []
            let wanted = text.lowercased()
            for key in ["users", "users_seen"] {
                var cursor = "0"
                repeat {
                    let reply = try redis.call(["SSCAN", key, cursor, "COUNT", "1000"])
                    if let refusal = reply.errorMessage { throw ToolError(ExitStatus.unavailable, "Redis: \(refusal)") }
                    let parts = reply.array ?? []
                    cursor = parts.first?.text ?? "0"
                    for name in (parts.count > 1 ? parts[1].array : nil) ?? [] {
                        guard let name = name.text, wanted.isEmpty || name.lowercased().contains(wanted) else {
                            continue
                        }
                        found.insert(name)
                    }
                } while cursor != "0"
            }
            return found.sorted()
        }

        private static func item(_ name: String, _ values: [RedisValue], node: String?) -> JSONObject {
            var item: JSONObject = ["user_uuid": .string(name)]
            for (field, value) in zip(fields, values) {
                item.append(field, field == "registered" ? .bool(value.text == "1") : .text(value.text))
            }
            item.append("node_id", .text(node))
            return item
        }

        private func show(_ items: [JSONObject], of total: Int) {
            guard total > 0 else { return print("no user has '\(TerminalText.sanitised(text))' in his UUID") }
            var table = Table([
                .text("user"), .text("tier"), .number("risk %"), .text("state"), .text("registered"), .text("node"),
            ])
            for item in items {
                func text(_ name: String) -> String { Fields.text(item[name]) }
                table.add([
                    Table.Cell(text("user_uuid")), Table.Cell(text("tier")), Table.Cell(text("risk_pct")),
                    .state(text("state")), Table.Cell(text("registered")), Table.Cell(text("node_id")),
                ])
            }
            table.show()
            if total > items.count { print("\(items.count) of \(total) users; --limit shows more") }
        }
    }
}
