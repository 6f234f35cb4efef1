import ArgumentParser
import Domain
import Testing
import Wire

@testable import MeshCtl

@Suite("The ledger, its stories and its questions, for people and scripts")
struct LedgerTests {
    private func object(_ text: String) throws -> JSONObject { try #require(try JSON(text).object) }

    private func parsed<Command: ParsableCommand>(_ type: Command.Type, _ words: [String]) throws -> Command {
        try #require(try type.parseAsRoot(words) as? Command)
    }

    @Test(
        "The ledger's exit code",
        arguments: [
            (#"{"unaccounted":0,"overdue":0,"questions":0}"#, Verdict.good),
            (#"{"unaccounted":2,"overdue":0,"questions":0}"#, .warning),
            (#"{"unaccounted":0,"overdue":0,"questions":1}"#, .warning),
            (#"{"unaccounted":2,"overdue":1,"questions":0}"#, .critical),
            (#"{"unaccounted":2,"overdue":1,"questions":null}"#, .critical),
            (#"{"unaccounted":0,"overdue":0,"questions":null}"#, .unknown),
            (#"{"unaccounted":0}"#, .unknown), ("{}", .unknown),
            (#"{"unaccounted":0,"overdue":0,"questions":0,"contradicted":1,"contradictions":[]}"#, .good),
            (#"{"unaccounted":0,"overdue":0,"questions":0,"contradictions":[{"fire_id":"f"}]}"#, .critical),
            (#"{"unaccounted":0,"overdue":0,"questions":null,"contradictions":[{"fire_id":"f"}]}"#, .critical),
            (#"{"unaccounted":0,"overdue":0,"questions":0,"redis":true}"#, .good),
            (#"{"unaccounted":0,"overdue":0,"questions":0,"redis":false}"#, .unknown),
            (#"{"sent":null,"unaccounted":1,"overdue":1,"questions":0,"redis":false}"#, .critical),
        ])
    func verdict(reply: String, expected: Verdict) throws {
        #expect(LedgerCommand.verdict(try object(reply)) == expected)
    }

    @Test("What is unaccounted is named with its age and its money")
    func ledger() throws {
        let reply = try object(
            #"""
            {"sent":10,"accounted":8,"unaccounted":2,"overdue":1,"filled":7,"rejected":1,"never_executed":0,"denied":3,
            "expired":0,"oldest_age_s":95,"money_at_risk":{"EUR":3.00,"USD":41.20},"questions":1,"fires":[
            {"fire_id":"a","state":"unknown","age_s":95,"overdue":true,"risk":{"amount":41.20,"currency":"USD"},
            "symbol":"EURUSD","lot":0.10,"user_uuid":"u"},
            {"fire_id":"b","state":"sent","age_s":2,"overdue":false,"symbol":"XAUUSD","lot":0.01,"user_uuid":"v"}]}
            """#)
        #expect(
            LedgerText.lines(reply, coloured: false) == [
                "1 past the deadline without a known outcome", "sent 10 = accounted 8 + unaccounted 2",
                "accounted: filled 7, rejected 1, never executed 0", "never left: denied 3, expired 0",
                "the oldest unaccounted: 95 s", "at risk: 3.00 EUR, 41.20 USD", "questions: 1 open: meshctl questions",
                "", "fire  state     age  deadline  at risk       symbol   lot  user",
                "a     unknown  95 s  passed      41.20  USD  EURUSD  0.10  u",
                "b     sent      2 s  in time         -  -    XAUUSD  0.01  v",
            ])
    }

    @Test(
        "What was settled and traded after all is in the headline, beside what is overdue; without Redis, what is known"
    )
    func contradicted() throws {
        let fire = #"{"fire_id":"f","state":"never_executed","ticket":77,"user_uuid":"u"}"#
        func head(_ fields: String) throws -> [String] {
            let reply = try object("{\"questions\":0,\"unaccounted\":0,\(fields)}")
            return Array(LedgerText.lines(reply, coloured: false).prefix(1))
        }
        #expect(
            try head(#""overdue":0,"contradictions":[\#(fire)]"#)
                == ["1 fire is settled and its position is open: the books say it did not trade"])
        #expect(
            try head(#""overdue":2,"contradictions":[\#(fire),\#(fire)]"#)
                == [
                    "2 past the deadline without a known outcome; 2 fires are settled and their positions are open: "
                        + "the books say they did not trade"
                ])
        #expect(
            try head(#""overdue":1,"redis":false"#)
                == ["1 past the deadline without a known outcome, as far as is known without Redis"])
        #expect(
            try head(#""overdue":0,"redis":false"#)
                == ["not known: Redis is away, so nothing can be said of what was answered"])
        let lines = LedgerText.lines(
            try object(#"{"questions":0,"unaccounted":0,"overdue":0,"contradictions":[\#(fire)]}"#), coloured: false)
        #expect(lines.contains("f was settled as never_executed and traded after all: ticket 77 of u is open"))
    }

    @Test("A story says what is known, and why the rest is not; its arithmetic can be checked by hand")
    func story() throws {
        let story = try object(
            #"""
            {"fire_id":"f","state":"unknown","late":false,"overdue":true,"summary":"nobody knows",
            "request":{"symbol":"EURUSD","tp":null,"not_known":{"tp":"no target was given"}},
            "score":{"protection_score":7.5,"factors":{"liquidity":{"score":8,"weight":0.5,"contribution":4}}},
            "risk":{"lot":0.10,"steps":[{"step":"at risk","formula":"0.10 x 500.00","result":50.00,"unit":"USD"}]},
            "answer":{"result":null,"ticket":null,"not_known":{"result":"no answer yet","ticket":"no answer yet"}},
            "questions":[{"text":"Did it trade?"}],"timeline":[
            {"state":"slot","at":"2025-06-15T15:06:40.000Z","by":"slot script"},
            {"state":"sent","at":"2025-06-15T15:06:40.250Z","by":"libzmq"}]}
            """#)
        #expect(
            StoryText.lines(story, coloured: false) == [
                "f: unknown, past its deadline", "  nobody knows", "  asked: Did it trade?", "", "asked for",
                "  symbol  EURUSD", "  no tp: no target was given", "", "score", "  protection_score  7.5",
                "    factor     score  weight  contribution", "    liquidity      8     0.5             4", "", "lot",
                "  lot  0.10", "    step     result       from", "    at risk   50.00  USD  0.10 x 500.00", "",
                "answer", "  nothing: no answer yet", "", "timeline", "  time                      after ms  step  by",
                "  2025-06-15T15:06:40.000Z         -  slot  slot script",
                "  2025-06-15T15:06:40.250Z       250  sent  libzmq",
            ])
    }

    @Test("Without the dashboard the ledger's row tells what it can")
    func row() throws {
        let row = try object(
            #"{"ok":true,"fire_id":"f","state":"filled","lot":0.1,"timeline":[{"state":"sent","at":1750000000250,"by":"x"}]}"#
        )
        #expect(
            StoryText.row(row, coloured: false) == [
                "f: filled", "  lot  0.1", "", "  time                      after ms  step  by",
                "  2025-06-15T15:06:40.250Z         -  sent  x",
            ])
    }

    @Test("What strangers wrote into a story moves no cursor")
    func hostile() throws {
        let evil = "\u{1B}[2J"
        let section: JSONObject = [evil: .string(evil), "not_known": .object([:])]
        let story: JSONObject = [
            "fire_id": .string(evil), "state": .string(evil), "summary": .string(evil), "route": .object(section),
        ]
        for line in StoryText.lines(story, coloured: false) { #expect(!line.contains("\u{1B}"), "\(line)") }
    }

    @Test("Settling, withdrawing and answering are requests with their reasons, decimals digit for digit")
    func requests() throws {
        let settle = try parsed(SettleCommand.self, ["f", "never_executed", "--reason", "looked"]).request
        #expect(
            settle.compactText == #"{"type":"settle","fire_id":"f","outcome":"never_executed","reason":"looked"}"#)
        #expect(
            try parsed(WithdrawCommand.self, ["f"]).request.compactText == #"{"type":"withdraw","fire_id":"f"}"#)
        #expect(
            try parsed(WithdrawCommand.self, ["--user", "u", "--reason", "r"]).request.compactText
                == #"{"type":"withdraw","user_uuid":"u","reason":"r"}"#)
        let answer = try parsed(
            AnswerCommand.self,
            ["silent_close|s|1|7", "closed", "--profit", "-12.40", "--close-price", "1.0800", "--reason", "history"])
        #expect(
            answer.request.compactText
                == #"{"type":"answer","question_id":"silent_close|s|1|7","answer":"closed","profit":-12.40,"close_price":1.0800,"reason":"history"}"#
        )
        let filled = try parsed(
            AnswerCommand.self, ["q", "filled", "--ticket", "7", "--open-price", "1.0850", "--reason", "open"]
        ).request
        #expect(
            filled.compactText
                == #"{"type":"answer","question_id":"q","answer":"filled","open_price":1.0850,"ticket":7,"reason":"open"}"#
        )
    }

    @Test("Filters of fires are those of the interface, and only what was said")
    func filters() throws {
        let command = try parsed(FiresCommand.self, ["--overdue", "--user", "u", "--state", "sent"])
        let given = command.filters.filter { $0.1 != nil }.map { "\($0.0)=\($0.1 ?? "")" }
        #expect(given == ["user=u", "state=sent", "overdue=1"])
    }

    @Test("Caps of a user are percentages, or the usual ones again")
    func caps() throws {
        let command = try parsed(
            UserCommand.Set.self, ["u", "--daily-loss-pct", "2.50", "--open-risk-pct", "default"])
        #expect(
            command.settings.fields.compactText == #"{"daily_loss_pct":2.50,"open_risk_pct":"default"}"#)
    }

    @Test("An account is shown with its three lists, its unexplained steps and its questions")
    func reconciliation() throws {
        let account = try object(
            #"""
            {"account":"843859","server":"IC","user_uuid":"u","witness":"positions","age_s":3,"balance":1000.00,
            "currency":"USD","only_ours":[{"kind":"ghost","ticket":7,"symbol":"EURUSD","direction":"BUY","lot":0.10,
            "open_price":1.08,"age_s":60,"money":-4.20,"fire_id":"f"}],"only_theirs":[],"matched":[],
            "unexplained":[{"amount":-5.00,"from":1005.00,"to":1000.00,"at":"2025-06-15T15:06:40.000Z"}],
            "questions":[{"text":"Closed?","question_id":"q"}]}
            """#)
        #expect(
            ReconciliationCommand.lines([account], coloured: false) == [
                "843859 at IC, u: witness positions, 3 s ago, balance 1000.00 USD",
                "  list       kind   ticket  symbol  side   lot  opened at   age  money  fire",
                "  only ours  ghost       7  EURUSD  BUY   0.10       1.08  60 s  -4.20  f",
                "  unexplained: balance 1005.00 to 1000.00, -5.00, at 2025-06-15 15:06:40", "  asked: Closed? (q)",
            ])
    }

    @Test("A question is shown with what may be answered; one that is over with what was")
    func questions() throws {
        let open = try object(
            #"{"question_id":"q","kind":"silent_close","state":"open","text":"Closed?","age_s":60,"money":-4.20,"currency":"USD","user_uuid":"u"}"#
        )
        let over = try object(
            #"{"question_id":"p","kind":"ghost","state":"answered","text":"There?","age_s":60,"money":null,"user_uuid":"u","answer":"closed","reason":"seen","answered_at":"2025-06-15T15:06:40.000Z"}"#
        )
        #expect(
            QuestionsCommand.lines([open, over], coloured: false) == [
                "q", "  Closed?", "  silent_close, asked 60 s ago, -4.20 USD, u",
                "  answers: closed [--profit AMOUNT] [--close-price PRICE] | open", "", "p", "  There?",
                "  ghost, asked 60 s ago, u", "  answered: closed at 2025-06-15 15:06:40: seen",
            ])
    }
}
