import EventPackages
import SIPMessages

/// One subscription of ours; numbered by whoever makes it.
package struct SubscriptionHandle: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static func < (left: SubscriptionHandle, right: SubscriptionHandle) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What to be told of, and by whom (RFC 6665 §4.1.2).
package struct OutgoingSubscription: Sendable {
    /// nil: the first configured account.
    package var account: AccountID?
    package var target: URI
    package var event: EventPackage
    /// Seconds; 0 asks once and subscribes to nothing (§4.4.3).
    package var expires: UInt32
    /// Added to every SUBSCRIBE as they are.
    package var headers: Headers

    package init(
        account: AccountID? = nil, target: URI, event: EventPackage, expires: UInt32 = 3600,
        headers: Headers = Headers()
    ) {
        self.account = account
        self.target = target
        self.event = event
        self.expires = expires
        self.headers = headers
    }
}

/// How a subscription of ours stands.
package enum SubscriptionStatus: Equatable, Sendable {
    /// The notifier has not decided yet whether we may know.
    case pending
    /// For so many seconds, after which it is refreshed.
    case active(expires: UInt32)
    /// It ended, or could not be made; tried again after that time.
    case waiting(StatusCode?, reason: String, retryAfter: Duration)
    /// For good.
    case ended(StatusCode?, reason: String)
}

/// What a NOTIFY told.
package struct EventNotification: Sendable {
    package enum Content: Equatable, Sendable {
        /// The state did not change, or nothing is known of it.
        case none
        case presence(PresenceDocument)
        /// All dialogs that are known by now, put together from full and partial documents.
        case dialogs(DialogTable)
        case messageSummary(MessageSummary)
        case registration(RegistrationInformation)
        case other(ContentType, [UInt8])
        case unreadable(String)
    }

    package var account: AccountID
    /// Of whom it tells, as we asked for it; in an unsolicited NOTIFY its To.
    package var target: URI
    package var event: EventPackage
    package var content: Content

    /// Reads the body of a NOTIFY: of several parts the first that the package is about.
    static func content(of request: Request, table: inout DialogTable) -> Content {
        let known = (try? request.headers.first(EventPackage.self))?.acceptedTypes ?? []
        let parts = (try? request.headers.parts(of: request.body)) ?? []
        let fitting = parts.first { part in known.contains { part.contentType.isType($0.type, $0.subtype) } }
        guard let part = fitting ?? parts.first else { return .none }
        let type = part.contentType
        do throws(EventBodyFault) {
            if type.isType("application", "pidf+xml") {
                return .presence(try PresenceDocument(parsing: part.body))
            } else if type.isType("application", "dialog-info+xml") {
                // A document that is old or does not follow leaves the table as it is.
                _ = table.take(try DialogInformation(parsing: part.body))
                return .dialogs(table)
            } else if type.isType("application", "simple-message-summary") {
                return .messageSummary(try MessageSummary(parsing: part.body))
            } else if type.isType("application", "reginfo+xml") {
                return .registration(try RegistrationInformation(parsing: part.body))
            }
            return .other(type, part.body)
        } catch {
            return .unreadable("\(error)")
        }
    }
}

extension EventPackage {
    /// The types that a subscriber to the package reads; none where we know nothing of it.
    var acceptedTypes: [ContentType] {
        switch package.asciiLowercased {
        case "presence": [ContentType("application", "pidf+xml")]
        case "dialog": [ContentType("application", "dialog-info+xml")]
        case "message-summary": [ContentType("application", "simple-message-summary")]
        case "reg": [ContentType("application", "reginfo+xml")]
        default: []
        }
    }

    /// Whether a NOTIFY with this event belongs to a subscription with the other: package and `id` (RFC 6665 §8.2.1).
    func belongs(to other: EventPackage) -> Bool {
        package.equalsIgnoringCase(other.package) && id == other.id
    }
}
