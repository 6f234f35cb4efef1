import NIOCore
import Wire

/// Hangs up on a connection whose request does not end: one byte now and then would hold its descriptor for ever.
///
/// Stands before the HTTP decoder and knows bytes only: from the first byte after our last one (or from the connection
/// itself) the request has ``patience`` until we answer. Whoever only listens or rests between two requests sends
/// nothing and is not its business. Belongs to the connection's event loop.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Longer than any answer of ours takes: errands end after a few seconds themselves.
    static let patience = TimeAmount.seconds(10)

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    private var hasBegun = false

    init(_ patience: TimeAmount = RequestDeadline.patience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

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
        context.write(data, promise: promise)
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
