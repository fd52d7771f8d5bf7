import EngineKit
import SIPMessages

/// What `offhook answer` does with each call that comes in.
struct AnsweringPlan: Sendable {
    /// The final response.
    var status: StatusCode
    var reason: String?
    /// How long to ring before it; nil: at once, without ringing.
    var after: Duration?
    /// How many calls to take before the command ends; nil for no end.
    var count: Int?
    var script: CallScript

    /// What responses are worth nothing without (RFC 3261 §21.4, RFC 4028 §6, RFC 6665 §8.3.2).
    private static let requiredHeaders: [Int: [HeaderName]] = [
        415: [.accept, .acceptEncoding, .acceptLanguage], 420: [.unsupported], 421: [.require], 422: [.minSE],
        423: [.minExpires], 489: [.allowEvents],
    ]

    init(_ options: AnsweringOptions, script: CallScript) throws(CallScript.Fault) {
        guard (200...699).contains(options.code), let status = StatusCode(options.code) else {
            throw CallScript.Fault(option: "--code", problem: "\(options.code) is no final status (200 to 699)")
        }
        guard !status.isSuccess || options.code == 200 else {
            throw CallScript.Fault(option: "--code", problem: "of the 2xx only 200 answers a call")
        }
        guard ![401, 407].contains(options.code) else {
            throw CallScript.Fault(
                option: "--code",
                problem: "\(options.code) needs a challenge: [[caller]] in the configuration makes one")
        }
        if let headers = Self.requiredHeaders[options.code], !headers.contains(where: script.headers.contains) {
            let names = headers.map(\.description).joined(separator: " or ")
            throw CallScript.Fault(
                option: "--code",
                problem: "\(options.code) has to say in \(names) what it is about; --header gives it")
        }
        guard options.code != 405 else {
            throw CallScript.Fault(option: "--code", problem: "405 of a phone that takes calls would be no truth")
        }
        if !status.isSuccess, options.echo || script.play != nil || script.recordPath != nil {
            throw CallScript.Fault(
                option: "--code", problem: "\(options.code) answers nobody: there is nothing to echo, play or record")
        }
        if options.echo, script.play != nil {
            throw CallScript.Fault(option: "--echo", problem: "sends back what is heard, and --play something else")
        }
        if let count = options.count, count < 1 {
            throw CallScript.Fault(option: "--count", problem: "\(count) is less than one call")
        }
        if options.reason != nil, status.isSuccess {
            throw CallScript.Fault(option: "--reason", problem: "is that of a refusal: it goes with another --code")
        }
        if let reason = options.reason, reason.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
            throw CallScript.Fault(option: "--reason", problem: "holds a control character")
        }
        self.status = status
        reason = options.reason
        after = options.after
        count = options.count
        self.script = script
        self.script.echoes = options.echo
        guard options.redirect == nil || options.code == 200 else {
            throw CallScript.Fault(option: "--redirect", problem: "is a final response of its own: --code is another")
        }
    }

    /// Sends callers elsewhere (RFC 3261 §21.3.3).
    mutating func redirect(to target: URI) {
        status = 302
        script.headers.append(Contact.address(NameAddress(uri: target)))
    }
}
