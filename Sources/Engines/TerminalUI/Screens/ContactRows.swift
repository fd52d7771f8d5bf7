extension AppState {
    /// Everybody in the address book and whoever is watched: can they be reached, and are they on the phone.
    func contactRows(width: Int) -> [StyledText] {
        guard !contacts.isEmpty else {
            return CellText.wrapped(
                "No contact. Add a [[contact]] to the configuration; subscribe = [\"presence:ADDRESS\"] and "
                    + "\"dialog:ADDRESS\" of an account show whether they can be reached.", to: width - 12
            ).map { StyledText("      " + $0, .quiet) }
        }
        return contacts.map { contact in
            var row = StyledText(" ")
            let isNarrow = Layout.isNarrow(width)
            row.append(CellText.fitted(contact.shownName.text, to: isNarrow ? 13 : 18), .bright)
            row.append(" \(contact.lampSign) ", contact.lampStyle)
            row.append(CellText.fitted(contact.lampWord, to: 9), contact.lampStyle)
            row.append(" \(contact.presenceSign) ", contact.presenceStyle)
            // Where the address has no room the name stands for it.
            guard !isNarrow else {
                row.append(CellText.cut(contact.presenceWord, to: width - row.width), contact.presenceStyle)
                return row
            }
            row.append(CellText.fitted(contact.presenceWord, to: width - 60), contact.presenceStyle)
            row.append(" " + CellText.cut(contact.address.text, to: 24), .quiet)
            return row
        }
    }
}

extension ContactLine {
    fileprivate var shownName: Printable {
        guard let name, !name.isEmpty else { return address }
        return name
    }

    fileprivate var lampSign: String {
        switch lamp {
        case .busy: "●"
        case .ringing: "◌"
        case .idle: "○"
        case nil: " "
        }
    }

    fileprivate var lampWord: String {
        switch lamp {
        case .busy: "on a call"
        case .ringing: "ringing"
        case .idle: "free"
        case nil: ""
        }
    }

    fileprivate var lampStyle: Style {
        switch lamp {
        case .busy, .ringing: .waiting
        case .idle, nil: .plain
        }
    }

    fileprivate var presenceSign: String {
        presence.map { $0.isOpen ? "●" : "○" } ?? " "
    }

    fileprivate var presenceWord: String {
        guard let presence else { return "" }
        let word = presence.isOpen ? "available" : "away"
        return presence.detail.isEmpty ? word : "\(word), \(presence.detail)"
    }

    fileprivate var presenceStyle: Style { presence?.isOpen == true ? .good : .quiet }
}
