/// What a user agent takes, against which a request is judged (RFC 3261 §8.2) and which OPTIONS reports (§11.2).
package struct Capabilities: Equatable, Sendable {
    package var methods: [Method] { didSet { fields = Self.fields(methods, optionTags) } }
    /// Extensions that a Require may name.
    package var optionTags: [String] { didSet { fields = Self.fields(methods, optionTags) } }
    /// Allow, and Supported where there are extensions, as they go into messages; written once.
    package private(set) var fields: Headers
    /// The bodies of every method that `bodies` does not name.
    package var contentTypes: [ContentType]
    /// Methods whose requests carry bodies of their own.
    package var bodies: [MethodBodies]
    /// Besides `identity`.
    package var contentEncodings: [String]
    /// Schemes of a Request-URI, in lower case.
    package var uriSchemes: [String]

    package init(
        methods: [Method] = [.invite, .ack, .cancel, .bye, .options], optionTags: [String] = [],
        contentTypes: [ContentType] = [.sdp], bodies: [MethodBodies] = [], contentEncodings: [String] = [],
        uriSchemes: [String] = ["sip", "sips"]
    ) {
        self.methods = methods
        self.optionTags = optionTags
        self.contentTypes = contentTypes
        self.bodies = bodies
        self.contentEncodings = contentEncodings
        self.uriSchemes = uriSchemes
        fields = Self.fields(methods, optionTags)
    }

    private static func fields(_ methods: [Method], _ optionTags: [String]) -> Headers {
        var fields = Headers()
        fields.append(Allow(methods))
        if !optionTags.isEmpty { fields.append(Supported(optionTags)) }
        return fields
    }

    /// The types, or ranges of them, that a request of this method may carry.
    package func contentTypes(of method: Method) -> [ContentType] {
        bodies.first { $0.method == method }?.contentTypes ?? contentTypes
    }

    /// Every type that any method carries, each once; methods that carry anything at all aside.
    package var allContentTypes: [ContentType] {
        bodies.flatMap(\.contentTypes).reduce(into: contentTypes) { types, type in
            if type != .any, !types.contains(type) { types.append(type) }
        }
    }

    func takes(_ type: ContentType, in method: Method) -> Bool {
        ContentType.admit(type, by: contentTypes(of: method))
    }
}

/// The types of bodies that requests of one method carry.
package struct MethodBodies: Equatable, Sendable {
    package var method: Method
    package var contentTypes: [ContentType]

    package init(_ method: Method, _ contentTypes: [ContentType]) {
        self.method = method
        self.contentTypes = contentTypes
    }
}
