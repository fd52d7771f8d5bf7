import Glibc
import Synchronization

/// A name server on loopback, over UDP and TCP on one port, that misbehaves as it is told.
package final class NameServer: Sendable {
    /// What it does in place of answering, or to its answers.
    package enum Behaviour: Sendable {
        case silent
        case late(milliseconds: Int32)
        /// An RCODE: 2 is SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
        case refusing(code: UInt8)
        /// Over UDP only that the answer does not fit; over TCP all of it.
        case truncated
        /// Before the true answer one under another id, and one to another question.
        case forged
        /// Adds records that nobody asked for.
        case talkative([ZoneRecord])
        /// Bytes that are no message, after the header and question of one.
        case garbled
    }

    private struct State: Sendable {
        var zone: Zone
        var behaviours: [(name: String?, kind: UInt16?, behaviour: Behaviour)] = []
        var queries: [String] = []
        var ports: Set<UInt16> = []
        var isStopped = false
    }

    private let state: Mutex<State>
    private let datagrams: CInt
    private let listener: CInt
    package let port: UInt16

    package struct NoSocket: Error {}

    package init(_ zone: Zone) throws {
        let sockets = try Self.sockets()
        (datagrams, listener, port) = (sockets.datagrams, sockets.listener, sockets.port)
        state = Mutex(State(zone: zone))
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { @Sendable context in
                guard let context else { return nil }
                Unmanaged<NameServer>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw NoSocket()
        }
        pthread_detach(thread)
    }

    /// As a list of name servers names it.
    package var address: String { "127.0.0.1:\(port)" }

    package func stop() { state.withLock { $0.isStopped = true } }

    package func set(_ zone: Zone) { state.withLock { $0.zone = zone } }

    /// Behaves so from now on for queries of that name and type; nil for any.
    package func behave(_ behaviour: Behaviour, name: String? = nil, kind: UInt16? = nil) {
        state.withLock { $0.behaviours.append((name, kind, behaviour)) }
    }

    /// The questions so far: `1 host.example.test`, each with ` tcp` behind it where it came over TCP.
    package var queries: [String] { state.withLock(\.queries) }
    /// The ports that queries came from.
    package var sourcePorts: Set<UInt16> { state.withLock(\.ports) }

    // MARK: - Sockets

    /// A UDP and a TCP socket on one port of 127.0.0.1.
    private static func sockets() throws -> (datagrams: CInt, listener: CInt, port: UInt16) {
        for _ in 0..<64 {
            let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            let datagrams = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
            if let port = bind(listener, to: 0), listen(listener, 16) == 0, bind(datagrams, to: port) != nil {
                return (datagrams, listener, port)
            }
            close(listener)
            close(datagrams)
        }
        throw NoSocket()
    }

    private static func bind(_ descriptor: CInt, to port: UInt16) -> UInt16? {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard Glibc.bind(descriptor, address, length) == 0,
                    getsockname(descriptor, address, &length) == 0
                else { return nil }
                return pointer.pointee.sin_port.bigEndian
            }
        }
    }

    // MARK: - Its thread

    private func run() {
        defer {
            close(datagrams)
            close(listener)
        }
        while !state.withLock(\.isStopped) {
            var ready = [
                pollfd(fd: datagrams, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ready, 2, 50) > 0 else { continue }
            if ready[0].revents != 0 { takeDatagram() }
            if ready[1].revents != 0 { takeConnection() }
        }
    }

    private func takeDatagram() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(datagrams, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count > 0 else { return }
        _ = state.withLock { $0.ports.insert(name.sin_port.bigEndian) }
        for reply in replies(to: Array(buffer.prefix(count)), isStream: false) {
            _ = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(datagrams, reply, reply.count, 0, $0, length)
                }
            }
        }
    }

    private func takeConnection() {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        defer { close(connection) }
        var wait = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        guard let size = read(2, from: connection),
            let query = read(Int(size[0]) << 8 | Int(size[1]), from: connection)
        else { return }
        for reply in replies(to: query, isStream: true) {
            let framed = ZoneRecord.octets(UInt16(truncatingIfNeeded: reply.count)) + reply
            _ = send(connection, framed, framed.count, CInt(MSG_NOSIGNAL))
        }
        // The client closes first, so that nothing of the answer is lost.
        _ = read(1, from: connection)
    }

    private func read(_ count: Int, from connection: CInt) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let got = recv(connection, &buffer, buffer.count, 0)
            guard got > 0 else { return nil }
            bytes += buffer.prefix(got)
        }
        return bytes
    }

    // MARK: - Answers

    private func replies(to bytes: [UInt8], isStream: Bool) -> [[UInt8]] {
        guard let query = Zone.Query(bytes) else { return [] }
        let (zone, behaviour) = state.withLock { state in
            state.queries.append("\(query.kind) \(query.name)\(isStream ? " tcp" : "")")
            let rule = state.behaviours.last { rule in
                (rule.name ?? query.name) == query.name && (rule.kind ?? query.kind) == query.kind
            }
            return (state.zone, rule?.behaviour)
        }
        let reply = zone.reply(to: query)
        switch behaviour {
        case nil:
            return [reply]
        case .silent:
            return []
        case .late(let milliseconds):
            poll(nil, 0, milliseconds)
            return [reply]
        case .refusing(let code):
            return [Zone.message(id: query.id, code: code, question: query.question, answers: [])]
        case .truncated:
            if isStream { return [reply] }
            return [Zone.message(id: query.id, code: 0, isTruncated: true, question: query.question, answers: [])]
        case .forged:
            let lie = ZoneRecord(query.name, kind: query.kind, data: [192, 0, 2, 66])
            let otherID = query.id.map { $0 ^ 0x55 }
            let otherQuestion = ZoneRecord.encoded("other.test") + query.question.suffix(4)
            return [
                Zone.message(id: otherID, code: 0, question: query.question, answers: [lie]),
                Zone.message(id: query.id, code: 0, question: otherQuestion, answers: [lie]),
                reply,
            ]
        case .talkative(let more):
            var counted = reply
            let count = UInt16(reply[6]) << 8 | UInt16(reply[7])
            counted.replaceSubrange(6..<8, with: ZoneRecord.octets(count + UInt16(more.count)))
            return [counted + more.flatMap(\.bytes)]
        case .garbled:
            return [Array(reply.prefix(12)) + query.question + [0xc0, 0xff, 0xc0, 0x0c, 0xff, 0xff]]
        }
    }
}
