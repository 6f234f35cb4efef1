/// Aligned columns of text; numbers to the right. What is shown is sanitised here, so that nobody else need think of it.
struct Table {
    struct Column {
        let title: String
        var isNumber = false
        /// How much it is missed where lines would be too long: columns go from 0 upwards, those of 9 stay.
        var rank = 9

        static func text(_ title: String, rank: Int = 9) -> Column { Column(title: title, rank: rank) }
        static func number(_ title: String, rank: Int = 9) -> Column {
            Column(title: title, isNumber: true, rank: rank)
        }
    }

    struct Cell: ExpressibleByStringInterpolation {
        let text: String
        var style = Style.plain

        init(_ text: some StringProtocol, _ style: Style = .plain) {
            self.text = TerminalText.sanitised(text)
            self.style = style
        }

        init(stringLiteral value: String) { self.init(value) }

        /// A word for a state in its colour.
        static func state(_ word: String) -> Cell { Cell(word, Style.of(state: word)) }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []
    private static let gap = 2
    /// Texts are not cut shorter than this.
    private static let least = 12

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// - Parameter width: the longest a line may be; columns are left out and texts cut until it is kept. Nil: no limit.
    func lines(coloured: Bool = Style.isWanted, width: Int? = nil) -> [String] {
        let header = columns.map { Cell($0.title, .bold) }
        let all = [header] + rows
        let natural = columns.indices.map { column in
            all.map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        let kept = Table.kept(columns, natural, width)
        let widths = Table.narrowed(columns, natural, kept, width)
        return all.map { row in line(row, kept, widths, coloured) }
    }

    /// Titles of the columns that a width has no room for.
    func leftOut(width: Int?) -> [String] {
        let natural = columns.indices.map { column in
            ([columns[column].title.count] + rows.map { column < $0.count ? $0[column].text.count : 0 }).max() ?? 0
        }
        let kept = Table.kept(columns, natural, width)
        return columns.indices.filter { !kept.contains($0) }.map { columns[$0].title }
    }

    private func line(_ row: [Cell], _ kept: [Int], _ widths: [Int], _ coloured: Bool) -> String {
        var line = ""
        let shown = kept.filter { $0 < row.count }
        for column in shown {
            let text = Table.cut(row[column].text, widths[column])
            let padding = String(repeating: " ", count: max(0, widths[column] - text.count))
            let styled = row[column].style.applied(to: text, coloured: coloured)
            let isLast = column == shown.last
            line += columns[column].isNumber ? padding + styled : styled + (isLast ? "" : padding)
            if !isLast { line += String(repeating: " ", count: Table.gap) }
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    private static func cut(_ text: String, _ width: Int) -> String {
        text.count > width ? text.prefix(max(1, width - 1)) + "…" : text
    }

    /// What stays of the columns; the last of equal rank goes first.
    private static func kept(_ columns: [Column], _ natural: [Int], _ width: Int?) -> [Int] {
        var kept = Array(columns.indices)
        guard let width else { return kept }
        func length() -> Int { kept.reduce(0) { $0 + natural[$1] } + gap * max(0, kept.count - 1) }
        while length() > width {
            let candidates = kept.filter { columns[$0].rank < 9 }
            guard let lowest = candidates.map({ columns[$0].rank }).min(),
                let column = candidates.last(where: { columns[$0].rank == lowest })
            else { break }
            kept.removeAll { $0 == column }
        }
        return kept
    }

    /// Where even the columns that stay are too wide, the widest texts are cut.
    private static func narrowed(_ columns: [Column], _ natural: [Int], _ kept: [Int], _ width: Int?) -> [Int] {
        var widths = natural
        guard let width else { return widths }
        func length() -> Int { kept.reduce(0) { $0 + widths[$1] } + gap * max(0, kept.count - 1) }
        while length() > width {
            let candidates = kept.filter { !columns[$0].isNumber && widths[$0] > least }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
        }
        return widths
    }

    /// Prints it as wide as the screen is.
    /// - Parameter isWide: every column, however long the lines become.
    func show(isWide: Bool = false) {
        let width = isWide ? nil : Screen.width
        for line in lines(width: width) { print(line) }
        let missing = leftOut(width: width).filter { !$0.isEmpty }
        guard !missing.isEmpty else { return }
        let words = Screen.wrapped("not shown: \(missing.joined(separator: ", ")) (--wide)", width: Screen.width)
        for line in words { print(Style.dim.applied(to: line)) }
    }
}
