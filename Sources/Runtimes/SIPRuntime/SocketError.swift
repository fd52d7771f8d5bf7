import EngineKit
import Glibc
import SIPUserAgent

/// An endpoint that could not be started.
package enum EndpointError: Error, Hashable, Sendable, CustomStringConvertible {
    case addressInUse(SocketAddress)
    /// No interface of this machine has the address, or the system knows none of its kind.
    case addressNotAvailable(SocketAddress)
    case permissionDenied(SocketAddress)
    case socketFailed(SocketAddress, reason: String)

    init(_ code: CInt, binding address: SocketAddress) {
        self =
            switch code {
            case EADDRINUSE: .addressInUse(address)
            case EADDRNOTAVAIL, EAFNOSUPPORT: .addressNotAvailable(address)
            case EACCES, EPERM: .permissionDenied(address)
            default: .socketFailed(address, reason: String(cString: strerror(code)))
            }
    }

    package var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use by another program"
        case .addressNotAvailable(let address): "\(address.address) is not an address of this machine"
        case .permissionDenied(let address): "no permission to listen on \(address)"
        case .socketFailed(let address, let reason): "can't listen on \(address): \(reason)"
        }
    }
}

extension TransmitFailure {
    /// What an error number of a socket means to the user agent.
    init(errno code: CInt) {
        self =
            switch code {
            case ECONNREFUSED: .refused
            case ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN: .reset
            case EHOSTUNREACH, EHOSTDOWN, ENONET: .hostUnreachable
            case ENETUNREACH, ENETDOWN: .networkUnreachable
            case EACCES, EPERM: .notPermitted
            case ETIMEDOUT: .timedOut
            case EMSGSIZE: .tooLarge
            default: .other
            }
    }
}
