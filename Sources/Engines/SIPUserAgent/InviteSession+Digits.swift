import EngineKit
import SIPMessages
import SIPTransactions

/// One step of digits that signalling carries.
package enum SignalledStep: Hashable, Sendable {
    case digit(SignalledDigit)
    case pause(Duration)

    /// How many steps of one call can wait to be sent.
    package static let waitingLimit = 64
}

/// Digits that wait to be sent by INFO: one after another, as requests of one dialog may overtake each other.
struct SignalledDigits: Sendable {
    var waiting: [SignalledStep] = []
    /// The one that has no answer yet.
    var outstanding: SignalledDigit?
    /// No digit before this: the last one still sounds, or a pause goes on.
    var notBefore: Instant?

    var deadline: Instant? { waiting.isEmpty || outstanding != nil ? nil : notBefore }
}

/// Digits by INFO (RFC 2976; RFC 6086 §2 calls it legacy usage), sent and taken.
extension InviteSession {
    /// How long a digit sounds that says nothing of it, and the silence between two.
    private static let digitDuration = 160
    private static let digitGap = Duration.milliseconds(80)

    mutating func sendDigits(_ steps: [SignalledStep], at now: Instant) {
        guard takesRequests, digits.waiting.count + steps.count <= SignalledStep.waitingLimit else {
            return ignoreCommand()
        }
        digits.waiting += steps
        sendDueDigit(at: now)
    }

    mutating func sendDueDigit(at now: Instant) {
        while digits.outstanding == nil, takesRequests, !digits.waiting.isEmpty {
            if let notBefore = digits.notBefore, now < notBefore { return }
            digits.notBefore = nil
            switch digits.waiting.removeFirst() {
            case .pause(let duration):
                digits.notBefore = now + duration
            case .digit(var digit):
                guard var request = dialog?.request(.info), let tag = dialog?.remoteTag else { return }
                let milliseconds = digit.milliseconds ?? Self.digitDuration
                digit.milliseconds = milliseconds
                request.headers.append(SignalledDigit.relay)
                request.body = digit.bytes
                digits.outstanding = digit
                digits.notBefore = now + .milliseconds(milliseconds) + Self.digitGap
                act(.send(request, .within(tag, .digit), along: peer))
            }
        }
    }

    /// The answer to a digit. A peer that refuses one will refuse the next.
    mutating func digitAnswered(_ response: Response, at now: Instant) {
        guard let digit = digits.outstanding else { return }
        guard response.status.isSuccess else {
            digitsRefused(response.status, response.reason)
            return requestAnswered(response, at: now)
        }
        digits.outstanding = nil
        emit(.digitSent(handle, digit))
        sendDueDigit(at: now)
    }

    mutating func digitFailed(_ failure: RequestFailure, at now: Instant) {
        digitsRefused(nil, failure.reason)
        requestFailed(failure, at: now)
    }

    private mutating func digitsRefused(_ status: StatusCode?, _ reason: String) {
        guard let digit = digits.outstanding else { return }
        digits = SignalledDigits()
        emit(.digitsRefused(handle, digit, status, reason: reason))
    }

    /// INFO of the peer: a digit, or nothing at all, which only asks whether the call is there (RFC 2976 §2.2). A digit
    /// that is pressed before the answer, as to a menu in early media, is told like any other.
    mutating func receiveInfo(_ request: Request, in transaction: ServerTransactionID) {
        // What was hung up here is over (RFC 3261 §15.1.1), whether the peer knows yet or not.
        guard phase != .ended else { return act(.respond(request.response(481), transaction)) }
        guard !request.body.isEmpty else { return act(.respond(request.response(200), transaction)) }
        guard let type = try? request.headers.first(ContentType.self),
            let digit = SignalledDigit(parsing: request.body, type: type)
        else {
            return act(.respond(request.response(400, reason: "Digit Unreadable"), transaction))
        }
        act(.respond(request.response(200), transaction))
        emit(.digitReceived(handle, digit))
    }
}

extension Request {
    /// The refusal of an INFO that belongs to an Info Package (RFC 6086 §4.2.2): we know none, and say so.
    var infoPackageRefusal: Response? {
        guard method == .info, headers.contains(.infoPackage) else { return nil }
        var response = response(469, reason: "Bad Info Package")
        response.headers.setInfoPackages()
        return response
    }
}
