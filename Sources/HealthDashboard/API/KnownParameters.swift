/// Which query parameters a path takes, from the table that describes it. Anything else is refused: whoever mistypes a
/// filter would otherwise take the whole list for what he asked for.
enum KnownParameters {
    private struct Row: Sendable {
        let segments: [Substring]
        let names: [String]
    }

    /// Paths of data. Pages, probes and what scrapers ask are left alone: they may be asked with anything.
    private static let rows: [Row] = Operations.reads.filter { read in
        read.type == "application/json" && !["/livez", "/readyz"].contains(read.path)
    }.map { read in
        var names = (read.parameters + [.format]).map(\.name)
        // Which fields the items of short lists have depends on what there is: no document can name them.
        if names.contains("limit"), !names.contains("sort") { names.append("sort") }
        return Row(segments: read.path.split(separator: "/"), names: names)
    }

    /// - Parameters:
    ///   - path: as it came.
    ///   - given: names of the query's parameters.
    static func check(_ given: some Sequence<String>, path: String) throws(HTTPProblem) {
        guard let known = names(path) else { return }
        for name in given.sorted() where !known.contains(name) { throw .unknownParameter(name, known: known) }
    }

    static func names(_ path: String) -> [String]? {
        let segments = path.split(separator: "/")
        return rows.first { row in
            row.segments.count == segments.count
                && zip(row.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }?.names
    }
}
