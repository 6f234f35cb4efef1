import ServiceKit
import TestKit
import Testing
import ZeroMQ

@Suite("The reactor") struct ReactorTests {
    @Test func aRepeatingTimerKeepsItsBeat() throws {
        let loop = Loop()
        let beats = Box(0)
        let began = SystemClock.monotonicMilliseconds()
        loop.reactor.every(milliseconds: 20) { beats.value += 1 }
        try loop.run("ten beats") { beats.value >= 10 }
        let took = SystemClock.monotonicMilliseconds() - began
        #expect(took >= 190, "\(took) ms for ten beats of 20 ms")
    }

    @Test func aSingleTimerFiresOnceAndNotEarly() throws {
        let loop = Loop()
        let fired = Box<[Int64]>([])
        let began = SystemClock.monotonicMilliseconds()
        loop.reactor.after(milliseconds: 30) { fired.value.append(SystemClock.monotonicMilliseconds() - began) }
        try loop.run(milliseconds: 150)
        #expect(fired.value.count == 1)
        #expect(fired.value.first.map { $0 >= 30 } == true)
    }

    @Test func aCancelledTimerStaysSilentEvenWhenDueInTheSameTurn() throws {
        let loop = Loop()
        let fired = Box<[String]>([])
        let second = Box(0)
        loop.reactor.after(milliseconds: 20) {
            fired.value.append("first")
            loop.reactor.cancel(timer: second.value)
        }
        second.value = loop.reactor.after(milliseconds: 20) { fired.value.append("second") }
        try loop.run(milliseconds: 100)
        #expect(fired.value == ["first"])
    }

    @Test func aLoopThatWasHeldUpDoesNotMakeUpForMissedBeats() throws {
        let loop = Loop()
        let beats = Box(0)
        loop.reactor.every(milliseconds: 10) { beats.value += 1 }
        loop.reactor.after(milliseconds: 5) {
            let end = SystemClock.monotonicMilliseconds() + 200
            while SystemClock.monotonicMilliseconds() < end {}
        }
        try loop.run(milliseconds: 230)
        #expect((1...8).contains(beats.value), "\(beats.value) beats in 230 ms of which 200 were held up")
        #expect(loop.reactor.takeLongestTurn() >= 190)
        #expect(loop.reactor.takeLongestTurn() == 0)
    }

    @Test func flushersRunBeforeEachWaitAndSoAfterWhatHandlersQueued() throws {
        let loop = Loop()
        let order = Box<[String]>([])
        loop.reactor.after(milliseconds: 5) { order.value.append("handler") }
        loop.reactor.beforeWait { if order.value.last == "handler" { order.value.append("flush") } }
        try loop.run("the flush") { order.value.count >= 2 }
        #expect(order.value == ["handler", "flush"])
    }

    @Test func anotherThreadWakesTheLoop() throws {
        let loop = Loop()
        let wake = EventDescriptor()
        let woken = Box(false)
        loop.reactor.watch(
            descriptor: { wake.descriptor },
            readable: {
                wake.drain()
                woken.value = true
            })
        wake.signal()
        wake.signal()
        try loop.run("the wake-up") { woken.value }
        woken.value = false
        try loop.run(milliseconds: 50)
        #expect(!woken.value, "two signals before a look are one wake-up")
    }

    @Test func socketsAddedByAHandlerAreServedFromTheNextTurn() throws {
        let loop = Loop()
        let context = try ZMQContext()
        let pull = try ZMQSocket(context, .pull, SocketOptions())
        let endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        try pull.bind(endpoint)
        let push = try ZMQSocket(context, .push, SocketOptions().with { $0.linger = 0 })
        try push.connect(endpoint)
        _ = try push.send("hello")
        let message = ZMQMessage()
        let received = Box(0)
        let holder = SocketHolder(pull, message) { received.value += 1 }
        loop.reactor.after(milliseconds: 10) { holder.watch(on: loop.reactor) }
        try loop.run("the message") { received.value == 1 }
    }

    @Test func anErrorOfAHandlerEndsTheRun() {
        struct Broken: Error {}
        let loop = Loop()
        loop.reactor.after(milliseconds: 1) { throw Broken() }
        #expect(throws: Broken.self) { try loop.reactor.run() }
    }

    @Test func stopEndsTheRunAfterTheTurn() throws {
        let loop = Loop()
        let count = Box(0)
        loop.reactor.after(milliseconds: 1) {
            count.value += 1
            loop.reactor.stop()
        }
        try loop.reactor.run()
        #expect(count.value == 1)
    }

    @Test func aSocketThatRestsIsServedInBatchesAndHoldsUpNobody() throws {
        let loop = Loop()
        let context = try ZMQContext()
        let endpoint = "inproc://resting"
        let pull = try ZMQSocket(context, .pull)
        try pull.bind(endpoint)
        let push = try ZMQSocket(context, .push)
        try push.connect(endpoint)
        let (looks, taken, beats) = (Box(0), Box(0), Box(0))
        let receiver = SocketHolder(pull, ZMQMessage()) { taken.value += 1 }
        receiver.watch(on: loop.reactor, restingMilliseconds: 20) { looks.value += 1 }
        let sender = SocketHolder(push, ZMQMessage()) {}
        loop.reactor.every(milliseconds: 1) {
            beats.value += 1
            for _ in 0..<10 { try sender.send("tick") }
        }
        let began = SystemClock.monotonicMilliseconds()
        try loop.run("many come", within: 30) { taken.value >= 1_000 }
        let took = SystemClock.monotonicMilliseconds() - began
        #expect(Int64(looks.value) <= took / 20 + 2, "\(looks.value) looks in \(took) ms")
        #expect(beats.value >= 100)
        try loop.run("the last of them", within: 30) { taken.value >= beats.value * 10 - 10 }
    }
}

/// Owns a socket for closures, which can't capture what can't be copied.
private final class SocketHolder {
    private let socket: ZMQSocket
    private let message: ZMQMessage
    private let received: () -> Void

    init(_ socket: consuming ZMQSocket, _ message: consuming ZMQMessage, received: @escaping () -> Void) {
        self.socket = socket
        self.message = message
        self.received = received
    }

    func watch(on reactor: Reactor, restingMilliseconds: Int64 = 0, looked: @escaping () -> Void = {}) {
        reactor.watch(socket, restingMilliseconds: restingMilliseconds) { [self] in
            looked()
            while try socket.receive(message) { received() }
        }
    }

    func send(_ text: String) throws { _ = try socket.send(text) }
}
