#![no_main]
//! Fuzz target for grants as text: grants that can be read survive both text forms and Datalog.

use bailiwick_fuzz::{Root, mint};
use bailiwick_token::{
    caveat::Caveat,
    datalog,
    grant::{Grant, Grants},
    inspect::Alternative,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((form, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let read = match form % 2 {
        0 => Grants::from_toml(text),
        _ => Grants::from_json(text),
    };
    let grants = match read {
        Ok(grants) => grants,
        Err(error) => {
            let _message = error.to_string();
            return;
        }
    };
    let (toml, json) = (grants.to_toml(), grants.to_json());
    assert_eq!(Grants::from_toml(&toml).as_ref(), Ok(&grants), "{toml}");
    assert_eq!(Grants::from_json(&json).as_ref(), Ok(&grants), "{json}");
    let _shown = datalog::show(&grants);
    // Signed without a check of the profile's limits.
    let token = mint(&Root::fixed(), &grants);
    let authority = token
        .authority()
        .expect("an authority block of the profile");
    let read: Option<Vec<Grant>> = authority.grants.into_iter().collect();
    assert_eq!(
        read.as_deref(),
        Some(&grants.iter().cloned().collect::<Vec<_>>()[..])
    );
    let caveat = Caveat {
        scope: Some(grants.clone()),
        ..Caveat::default()
    };
    if let Ok(narrowed) = token.attenuate(&caveat) {
        let scope = grants.iter().cloned().map(Alternative::Grant).collect();
        assert_eq!(
            narrowed.inspect().blocks[1].scopes,
            [scope] as [Vec<Alternative>; 1]
        );
    }
});
