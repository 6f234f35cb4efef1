import Glibc
import TestKit
import Testing
import ZeroMQ

@Suite("Peers that misbehave") struct HostilePeerTests {
    let context: ZMQContext

    init() throws { context = try ZMQContext() }

    @Test func aFrameThatIsTooLargeCostsOnlyItsSenderTheConnection() throws {
        let server = try ZMQSocket(context, .pull, quick.with { $0.maximumMessageSize = 64 * 1024 })
        let monitor = try server.monitor(context, name: "too-large")
        let endpoint = try server.bindSomewhere()
        let honest = try ZMQSocket(context, .push, quick)
        try honest.connect(endpoint)
        _ = try honest.send("before")
        #expect(try server.nextTexts() == ["before"])
        let hostile = try ZMQSocket(context, .push, quick.with { $0.reconnectInterval = 60_000 })
        try hostile.connect(endpoint)
        _ = try hostile.send([UInt8](repeating: 0x41, count: 1024 * 1024))
        _ = try monitor.event(.disconnected)
        _ = try honest.send("after")
        #expect(try server.nextTexts() == ["after"])
        #expect(try server.next(within: 0.1) == nil)
    }

    @Test func theLargestAllowedFrameArrives() throws {
        let server = try ZMQSocket(context, .pull, quick.with { $0.maximumMessageSize = 64 * 1024 })
        let client = try ZMQSocket(context, .push, quick)
        try client.connect(try server.bindSomewhere())
        _ = try client.send([UInt8](repeating: 0x41, count: 64 * 1024))
        #expect(try server.next()?.first?.count == 64 * 1024)
    }

    @Test func aSocketOfTheWrongTypeFailsTheHandshake() throws {
        let router = try ZMQSocket(context, .router, quick)
        let monitor = try router.monitor(context, name: "wrong-type")
        let endpoint = try router.bindSomewhere()
        let pull = try ZMQSocket(context, .pull, quick)
        try pull.connect(endpoint)
        _ = try monitor.event(.accepted)
        _ = try monitor.event(.disconnected)
        let dealer = try ZMQSocket(context, .dealer, quick)
        try dealer.connect(endpoint)
        _ = try dealer.send("still served")
        #expect(try router.nextTexts()?.last == "still served")
    }

    @Test func aClientThatSpeaksNoZMTPIsLetGo() throws {
        let pull = try ZMQSocket(context, .pull, quick.with { $0.handshakeInterval = 300 })
        let monitor = try pull.monitor(context, name: "raw")
        let port = try FreePorts.next()
        try pull.bind("tcp://127.0.0.1:\(port)")
        let talker = try RawConnection(port: port)
        talker.send("GET / HTTP/1.1\r\nHost: mesh\r\n\r\n")
        _ = try monitor.event(.accepted)
        let silent = try RawConnection(port: port)
        _ = try monitor.event(.accepted)
        try eventually("the one that says nothing is let go") { silent.isClosedByPeer }
        let honest = try ZMQSocket(context, .push, quick)
        try honest.connect("tcp://127.0.0.1:\(port)")
        _ = try honest.send("served")
        #expect(try pull.nextTexts() == ["served"])
    }

    @Test func eventsTellWhichConnectionAFrameCameFrom() throws {
        let pull = try ZMQSocket(context, .pull, quick)
        let monitor = try pull.monitor(context, name: "descriptor")
        let endpoint = try pull.bindSomewhere()
        let message = ZMQMessage()
        var descriptor: Int32 = -1
        do {
            let push = try ZMQSocket(context, .push, quick)
            try push.connect(endpoint)
            descriptor = try monitor.event(.accepted).descriptor
            #expect(descriptor > 0)
            _ = try monitor.event(.handshakeSucceeded)
            _ = try push.send("who am I")
            try eventually("the frame arrives") { try pull.receive(message) }
            let source = message.sourceDescriptor
            let address = message.peerAddress()
            #expect(source == descriptor)
            #expect(address == "127.0.0.1")
        }
        #expect(try monitor.event(.disconnected).descriptor == descriptor)
    }
}

/// A TCP connection that speaks nothing we know; closed with its owner.
private final class RawConnection {
    private let descriptor: Int32

    struct Refused: Error {}

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let descriptor = descriptor
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Refused() }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Reads what the peer says without waiting; true once it has closed.
    var isClosedByPeer: Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }
}
