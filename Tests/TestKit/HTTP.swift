public import Wire

/// Gets pages of the dashboard with curl, which shares no code with it.
public struct HTTP {
    public struct Answer {
        /// 0 when nobody answered.
        public let status: Int
        public let body: String
        public var object: JSONObject? { (try? JSON(body))?.object }
        public var items: [JSONObject] { object?["items"]?.array?.compactMap(\.object) ?? [] }
    }

    private let base: String
    private let directory: TemporaryDirectory

    public init(port: Int) throws {
        base = "http://127.0.0.1:\(port)"
        directory = try TemporaryDirectory("http")
    }

    /// - Parameter path: with its query, for example `/nodes?status=active`.
    public func get(_ path: String, _ more: [String] = []) throws -> Answer {
        let log = directory.path + "/curl"
        let curl = try ChildProcess(
            "/usr/bin/curl", ["-s", "-m", "5", "-w", "\n%{http_code}", base + path] + more,
            environment: Project.cleanEnvironment, log: log)
        try curl.wait(within: 10)
        let text = curl.output
        curl.forgetOutput()
        guard let end = text.lastIndex(of: "\n") else { return Answer(status: 0, body: "") }
        let status = Int(text[text.index(after: end)...].filter(\.isNumber)) ?? 0
        return Answer(status: status, body: String(text[..<end]))
    }
}
