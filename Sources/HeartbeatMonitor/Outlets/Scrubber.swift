import Foundation

/// Takes secrets out of texts that people or other programs get to see: errors, answers of the other side, logs.
///
/// A URL is a secret in all its parts that can stand alone, since an error may name only the path, or only a piece of it;
/// percent-encoded or not. Short pieces (`v1`, `hooks`) are words, not secrets.
struct Scrubber: Sendable {
    static let dots = "••••"
    private static let shortest = 8
    private let secrets: [String]

    /// - Parameters:
    ///   - secrets: texts that must not show up in any form.
    ///   - urls: URLs whose host may be shown, and nothing else.
    init(secrets given: [String], urls: [String] = []) {
        var found = Set(given.filter { !$0.isEmpty })
        for text in urls {
            found.insert(text)
            guard let url = URLComponents(string: text) else { continue }
            for part in [url.user, url.password, url.fragment].compactMap({ $0 }) where !part.isEmpty {
                found.insert(part)
            }
            let items = url.queryItems?.compactMap(\.value) ?? []
            let pieces = url.path.split(separator: "/").map(String.init) + items
            found.formUnion(pieces.filter { $0.utf8.count >= Scrubber.shortest })
            for whole in [url.path, url.query ?? ""] where whole.utf8.count >= Scrubber.shortest { found.insert(whole) }
        }
        for secret in found {
            if let encoded = secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) {
                found.insert(encoded)
            }
            if let decoded = secret.removingPercentEncoding, !decoded.isEmpty { found.insert(decoded) }
        }
        // The longest first, or a piece of it would spoil the whole.
        self.secrets = found.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// The text without secrets, in one line, and then shortened: what is cut first is not recognised any more.
    func scrub(_ text: String, longest: Int = 160) -> String {
        let clean = secrets.reduce(text) { $0.replacing($1, with: Scrubber.dots) }
        return String(clean.map { $0.isNewline ? " " : $0 }.prefix(longest))
    }

    /// Where a redirect leads: scheme, host and path, since the other side may have put a secret of its own into the rest.
    func place(_ location: String, longest: Int) -> String {
        guard var url = URLComponents(string: location) else { return scrub(location, longest: longest) }
        url.user = nil
        url.password = nil
        url.query = nil
        url.fragment = nil
        return scrub(url.string ?? "", longest: longest)
    }
}
