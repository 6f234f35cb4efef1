import ServiceKit
import Testing

@testable import ConfirmationLogger

@Suite("Who is let in on a port of libzmq's") struct SocketDoorTests {
    @Test("of one address its share, and room again when connections end, also where an end was not told")
    func share() {
        var door = SocketDoor(PullListener.Door(mostDescriptors: 100, mostOfOneAddress: 8))
        for descriptor: Int32 in 10..<14 { #expect(door.accepted(descriptor, from: "192.0.2.1") == nil) }
        #expect(door.accepted(14, from: "192.0.2.1") == .address)
        #expect(door.accepted(15, from: "192.0.2.2") == nil)
        // The kernel gave the number of one of the first four to another machine: its own end was not told.
        #expect(door.accepted(10, from: "192.0.2.3") == nil)
        #expect(door.accepted(16, from: "192.0.2.1") == nil)
        #expect(door.accepted(17, from: "192.0.2.1") == .address)
        door.ended(17)
        #expect(door.accepted(17, from: "192.0.2.1") == .address, "who was turned away took nobody's place")
        door.ended(11)
        door.ended(11)
        #expect(door.accepted(11, from: "192.0.2.1") == nil)
        #expect(door.accepted(18, from: nil) == nil, "it is gone again")
    }

    @Test("an IPv6 network is one address, this machine may have more, and nobody comes in without descriptors")
    func limits() {
        var door = SocketDoor(PullListener.Door(mostDescriptors: 100, mostOfOneAddress: 4))
        for descriptor: Int32 in 10..<20 { #expect(door.accepted(descriptor, from: "127.0.0.1") == nil) }
        #expect(door.accepted(20, from: "2001:db8:1:2::1") == nil)
        #expect(door.accepted(21, from: "2001:db8:1:2::2") == nil)
        #expect(door.accepted(22, from: "2001:db8:1:2::3") == .address)
        #expect(door.accepted(100, from: "192.0.2.1") == .full)
        #expect(door.accepted(101, from: "127.0.0.1") == .full)
    }
}
