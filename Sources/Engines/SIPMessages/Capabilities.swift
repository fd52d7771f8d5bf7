/// What a user agent takes, against which a request is judged (RFC 3261 §8.2) and which OPTIONS reports (§11.2).
package struct Capabilities: Equatable, Sendable {
    package var methods: [Method]
    /// Extensions that a Require may name.
    package var optionTags: [String]
    package var contentTypes: [ContentType]
    /// Besides `identity`.
    package var contentEncodings: [String]
    /// Schemes of a Request-URI, in lower case.
    package var uriSchemes: [String]

    package init(
        methods: [Method] = [.invite, .ack, .cancel, .bye, .options], optionTags: [String] = [],
        contentTypes: [ContentType] = [.sdp], contentEncodings: [String] = [], uriSchemes: [String] = ["sip", "sips"]
    ) {
        self.methods = methods
        self.optionTags = optionTags
        self.contentTypes = contentTypes
        self.contentEncodings = contentEncodings
        self.uriSchemes = uriSchemes
    }

    func takes(_ type: ContentType) -> Bool {
        contentTypes.contains { type.isType($0.type, $0.subtype) }
    }
}
