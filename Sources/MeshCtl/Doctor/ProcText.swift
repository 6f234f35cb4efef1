/// Files of /proc whose lines are `Name: number unit`. Source: proc(5).
enum ProcText {
    static func numbers(_ text: String) -> [String: Int] {
        var result: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let number = parts[1].split(separator: " ").first.flatMap({ Int($0) }) else {
                continue
            }
            result[String(parts[0])] = number
        }
        return result
    }
}
