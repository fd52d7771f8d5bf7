/// Whether a REFER makes a subscription (RFC 4488 §4): true unless both sides say otherwise.
package struct ReferSub: HeaderField {
    package static var name: HeaderName { .referSub }
    package static var shape: FieldShape { .single }
    package var subscribes: Bool
    package var parameters: Parameters

    package init(_ subscribes: Bool) {
        self.subscribes = subscribes
        parameters = Parameters()
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let (word, parameters) = try cursor.tokenAndParameters()
        guard word.equalsIgnoringCase("true") || word.equalsIgnoringCase("false") else {
            throw cursor.fault(.expected(.word))
        }
        subscribes = word.equalsIgnoringCase("true")
        self.parameters = parameters
    }

    package func write(to writer: inout MessageWriter) { writer.write(subscribes ? "true" : "false", parameters) }
}

/// What a field is called that names a dialog, and how it calls the two tags.
package protocol DialogFieldName {
    static var name: HeaderName { get }
    /// First the recipient's own, then that of its peer.
    static var tags: (own: String, peer: String) { get }
}

/// A field that names a dialog by its Call-ID and two tags, both of which must be there, each once (RFC 3891 §6.1).
package struct DialogField<Name: DialogFieldName>: HeaderField {
    package static var name: HeaderName { Name.name }
    package static var shape: FieldShape { .single }
    package var callID: String
    package var parameters: Parameters

    package init(callID: String, ownTag: String, peerTag: String) {
        self.callID = callID
        parameters = Parameters(.field, [(Name.tags.own, ownTag), (Name.tags.peer, peerTag)])
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        let start = cursor.position
        if try cursor.run(of: .word).isEmpty { throw cursor.fault(.expected(.word)) }
        if cursor.take(UInt8(ascii: "@")) { _ = try cursor.run(of: .word) }
        callID = cursor.text(start..<cursor.position)
        parameters = try Parameters(parsingField: &cursor)
        for tag in [Name.tags.own, Name.tags.peer] {
            guard parameters[tag] != nil else { throw cursor.fault(.expected(.parameter)) }
            if parameters.repeatedNames.contains(tag) { throw cursor.fault(.repeatedParameter) }
        }
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(callID)
        parameters.write(to: &writer, as: .field)
    }

    /// The tag that the recipient of the field gave itself.
    package var ownTag: String { parameters[Name.tags.own] ?? "" }
    package var peerTag: String { parameters[Name.tags.peer] ?? "" }
}

/// The dialog that an INVITE takes the place of (RFC 3891 §6.1).
package typealias Replaces = DialogField<ReplacesName>

package enum ReplacesName: DialogFieldName {
    package static var name: HeaderName { .replaces }
    package static var tags: (own: String, peer: String) { ("to-tag", "from-tag") }
}

extension DialogField where Name == ReplacesName {
    /// Whether it is meant for a dialog that was not answered yet.
    package var isEarlyOnly: Bool { parameters.contains("early-only") }
}

/// The dialog that an INVITE wants to be joined with (RFC 3911 §7.1).
package typealias Join = DialogField<JoinName>

package enum JoinName: DialogFieldName {
    package static var name: HeaderName { .join }
    package static var tags: (own: String, peer: String) { ReplacesName.tags }
}

/// The dialog by which the sender of a request shows that it may make it (RFC 4538 §7).
package typealias TargetDialog = DialogField<TargetDialogName>

package enum TargetDialogName: DialogFieldName {
    package static var name: HeaderName { .targetDialog }
    package static var tags: (own: String, peer: String) { ("local-tag", "remote-tag") }
}
