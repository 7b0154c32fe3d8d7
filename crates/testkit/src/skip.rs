//! Trials that this machine cannot run.

use std::{env, fs::File, io::Write};

/// Reports that a trial was not run, and what it needs. Also appends this to the file that `BAILIWICK_SKIPPED` names,
/// because the output of a test that passes is not shown.
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
