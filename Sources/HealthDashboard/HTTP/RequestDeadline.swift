import NIOCore
import Wire

/// Hangs up on a connection whose request does not end: one byte now and then would hold its descriptor for ever.
///
/// Stands before the HTTP decoder and knows bytes only: from the first byte after our last one (or from the connection
/// itself) the request has ``patience`` until we answer. Whoever only listens or rests between two requests sends
/// nothing and is not its business. An answer, or a piece of one that has no end, of which nobody takes anything for
/// ``reading`` ends the connection too: what is written stays in memory until it is taken. A long answer goes in pieces, so
/// that who takes it slowly is seen to take it. Belongs to the connection's event loop.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Longer than any answer of ours takes: errands end after a few seconds themselves.
    static let patience = TimeAmount.seconds(10)

    static let reading = TimeAmount.seconds(30)

    /// Taken within ``reading`` over any line that is of use: 18 kbit/s.
    static let pieceBytes = 64 * 1024

    private let patience: TimeAmount
    /// While something that was written is not taken.
    private var reader: Scheduled<Void>?
    private var unread = 0
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var hasBegun = false

    init(_ patience: TimeAmount = RequestDeadline.patience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        stop()
        stopReading()
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasBegun = true
        start(context)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        stop()
        hasBegun = false
        guard case .byteBuffer(var rest) = unwrapOutboundIn(data) else { return pass(context, data, promise) }
        let size = RequestDeadline.pieceBytes
        while rest.readableBytes > size, let piece = rest.readSlice(length: size) {
            pass(context, wrapOutboundOut(.byteBuffer(piece)), nil)
        }
        pass(context, wrapOutboundOut(.byteBuffer(rest)), promise)
    }

    private func pass(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        unread += 1
        promise.futureResult.assumeIsolated().whenComplete { _ in self.taken() }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        startReading()
        context.flush()
    }

    private func taken() {
        unread -= 1
        let wasAsked = reader != nil
        stopReading()
        if wasAsked { startReading() }
    }

    private func startReading() {
        guard reader == nil, unread > 0, let context else { return }
        reader = context.eventLoop.assumeIsolated().scheduleTask(in: RequestDeadline.reading) {
            self.reader = nil
            self.context?.close(promise: nil)
        }
    }

    private func stopReading() {
        reader?.cancel()
        reader = nil
    }

    private func start(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { self.end(context) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }

    /// Says why where a request began; a connection that never said anything is no request.
    private func end(_ context: ChannelHandlerContext) {
        timer = nil
        if hasBegun {
            context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer(bytes: RequestDeadline.answer))), promise: nil)
        }
        context.close(promise: nil)
    }

    /// As every other answer, but written by hand: no request stands behind it.
    private static let answer: [UInt8] = {
        let body = HTTPProblem.timeout.json.bytes
        let head =
            "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: \(body.count)\r\n"
            + "connection: close\r\n\r\n"
        return Array(head.utf8) + body
    }()
}

/// Puts ``RequestDeadline`` before everything else: what Hummingbird takes from us comes behind its decoder.
final class RequestDeadlineSetup: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func handlerAdded(context: ChannelHandlerContext) {
        do { try context.pipeline.syncOperations.addHandler(RequestDeadline(), position: .first) } catch {
            // Without a deadline nobody is served.
            context.close(promise: nil)
        }
    }
}
