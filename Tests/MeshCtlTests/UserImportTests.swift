import Testing
import Wire

@testable import MeshCtl

@Suite("Users out of a CSV file") struct UserImportTests {
    private func read(_ text: String, known: Set<String> = []) -> UserImport {
        var number = 0
        return UserImport(text, known: known) {
            number += 1
            return "issued_uuid_\(number)_0"
        }
    }

    @Test("lines become users; a UUID is issued where none is given")
    func good() {
        let list = read(
            """
            user_uuid,tier,account,server,risk
            COMMANDER_DEV_001,COMMANDER,843859,"Broker, Live",2
            ,SERGEANT,5012345,Demo,1.5
            # a remark

            ,,,,
            """)
        #expect(list.complaints.isEmpty)
        #expect(list.rows.map(\.uuid) == ["COMMANDER_DEV_001", "issued_uuid_1_0", "issued_uuid_2_0"])
        #expect(list.rows[0].fields["server"] == "Broker, Live" && !list.rows[0].isIssued && list.rows[1].isIssued)
        #expect(list.rows[1].request["risk_pct"]?.text == "1.5")
    }

    @Test("every mistake is named with its line, and the other lines are read")
    func mistakes() {
        let list = read(
            """
            user_uuid,tier,account,server,risk
            short,RECRUIT,1,Demo,1
            a_good_user_0,RECRUIT,1,Demo,1
            a_good_user_0,RECRUIT,1,Demo,1
            a_good_user_5,RECRUIT,1,Demo,1
            another_user_0,RECRUIT,1
            third_user_0,RECRUIT,abc,Demo,1
            fourth_user_0,RECRUIT,1,Demo,-3
            fifth_user_0,RECRUIT,,Demo,1
            registered_9,RECRUIT,1,Demo,1
            """, known: ["registered_0"])
        #expect(list.rows.map(\.line) == [3])
        #expect(list.complaints.map(\.line) == [2, 4, 5, 6, 7, 8, 9, 10])
        let words = [
            "10 characters", "line 3", "last character", "3 values", "login", "risk", "server", "last character",
        ]
        for (complaint, word) in zip(list.complaints, words) {
            #expect(complaint.text.contains(word), "\(complaint)")
        }
    }

    @Test("a head that can't be read is one complaint", arguments: ["", "user_uuid,colour\nx,y", "tier,tier\na,b"])
    func head(text: String) {
        let list = read(text)
        #expect(list.rows.isEmpty && list.complaints.count == 1)
    }

    @Test("10,000 issued UUIDs: the last character says nothing, what stands before it is unique")
    func issued() {
        var names: Set<String> = []
        for _ in 0..<10_000 {
            let uuid = UserNames.make()
            #expect(UserNames.complaint(about: uuid) == nil && uuid.last == UserNames.last)
            names.insert(UserNames.routed(uuid))
        }
        #expect(names.count == 10_000)
    }
}
