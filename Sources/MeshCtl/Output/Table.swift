/// Aligned columns of text; numbers to the right. What is shown is sanitised here, so that nobody else need think of it.
struct Table {
    struct Column {
        let title: String
        var isNumber = false

        static func text(_ title: String) -> Column { Column(title: title) }
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
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

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    func lines(coloured: Bool = Style.isWanted) -> [String] {
        let header = columns.map { Cell($0.title, .bold) }
        let widths = columns.indices.map { column in
            ([header] + rows).map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        return ([header] + rows).map { row in
            var line = ""
            for (index, cell) in row.prefix(columns.count).enumerated() {
                let padding = String(repeating: " ", count: max(0, widths[index] - cell.text.count))
                let text = cell.style.applied(to: cell.text, coloured: coloured)
                let isLast = index == min(row.count, columns.count) - 1
                line += columns[index].isNumber ? padding + text : text + (isLast ? "" : padding)
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    func show() { for line in lines() { print(line) } }
}
