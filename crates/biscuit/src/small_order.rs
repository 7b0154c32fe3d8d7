//! Detection of points of small order on Ed25519's curve from their encodings.
//!
//! Computing a signature's point only to learn its order would take a tenth of the time of verifying that
//! signature.

/// Returns true if the bytes encode a point of small order, in canonical form or not.
pub(crate) fn is_small_order(mut point: [u8; 32]) -> bool {
    // The highest bit is the sign of x.
    let [.., last] = &mut point;
    *last &= 0x7f;
    SMALL.contains(&point)
}

/// The y coordinates of the eight points of small order: 0, 1, -1, and two of order eight. Libsodium has the
/// same list.
const SMALL: [[u8; 32]; 7] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    // -1, and 0 and 1 in their second encodings.
    beside_the_prime(0xec),
    beside_the_prime(0xed),
    beside_the_prime(0xee),
];

/// The encoding of a y coordinate next to the field's prime, 2^255 - 19, whose lowest byte is `ed`.
const fn beside_the_prime(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7f;
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeSet;

    use ed25519_dalek::VerifyingKey;

    use super::*;

    fn computed(bytes: &[u8; 32]) -> bool {
        VerifyingKey::from_bytes(bytes).is_ok_and(|point| point.is_weak())
    }

    fn both_signs(y: [u8; 32]) -> [[u8; 32]; 2] {
        let mut negative = y;
        negative[31] |= 0x80;
        [y, negative]
    }

    #[test]
    fn the_list_is_the_eight_points() {
        let encodings = SMALL.into_iter().flat_map(both_signs);
        let points = encodings.map(|bytes| {
            assert!(computed(&bytes) && is_small_order(bytes), "{bytes:x?}");
            let point = VerifyingKey::from_bytes(&bytes).unwrap().to_edwards();
            point.compress().to_bytes()
        });
        assert_eq!(points.collect::<BTreeSet<_>>().len(), 8);
    }

    #[test]
    fn second_encodings_are_recognized_as_computed() {
        for bytes in (0xed..=0xff).map(beside_the_prime).flat_map(both_signs) {
            assert_eq!(is_small_order(bytes), computed(&bytes), "{bytes:x?}");
        }
    }

    #[test]
    fn other_points_are_not_small() {
        for seed in 0..64 {
            let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
            assert!(!is_small_order(key.to_bytes()));
        }
    }
}
