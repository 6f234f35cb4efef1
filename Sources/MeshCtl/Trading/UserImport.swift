import Domain
import Wire

/// One line of `users.csv` that can be registered.
struct UserImportRow: Equatable {
    let line: Int
    var uuid: String
    /// Whether the UUID was made here.
    var isIssued: Bool
    var fields: [String: String]

    var request: JSONObject {
        var request: JSONObject = ["type": .string("set_user"), "user_uuid": .string(uuid)]
        for name in UserImport.settings { if let value = fields[name] { request.append(name, .string(value)) } }
        return request
    }
}

/// Reads users from CSV: a head line with column names, then one user a line.
///
/// Columns: `user_uuid` (optional, one is issued where it is empty), `tier`, `account`, `server`, `risk` (percent of equity),
/// `address`. Values may stand in double quotes, doubled inside. Source: RFC 4180.
struct UserImport {
    struct Complaint: Equatable {
        let line: Int
        let text: String
    }

    static let settings = ["tier", "risk_pct", "account", "server", "addresses"]
    /// Names a column may have, and what it sets.
    private static let columns = [
        "user_uuid": "user_uuid", "uuid": "user_uuid", "user": "user_uuid", "tier": "tier", "account": "account",
        "login": "account", "server": "server", "risk": "risk_pct", "risk_pct": "risk_pct", "address": "addresses",
        "addresses": "addresses",
    ]
    static let maximumLines = 100_000

    private(set) var rows: [UserImportRow] = []
    private(set) var complaints: [Complaint] = []

    /// Takes lines out that somebody else has something against.
    mutating func refuse(_ refused: [Complaint]) {
        let lines = Set(refused.map(\.line))
        rows.removeAll { lines.contains($0.line) }
        complaints = (complaints + refused).sorted { $0.line < $1.line }
    }

    /// - Parameters:
    ///   - known: UUIDs that are registered.
    ///   - issue: makes a UUID.
    init(_ text: String, known: Set<String>, issue: () -> String) {
        let lines = UserImport.lines(text)
        guard let head = lines.first else {
            complaints = [Complaint(line: 1, text: "the file is empty; its first line names the columns")]
            return
        }
        guard let columns = columns(head) else { return }
        var taken: [String: String] = [:]
        for uuid in known { taken[UserNames.routed(uuid)] = uuid }
        var lineOf: [String: Int] = [:]
        for (number, cells) in lines.dropFirst() where !(cells.count == 1 && cells[0].isEmpty) {
            guard rows.count < UserImport.maximumLines else {
                complain(number, "more than \(UserImport.maximumLines) users; split the file")
                return
            }
            guard var row = row(number, cells, columns) else { continue }
            if row.uuid.isEmpty {
                repeat { row.uuid = issue() } while taken[UserNames.routed(row.uuid)] != nil
                row.isIssued = true
            }
            if let before = lineOf[row.uuid] {
                complain(number, "'\(row.uuid)' stands in line \(before) already")
                continue
            }
            if let other = taken[UserNames.routed(row.uuid)], other != row.uuid {
                complain(
                    number,
                    "'\(row.uuid)' and '\(other)' differ in the last character only: EA 2.05 would speak for both as one"
                )
                continue
            }
            taken[UserNames.routed(row.uuid)] = row.uuid
            lineOf[row.uuid] = number
            rows.append(row)
        }
    }

    private mutating func complain(_ line: Int, _ text: String) { complaints.append(Complaint(line: line, text: text)) }

    private mutating func columns(_ head: (number: Int, cells: [String])) -> [String]? {
        var names: [String] = []
        for cell in head.cells {
            let name = cell.lowercased()
            guard let field = UserImport.columns[name] else {
                complain(
                    head.number,
                    "the column '\(cell)' is none of user_uuid, tier, account, server, risk, address")
                return nil
            }
            guard !names.contains(field) else {
                complain(head.number, "the column '\(cell)' stands there twice")
                return nil
            }
            names.append(field)
        }
        return names
    }

    private mutating func row(_ number: Int, _ cells: [String], _ columns: [String]) -> UserImportRow? {
        guard cells.count == columns.count else {
            complain(number, "it has \(cells.count) values, the head has \(columns.count)")
            return nil
        }
        var fields: [String: String] = [:]
        for (name, cell) in zip(columns, cells) where !cell.isEmpty { fields[name] = cell }
        let uuid = fields.removeValue(forKey: "user_uuid") ?? ""
        var wrong: [String] = []
        if !uuid.isEmpty, let complaint = UserNames.complaint(about: uuid) { wrong.append("user_uuid \(complaint)") }
        if let risk = fields["risk_pct"] {
            let percent = Amount(risk)
            if percent == nil || percent?.isPositive != true || percent.map({ $0 > Amount(100) }) == true {
                wrong.append("risk '\(risk)' is no percentage above 0")
            }
        }
        if let account = fields["account"], !account.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            wrong.append("account '\(account)' is no login number")
        }
        if fields["server"] != nil, fields["account"] == nil { wrong.append("server without account") }
        guard wrong.isEmpty else {
            complain(number, wrong.joined(separator: "; "))
            return nil
        }
        return UserImportRow(line: number, uuid: uuid, isIssued: false, fields: fields)
    }

    /// Lines with their numbers, split into values. A quoted value may hold commas, not line ends.
    static func lines(_ text: String) -> [(number: Int, cells: [String])] {
        var result: [(number: Int, cells: [String])] = []
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: { $0.isNewline }) {
            number += 1
            var line = line
            if number == 1, line.unicodeScalars.first == "\u{FEFF}" { line = line.dropFirst() }
            let isBlank = line.allSatisfy { $0 == " " || $0 == "\t" }
            if isBlank || line.hasPrefix("#") { continue }
            result.append((number, cells(line)))
        }
        return result
    }

    private static func cells(_ line: Substring) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isQuoted = false
        var rest = line[...]
        while let character = rest.popFirst() {
            switch character {
            case "\"" where isQuoted && rest.first == "\"":
                cell.append("\"")
                rest.removeFirst()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted, ";" where !isQuoted:
                cells.append(trimmed(cell))
                cell = ""
            default: cell.append(character)
            }
        }
        cells.append(trimmed(cell))
        return cells
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
