//! Trials that this machine cannot make.

use std::{env, fs::File, io::Write};

/// Says loudly that a trial was not made, and how to have it made: also in the file that `BAILIWICK_SKIPPED` names, since
/// what a test that passes says is not shown.
pub fn skipped(trial: &str, why: &str) {
    eprintln!("!!! {trial} NOT TRIED: {why}");
    if let Some(path) = env::var_os("BAILIWICK_SKIPPED") {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "{trial} NOT TRIED: {why}").unwrap();
    }
}
