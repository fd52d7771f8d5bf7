import FoundationEssentials
import Glibc
import Testing

/// A scenario for SIPp that another project wrote to try its own user agent, under the folder that OFFHOOK_CORPORA names,
/// and the part that the phone plays in it.
struct ForeignScenario: Sendable {
    /// The side of SIPp.
    enum Role { case caller, callee }

    /// The name of its file, without the ending.
    let name: String
    let role: Role
    /// The phone's command and options; PORT is SIPp's.
    let phone: [String]
    /// Options of SIPp; FIELDS is a file of the values that it names.
    var options: [String] = []
    /// Whether SIPp has to be told where the phone is before that says a word.
    var namesThePhone = false
    /// What is written otherwise, and why: places of the phone it was written for, and what SIPp 3.6 makes of it.
    var changes: [String: String] = [:]
    /// The phone's exit status; nil: it is ended once SIPp is through.
    var exit: Int32? = 0

    static let folder = getenv("OFFHOOK_CORPORA").map { "\(String(cString: $0))/sipp" }

    /// The names of all that are there.
    static var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: try #require(folder)).compactMap {
                $0.hasSuffix(".xml") ? String($0.dropLast(4)) : nil
            }
        }
    }

    /// Its text, as it is played.
    func text(with values: [String: String]) throws -> String {
        let data = try Data(contentsOf: URL(filePath: "\(try #require(Self.folder))/\(name).xml"))
        let text = changes.reduce(String(decoding: data, as: UTF8.self)) { $0.replacing($1.key, with: $1.value) }
        return values.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    private static let answers = ["answer", "--once", "--audio", "silence"]
    private static let answersEarly = answers + ["--play", "tone:440", "--when", "early", "--after", "1s"]
    private static let calls = ["call", "sip:bob@127.0.0.1:PORT", "--audio", "silence"]
    private static let callsForAMoment = calls + ["--duration", "500ms"]

    /// Those that are played against the phone as they are.
    static let played = [
        ForeignScenario(name: "SIPp_docs_uac", role: .caller, phone: answers, options: ["-d", "300"]),
        ForeignScenario(name: "SIPp_docs_uas", role: .callee, phone: callsForAMoment),
        ForeignScenario(name: "SIPp_docs_3pcc-A", role: .callee, phone: callsForAMoment),
        ForeignScenario(name: "SIPp_docs_ooc_default", role: .callee, phone: ["options", "sip:bob@127.0.0.1:PORT"]),
        // Its recordings come with SIPp.
        ForeignScenario(
            name: "SIPp_docs_uac_pcap", role: .caller, phone: answers + ["--expect-dtmf", "1"],
            changes: ["pcap/": "/usr/share/sip-tester/"]),
        ForeignScenario(
            name: "asterisk__channels_pjsip_basic_calls_incoming_off-nominal_invalid_sdp_uac_invalid_deferred_answer",
            role: .caller, phone: answers, exit: 16),
        ForeignScenario(
            name: "asterisk__channels_pjsip_basic_calls_outgoing_off-nominal_call_canceled_call_cancel_valid_sdp",
            role: .callee, phone: calls + ["--ring-timeout", "500ms"], exit: 10),
        ForeignScenario(
            name: "asterisk__channels_pjsip_hold_ice_phone_A", role: .caller, phone: answers,
            options: ["-inf", "FIELDS"]),
        ForeignScenario(
            name: "asterisk__channels_pjsip_hold_inactive_phone_B_hold_update", role: .callee, phone: calls,
            options: ["-inf", "FIELDS"], namesThePhone: true),
        // Sent to call itself, the phone meets a loop; the referrer is told of it.
        ForeignScenario(
            name: "asterisk__channels_pjsip_refer_send_to_vm_refer_unquoted_send_to_vm", role: .callee,
            phone: calls + ["--refer", "allow", "--duration", "3s"], namesThePhone: true, exit: 19),
        ForeignScenario(
            name: "asterisk__channels_pjsip_transfers_asterisk_endpoint_redirect_alice", role: .caller,
            phone: answers + ["--redirect", "sip:bob@127.0.0.1:5062"]),
        ForeignScenario(name: "asterisk__fax_pjsip_t38_fast_reject_A_PARTY", role: .caller, phone: answers),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_alt-pjsua-uas-static-pt-no-rtpmap", role: .caller, phone: answers),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-183-wrong-codec", role: .caller, phone: answers, exit: nil),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-183-wrong-media", role: .caller, phone: answers, exit: nil),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-inv-and-ack-without-sdp", role: .caller, phone: answers, exit: 16),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-inv-multiple-require", role: .caller, phone: answers, exit: nil),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-inv-without-sdp", role: .caller, phone: answers, exit: 16),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-message-no-body", role: .caller, phone: answers, exit: nil),
        // Strangers are told no more than the methods.
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-norefersub", role: .caller, phone: answers + ["--limits", "open"],
            exit: nil),
        // Its BYE would have a lower CSeq than its UPDATE, and be owed a 500 (RFC 3261 §12.2.2).
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uac-upd-sdp-offer", role: .caller, phone: answersEarly,
            changes: ["CSeq: 2 BYE": "CSeq: [cseq] BYE"]),
        // It was written for a phone at port 5060, and its SIPp kept no tag of the message before.
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uas-forked-100rel", role: .callee, phone: calls, namesThePhone: true,
            changes: [
                "[last_To:];tag=UA_": "To: <sip:bob@[local_ip]>;tag=UA_",
                "UDP 127.0.0.1;received": "UDP 127.0.0.1:{phone};received",
            ], exit: 12),
        // It was written for a phone at port 5080.
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uas-prack_fork", role: .callee, phone: callsForAMoment,
            namesThePhone: true, changes: ["5080": "{phone}"]),
        ForeignScenario(
            name: "pjsip__pjsua_scripts-sipp_uas-subscribe-multipart-notify", role: .callee,
            phone: ["subscribe", "presence", "sip:bob@127.0.0.1:PORT"], exit: nil),
    ]

    /// Two SIPps between two phones.
    static let controllers = ["SIPp_docs_3pcc-C-A", "SIPp_docs_3pcc-C-B"]

    /// The one that takes longer than half of the shortest session interval.
    static let refreshed = ForeignScenario(
        name: "pjsip__pjsua_scripts-sipp_uas-timer-update", role: .callee, phone: calls + ["--duration", "50s"],
        // The phone hears itself, as without a sound it would hang up.
        options: ["-mp", "17294", "-rtp_echo"])

    /// Those that are not, and why.
    static let notPlayed = [
        "SIPp_docs_branchc": "wants a registrar",
        "SIPp_docs_branchs": "wants REGISTER and INVITE under one Call-ID",
        "SIPp_docs_regexp": "wants a word for the user of the o= line, where RFC 8866 §5.2 has - for none",
        "SIPp_sipp_scenarios_pfca_uas_both_crypto_simple_renegotiation_reuse": "wants SRTP, and SIPp 3.7",
        "asterisk__channels_pjsip_aoc_aoc_s_to_caller_in_info_caller": "wants advice of charge",
        "asterisk__channels_pjsip_basic_calls_incoming_off-nominal_invalid_sdp_uac_invalid_offer":
            "wants 400 to a video stream that names no format, which the phone refuses and answers the rest",
        "asterisk__channels_pjsip_dialplan_functions_pjsip_dtmfmode_A_PARTY":
            "wants no telephone events agreed on with one that sends its digits by INFO; the phone hears both",
        "asterisk__channels_pjsip_headers_no_contact_no_contact":
            "wants 400 to requests without Contact that the phone refuses before for other reasons",
        "asterisk__channels_pjsip_publish_presence_pidf_publish": "wants the documents of Asterisk to the letter",
        "asterisk__channels_pjsip_registration_outbound_fatal_retry_register-no-retry":
            "wants credentials for a Request-URI with a user, which RFC 3261 §10.2 forbids",
        "asterisk__channels_pjsip_subscriptions_mwi_solicited_replaced_by_unsolicited_aggregate_solicited":
            "wants a voice mail server",
        "asterisk__channels_pjsip_transfers_attended_transfer_nominal_callee_local_blonde_uac-no-hangup":
            "wants a switch that says who was put through",
        "asterisk__channels_pjsip_transfers_attended_transfer_nominal_callee_local_direct_media_bob-does-a-transfer":
            "its other leg is not there",
        "asterisk__channels_pjsip_transfers_attended_transfer_nominal_callee_local_semi_attended_transfer_record_route_referer_uas":
            "its other leg is not there",
        "asterisk__channels_pjsip_transport_symmetric_notify_reg_sub": "wants a registrar",
        "kamailio_src_modules_presence_conference_test_framework_xml_publish": "wants a presence server",
        "pjsip__pjsua_scripts-sipp_alt-pjsua-uac-custom-sdp": "wants video",
        "pjsip__pjsua_scripts-sipp_alt-pjsua-uas-custom-sdp": "wants video",
        "pjsip__pjsua_scripts-sipp_uac-early-recv-update-481":
            "wants an UPDATE with an offer in a dialog without a reliable response, against RFC 3311 §5.1",
        "pjsip__pjsua_scripts-sipp_uac-inv-retrans-after-ack":
            "wants the 200 again to an INVITE that comes after the ACK, which RFC 6026 §7.1 has absorbed",
        "pjsip__pjsua_scripts-sipp_uac-inv-two-media-but-one-disabled-no-rtpmap": "waits for a person to hold the call",
        "pjsip__pjsua_scripts-sipp_uac-norefersub-disabled": "wants norefersub switched off",
        "pjsip__pjsua_scripts-sipp_uac-prack-sdp-decline":
            "wants 200 to a PRACK whose offer can't be met; the phone answers that with 488",
        "pjsip__pjsua_scripts-sipp_uac-srtp-dtls-lower-prio": "wants SRTP",
        "pjsip__pjsua_scripts-sipp_uac-srtp-dtls-reinv-sdes": "wants SRTP",
        "pjsip__pjsua_scripts-sipp_uac-srtp-sdes-reinv-hold": "wants SRTP",
        "pjsip__pjsua_scripts-sipp_uas-answer-183-wrong-attr":
            "wants CANCEL after an unreadable description in a response that is not reliable; the phone waits for the answer",
    ]
}
