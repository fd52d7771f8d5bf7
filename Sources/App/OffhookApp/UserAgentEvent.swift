import SIPUserAgent

/// The user agent's events, beside those of media and of messages.
typealias UserAgentEvent = SIPUserAgent.Event
