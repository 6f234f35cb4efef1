import ServiceKit
import Testing
import ZeroMQ

/// How long messages have been waiting at a socket, as a service reports it.
@Suite("Unread messages") final class UnreadTests {
    private let loop = Loop()
    private let context: ZMQContext
    private let sender: ZMQSocket
    private let receiver: ZMQSocket
    private let message = ZMQMessage()

    init() throws {
        context = try ZMQContext()
        receiver = try ZMQSocket(context, .pull)
        try receiver.bind("inproc://unread")
        sender = try ZMQSocket(context, .push)
        try sender.connect("inproc://unread")
    }

    @Test func whatIsTakenAtOnceIsNotWaiting() throws {
        let taken = Box(0)
        loop.reactor.watch(receiver) { [self] in while try receiver.receive(message) { taken.value += 1 } }
        for _ in 0..<10 { #expect(try sender.send("tick") == .sent) }
        try loop.run("all are taken", within: 30) { taken.value == 10 }
        try loop.run("nothing waits", within: 30) { loop.reactor.oldestUnread == 0 }
    }

    @Test func whatAHandlerLeavesIsWaiting() throws {
        let taken = Box(0)
        let isWilling = Box(false)
        loop.reactor.watch(receiver) { [self] in
            while isWilling.value, try receiver.receive(message) { taken.value += 1 }
        }
        #expect(try sender.send("tick") == .sent)
        try loop.run("it waits for a while", within: 30) { loop.reactor.oldestUnread >= 50 }
        isWilling.value = true
        try loop.run("it is taken, and nothing waits", within: 30) {
            taken.value == 1 && loop.reactor.oldestUnread == 0
        }
    }

    @Test func whatNobodyWantsIsWaiting() throws {
        let isWanted = Box(false)
        let taken = Box(0)
        loop.reactor.watch(receiver, while: { isWanted.value }) { [self] in
            while try receiver.receive(message) { taken.value += 1 }
        }
        try loop.run(milliseconds: 50)
        #expect(loop.reactor.oldestUnread == 0)
        #expect(try sender.send("tick") == .sent)
        try loop.run("it waits for a while", within: 30) { loop.reactor.oldestUnread >= 50 }
        isWanted.value = true
        try loop.run("it is taken, and nothing waits", within: 30) {
            taken.value == 1 && loop.reactor.oldestUnread == 0
        }
    }
}
