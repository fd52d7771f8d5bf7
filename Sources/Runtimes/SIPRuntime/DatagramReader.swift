import CLinux
import EngineKit
import Glibc
import NIOCore
import SIPTransactions
import Synchronization

import struct EngineKit.SocketAddress

/// Reads one UDP socket on a thread of its own, and hands what came to the event loop, as much at a time as there is.
///
/// Not a channel of NIO: that takes news of one peer (ICMP host unreachable) for the end of the socket, and where nothing
/// is left to read then it ends the process.
final class DatagramReader: Sendable {
    enum News: Sendable {
        case datagrams([(bytes: [UInt8], flow: Flow)])
        case failures([DatagramSocket.DeliveryFailure])
    }

    /// What one call of the system takes, of any size that UDP has.
    private static let limit = 16
    private static let room = 65_536
    /// As many pieces of news may wait for the event loop; what comes then waits in the kernel, which drops the excess.
    private static let pendingLimit = 1
    /// How long it rests when the system has no memory for what came, in ms.
    private static let rest: CInt = 10

    private let thread = WaitingThread()
    private let ended = cs_event_create()
    /// A duplicate, so that it stays open for as long as it is read.
    private let descriptor: CInt
    private let bound: SocketAddress
    private let loop: any EventLoop
    private let receiver: @Sendable (News) -> Void
    private let pending = Atomic(0)

    /// - Parameter receiver: told of the news on `loop`.
    init(of socket: DatagramSocket, on loop: any EventLoop, receiver: @escaping @Sendable (News) -> Void) {
        descriptor = socket.duplicate() ?? -1
        bound = socket.address
        self.loop = loop
        self.receiver = receiver
    }

    deinit { for descriptor in [descriptor, ended] where descriptor >= 0 { close(descriptor) } }

    /// False where the system gives no thread, descriptor or memory.
    func start() -> Bool {
        guard descriptor >= 0, ended >= 0, let inbox = DatagramInbox(limit: Self.limit, room: Self.room) else {
            return false
        }
        return thread.start { [self] in
            run(inbox)
            _ = cs_event_signal(ended)
        }
    }

    /// Returns when nothing is read any more.
    func stop() {
        thread.stop()
        _ = cs_wait_readable(ended, 1000)
    }

    // MARK: - The thread

    private func run(_ inbox: DatagramInbox) {
        // The event first, then the socket.
        var waited = [thread.wakeup, descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while let events = wait(&waited) {
            if events & CInt(POLLERR) != 0 { takeFailures() }
            guard events & CInt(POLLIN) != 0 else { continue }
            let count = inbox.receive(from: descriptor)
            if count > 0 { tell(.datagrams(inbox.datagrams(count, at: bound))) }
            if count == -ENOMEM || count == -ENOBUFS { _ = cs_wait_readable(thread.wakeup, Self.rest) }
        }
    }

    /// What there is to do with the socket, nothing where others have to do theirs first; nil when it is time to end.
    private func wait(_ waited: inout [pollfd]) -> CInt? {
        // A descriptor below 0 is passed over.
        waited[1].fd = pending.load(ordering: .sequentiallyConsistent) < Self.pendingLimit ? descriptor : -1
        waited[1].revents = 0
        let count = poll(&waited, nfds_t(waited.count), -1)
        if thread.isStopped || CInt(waited[1].revents) & CInt(POLLNVAL) != 0 { return nil }
        guard count > 0 else { return 0 }
        if waited[0].revents != 0 { _ = cs_event_drain(thread.wakeup) }
        return CInt(waited[1].revents)
    }

    private func takeFailures() {
        var failures: [DatagramSocket.DeliveryFailure] = []
        let count = DatagramSocket.takeDeliveryFailures(from: descriptor) { failures.append($0) }
        if !failures.isEmpty { tell(.failures(failures)) }
        // An error without news would wake us again and again.
        if count == 0 { DatagramSocket.clearError(of: descriptor) }
    }

    private func tell(_ news: News) {
        pending.add(1, ordering: .sequentiallyConsistent)
        loop.execute { [self] in
            receiver(news)
            let wasFull = pending.subtract(1, ordering: .sequentiallyConsistent).oldValue == Self.pendingLimit
            if wasFull { thread.wake() }
        }
    }
}

/// Where the system puts datagrams that it is asked for.
private final class DatagramInbox: @unchecked Sendable {
    // Unchecked, as it goes to the thread that reads and stays there.
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
