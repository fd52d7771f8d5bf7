import EventPackages
import Proofs
import Testing

/// The documents of the event packages, read as peers write them and as we do.
@Suite struct EventBodyTests {
    // MARK: - Presence

    @Test(.proves(.clause("RFC 3863 §4.3")))
    func readsThePresenceThatTheRFCShows() throws {
        // RFC 3863 §4.3.2, with the activities of RFC 4480.
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
                xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:someone@example.com">
              <impp:tuple id="sg89ae">
                <impp:status><impp:basic>open</impp:basic></impp:status>
                <impp:contact priority="0.8">tel:+09012345678</impp:contact>
                <impp:note xml:lang="en">Don't disturb please!</impp:note>
              </impp:tuple>
              <impp:tuple id="eg92n8"><impp:status><impp:basic>closed</impp:basic></impp:status></impp:tuple>
              <impp:note>I'll be in Tokyo next week</impp:note>
              <dm:person id="p"><rpid:activities><rpid:on-the-phone/><rpid:note>long</rpid:note></rpid:activities></dm:person>
            </impp:presence>
            """
        let presence = try PresenceDocument(parsing: Array(text.utf8))
        #expect(presence.entity == "pres:someone@example.com")
        #expect(presence.tuples.map(\.isOpen) == [true, false])
        #expect(presence.tuples[0].contact == "tel:+09012345678")
        #expect(presence.isOpen)
        #expect(presence.note == "I'll be in Tokyo next week")
        #expect(presence.activities == ["on-the-phone"])
    }

    @Test func presenceIsReadAsItWasWritten() throws {
        let documents = [
            PresenceDocument(entity: "sip:a@b", tuples: []),
            PresenceDocument(
                entity: "sip:<\"'&>@b",
                tuples: [.init(id: "t1", isOpen: true, contact: "sip:a@c:5070;x=y"), .init(id: "", isOpen: nil)],
                notes: ["caf\u{e9}\n]]> <!--", "x"], activities: ["on-the-phone", "away"]),
        ]
        for document in documents {
            #expect(try PresenceDocument(parsing: document.bytes) == document)
        }
    }

    @Test func presenceOfNobodyAndOtherDocumentsAreRefused() {
        #expect(throws: EventBodyFault.missing("entity")) { try PresenceDocument(parsing: Array("<presence/>".utf8)) }
        #expect(throws: EventBodyFault.root("html")) { try PresenceDocument(parsing: Array("<html/>".utf8)) }
        #expect(throws: EventBodyFault.xml(.doctype)) {
            try PresenceDocument(parsing: Array("<!DOCTYPE presence><presence entity='x'/>".utf8))
        }
    }

    // MARK: - Dialogs

    @Test(.proves(.clause("RFC 4235 §4.1")))
    func readsTheDialogsThatTheRFCShows() throws {
        // RFC 4235 §3.5 and §5, with prefixes as peers use them.
        let text = """
            <?xml version="1.0"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="1" state="partial" entity="sip:alice@example.com">
              <dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" remote-tag="456887766" direction="initiator">
                <state reason="replaced">early</state>
                <remote><identity display="Bob">sip:bob@example.com</identity><target uri="sip:bob@pc"/></remote>
              </dialog>
            </dialog-info>
            """
        let document = try DialogInformation(parsing: Array(text.utf8))
        #expect((document.version, document.isFull, document.entity) == (1, false, "sip:alice@example.com"))
        let dialog = try #require(document.dialogs.first)
        #expect(dialog.state == .early)
        #expect(dialog.isInitiator == true)
        #expect(dialog.remoteIdentity == "sip:bob@example.com")
        #expect(dialog.remoteName == "Bob")
        #expect(try DialogInformation(parsing: document.bytes) == document)
    }

    @Test(arguments: [
        "<dialog-info entity='a'/>", "<dialog-info version='x' entity='a'/>",
        "<dialog-info version='4294967296' entity='a'/>",
        "<dialog-info version='1'/>", "<dialog-info version='1' entity='a'><dialog/></dialog-info>",
        "<dialog-info version='1' entity='a'><dialog id='1'/></dialog-info>",
        "<dialog-info version='1' entity='a'><dialog id='1'><state>busy</state></dialog></dialog-info>",
    ]) func dialogsWithoutWhatTheyNeedAreRefused(text: String) {
        #expect(throws: EventBodyFault.self) { try DialogInformation(parsing: Array(text.utf8)) }
    }

    private func document(
        _ version: UInt32, isFull: Bool = false, _ dialogs: (String, DialogInformation.State)...
    ) -> DialogInformation {
        DialogInformation(
            version: version, isFull: isFull, entity: "sip:a@b", dialogs: dialogs.map { .init(id: $0.0, state: $0.1) })
    }

    @Test func partialDocumentsChangeTheTableOnlyInTheirOrder() {
        var table = DialogTable()
        #expect(table.take(document(5, ("1", .early))) == .incomplete, "the first must be full")
        #expect(table.take(document(5, isFull: true, ("1", .early), ("2", .confirmed))) == .changed)
        #expect(table.state == .confirmed)
        #expect(table.take(document(6, ("2", .terminated))) == .changed)
        #expect(table.state == .early)
        #expect(table.take(document(6, ("1", .terminated))) == .stale)
        #expect(table.take(document(8, ("1", .terminated))) == .incomplete)
        #expect(table.state == .early)
        #expect(table.take(document(9, isFull: true)) == .changed)
        #expect(table.state == .terminated)
        for id in 0..<100 { _ = table.take(document(UInt32(10 + id), ("\(id)", .early))) }
        #expect(table.dialogs.count == 64)
    }

    // MARK: - Messages, registrations, writing

    @Test(.proves(.clause("RFC 3842 §5.2")))
    func readsWaitingMessages() throws {
        let text =
            "Messages-Waiting: Yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n\r\nTo: x"
        let summary = try MessageSummary(parsing: Array(text.utf8))
        #expect(
            summary
                == MessageSummary(
                    isWaiting: true, account: "sip:alice@vmail.example.com",
                    voice: .init(new: 2, old: 8, newUrgent: 0, oldUrgent: 2)))
        #expect(try MessageSummary(parsing: Array("messages-waiting:no\n".utf8)) == MessageSummary(isWaiting: false))
    }

    @Test(arguments: [
        "", "Voice-Message: 1/0", "Messages-Waiting: maybe", "Messages-Waiting: yes\r\nVoice-Message: many",
        "Messages-Waiting: yes\r\nVoice-Message: 1/2 (3)", "Messages-Waiting: yes\r\nVoice-Message: 1/99999999999",
    ]) func summariesThatSayNothingAreRefused(text: String) {
        #expect(throws: EventBodyFault.self) { try MessageSummary(parsing: Array(text.utf8)) }
    }

    @Test(.proves(.clause("RFC 3680 §5")))
    func readsRegistrations() throws {
        let text = """
            <reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">
              <registration aor="sip:joe@example.com" id="a7" state="active">
                <contact id="76" state="active" event="registered" duration-registered="7322" q="0.8"><uri>sip:joe@pc34</uri></contact>
                <contact id="77" state="terminated" event="expired"><uri>sip:joe@pc35</uri></contact>
              </registration>
            </reginfo>
            """
        let document = try RegistrationInformation(parsing: Array(text.utf8))
        #expect(document.isFull)
        let registration = try #require(document.registrations.first)
        #expect((registration.addressOfRecord, registration.isActive) == ("sip:joe@example.com", true))
        #expect(registration.contacts.map(\.isActive) == [true, false])
        #expect(registration.contacts.map(\.uri) == ["sip:joe@pc34", "sip:joe@pc35"])
    }

    @Test(.proves(.clause("RFC 3994 §3")))
    func tellsWhetherSomebodyWrites() throws {
        let text = """
            <isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state><contenttype>text/plain</contenttype>
            <refresh>90</refresh></isComposing>
            """
        let state = try ComposingState(parsing: Array(text.utf8))
        #expect(state == ComposingState(isActive: true, refresh: 90, contentType: "text/plain"))
        #expect(try ComposingState(parsing: state.bytes) == state)
        #expect(try !ComposingState(parsing: Array("<isComposing><state>thinking</state></isComposing>".utf8)).isActive)
    }
}
