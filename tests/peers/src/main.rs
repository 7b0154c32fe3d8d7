//! Measures Bailiwick and its peers side by side in one run.
//!
//! Every peer decides the same call, with a token whose content is as similar as its format allows; the head of
//! each module states the differences. Every peer must also deny a call. Every timed decision is checked, and
//! an unexpected one ends the run. `docs/reference/benchmarks.md` explains the results.

mod allocations;
mod biscuit;
mod hostile;
mod jwt;
mod macaroons;
mod memory;
mod ours;
mod report;
mod rounds;
mod sample;
mod signature;
mod table;
mod targets;
mod threads;
mod variant;
mod warrants;

use std::{path::PathBuf, process::ExitCode};

use report::Report;
use rounds::{Effort, measure};
use sample::Sample;
use variant::Unexpected;

const USAGE: &str = "\
Measures Bailiwick beside its peers, and prints tables in Markdown.

Usage: bailiwick-peers [--quick] [--json FILE]

  --quick      a few seconds, to see that everything works; its numbers are worth little
  --json FILE  also writes what was found as lines of JSON
  --help       prints this
";

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    if options.help {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let report = match report(&options.effort) {
        Ok(report) => report,
        Err(Unexpected(what)) => {
            eprintln!("a decision was not as expected: {what}");
            return ExitCode::FAILURE;
        }
    };
    print!("{}", report.markdown());
    if let Some(path) = options.json
        && let Err(error) = std::fs::write(&path, report.json_lines())
    {
        eprintln!("cannot write `{}`: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn report(effort: &Effort) -> Result<Report, Unexpected> {
    let sample = Sample::new();
    denied(&sample)?;
    // First, while little else is allocated that could be freed meanwhile.
    let memory = memory::measure(&sample, effort)?;
    let threads = threads::measure(&sample, effort)?;
    let variants = ours::variants(&sample)
        .into_iter()
        .chain(biscuit::variants(&sample))
        .chain(warrants::variants())
        .chain(jwt::variants())
        .chain(macaroons::variants())
        .chain(signature::variants())
        .chain(hostile::variants(&sample));
    let found = measure(variants.collect(), effort)?;
    let (refusals, decisions) = found
        .into_iter()
        .partition(|found| [hostile::NAME, hostile::HONEST].contains(&found.peer));
    Ok(Report {
        decisions,
        refusals,
        memory,
        threads,
    })
}

/// Checks that every peer denies a call, because a peer that allowed everything would be fast.
fn denied(sample: &Sample) -> Result<(), Unexpected> {
    let denials = [
        (ours::NAME, ours::denies(sample)),
        (biscuit::NAME, biscuit::denies(sample)),
        (warrants::NAME, warrants::denies()),
        (jwt::NAME, jwt::denies()),
        ("macaroons", macaroons::denies()),
    ];
    match denials.iter().find(|(_, denied)| !denied) {
        None => Ok(()),
        Some((peer, _)) => Err(Unexpected(format!("{peer} allows what it must deny"))),
    }
}

struct Options {
    effort: Effort,
    json: Option<PathBuf>,
    help: bool,
}

impl Options {
    /// Reads the options; `None` if a word is unknown or malformed.
    fn read(mut words: impl Iterator<Item = String>) -> Option<Options> {
        let mut options = Options {
            effort: Effort::FULL,
            json: None,
            help: false,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.effort = Effort::QUICK,
                "--json" => options.json = Some(words.next()?.into()),
                "--help" | "-h" => options.help = true,
                _ => return None,
            }
        }
        Some(options)
    }
}
