/// The status of a response, 100 to 699 (RFC 3261 §7.2, §21).
package struct StatusCode: Hashable, Sendable {
    package let value: Int

    /// A status from the wire or a user; nil outside 100 to 699.
    package init?(_ value: Int) {
        guard (100...699).contains(value) else { return nil }
        self.value = value
    }

    package enum Class: Int, Sendable {
        case provisional = 1
        case success, redirection, clientError, serverError, globalError
    }

    package var `class`: Class { Class(rawValue: value / 100) ?? .serverError }
    package var isProvisional: Bool { value < 200 }
    package var isFinal: Bool { value >= 200 }
    package var isSuccess: Bool { (200..<300).contains(value) }
    package var isRedirection: Bool { (300..<400).contains(value) }
    /// 4xx, 5xx or 6xx.
    package var isFailure: Bool { value >= 400 }
}

extension StatusCode: ExpressibleByIntegerLiteral {
    /// A status of our own; a literal outside 100 to 699 is our fault and is held to 500.
    package init(integerLiteral value: Int) {
        self.value = (100...699).contains(value) ? value : 500
    }
}

extension StatusCode: Comparable {
    package static func < (left: StatusCode, right: StatusCode) -> Bool { left.value < right.value }
}

extension StatusCode: CustomStringConvertible {
    package var description: String { String(value) }
}

extension StatusCode {
    /// The default reason phrase (§21 and the RFCs that added statuses), or that of its class.
    package var reason: String {
        if let phrase = Self.phrases[value] { return phrase }
        switch self.class {
        case .provisional: return "Session Progress"
        case .success: return "OK"
        case .redirection: return "Multiple Choices"
        case .clientError: return "Bad Request"
        case .serverError: return "Server Internal Error"
        case .globalError: return "Busy Everywhere"
        }
    }

    private static let phrases: [Int: String] = [
        100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
        199: "Early Dialog Terminated",
        200: "OK", 202: "Accepted", 204: "No Notification",
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
        380: "Alternative Service",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
        408: "Request Timeout", 410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large",
        414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
        417: "Unknown Resource-Priority", 420: "Bad Extension", 421: "Extension Required",
        422: "Session Interval Too Small", 423: "Interval Too Brief", 424: "Bad Location Information",
        428: "Use Identity Header", 429: "Provide Referrer Identity", 430: "Flow Failed",
        433: "Anonymity Disallowed", 436: "Bad Identity-Info", 437: "Unsupported Certificate",
        438: "Invalid Identity Header", 439: "First Hop Lacks Outbound Support", 440: "Max-Breadth Exceeded",
        469: "Bad Info Package", 470: "Consent Needed",
        480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
        483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
        487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
        493: "Undecipherable", 494: "Security Agreement Required",
        500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
        555: "Push Notification Service Not Supported", 580: "Precondition Failure",
        600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
        607: "Unwanted", 608: "Rejected",
    ]
}
