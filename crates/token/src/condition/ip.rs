//! IP addresses within networks.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

/// An IP address within certain networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// Sorted, each once.
    networks: Vec<IpNet>,
}

/// Networks whose addresses contain IPv4 addresses: translated by NAT64 (RFC 6052), tunnelled by 6to4 (RFC 3056), or
/// IPv4-compatible (RFC 4291, section 2.5.5.1).
const EMBEDDING: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::UNSPECIFIED, 96),
];

impl Ip {
    /// Makes a condition from networks; `None` if there are none, or one of them is written with host bits, as in
    /// `10.0.0.1/8`.
    #[must_use]
    pub fn new(mut networks: Vec<IpNet>) -> Option<Ip> {
        networks.sort_unstable();
        networks.dedup();
        let sound =
            !networks.is_empty() && networks.iter().all(|network| network.trunc() == *network);
        sound.then_some(Ip { networks })
    }

    /// Reads networks such as `10.0.0.0/8`; `None` if there are none, or one is not written in this form.
    #[must_use]
    pub fn within<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Option<Ip> {
        let networks = networks
            .into_iter()
            .map(|network| network.as_ref().parse().ok());
        Ip::new(networks.collect::<Option<_>>()?)
    }

    /// The networks, sorted.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// Returns true if `text` is one address in its canonical text (RFC 5952, or four decimals), within one of the
    /// networks.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else {
            return false;
        };
        // An address can be written in many ways, and receivers differ in how they read all but the canonical one.
        if address.to_string() != text {
            return false;
        }
        // Every socket treats an IPv4-mapped address as its IPv4 address, so no IPv6 network contains it.
        let address = address.to_canonical();
        self.networks.iter().any(|network| covers(network, address))
    }
}

/// Returns true if `wide` holds each address that the network `narrow` holds.
pub(super) fn is_within(narrow: &IpNet, wide: &IpNet) -> bool {
    if !wide.contains(narrow) {
        return false;
    }
    let (IpNet::V6(narrow), IpNet::V6(wide)) = (narrow, wide) else {
        return true;
    };
    let mut around = embedding().filter(|embedding| embedding.contains(narrow));
    around.all(|embedding| embedding.contains(wide))
}

fn embedding() -> impl Iterator<Item = Ipv6Net> {
    EMBEDDING
        .iter()
        .filter_map(|&(prefix, length)| Ipv6Net::new(prefix, length).ok())
}

fn covers(network: &IpNet, address: IpAddr) -> bool {
    if !network.contains(&address) {
        return false;
    }
    let (IpNet::V6(network), IpAddr::V6(address)) = (network, address) else {
        return true;
    };
    // A wide IPv6 network must not admit embedded IPv4 addresses by accident: it has to be the embedding network, or a
    // part of it.
    let mut around = embedding().filter(|embedding| embedding.contains(&address));
    around.all(|embedding| embedding.contains(network))
}
