/// The version that `--version` prints and that User-Agent and Server carry.
package enum OffhookVersion {
    package static let text = "0.1.0"
    package static let product = "Offhook/0.1.0"
}
