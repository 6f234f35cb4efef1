import ArgumentParser

/// How many terminals of which version: `2.05:10,2.02:5`.
struct FleetMix: Sendable, Equatable, ExpressibleByArgument {
    /// One for each terminal, in order; empty where nothing was asked for.
    var versions: [EAVersion] = []

    init() {}

    init?(argument: String) {
        for part in argument.split(separator: ",") {
            let words = part.split(separator: ":")
            guard words.count == 2, let version = EAVersion(argument: String(words[0])), let count = Int(words[1]),
                (1...FleetOptions.mostTerminals).contains(count)
            else { return nil }
            versions += Array(repeating: version, count: count)
        }
        if versions.isEmpty { return nil }
    }
}
