import Domain
import Testing

@Suite("From where a terminal is believed")
struct TerminalAddressBookTests {
    private func book(_ addresses: [String: String]) -> TerminalAddressBook {
        var book = TerminalAddressBook()
        book.replace(with: addresses)
        return book
    }

    @Test("another address is objected to, in words that name both")
    func foreign() {
        let words = book(["anna": "10.1.2.3"]).objection(to: "anna", from: "10.9.9.9")
        #expect(words == "'anna' is told about from 10.9.9.9, his terminal speaks from 10.1.2.3")
    }

    @Test(
        "nothing is held against whom there is nothing to compare with",
        arguments: [("bert", "10.9.9.9"), ("anna", "10.1.2.3"), ("anna", "127.0.0.1"), ("anna", "::1")])
    func noObjection(_ user: String, _ address: String) {
        #expect(book(["anna": "10.1.2.3"]).objection(to: user, from: address) == nil)
    }

    @Test("an IPv4 address in IPv6's form is that address, also this machine's")
    func mapped() {
        #expect(NetworkAddress.isOwnMachine("::ffff:127.0.0.1") && !NetworkAddress.isOwnMachine("::ffff:127.0.0.9"))
        #expect(book(["anna": "10.1.2.3"]).objection(to: "anna", from: "::ffff:10.1.2.3") == nil)
        #expect(book(["anna": "::ffff:10.1.2.3"]).objection(to: "anna", from: "::ffff:10.1.2.4") != nil)
    }

    @Test("nor where user or address are not known")
    func unknown() {
        #expect(book(["anna": "10.1.2.3"]).objection(to: nil, from: "10.9.9.9") == nil)
        #expect(book(["anna": "10.1.2.3"]).objection(to: "anna", from: nil) == nil)
    }

    @Test(
        "an IPv6 host is its network",
        arguments: [
            ("2001:db8:1:2::5", "2001:db8:1:2:aaaa:bbbb:cccc:dddd", true),
            ("2001:0db8:1:2::5", "2001:DB8:1:2:0:0:0:6", true),
            ("2001:db8:1:2::5", "2001:db8:1:3::5", false),
            ("2001:db8::5", "2001:db8:0:0:9::", true),
            ("fe80::1%eth0", "fe80::2", true),
            ("::1", "10.0.0.1", false),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
            ("::FFFF:10.1.2.3", "::ffff:0a01:203", true),
            ("::ffff:10.1.2.3", "::ffff:10.9.9.9", false),
            ("::ffff:10.1.2.3", "::1", false),
        ])
    func networks(_ one: String, _ other: String, _ isSame: Bool) {
        #expect(NetworkAddress.isSameHost(one, other) == isSame)
        #expect(NetworkAddress.isSameHost(other, one) == isSame)
    }

    @Test("who moved is believed from where he is now, who was taken out from anywhere")
    func moved() {
        var book = book(["anna": "10.0.0.1", "bert": "10.0.0.2"])
        book.replace(with: ["anna": "10.0.0.9"])
        #expect(book.objection(to: "anna", from: "10.0.0.9") == nil)
        #expect(book.objection(to: "anna", from: "10.0.0.1") != nil)
        #expect(book.objection(to: "bert", from: "10.7.7.7") == nil)
        book.replace(with: [TerminalAddressBook.marker: ""])
        #expect(book.objection(to: "anna", from: "10.0.0.1") == nil)
    }

    @Test("each of several addresses he is bound to is his")
    func several() {
        let book = book(["anna": "10.0.0.1,10.0.0.2,2001:db8:1:2::5"])
        for address in ["10.0.0.1", "10.0.0.2", "2001:db8:1:2::9"] {
            #expect(book.objection(to: "anna", from: address) == nil)
        }
        let words = book.objection(to: "anna", from: "10.0.0.12")
        #expect(words?.contains("10.0.0.1, 10.0.0.2") == true)
    }

    @Test("where nobody speaks for a terminal this machine is an address like any other")
    func ownMachine() {
        let book = book(["anna": "10.0.0.1"])
        #expect(book.objection(to: "anna", from: "127.0.0.1") == nil)
        #expect(book.complaint(about: "anna", from: "127.0.0.1") != nil)
        #expect(book.complaint(about: "anna", from: "10.0.0.1") == nil)
        #expect(book.complaint(about: "bert", from: "10.0.0.9") == nil)
    }

    @Test("one that is there and names nobody frees everybody; what says that it is there is nobody's name")
    func nobody() {
        var book = book(["": "", "anna": "10.0.0.1", "bert": "10.0.0.2"])
        #expect(book.objection(to: "anna", from: "10.0.0.9") != nil)
        #expect(book.objection(to: "", from: "10.0.0.9") == nil)
        let (isNews, isNewsAgain) = (book.replace(with: ["": ""]), book.replace(with: ["": ""]))
        #expect(isNews && !isNewsAgain)
        #expect(book.addresses.isEmpty && !book.mayObject(to: "10.0.0.9"))
    }

    @Test("a list that is gone altogether changes nothing")
    func emptied() {
        var book = book(["anna": "10.0.0.1", "bert": "10.0.0.2"])
        book.replace(with: [:])
        #expect(book.objection(to: "anna", from: "10.0.0.9") != nil)
        #expect(book.mayObject(to: "10.0.0.9") && !book.mayObject(to: "127.0.0.1"))
        // Also where only one was in it.
        var only = self.book(["anna": "10.0.0.1"])
        only.replace(with: [:])
        #expect(only.objection(to: "anna", from: "10.0.0.9") != nil)
    }
}
