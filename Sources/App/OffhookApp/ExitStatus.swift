import SIPMessages

/// What the process tells its caller: the contract of `Docs/Scripting.md`, "Exit status".
package enum ExitStatus: Hashable, Sendable {
    /// Done, and every expectation held.
    case success
    case noAnswer
    case busy
    case declined
    case notFound
    case authenticationFailed
    case registrationFailed
    case noCommonMedia
    case serverFailure
    case redirected
    case refused
    /// An expectation about media or status failed.
    case expectationFailed
    /// Answered, but none of the media that was agreed came.
    case noMedia
    /// Network, DNS or TLS.
    case network
    case audioDevice
    case usage
    case badInput
    case internalError
    /// Done, but standard output or a recording did not take the results.
    case resultsLost
    case configuration
    /// Ended by a signal, after BYE and unregister.
    case signal(Int32)

    package var code: Int32 {
        switch self {
        case .success: 0
        case .noAnswer: 10
        case .busy: 11
        case .declined: 12
        case .notFound: 13
        case .authenticationFailed: 14
        case .registrationFailed: 15
        case .noCommonMedia: 16
        case .serverFailure: 17
        case .redirected: 18
        case .refused: 19
        case .expectationFailed: 20
        case .noMedia: 21
        case .network: 30
        case .audioDevice: 31
        case .usage: 64
        case .badInput: 65
        case .internalError: 70
        case .resultsLost: 74
        case .configuration: 78
        case .signal(let number): 128 + number
        }
    }

    /// The status that a final response to INVITE stands for. A 2xx is success; a provisional one can't be final.
    package init(finalResponse status: StatusCode) {
        switch status.value {
        case 200...299: self = .success
        case 300...399: self = .redirected
        case 408, 480, 487: self = .noAnswer
        case 486, 600: self = .busy
        case 403, 603, 607, 608: self = .declined
        case 404, 410, 484, 604: self = .notFound
        case 401, 407: self = .authenticationFailed
        case 488, 606, 415: self = .noCommonMedia
        case 500...599: self = .serverFailure
        default: self = .refused
        }
    }

    /// Which of two results the process reports: 70, 31, 30, the SIP rows, 21, 20, and success last.
    package func worse(than other: ExitStatus) -> Bool {
        precedence < other.precedence
    }

    private var precedence: Int {
        switch self {
        case .signal: 0
        case .internalError: 1
        case .audioDevice: 2
        case .network: 3
        case .noMedia: 5
        case .expectationFailed: 6
        case .success: 7
        default: 4
        }
    }
}
