import Dispatch
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("A thread that answers one request at a time")
struct RequestThreadTests {
    @Test("answers come once, in the order of the requests, with what is kept between them")
    func order() throws {
        let done = Mutex(0)
        let thread = RequestThread<Int, Int>(onDone: { done.withLock { $0 += 1 } }) {
            var sum = 0
            return { number in
                sum += number
                return sum
            }
        }
        var answers: [Int] = []
        for number in 1...20 {
            thread.ask(number)
            answers.append(try eventuallyValue("an answer", within: 30) { thread.take() })
        }
        #expect(answers == (1...20).map { $0 * ($0 + 1) / 2 })
        #expect(thread.take() == nil && !thread.isBusy)
        try eventually("each is told", within: 30) { done.withLock { $0 } == 20 }
    }

    @Test("a newer request makes the answer to the one before worthless")
    func newer() throws {
        let begun = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        func begin() throws { try eventually("it begins", within: 30) { begun.wait(timeout: .now()) == .success } }
        let done = Mutex(0)
        let thread = RequestThread<Int, Int>(onDone: { done.withLock { $0 += 1 } }) {
            { number in
                begun.signal()
                goOn.wait()
                return number
            }
        }
        thread.ask(1)
        try begin()
        #expect(thread.isBusy && thread.take() == nil)
        thread.ask(2)
        goOn.signal()
        try begin()
        #expect(thread.isBusy && thread.take() == nil)
        goOn.signal()
        #expect(try eventuallyValue("an answer", within: 30) { thread.take() } == 2)
        try eventually("one is told", within: 30) { done.withLock { $0 } == 1 }
        // One that was not taken is forgotten with the next request.
        thread.ask(3)
        try begin()
        goOn.signal()
        try eventually("it is answered", within: 30) { done.withLock { $0 } == 2 }
        thread.ask(4)
        #expect(thread.take() == nil)
        try begin()
        goOn.signal()
        #expect(try eventuallyValue("an answer", within: 30) { thread.take() } == 4)
    }
}
