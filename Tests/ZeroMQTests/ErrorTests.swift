import TestKit
import Testing
import ZeroMQ

@Suite("Errors are values") struct ErrorTests {
    let context: ZMQContext

    init() throws { context = try ZMQContext() }

    @Test func aTakenPortIsAddressInUseAndNamesIt() throws {
        let first = try ZMQSocket(context, .pull, quick)
        let endpoint = try first.bindSomewhere()
        let second = try ZMQSocket(context, .pull, quick)
        let error = #expect(throws: ZMQError.self) { try second.bind(endpoint) }
        #expect(error?.code == .addressInUse)
        #expect(error?.description.contains(endpoint) == true)
        #expect(error?.description.contains("bind") == true)
    }

    @Test(arguments: [
        ("tcp://127.0.0.1", ZMQError.Code.invalidArgument), ("nonsense", .invalidArgument),
        ("carrier-pigeon://127.0.0.1:1", .notSupported), ("tcp://192.0.2.1:20000", .addressNotAvailable),
    ])
    func aBadEndpointIsNamedForWhatItIs(endpoint: String, code: ZMQError.Code) throws {
        let socket = try ZMQSocket(context, .pull, quick)
        let error = #expect(throws: ZMQError.self) { try socket.bind(endpoint) }
        #expect(error?.code == code, "\(String(describing: error))")
    }

    @Test func sendingOutOfTurnIsWrongState() throws {
        let server = try ZMQSocket(context, .reply, quick)
        let client = try ZMQSocket(context, .request, quick)
        try client.connect(try server.bindSomewhere())
        _ = try client.send("one")
        let error = #expect(throws: ZMQError.self) { _ = try client.send("two") }
        #expect(error?.code == .wrongState)
    }

    @Test func tooManySocketsIsAnErrorAndNotATrap() throws {
        let small = try ZMQContext(maximumSockets: 2)
        let first = try ZMQSocket(small, .pull, quick)
        let second = try ZMQSocket(small, .pull, quick)
        let error = #expect(throws: ZMQError.self) { _ = try ZMQSocket(small, .pull, quick) }
        #expect(error?.code == .tooManySockets)
        #expect(first.type == second.type)
    }

    @Test func anUnknownNumberIsStillAValue() {
        let error = ZMQError(errno: 12_345, operation: "zmq_send", subject: "somewhere")
        #expect(error.code == .other)
        #expect(error.description.hasPrefix("zmq_send somewhere: "))
    }

    @Test func closedSocketsGiveTheirPortsBack() throws {
        let endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        for _ in 0..<3 {
            try eventually("the port is free again") {
                let socket = try ZMQSocket(context, .pull, quick)
                try socket.bind(endpoint)
                return try socket.lastEndpoint() == endpoint
            }
        }
    }

    @Test func aPollWithoutNewsEndsInTime() throws {
        let socket = try ZMQSocket(context, .pull, quick)
        _ = try socket.bindSomewhere()
        var items = [PollItem(socket: socket), PollItem(descriptor: -1)]
        #expect(try poll(&items, timeout: 20) == 0)
        #expect(!items[0].isReadable && !items[1].isReadable && !items[1].isWritable)
    }

    @Test func automaticRoutingIdentitiesDifferBetweenContexts() throws {
        var identities: Set<[UInt8]> = []
        for _ in 0..<8 {
            let fresh = try ZMQContext()
            let router = try ZMQSocket(fresh, .router, quick)
            let dealer = try ZMQSocket(fresh, .dealer, quick)
            try dealer.connect(try router.bindSomewhere())
            _ = try dealer.send("x")
            identities.insert(try #require(try router.next()?.first))
        }
        #expect(identities.count == 8)
    }
}
