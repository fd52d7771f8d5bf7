import EngineKit
import Glibc
import Synchronization

/// Hands out pairs of media ports: an even one drawn at random for RTP, the next for RTCP (RFC 3550 §11).
///
/// Ports that are hard to guess make it harder to inject media. After use a pair rests for 10 s, so that late packets
/// of one call are not taken for media of the next.
package final class RTPPortAllocator: Sendable {
    package static let standardRange: ClosedRange<UInt16> = 16384...32767
    package static let rest: Duration = .seconds(10)

    private struct State {
        var random: RandomSource
        var inUse: Set<UInt16> = []
        var restingUntil: [UInt16: Instant] = [:]
    }

    /// The even ports whose neighbour is in the range too.
    private let first: UInt16
    private let pairs: Int
    private let range: ClosedRange<UInt16>
    private let state: Mutex<State>

    /// - Parameter range: inclusive; holds at least one even port and its neighbour, else there is nothing to hand out.
    package init(range: ClosedRange<UInt16> = standardRange, random: RandomSource) {
        self.range = range
        let start = Int(range.lowerBound) + Int(range.lowerBound) % 2
        first = UInt16(clamping: start)
        pairs = max(0, (Int(range.upperBound) - start + 1) / 2)
        state = Mutex(State(random: random))
    }

    /// Binds a pair on a local address, trying each free pair at most once from a random one on.
    ///
    /// - Throws: the error of an address that can't be bound at all, else EADDRINUSE where every pair is taken.
    package func allocate(address: IPAddress, at now: Instant) throws(SystemError) -> MediaPorts {
        var candidate = state.withLock { state in
            state.restingUntil = state.restingUntil.filter { $0.value > now }
            return pairs == 0 ? 0 : Int.random(in: 0..<pairs, using: &state.random)
        }
        for _ in 0..<pairs {
            let port = first &+ UInt16(candidate * 2)
            candidate = (candidate + 1) % pairs
            guard claim(port) else { continue }
            do {
                return try MediaPorts(address: address, port: port) { [weak self] in
                    self?.release(port, at: MonotonicClock.now)
                }
            } catch {
                _ = state.withLock { $0.inUse.remove(port) }
                guard error.code == EADDRINUSE || error.code == EACCES else { throw error }
            }
        }
        throw SystemError(
            code: EADDRINUSE, operation: "find a free pair of RTP ports in \(range.lowerBound)-\(range.upperBound)")
    }

    private func claim(_ port: UInt16) -> Bool {
        state.withLock { state in
            guard state.restingUntil[port] == nil else { return false }
            return state.inUse.insert(port).inserted
        }
    }

    private func release(_ port: UInt16, at now: Instant) {
        state.withLock { state in
            state.inUse.remove(port)
            state.restingUntil[port] = now + Self.rest
        }
    }
}
