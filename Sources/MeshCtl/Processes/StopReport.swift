import Wire

/// What a stop did, service by service.
struct StopReport {
    struct Row {
        let name: String
        let words: String
        /// Whether it ended as asked, by itself.
        let isClean: Bool
    }

    let title: String
    let varDirectory: String
    let rows: [Row]
    let milliseconds: Int64

    var isClean: Bool { rows.allSatisfy(\.isClean) }

    var lines: [String] {
        var table = Table([.text("service"), .text("stopped")])
        for row in rows { table.add([Table.Cell(row.name), Table.Cell(row.words, row.isClean ? .plain : .bad)]) }
        let tenths = milliseconds / 100
        return ["stopping \(title)"] + table.lines().dropFirst() + [
            "stopped everything in \(tenths / 10).\(tenths % 10) s; state: \(varDirectory)"
        ]
    }

    var json: JSONObject {
        let services = rows.map { row -> JSON in
            .object(["name": .string(row.name), "result": .string(row.words), "clean": .bool(row.isClean)])
        }
        return [
            "ok": .bool(isClean), "outcome": .string("stopped"), "services": .array(services),
            "total_ms": .integer(milliseconds),
        ]
    }
}
