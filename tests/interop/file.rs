//! The files of `tests/vectors/`: written from the code beside this one, and always read back.

use std::{
    env, fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Call, Reason, Verifier};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of the format. It rises when a reader of the previous format could misread a file.
pub(super) const FORMAT: u32 = 1;

pub(super) const ALLOW: &str = "allow";

/// A call, and the decision on it.
#[derive(Serialize, Deserialize)]
pub(super) struct Decided {
    /// The call as JSON text, so that no reader changes its numbers.
    pub(super) call: String,
    /// `allow`, or the public reason of the denial.
    pub(super) decision: String,
}

pub(super) fn decided(call: &str, decision: &str) -> Decided {
    Decided {
        call: call.to_owned(),
        decision: decision.to_owned(),
    }
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Reads the file `name`, and checks that it equals `made` as JSON. So a file that somebody edited fails, and so does a
/// file that the product would now write differently. `BAILIWICK_BLESS=1` writes it first.
pub(super) fn current<F: Serialize + DeserializeOwned>(name: &str, made: &F) -> F {
    // Tests run at the same time, and one must not read a file that another has only begun to write.
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);

    let path = folder().join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(made).expect("JSON") + "\n";
    // An unchanged file is not written, because programs in other languages may be reading it for another test.
    let is_current = fs::read_to_string(&path).is_ok_and(|found| found == text);
    if env::var_os("BAILIWICK_BLESS").is_some() && !is_current {
        fs::write(&path, &text).expect("a file written");
    }
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}.json: {error}"));
    assert!(
        found == text,
        "{name}.json is not what the product writes today: run this test with BAILIWICK_BLESS=1 and read the diff"
    );
    serde_json::from_str(&found).expect("vectors")
}

/// The decision on a call given as JSON text: `allow`, or the public reason.
pub(super) fn decision(verifier: &Verifier, token: &str, call: &str, at: Timestamp) -> String {
    let reason = match Call::from_json(call) {
        Ok(call) => verifier.check(token, &call, at).reason(),
        Err(_) => Some(Reason::BadRequest),
    };
    reason.map_or(ALLOW, Reason::code).to_owned()
}

/// Panics with all differences between what was expected and what was found.
pub(super) fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
