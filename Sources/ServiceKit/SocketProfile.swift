public import ZeroMQ

/// What each kind of port sets before it binds: one place, so that no libzmq default is in force by accident.
public enum SocketProfile {
    /// `ea-commands`: terminals come back under their old identity; commands to one that is gone are errors.
    public static func eaCommands(heartbeat: Int) -> SocketOptions {
        eaPort(heartbeat: heartbeat).with {
            $0.routerMandatory = true
            $0.routerHandover = true
            $0.sendHighWaterMark = 100
        }
    }

    /// `ea-telemetry`: thousands of sparse peers. The mark is per peer: when 5,000 come back with a thousand messages
    /// each, what is not read yet stays with them instead of taking over a gigabyte here.
    public static func eaTelemetry(heartbeat: Int) -> SocketOptions {
        eaPort(heartbeat: heartbeat).with { $0.receiveHighWaterMark = 100 }
    }

    /// `ea-confirmations`: a crash loses what libzmq holds, so it holds little.
    public static func eaConfirmations(heartbeat: Int) -> SocketOptions {
        eaPort(heartbeat: heartbeat).with { $0.receiveHighWaterMark = 10 }
    }

    private static func eaPort(heartbeat: Int) -> SocketOptions {
        SocketOptions().with { $0.heartbeatInterval = heartbeat > 0 ? Int32(clamping: heartbeat) : nil }
    }

    /// Publishers: a slow subscriber loses messages past this mark, nobody else does.
    public static let publisher = SocketOptions().with { $0.sendHighWaterMark = 100_000 }
    public static let subscriber = SocketOptions().with {
        $0.receiveHighWaterMark = 100_000
        $0.maximumMessageSize = 1024 * 1024
    }
    /// Servers of requests. A reply to a client that went away is an error to count, not a silent drop.
    public static let requestServer = SocketOptions().with {
        $0.routerMandatory = true
        // A client that pipelines thousands of requests gets every answer.
        $0.sendHighWaterMark = 20_000
    }
    /// Clients inside the mesh: replies of lists may be large.
    public static let requestClient = SocketOptions().with {
        $0.maximumMessageSize = 16 * 1024 * 1024
        $0.reconnectInterval = 20
        $0.reconnectIntervalMaximum = 500
        $0.linger = 0
    }
}
