import SIPUserAgent

/// Who takes the calls that come in.
enum Attendant: Sendable {
    /// A person, who is asked unless the account says otherwise.
    case person([AccountID: Account.AnswerPolicy])
    /// `offhook answer`.
    case plan(AnsweringPlan)
    /// The process has another purpose: whoever calls it hears that it is busy, and keeps it from nothing.
    case nobody

    var plan: AnsweringPlan? {
        if case .plan(let plan) = self { plan } else { nil }
    }
}
