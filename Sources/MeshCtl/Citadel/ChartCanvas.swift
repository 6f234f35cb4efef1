/// An SVG document being written: shapes in the order they are drawn. Numbers keep one decimal, which is enough for pixels.
struct ChartCanvas {
    let width: Double
    let height: Double
    private var body = ""

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let (whole, rest) = (abs(tenths) / 10, abs(tenths) % 10)
        return (tenths < 0 ? "-" : "") + (rest == 0 ? "\(whole)" : "\(whole).\(rest)")
    }

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }

    private mutating func add(_ name: String, _ numbers: [(String, Double)], _ attributes: String) {
        body += "<\(name)"
        for (name, value) in numbers { body += " \(name)=\"\(Self.number(value))\"" }
        body += " \(attributes)/>\n"
    }

    mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ attributes: String) {
        add("rect", [("x", x), ("y", y), ("width", max(0, width)), ("height", max(0, height))], attributes)
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String) {
        add("line", [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)], attributes)
    }

    mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ attributes: String) {
        add("circle", [("cx", x), ("cy", y), ("r", radius)], attributes)
    }

    mutating func polygon(_ points: [(Double, Double)], _ attributes: String) {
        let list = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
        body += "<polygon points=\"\(list)\" \(attributes)/>\n"
    }

    /// A raw path, for the many candles: one element for all of a kind.
    mutating func path(_ commands: String, _ attributes: String) {
        body += "<path d=\"\(commands)\" \(attributes)/>\n"
    }

    /// `anchor` is start, middle or end; a halo keeps words readable over lines.
    mutating func text(
        _ x: Double, _ y: Double, _ text: String, size: Double = 11, fill: String = "#333", anchor: String = "start",
        bold: Bool = false, halo: Bool = false
    ) {
        let weight = bold ? " font-weight=\"bold\"" : ""
        let stroke = halo ? " paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\"" : ""
        body +=
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(Self.number(size))\" fill=\"\(fill)\" "
            + "text-anchor=\"\(anchor)\"\(weight)\(stroke)>\(Self.escaped(text))</text>\n"
    }

    /// Everything drawn by `draw` is cut off at the rectangle.
    mutating func clipped(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ draw: (inout ChartCanvas) -> Void
    ) {
        body += "<clipPath id=\"plot\">"
        rectangle(x, y, width, height, "")
        body += "</clipPath><g clip-path=\"url(#plot)\">\n"
        draw(&self)
        body += "</g>\n"
    }

    var document: String {
        // As wide as the page it stands on; the view box keeps the proportions.
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100%\" "
            + "viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" "
            + "font-family=\"Helvetica, Arial, sans-serif\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\(body)</svg>\n"
    }
}
