#![no_main]
//! Fuzz target for profiles as text, followed by a null byte and a caller as JSON: a caller's result is well
//! formed and can be requested unchanged, and a refusal has a text that OAuth can carry.

use bailiwick_issuer::profile::{Ask, Caller, Profile, ProfileLimits, Profiles};
use bailiwick_token::grant::Grants;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (toml, json) = text.split_once('\0').unwrap_or((text, ""));
    let profiles = match Profiles::parse(&[("profiles.toml", toml)], &ProfileLimits::default()) {
        Ok(profiles) => profiles,
        Err(error) => {
            let _message = error.to_string();
            return;
        }
    };
    let _shown: Vec<String> = profiles
        .iter()
        .map(|profile| serde_json::to_string(&profile.summary()).expect("JSON"))
        .collect();
    let Ok(caller) = serde_json::from_str::<Caller>(json) else {
        return;
    };
    for profile in profiles.iter() {
        let selected = profiles.select(Some(profile.name()), &caller);
        match selected.and_then(|profile| profile.mint_request(&caller, &Ask::default())) {
            Ok(_) => issued(profile, &caller),
            Err(refusal) => {
                let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
                assert!(refusal.public().chars().all(allowed), "{refusal:?}");
                assert!(!refusal.log().contains(char::is_control), "{refusal:?}");
            }
        }
    }
});

fn issued(profile: &Profile, caller: &Caller) {
    let request = profile
        .mint_request(caller, &Ask::default())
        .expect("as before");
    let toml = request.grants.to_toml();
    assert_eq!(
        Grants::from_toml(&toml).as_ref(),
        Ok(&request.grants),
        "{toml}"
    );
    assert_eq!(request.ttl, profile.ttl().default);
    let again = Ask {
        grants: Some(request.grants.clone()),
        ttl: Some(request.ttl),
        max_depth: request.max_depth,
        ..Ask::default()
    };
    assert_eq!(profile.mint_request(caller, &again).as_ref(), Ok(&request));
}
