import SIPMessages

extension URI {
    /// As reports and screens show it: a password is nobody's business (ROBUSTNESS S18).
    var shownText: String {
        guard var sipURI, sipURI.password != nil else { return description }
        sipURI.password = "***"
        return sipURI.description
    }
}
