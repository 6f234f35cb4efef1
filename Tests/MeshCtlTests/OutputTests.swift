import Domain
import Testing
import Wire

@testable import MeshCtl

@Suite("What people read")
struct OutputTests {
    @Test("Columns are aligned, numbers to the right, and lines end with their text")
    func table() {
        var table = Table([.text("name"), .number("lot"), .text("why")])
        table.add(["a", "0.10", ""])
        table.add(["longer", "12.00", "because"])
        table.add(["short"])
        #expect(
            table.lines(coloured: false) == [
                "name      lot  why", "a        0.10", "longer  12.00  because", "short",
            ])
    }

    @Test("Colours don't move the columns")
    func coloured() {
        var table = Table([.text("state"), .text("x")])
        table.add([.state("live"), "1"])
        #expect(table.lines(coloured: true)[1] == "\u{1B}[32mlive\u{1B}[0m   1")
        #expect(table.lines(coloured: false)[1] == "live   1")
    }

    @Test("A terminal is never steered by what strangers sent")
    func sanitised() {
        for (text, shown) in [
            ("\u{1B}[2J", "\\x1b[2J"), ("a\nb\tc\rd", "a\\nb\\tc\\rd"), ("Brö\u{7F}ker", "Brö\\x7fker"),
            ("\u{9B}31m", "\\x9b31m"), ("EUR\u{202E}DSU", "EUR\\u202eDSU"), ("%n <b>*", "%n <b>*"), ("金", "金"),
        ] {
            #expect(TerminalText.sanitised(text) == shown)
            #expect(Table.Cell(text).text == shown)
        }
    }

    @Test("Bytes that are no UTF-8 are shown one by one")
    func sanitisedBytes() {
        #expect(TerminalText.sanitised(bytes: [0x41, 0xE9, 0x00]) == "A\\xe9\\x00")
        #expect(TerminalText.sanitised(bytes: Array("é\u{1B}".utf8)) == "é\\x1b")
    }

    @Test("NO_COLOR, dumb terminals and pipes get no colours")
    func colours() {
        #expect(Style.isWanted(environment: ["TERM": "xterm"], isTerminal: true))
        #expect(!Style.isWanted(environment: ["TERM": "xterm", "NO_COLOR": "1"], isTerminal: true))
        #expect(Style.isWanted(environment: ["NO_COLOR": ""], isTerminal: true))
        #expect(!Style.isWanted(environment: ["TERM": "dumb"], isTerminal: true))
        #expect(!Style.isWanted(environment: [:], isTerminal: false))
    }

    @Test("Fields are aligned, objects indented, what is absent left out")
    func fields() throws {
        let object = try #require(
            try JSON(#"{"ok":true,"lot":0.10,"risk":{"percent":1,"x":null},"none":null,"list":["a",1],"empty":{}}"#)
                .object)
        #expect(
            Fields.lines(object, without: ["ok"]) == [
                "lot    0.10", "risk", "  percent  1", "list   a, 1", "empty  -",
            ])
    }

    @Test("Durations are in their largest full unit")
    func durations() {
        let shown = [0, 99_999, 100_000, 5_999_000, 6_000_000, 172_799_000, 172_800_000, -5].map {
            Fields.duration(milliseconds: $0)
        }
        #expect(shown == ["0 s", "99 s", "1 min", "99 min", "1 h", "47 h", "2 d", "0 s"])
    }

    @Test("Times are shown in UTC, whether they come as text or as milliseconds")
    func times() {
        #expect(Fields.time(.string("2025-09-15T16:39:23.500Z")) == "2025-09-15 16:39:23")
        #expect(Fields.time(.number("1757954363500")) == "2025-09-15 16:39:23")
        #expect(Fields.time(nil) == "-")
        let now = Timestamp(milliseconds: 1_757_954_373_500)
        #expect(Fields.age(.string("2025-09-15T16:39:23.500Z"), now: now) == "10 s")
        #expect(Fields.age(.null, now: now) == "-")
    }

    @Test("Exactly the lines in state LISTEN are listeners")
    func listeners() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:5BA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0
               1: 0100007F:5BA1 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0
               2: 00000000000000000000000001000000:5BA2 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 4713 1
               3: garbage
            """
        let found = Processes.listeners(text: text)
        #expect(found.map(\.port) == [0x5BA0, 0x5BA2])
        #expect(found.map(\.inode) == [4711, 4713])
    }

    @Test("A followed message is JSON with its topic, whatever it is")
    func tail() {
        let now = Timestamp(milliseconds: 1_757_954_363_500)
        func line(_ text: String) -> String {
            String(TailCommand.json([Array(text.utf8)], now: now).dropFirst(42))
        }
        #expect(line(#"{"type":"TICK","bid":1.10}"#) == #""message":{"type":"TICK","bid":1.10}}"#)
        #expect(line(#"TRADE_EVENT {"seq":1}"#) == #""topic":"TRADE_EVENT","message":{"seq":1}}"#)
        #expect(line("no JSON") == #""text":"no JSON"}"#)
        #expect(line("") == #""text":""}"#)
        #expect(TailCommand.json([], now: now) == #"{"received_at":"2025-09-15T16:39:23.500Z","text":""}"#)
    }
}
