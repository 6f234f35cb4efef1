import Domain
import Wire

/// What one frame of the market relay holds: the terminals' own bytes, of any version.
enum RelayFrame: Equatable {
    case tick(Tick)
    case bars([Bar])
    /// Read, but neither a quote nor a bar.
    case other
    case refused(EAReject)

    init(_ frame: UnsafeBufferPointer<UInt8>) {
        let scan = scanTelemetry(frame)
        switch scan.kind {
        case .tick:
            if let tick = Tick(scan, frame) {
                self = .tick(tick)
                return
            }
        case .bar:
            if let bar = Bar(scan, frame) {
                self = .bars([bar])
                return
            }
        case .other: break
        }
        do throws(EAReject) {
            switch try EADecoder.decode(frame) {
            case .tick(let tick): self = .tick(tick)
            case .bars(let bars): self = .bars(bars)
            default: self = .other
            }
        } catch {
            self = .refused(error)
        }
    }
}
