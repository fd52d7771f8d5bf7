/// Somebody from outside who may prove by digest to be who they say (RFC 3261 §22.2).
package struct CallerCredentials: Hashable, Sendable {
    package var username: String
    /// The protection space that the challenge names (RFC 3261 §22.1).
    package var realm: String
    package var password: Secret
    /// The hashes that this caller knows; the challenge offers all that somebody of the realm knows.
    package var digests: Set<MessageDigest>

    package init(username: String, realm: String, password: Secret, digests: Set<MessageDigest> = [.sha256, .md5]) {
        self.username = username
        self.realm = realm
        self.password = password
        self.digests = digests
    }
}
