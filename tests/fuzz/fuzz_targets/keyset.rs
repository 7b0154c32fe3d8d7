#![no_main]
//! A keyset and a revocation list, signed as they stand: what opens is signed and opened to the same.

use std::sync::LazyLock;

use bailiwick_fuzz::Root;
use bailiwick_token::{
    dsse::Envelope,
    keyset::{self, Keyset},
    revocation::{self, RevocationList},
};
use bailiwick_verifier::Trust;
use libfuzzer_sys::fuzz_target;

static ROOT: LazyLock<Root> = LazyLock::new(Root::fixed);

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let (key, public) = (&ROOT.keyset_key, ROOT.keyset_public());
    let signed = |kind: &str| {
        Envelope::sign(kind, bytes.to_vec(), key)
            .to_json()
            .into_bytes()
    };
    match kind % 3 {
        0 => {
            let envelope = signed(keyset::PAYLOAD_TYPE);
            let Ok(keyset) = Keyset::open(&envelope, &public) else {
                return;
            };
            assert_eq!(Keyset::read_unverified(&envelope).as_ref(), Ok(&keyset));
            assert!(
                RevocationList::open(&envelope, &public).is_err(),
                "the type of a payload is signed"
            );
            let again = keyset.sign(key).to_json();
            assert_eq!(
                Keyset::open(again.as_bytes(), &public).as_ref(),
                Ok(&keyset)
            );
            Trust::open(again.as_bytes(), &public, None).expect("a keyset that opens");
        }
        1 => {
            let envelope = signed(revocation::PAYLOAD_TYPE);
            let Ok(list) = RevocationList::open(&envelope, &public) else {
                return;
            };
            assert!(
                Keyset::open(&envelope, &public).is_err(),
                "the type of a payload is signed"
            );
            let again = list.sign(key).to_json();
            assert_eq!(
                RevocationList::open(again.as_bytes(), &public).as_ref(),
                Ok(&list)
            );
            let keyset = Keyset {
                issuer: list.issuer,
                ..ROOT.keyset()
            };
            // Ids of keys derive from the issuer, so this one opens only where the issuer is ours.
            let _either = Trust::open(
                keyset.sign(key).to_json().as_bytes(),
                &public,
                Some(again.as_bytes()),
            );
        }
        _ => {
            // Envelopes of anyone: none is signed by this key, but for those that it signed.
            if let Ok(envelope) = Envelope::parse(bytes) {
                let again = Envelope::parse(envelope.to_json().as_bytes()).expect("its own text");
                assert_eq!(again.to_json(), envelope.to_json());
            }
            let _either = (
                Keyset::open(bytes, &public).is_ok(),
                Keyset::read_unverified(bytes).is_ok(),
                RevocationList::open(bytes, &public).is_ok(),
            );
        }
    }
});
