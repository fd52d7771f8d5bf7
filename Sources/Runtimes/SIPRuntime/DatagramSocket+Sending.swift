import EngineKit
import Glibc

extension DatagramSocket {
    /// News of a datagram that did not arrive: an ICMP error, or one of our own kernel.
    struct DeliveryFailure: Equatable {
        var remote: SocketAddress
        var errno: CInt
    }

    /// Adds a datagram to those that leave with the next `send`, from `source`, which matters where the socket is bound
    /// to every address: a response has to come from the address that the request went to (RFC 3581 §4). False where
    /// there is no room before that.
    func enqueue(_ bytes: [UInt8], from source: IPAddress, to remote: SocketAddress) -> Bool {
        outbox.append(bytes, to: remote, control: address.address.isUnspecified ? Self.packetInfo(source) : [])
    }

    /// Sends what was added, in its order.
    ///
    /// A full send buffer is a lost datagram, as any router on the way might have lost it. Anything else that keeps one
    /// from leaving goes to `fail` with its index. Failures of earlier datagrams that surface here go to `report`.
    func send(fail: (Int, CInt) -> Void, report: (DeliveryFailure) -> Void) {
        defer { outbox.removeAll() }
        var index = 0
        var isRetry = false
        while index < outbox.count {
            let result = outbox.send(from: index, by: descriptor)
            if result > 0 {
                index += Int(result)
                isRetry = false
                // The news of one of them kept the next from leaving, and is told of by nothing else.
                if index < outbox.count { takeDeliveryFailures(report) }
                continue
            }
            let code = -result
            let isFull = code == EAGAIN || code == ENOBUFS
            // The kernel gives the news of an earlier datagram, to whomever, as the error of the next call.
            if !isFull, !isRetry, takeDeliveryFailures(report) > 0 {
                isRetry = true
                continue
            }
            if !isFull { fail(index, code) }
            index += 1
            isRetry = false
        }
    }

    /// Takes everything from the socket's error queue (IP_RECVERR). Returns how many failures there were.
    @discardableResult
    func takeDeliveryFailures(_ report: (DeliveryFailure) -> Void) -> Int {
        Self.takeDeliveryFailures(from: descriptor, report)
    }

    @discardableResult
    static func takeDeliveryFailures(from descriptor: CInt, _ report: (DeliveryFailure) -> Void) -> Int {
        var count = 0
        // Bounded, because more may come in while these are read; the next event reads on.
        while count < 64, let failure = nextDeliveryFailure(from: descriptor) {
            count += 1
            if let failure = failure.known { report(failure) }
        }
        return count
    }

    /// Takes the error that the kernel keeps for the next call.
    static func clearError(of descriptor: CInt) {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
    }

    private struct QueuedFailure {
        var known: DeliveryFailure?
    }

    private static func nextDeliveryFailure(from descriptor: CInt) -> QueuedFailure? {
        var name = sockaddr_storage()
        var control = [UInt8](repeating: 0, count: 512)
        // How much of the control buffer the kernel filled; nil when the queue is empty.
        let used: Int? = withUnsafeMutableBytes(of: &name) { name in
            control.withUnsafeMutableBytes { control in
                var message = msghdr()
                message.msg_name = name.baseAddress
                message.msg_namelen = socklen_t(name.count)
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                let errorQueue: CInt = 0x2000  // MSG_ERRQUEUE
                return recvmsg(descriptor, &message, errorQueue | CInt(MSG_DONTWAIT)) >= 0
                    ? message.msg_controllen : nil
            }
        }
        guard let used else { return nil }
        guard let remote = SocketAddress(name), let code = extendedError(control.prefix(used)) else {
            return QueuedFailure(known: nil)
        }
        return QueuedFailure(known: DeliveryFailure(remote: remote, errno: code))
    }
}

// MARK: - Control messages

extension DatagramSocket {
    // struct cmsghdr of a 64-bit system: an 8-byte length with the header, a 4-byte level, a 4-byte type, the data, and
    // padding to 8 bytes.
    private static let headerSize = 16

    /// A control message that sets the source address of a datagram: in_pktinfo or in6_pktinfo.
    private static func packetInfo(_ source: IPAddress) -> [UInt8] {
        switch source {
        case .v4(let bits):
            guard bits != 0 else { return [] }
            // Interface index 0, then the address to send from, then one that is not used in sending.
            return controlMessage(
                level: CInt(IPPROTO_IP), type: IP.packetInfo,
                data: bytes(of: UInt32(0)) + bytes(of: bits.bigEndian) + bytes(of: UInt32(0)))
        case .v6(let high, let low, let scope):
            guard high | low != 0 else { return [] }
            return controlMessage(
                level: CInt(IPPROTO_IPV6), type: IPv6.packetInfo,
                data: bytes(of: high.bigEndian) + bytes(of: low.bigEndian) + bytes(of: scope))
        }
    }

    private static func controlMessage(level: CInt, type: CInt, data: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
        return bytes(of: UInt64(headerSize + data.count)) + bytes(of: level) + bytes(of: type) + data + padding
    }

    /// The error number in the first struct sock_extended_err of some control messages.
    private static func extendedError(_ control: ArraySlice<UInt8>) -> CInt? {
        var rest = control
        while rest.count >= headerSize + 4 {
            let (length, level, type, code) = rest.withUnsafeBytes { bytes in
                (
                    bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: CInt.self),
                    bytes.loadUnaligned(fromByteOffset: 12, as: CInt.self),
                    bytes.loadUnaligned(fromByteOffset: 16, as: CInt.self)
                )
            }
            if level == CInt(IPPROTO_IP), type == IP.receiveErrors { return code }
            if level == CInt(IPPROTO_IPV6), type == IPv6.receiveErrors { return code }
            guard length >= UInt64(headerSize), length <= UInt64(rest.count) else { return nil }
            rest = rest.dropFirst((Int(length) + 7) & ~7)
        }
        return nil
    }

    private static func bytes<Value: FixedWidthInteger>(of value: Value) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }
}
