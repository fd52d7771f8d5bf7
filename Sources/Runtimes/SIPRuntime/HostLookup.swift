import EngineKit
import Glibc
import NIOCore
import SIPUserAgent

/// Addresses of a host name from the system's resolver, which blocks: each question gets a thread of its own.
enum HostLookup {
    /// What one answer may hold (ROBUSTNESS S21).
    static let largestAnswer = 16

    /// A question on its way to its thread.
    private final class Question: Sendable {
        let name: String
        let completion: @Sendable (Result<[IPAddress], ResolutionFailure>) -> Void

        init(_ name: String, _ completion: @escaping @Sendable (Result<[IPAddress], ResolutionFailure>) -> Void) {
            self.name = name
            self.completion = completion
        }
    }

    /// Asks; `completion` runs on `loop`, however late. False where the system has no thread left.
    static func ask(
        _ name: String, on loop: any EventLoop,
        completion: @escaping @Sendable (Result<[IPAddress], ResolutionFailure>) -> Void
    ) -> Bool {
        let question = Question(name) { result in loop.execute { completion(result) } }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(question)
        let code = pthread_create(
            &thread, nil,
            { @Sendable context in
                guard let context else { return nil }
                let question = Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
                question.completion(HostLookup.addresses(of: question.name))
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// In the order of preference of RFC 6724, as the system gives them.
    private static func addresses(of name: String) -> Result<[IPAddress], ResolutionFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else { return .failure(code == EAI_AGAIN ? .timedOut : .notFound) }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee, addresses.count < largestAnswer {
            next = entry.ai_next
            guard let address = entry.ai_addr.flatMap(address) else { continue }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses.isEmpty ? .failure(.notFound) : .success(addresses)
    }

    private static func address(_ raw: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        let bytes = UnsafeRawPointer(raw)
        switch CInt(raw.pointee.sa_family) {
        case AF_INET: return SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self)).address
        case AF_INET6: return SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self)).address
        default: return nil
        }
    }
}
