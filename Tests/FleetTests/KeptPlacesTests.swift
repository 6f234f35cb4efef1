import Fleet
import Testing

@Suite("Introductions that are kept") struct KeptPlacesTests {
    @Test("a fleet behind one address keeps all it says, and made-up names cost it none of that")
    func fleet() {
        var places = KeptPlaces<Int>(limit: 100, perHost: 40, assured: 4)
        for number in 0..<30 {
            #expect(places.keep(number, name: "stranger \(number)", host: "h", isKnown: false) == .kept)
        }
        for number in 0..<40 {
            let outcome = places.keep(number, name: "customer \(number)", host: "h", isKnown: true)
            #expect(outcome == (number < 10 ? .kept : .evicting))
        }
        #expect(places.keep(1, name: "another", host: "h", isKnown: false) == .refused)
        #expect(places.places.count == 40 && places.places.allSatisfy { $0.value.isKnown })
        #expect(places.keep(2, name: "customer 0", host: "h", isKnown: true) == .kept, "said again")
        #expect(places.keep(3, name: "customer 40", host: "h", isKnown: true) == .evicting)
        #expect(places.places["customer 1"] == nil && places.places["customer 0"]?.element == 2)
    }

    @Test("where all is full everybody has what he is assured of, at the cost of whoever has most")
    func full() {
        var places = KeptPlaces<Int>(limit: 20, perHost: 15, assured: 4)
        for number in 0..<15 { _ = places.keep(number, name: "a\(number)", host: "a", isKnown: true) }
        for number in 0..<5 { _ = places.keep(number, name: "b\(number)", host: "b", isKnown: true) }
        for number in 0..<4 {
            #expect(places.keep(number, name: "c\(number)", host: "c", isKnown: false) == .evicting)
        }
        #expect(places.places.values.count { $0.host == "a" } == 11)
        #expect(places.keep(4, name: "c4", host: "c", isKnown: false) == .evicting, "one of its own")
        #expect(places.places.values.count { $0.host == "c" } == 4 && places.places["c0"] == nil)
        places.remove("b0")
        #expect(places.keep(5, name: "c5", host: "c", isKnown: false) == .kept)
    }
}
