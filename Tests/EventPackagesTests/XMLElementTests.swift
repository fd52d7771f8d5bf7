import EventPackages
import Proofs
import Testing

/// Documents that are not what they should be cost little, and are refused with a reason (ROBUSTNESS §1 row 24).
@Suite struct XMLElementTests {
    private func fault(_ text: String) -> XMLFault? { fault(Array(text.utf8)) }

    private func fault(_ bytes: [UInt8]) -> XMLFault? {
        do throws(XMLFault) {
            _ = try XMLElement(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsElementsAttributesAndTextWithTheirNamespaces() throws {
        let text = """
            <?xml version="1.0"?>
            <!-- a remark -->
            <a xmlns="urn:one" xmlns:t="urn:two" x="1" t:y="2"><t:b>caf\u{e9} &amp; &#60;t&gt;<![CDATA[<raw>]]></t:b>\n<b/> end</a>
            """
        let root = try XMLElement(parsing: Array(text.utf8))
        #expect((root.namespace, root.name) == ("urn:one", "a"))
        #expect(root["x"] == "1")
        #expect(root["y"] == nil, "an attribute of another namespace is another attribute")
        #expect(root.elements.map(\.namespace) == ["urn:two", "urn:one"])
        #expect(root.first("b")?.text == "caf\u{e9} & <t><raw>")
        #expect(root.text == "end")
    }

    @Test func readsWhatIsWrittenInOtherEncodings() throws {
        let latin = Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>caf".utf8) + [0xe9] + Array("</a>".utf8)
        #expect(try XMLElement(parsing: latin).text == "caf\u{e9}")
    }

    @Test(arguments: [
        "", " ", "<a>", "<a></b>", "<a/><b/>", "<a x=1/>", "<a>&nbsp;</a>", "<a>\u{1}</a>", "no", "<a xmlns:x=''/>",
        "<x:a/>", "<a>&#0;</a>",
    ]) func whatIsNotWellFormedIsRefused(text: String) {
        guard case .malformed? = fault(text) else {
            Issue.record("\(text): \(String(describing: fault(text)))")
            return
        }
    }

    @Test(.proves(.incident(24)))
    func depthIsBounded() {
        let nest = { (depth: Int) in String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth) }
        #expect(fault(nest(32)) == nil)
        #expect(fault(nest(33)) == .tooDeep)
        #expect(fault(String(repeating: "<a>", count: 10_000)) == .tooDeep)
    }

    @Test(.proves(.rule(12)))
    func numbersAndLengthAreBounded() {
        #expect(fault("<a>" + String(repeating: "<b/>", count: 2047) + "</a>") == nil)
        #expect(fault("<a>" + String(repeating: "<b/>", count: 2048) + "</a>") == .tooMany)
        let attributes = (0..<33).map { " a\($0)=''" }.joined()
        #expect(fault("<a\(attributes)/>") == .tooMany)
        #expect(fault("<a>" + String(repeating: "x", count: 32_768) + "</a>") == .tooLong)
    }

    @Test(.proves(.incident(24)))
    func entitiesAreRefusedBeforeTheyGrow() {
        let laughs = """
            <?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
            <a>&c;&c;&c;&c;</a>
            """
        #expect(fault(laughs) == .doctype)
        #expect(fault("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>") == .doctype)
        #expect(fault("<!DOCTYPE a><a/>") == .doctype)
    }

    /// Every truncation of a document, and bytes of it changed: an element or a fault.
    @Test func anyBytesGiveAnElementOrAFault() {
        let sound = PresenceDocument(
            entity: "sip:a@b", tuples: [.init(id: "t", isOpen: true, contact: "sip:a@c", notes: ["<&>"])],
            activities: ["busy"]
        ).bytes
        #expect(fault(sound) == nil)
        for index in sound.indices {
            _ = fault(Array(sound[..<index]))
            for byte in [0x00, 0x3c, 0x3e, 0x26, 0x22, 0xff] as [UInt8] {
                var changed = sound
                changed[index] = byte
                _ = fault(changed)
            }
        }
    }
}
