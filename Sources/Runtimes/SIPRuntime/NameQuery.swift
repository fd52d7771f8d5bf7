import CCAres
import EngineKit
import Glibc
import ServerLocation

/// One question to the name servers through c-ares, on the resolver's thread from beginning to end.
///
/// It has a channel of its own, and so a socket of its own, whose port the kernel draws: with the id that c-ares draws
/// there is more to guess for whoever forges answers (RFC 5452 §9). And what resolv.conf says now is what counts.
final class NameQuery {
    let question: NameQuestion
    private(set) var answer: NameAnswer?
    private let channel: ares_channel

    /// A server that does not answer is left for the next after a second; three times around.
    private static let patience: CInt = 1000
    private static let rounds: CInt = 3
    /// What fits into one packet nearly everywhere (DNS flag day 2020); more comes over TCP.
    private static let datagramSize: CInt = 1232

    private static let isLibraryReady = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    /// - Parameter servers: as c-ares reads them, `ADDRESS:PORT` with commas between; empty: those of the system.
    init?(_ question: NameQuestion, servers: String) {
        guard Self.isLibraryReady, let channel = Self.channel(servers: servers) else { return nil }
        self.question = question
        self.channel = channel
    }

    deinit { ares_destroy(channel) }

    private static func channel(servers: String) -> ares_channel? {
        var options = ares_options()
        options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOALIASES
        options.timeout = patience
        options.tries = rounds
        options.ednspsz = datagramSize
        let given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ
        var channel: ares_channel?
        guard ares_init_options(&channel, &options, given) == ARES_SUCCESS, let channel else { return nil }
        guard servers.isEmpty || ares_set_servers_ports_csv(channel, servers) == ARES_SUCCESS else {
            ares_destroy(channel)
            return nil
        }
        return channel
    }

    /// Asks; `answer` may be there when this returns, and comes out of `process` otherwise.
    func begin() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let received: ares_callback = { context, status, _, bytes, count in
            guard let context else { return }
            Unmanaged<NameQuery>.fromOpaque(context).takeUnretainedValue().receive(status, bytes, count)
        }
        let internet: CInt = 1
        switch question.kind {
        case .hostsTable:
            answer = .records(tableEntries.map { DNSRecord(.address($0), timeToLive: 0) })
        case .records(let kind) where kind == .a || kind == .aaaa:
            // A host may be named as the search list allows (resolv.conf); a service belongs to one domain.
            ares_search(channel, question.name, internet, CInt(kind.rawValue), received, context)
        case .records(let kind):
            ares_query(channel, question.name, internet, CInt(kind.rawValue), received, context)
        }
    }

    private func receive(_ status: CInt, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: CInt) {
        if let bytes, count > 0 {
            answer = NameAnswer(parsing: Array(UnsafeBufferPointer(start: bytes, count: Int(count))), to: question)
            return
        }
        switch status {
        case ARES_ENODATA: answer = .records([])
        case ARES_ENOTFOUND, ARES_EBADNAME: answer = .failed(.noSuchName)
        case ARES_ETIMEOUT: answer = .failed(.timedOut)
        default: answer = .failed(.serverFailed)
        }
    }

    // MARK: - Sockets

    /// What it waits for.
    var sockets: [pollfd] {
        var descriptors = [ares_socket_t](repeating: ARES_SOCKET_BAD, count: Int(ARES_GETSOCK_MAXNUM))
        let bits = UInt32(bitPattern: ares_getsock(channel, &descriptors, ARES_GETSOCK_MAXNUM))
        return descriptors.enumerated().compactMap { index, descriptor in
            let reads = bits >> UInt32(index) & 1 != 0
            let writes = bits >> UInt32(index + Int(ARES_GETSOCK_MAXNUM)) & 1 != 0
            guard reads || writes else { return nil }
            return pollfd(
                fd: descriptor, events: (reads ? Int16(POLLIN) : 0) | (writes ? Int16(POLLOUT) : 0), revents: 0)
        }
    }

    /// Milliseconds after which it wants to be processed whatever its sockets say.
    func wait(atMost limit: CInt) -> CInt {
        let wait = cares_wait(channel, limit)
        return wait < 0 ? limit : wait
    }

    /// Reads and writes what the sockets allow, and sends again what is due.
    func process(_ ready: ArraySlice<pollfd>) {
        for socket in ready where socket.revents != 0 {
            let isWritable = socket.revents & Int16(POLLOUT) != 0
            let isReadable = socket.revents & ~Int16(POLLOUT) != 0
            ares_process_fd(
                channel, isReadable ? socket.fd : ARES_SOCKET_BAD, isWritable ? socket.fd : ARES_SOCKET_BAD)
        }
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
    }

    // MARK: - The table of this machine

    private var tableEntries: [IPAddress] {
        [AF_INET6, AF_INET].flatMap { family -> [IPAddress] in
            var host: UnsafeMutablePointer<hostent>?
            guard ares_gethostbyname_file(channel, question.name, family, &host) == ARES_SUCCESS, let host
            else { return [] }
            defer { ares_free_hostent(host) }
            guard host.pointee.h_addrtype == family, let list = host.pointee.h_addr_list else { return [] }
            var addresses: [IPAddress] = []
            while addresses.count < 16, let entry = list[addresses.count] {
                let bytes = UnsafeRawPointer(entry)
                addresses.append(
                    family == AF_INET
                        ? .v4(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
                        : .v6(
                            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))))
            }
            return addresses
        }
    }
}
