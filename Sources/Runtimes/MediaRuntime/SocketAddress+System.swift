import CLinux
import EngineKit

extension SocketAddress {
    /// The address in the numbers of the system shim.
    var system: cs_address {
        switch address {
        case .v4(let bits):
            cs_address(high: 0, low: UInt64(bits), scope: 0, port: port, is_v6: 0)
        case .v6(let high, let low, let scope):
            cs_address(high: high, low: low, scope: scope, port: port, is_v6: 1)
        }
    }

    init(system: cs_address) {
        let address: IPAddress =
            system.is_v6 != 0
            ? .v6(high: system.high, low: system.low, scope: system.scope)
            : .v4(UInt32(truncatingIfNeeded: system.low))
        self.init(address, port: system.port)
    }
}
