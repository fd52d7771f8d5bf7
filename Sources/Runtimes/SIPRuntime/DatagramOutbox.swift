import CLinux
import EngineKit

/// Datagrams of one socket that wait to leave together: with one call of the system, and waking a receiver once.
final class DatagramOutbox {
    /// As many as leave together.
    static let limit = 32
    /// The largest datagram that there is fits, alone.
    private static let room = 1 << 16

    private let storage = cs_outbox_create(CInt(limit), room)
    private(set) var count = 0

    deinit {
        cs_outbox_destroy(storage)
    }

    /// Adds a datagram; false where there is no room for it.
    func append(_ bytes: [UInt8], to remote: SocketAddress, control: [UInt8]) -> Bool {
        guard let storage else { return false }
        let total = remote.withSockaddr { name, length in
            cs_outbox_add(storage, name, Int(length), bytes, bytes.count, control, control.count)
        }
        if total > 0 { count = Int(total) }
        return total > 0
    }

    /// Sends what there is from `index` on: how many left, or the negated errno of that one.
    func send(from index: Int, by descriptor: CInt) -> CInt {
        cs_outbox_send(storage, CInt(index), descriptor)
    }

    func removeAll() {
        count = 0
        if let storage { cs_outbox_clear(storage) }
    }
}
