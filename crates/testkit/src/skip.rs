//! Reports of trials that this machine cannot run.

use std::{env, fs::File, io::Write};

/// Reports that a trial was not run, with the reason. Also appends the report to the file in
/// `BAILIWICK_SKIPPED`, because the output of a passing test is not shown.
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
