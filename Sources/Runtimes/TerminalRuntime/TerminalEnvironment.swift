import CNcurses
import Glibc
import TerminalUI

/// What the environment says about the terminal: its type, its characters, and whether colour is wanted.
package struct TerminalEnvironment: Equatable, Sendable {
    package var type: String?
    /// Whether one of LC_ALL, LC_CTYPE and LANG is set, so that the locale is somebody's word and not a default.
    package var isLocaleStated: Bool
    package var isLocaleUTF8: Bool
    /// NO_COLOR is set and not empty.
    package var refusesColour: Bool

    package init(type: String?, isLocaleStated: Bool, isLocaleUTF8: Bool, refusesColour: Bool = false) {
        self.type = type
        self.isLocaleStated = isLocaleStated
        self.isLocaleUTF8 = isLocaleUTF8
        self.refusesColour = refusesColour
    }

    /// Takes the locale of the environment for characters and nothing else: a decimal comma must not reach a parser.
    ///
    /// Where it is not UTF-8, `C.UTF-8` decodes keys all the same; what is drawn then keeps to ``repertoire``.
    static func adopting() -> TerminalEnvironment {
        func value(_ name: String) -> String? {
            guard let value = getenv(name), value.pointee != 0 else { return nil }
            return String(cString: value)
        }
        func isUTF8() -> Bool {
            guard let codeset = nl_langinfo(nl_item(CODESET)) else { return false }
            return String(cString: codeset) == "UTF-8"
        }
        let isInstalled = setlocale(LC_CTYPE, "") != nil
        let stated = value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG")
        let environment = TerminalEnvironment(
            type: value("TERM"), isLocaleStated: stated != nil,
            isLocaleUTF8: isInstalled ? isUTF8() : Self.isUTF8(named: stated ?? ""),
            refusesColour: value("NO_COLOR") != nil)
        if !isInstalled || !environment.isLocaleUTF8, setlocale(LC_CTYPE, "C.UTF-8") == nil { setlocale(LC_CTYPE, "C") }
        return environment
    }

    /// What a locale's name says of its characters, for one that is not installed here: `ssh` brings the name along, and
    /// the terminal that it speaks of is at the other end.
    package static func isUTF8(named locale: String) -> Bool {
        let folded = locale.lowercased()
        return folded.contains("utf-8") || folded.contains("utf8")
    }

    /// What the terminal can be trusted to show.
    ///
    /// A locale that is not UTF-8 means ASCII, as `LC_ALL=C` asks for. Where nobody stated a locale, as in a container,
    /// the terminal in front of it is one of today's and shows Unicode. The console of Linux has a font of 256 signs,
    /// and the terminals of old have ASCII.
    package var repertoire: Repertoire {
        let type = type ?? ""
        if isLocaleStated, !isLocaleUTF8 { return .ascii }
        if ["vt", "ansi", "cons25", "sun", "wy"].contains(where: type.hasPrefix) { return .ascii }
        return type.hasPrefix("linux") ? .plainSigns : .unicode
    }
}
