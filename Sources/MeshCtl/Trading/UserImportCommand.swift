import ArgumentParser
import Foundation
import Redis
import ServiceKit
import Wire

extension UserCommand {
    /// Registers the users of a CSV file, all of them or none.
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register the users of a CSV file.",
            discussion: """
                The first line names the columns: user_uuid (optional: one is issued where it is empty), tier, account, \
                server, risk (percent of equity), address. Every line is checked before the first is registered; with a \
                mistake in one nothing is, unless --skip-bad-lines.
                Example:
                  tier,account,server,risk
                  SERGEANT,5012345,Broker-Live,1.5
                """)

        @Argument(help: "The file; - reads standard input.") var file: String
        @Flag(help: "Register the good lines although others are wrong.") var skipBadLines = false
        @Flag(help: "Check only.") var dryRun = false
        @OptionGroup var query: QueryOptions

        private static let maximumBytes = 64 * 1024 * 1024

        func run() throws {
            let text = try read()
            let mesh = try query.mesh()
            let known = try UserCommand.names(RedisConnection(mesh.configuration.redis), keys: ["users"])
            var list = UserImport(text, known: known) { UserNames.make() }
            // Tiers, risk and addresses by the rule of whoever keeps users, each line before the first is registered.
            list.refuse(try complaints(of: list.rows, mesh))
            for complaint in list.complaints {
                StandardError.write(line: TerminalText.sanitised("\(file):\(complaint.line): \(complaint.text)"))
            }
            guard list.complaints.isEmpty || (skipBadLines && !list.rows.isEmpty) else {
                throw ToolError(
                    ExitStatus.usage,
                    "\(list.complaints.count) lines of \(file) are wrong, \(list.rows.count) are good; nothing was registered"
                )
            }
            let results = dryRun ? list.rows.map { ($0, String?.none) } : try register(list.rows, mesh)
            show(results)
            let failed = results.filter { $0.1 != nil }
            if !failed.isEmpty || !list.complaints.isEmpty { throw ExitCode(ExitStatus.denied) }
        }

        private func read() throws -> String {
            let data: Data
            if file == "-" {
                data = FileHandle.standardInput.readDataToEndOfFile()
            } else {
                guard let content = FileManager.default.contents(atPath: file) else {
                    throw ToolError(ExitStatus.usage, "\(file) can't be read")
                }
                data = content
            }
            guard data.count <= Import.maximumBytes else { throw ToolError(ExitStatus.usage, "\(file) is too large") }
            guard let text = String(data: data, encoding: .utf8) else {
                throw ToolError(ExitStatus.usage, "\(file) is not UTF-8: save it as 'CSV UTF-8'")
            }
            return text
        }

        private func complaints(of rows: [UserImportRow], _ mesh: Mesh) throws -> [UserImport.Complaint] {
            let port = RequestPort(mesh, .orders)
            return try rows.compactMap { row in
                var request = row.request
                request.append("check", .bool(true))
                let reply = try port.ask(request)
                if reply["ok"]?.bool == true { return nil }
                return UserImport.Complaint(line: row.line, text: RequestPort.failure(reply).message)
            }
        }

        /// Each line with what the tracker had against it, if anything.
        private func register(_ rows: [UserImportRow], _ mesh: Mesh) throws -> [(UserImportRow, String?)] {
            try rows.map { row in
                let reply = try RequestPort(mesh, .orders).ask(row.request)
                guard reply["ok"]?.bool != true else { return (row, nil) }
                let complaint = RequestPort.failure(reply).message
                StandardError.write(line: "\(file):\(row.line): \(complaint)")
                return (row, complaint)
            }
        }

        private func show(_ results: [(UserImportRow, String?)]) {
            if query.json {
                let items = results.map { row, complaint -> JSON in
                    .object([
                        "line": .integer(row.line), "user_uuid": .string(row.uuid), "issued": .bool(row.isIssued),
                        "registered": .bool(complaint == nil && !dryRun), "error": .text(complaint),
                    ])
                }
                let answer: JSONObject = ["total": .integer(results.count), "items": .array(items)]
                return print(answer.compactText)
            }
            for (row, complaint) in results where complaint == nil {
                print("\(row.line)\t\(row.uuid)\(row.isIssued ? "\tissued" : "")")
            }
            let good = results.filter { $0.1 == nil }.count
            print(dryRun ? "\(good) users would be registered" : "\(good) of \(results.count) users registered")
        }
    }
}
