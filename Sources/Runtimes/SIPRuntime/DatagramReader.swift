import CLinux
import EngineKit
import Glibc
import SIPTransactions

import struct EngineKit.SocketAddress

/// Reads one UDP socket on the thread of signalling, so much a turn that others there get theirs.
///
/// Not a channel of NIO: that takes news of one peer (ICMP host unreachable) for the end of the socket, and where nothing
/// is left to read then it ends the process.
final class DatagramReader {
    enum News {
        case datagrams([(bytes: [UInt8], flow: Flow)])
        case failures([DatagramSocket.DeliveryFailure])
    }

    /// What one call of the system takes, of any size that UDP has.
    private static let limit = 16
    private static let room = 65_536
    /// How long it rests when the system has no memory for what came.
    private static let rest = Duration.milliseconds(10)

    private let thread: SignallingThread
    /// A duplicate, so that it stays open for as long as it is watched.
    private let descriptor: CInt
    private let bound: SocketAddress
    private let inbox = DatagramInbox(limit: limit, room: room)
    private let receiver: (News) -> Void

    /// - Parameter receiver: told of the news on `thread`.
    init(of socket: DatagramSocket, on thread: SignallingThread, receiver: @escaping (News) -> Void) {
        descriptor = socket.duplicate() ?? -1
        bound = socket.address
        self.thread = thread
        self.receiver = receiver
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// False where the system gives no descriptor or memory.
    func start() -> Bool {
        guard descriptor >= 0, inbox != nil else { return false }
        return thread.watch(descriptor) { [self] events in read(events) }
    }

    /// Nothing is told any more: at once on the thread, else soon. Whoever starts it stops it.
    func stop() {
        let (thread, descriptor) = (thread, descriptor)
        if thread.isCurrent { return thread.unwatch(descriptor) }
        thread.execute { thread.unwatch(descriptor) }
    }

    private func read(_ events: UInt32) {
        if events & UInt32(POLLERR) != 0 { takeFailures() }
        guard events & UInt32(POLLIN) != 0, let inbox else { return }
        let count = inbox.receive(from: descriptor)
        if count > 0 { receiver(.datagrams(inbox.datagrams(count, at: bound))) }
        if count == -ENOMEM || count == -ENOBUFS { thread.pause(descriptor, for: Self.rest) }
    }

    private func takeFailures() {
        var failures: [DatagramSocket.DeliveryFailure] = []
        let count = DatagramSocket.takeDeliveryFailures(from: descriptor) { failures.append($0) }
        if !failures.isEmpty { receiver(.failures(failures)) }
        // An error without news would wake us again and again.
        if count == 0 { DatagramSocket.clearError(of: descriptor) }
    }
}

/// Where the system puts datagrams that it is asked for.
private final class DatagramInbox {
    private let storage: OpaquePointer

    init?(limit: Int, room: Int) {
        guard let storage = cs_inbox_create(CInt(limit), room) else { return nil }
        self.storage = storage
    }

    deinit {
        cs_inbox_destroy(storage)
    }

    /// How many came, or a negated errno.
    func receive(from descriptor: CInt) -> CInt {
        cs_inbox_receive(storage, descriptor)
    }

    /// The first of the datagrams that came last, on a socket bound there.
    func datagrams(_ count: CInt, at bound: SocketAddress) -> [(bytes: [UInt8], flow: Flow)] {
        UnsafeBufferPointer(start: cs_inbox_letters(storage), count: Int(count)).compactMap { letter in
            guard let remote = SocketAddress(letter.remote) else { return nil }
            var local = bound
            if let destination = SocketAddress(letter.local) { local.address = destination.address }
            return (
                Array(UnsafeBufferPointer(start: letter.bytes, count: letter.length)),
                Flow(transport: .udp, local: local, remote: remote)
            )
        }
    }
}
