import NIOCore
import NIOEmbedded
import Testing
import Wire

@testable import HealthDashboard

@Suite("Requests that do not end")
struct RequestDeadlineTests {
    private static let patience = TimeAmount.seconds(10)
    private let part = ByteBuffer(string: "G")

    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: RequestDeadline(RequestDeadlineTests.patience))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func said(_ channel: EmbeddedChannel) throws -> String {
        guard case .byteBuffer(let buffer)? = try channel.readOutbound(as: IOData.self) else { return "" }
        return String(buffer: buffer)
    }

    @Test("A byte now and then does not put the end off; it is said why the connection is closed")
    func trickle() throws {
        let channel = try channel()
        for _ in 0..<9 {
            try channel.writeInbound(part)
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            #expect(channel.isActive)
        }
        try channel.writeInbound(part)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        let text = try said(channel)
        #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("request_timeout"), "\(text)")
        let body = try #require(text.split(separator: "\r\n\r\n").last)
        #expect(text.contains("content-length: \(body.utf8.count)\r\n") && (try? JSON(String(body))) != nil)
    }

    @Test("A connection that says nothing is closed without a word")
    func silence() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(try said(channel).isEmpty)
    }

    @Test("An answer in time ends the waiting: who rests between two requests, or only listens, is left alone")
    func answered() throws {
        let channel = try channel()
        for _ in 0..<3 {
            try channel.writeInbound(part)
            channel.embeddedEventLoop.advanceTime(by: .seconds(9))
            try channel.writeOutbound(IOData.byteBuffer(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n")))
            channel.embeddedEventLoop.advanceTime(by: .seconds(50))
            #expect(channel.isActive)
            #expect(try said(channel).hasPrefix("HTTP/1.1 200"))
        }
        // The rest of a body after the answer is a request that does not end, too.
        try channel.writeInbound(part)
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        #expect(!channel.isActive)
    }

    /// A peer that takes nothing: what is written waits.
    private final class Deaf: ChannelOutboundHandler {
        typealias OutboundIn = IOData
        var waiting: [EventLoopPromise<Void>] = []
        var bytes = 0

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if case .byteBuffer(let buffer) = unwrapOutboundIn(data) { bytes += buffer.readableBytes }
            if let promise { waiting.append(promise) }
        }

        func flush(context: ChannelHandlerContext) {}
    }

    @Test("An answer nobody takes ends the connection; each piece that is taken puts the end off")
    func unread() throws {
        let deaf = Deaf()
        let channel = EmbeddedChannel(handlers: [deaf, RequestDeadline(RequestDeadlineTests.patience)])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(part)
        for _ in 0..<3 { channel.writeAndFlush(IOData.byteBuffer(part), promise: nil) }
        for piece in 0..<2 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(29))
            #expect(channel.isActive)
            deaf.waiting[piece].succeed()
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        deaf.waiting[2].succeed()
    }

    @Test("A long answer goes in pieces: who takes it slowly is served to its end, who stops is not")
    func slow() throws {
        let deaf = Deaf()
        let channel = EmbeddedChannel(handlers: [deaf, RequestDeadline(RequestDeadlineTests.patience)])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(part)
        let body = ByteBuffer(repeating: 7, count: 9 * RequestDeadline.pieceBytes + 5)
        var isDone = false
        channel.writeAndFlush(IOData.byteBuffer(body)).assumeIsolated().whenSuccess { isDone = true }
        #expect(deaf.waiting.count == 10 && deaf.bytes == body.readableBytes)
        for piece in 0..<9 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(29))
            #expect(channel.isActive)
            deaf.waiting[piece].succeed()
            #expect(!isDone)
        }
        deaf.waiting[9].succeed()
        #expect(isDone)
        channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        #expect(channel.isActive)
        channel.writeAndFlush(IOData.byteBuffer(body), promise: nil)
        deaf.waiting[10].succeed()
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
        for piece in 11..<20 { deaf.waiting[piece].succeed() }
    }

    @Test("Who took everything and waits for more is left alone")
    func listening() throws {
        let channel = try channel()
        try channel.writeInbound(part)
        try channel.writeOutbound(IOData.byteBuffer(part))
        channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        #expect(channel.isActive)
    }
}
