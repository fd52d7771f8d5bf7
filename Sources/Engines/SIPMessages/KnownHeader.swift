/// The header fields that we know by name (RFC 3261 §20 and the IANA registry). 0 is left for all others.
enum KnownHeader: UInt8, CaseIterable, Sendable {
    case contact = 1
    case route, recordRoute, expires, minExpires, retryAfter, allow, supported, require, proxyRequire
    case unsupported, contentType, contentLength, contentEncoding, contentDisposition, contentLanguage, accept
    case acceptEncoding, acceptLanguage, authorization, proxyAuthorization, wwwAuthenticate, proxyAuthenticate
    case authenticationInfo, userAgent, server, subject, date, reason, warning, alertInfo, callInfo, event
    case allowEvents, subscriptionState, referTo, referredBy, replaces, rSeq, rAck, sessionExpires, minSE
    case path, serviceRoute, pAssertedIdentity, pPreferredIdentity, privacy, organization, priority, timestamp
    case inReplyTo, errorInfo, mimeVersion, replyTo, via, from, to, callID, cSeq, maxForwards, acceptContact
    case rejectContact, requestDisposition, identity, sipETag, sipIfMatch, join, targetDialog, historyInfo
    case diversion, flowTimer, geolocation, featureCaps, contentTransferEncoding, referSub, infoPackage
    case recvInfo, answerMode, privAnswerMode

    /// The spelling that we write.
    var spelling: String {
        switch self {
        case .contact: "Contact"
        case .route: "Route"
        case .recordRoute: "Record-Route"
        case .expires: "Expires"
        case .minExpires: "Min-Expires"
        case .retryAfter: "Retry-After"
        case .allow: "Allow"
        case .supported: "Supported"
        case .require: "Require"
        case .proxyRequire: "Proxy-Require"
        case .unsupported: "Unsupported"
        case .contentType: "Content-Type"
        case .contentLength: "Content-Length"
        case .contentEncoding: "Content-Encoding"
        case .contentDisposition: "Content-Disposition"
        case .contentLanguage: "Content-Language"
        case .accept: "Accept"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .authorization: "Authorization"
        case .proxyAuthorization: "Proxy-Authorization"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .authenticationInfo: "Authentication-Info"
        case .userAgent: "User-Agent"
        case .server: "Server"
        case .subject: "Subject"
        case .date: "Date"
        case .reason: "Reason"
        case .warning: "Warning"
        case .alertInfo: "Alert-Info"
        case .callInfo: "Call-Info"
        case .event: "Event"
        case .allowEvents: "Allow-Events"
        case .subscriptionState: "Subscription-State"
        case .referTo: "Refer-To"
        case .referredBy: "Referred-By"
        case .replaces: "Replaces"
        case .rSeq: "RSeq"
        case .rAck: "RAck"
        case .sessionExpires: "Session-Expires"
        case .minSE: "Min-SE"
        case .path: "Path"
        case .serviceRoute: "Service-Route"
        case .pAssertedIdentity: "P-Asserted-Identity"
        case .pPreferredIdentity: "P-Preferred-Identity"
        case .privacy: "Privacy"
        case .organization: "Organization"
        case .priority: "Priority"
        case .timestamp: "Timestamp"
        case .inReplyTo: "In-Reply-To"
        case .errorInfo: "Error-Info"
        case .mimeVersion: "MIME-Version"
        case .replyTo: "Reply-To"
        case .via: "Via"
        case .from: "From"
        case .to: "To"
        case .callID: "Call-ID"
        case .cSeq: "CSeq"
        case .maxForwards: "Max-Forwards"
        case .acceptContact: "Accept-Contact"
        case .rejectContact: "Reject-Contact"
        case .requestDisposition: "Request-Disposition"
        case .identity: "Identity"
        case .sipETag: "SIP-ETag"
        case .sipIfMatch: "SIP-If-Match"
        case .join: "Join"
        case .targetDialog: "Target-Dialog"
        case .historyInfo: "History-Info"
        case .diversion: "Diversion"
        case .flowTimer: "Flow-Timer"
        case .geolocation: "Geolocation"
        case .featureCaps: "Feature-Caps"
        case .contentTransferEncoding: "Content-Transfer-Encoding"
        case .referSub: "Refer-Sub"
        case .infoPackage: "Info-Package"
        case .recvInfo: "Recv-Info"
        case .answerMode: "Answer-Mode"
        case .privAnswerMode: "Priv-Answer-Mode"
        }
    }

    /// The one-letter form (§7.3.3), 0 where there is none.
    var compactForm: UInt8 {
        switch self {
        case .contact: UInt8(ascii: "m")
        case .supported: UInt8(ascii: "k")
        case .contentType: UInt8(ascii: "c")
        case .contentLength: UInt8(ascii: "l")
        case .contentEncoding: UInt8(ascii: "e")
        case .subject: UInt8(ascii: "s")
        case .event: UInt8(ascii: "o")
        case .allowEvents: UInt8(ascii: "u")
        case .referTo: UInt8(ascii: "r")
        case .referredBy: UInt8(ascii: "b")
        case .sessionExpires: UInt8(ascii: "x")
        case .via: UInt8(ascii: "v")
        case .from: UInt8(ascii: "f")
        case .to: UInt8(ascii: "t")
        case .callID: UInt8(ascii: "i")
        case .acceptContact: UInt8(ascii: "a")
        case .rejectContact: UInt8(ascii: "j")
        case .requestDisposition: UInt8(ascii: "d")
        case .identity: UInt8(ascii: "y")
        default: 0
        }
    }
}
