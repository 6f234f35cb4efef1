/// Where a Redis is and how to log in: `redis://[user[:password]@]host[:port][/database]`.
public struct RedisAddress: Sendable, Equatable, CustomStringConvertible {
    public var host: String
    public var port: Int
    public var user: String?
    public var password: String?
    public var database: Int

    public init(host: String, port: Int, user: String? = nil, password: String? = nil, database: Int = 0) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    public struct InvalidAddress: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// - Throws: ``InvalidAddress`` with what is wrong and an example of what is right.
    public init(url: String) throws(InvalidAddress) {
        func invalid(_ why: String) -> InvalidAddress {
            InvalidAddress(description: "Redis address: \(why); write redis://[user:password@]host:port[/database]")
        }
        guard let schemeEnd = url.range(of: "://") else { throw invalid("'\(url)' has no scheme") }
        let scheme = url[..<schemeEnd.lowerBound]
        if scheme == "rediss" { throw invalid("TLS (rediss://) is not supported by Debian's hiredis 0.14") }
        guard scheme == "redis" else { throw invalid("unknown scheme '\(scheme)'") }
        var rest = url[schemeEnd.upperBound...]
        var credentials: Substring?
        if let at = rest.lastIndex(of: "@") {
            credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        var databaseNumber = 0
        if let slash = rest.firstIndex(of: "/") {
            let text = rest[rest.index(after: slash)...]
            guard text.isEmpty || Int(text) != nil else { throw invalid("'\(text)' is not a database number") }
            databaseNumber = Int(text) ?? 0
            rest = rest[..<slash]
        }
        var portNumber = 6379
        if let colon = rest.lastIndex(of: ":") {
            let text = rest[rest.index(after: colon)...]
            guard let number = Int(text), (1...65535).contains(number) else { throw invalid("'\(text)' is no port") }
            portNumber = number
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { throw invalid("no host") }
        let login = credentials?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = login?.first.map(String.init) ?? ""
        self.init(
            host: String(rest), port: portNumber, user: name.isEmpty ? nil : name,
            password: login.flatMap { $0.count > 1 ? String($0[1]) : nil }, database: databaseNumber)
    }

    /// Without the password: this is what logs and pages show.
    public var description: String { "redis://\(host):\(port)" + (database == 0 ? "" : "/\(database)") }
}

extension String {
    fileprivate func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
