//! `bailiwick grants diff`: what one file of grants allows and another does not.

mod judge;
mod report;

use bailiwick_token::grant::{
    Grants,
    difference::{Found, search},
};
use clap::Args;

use self::{
    judge::Judge,
    report::{Direction, Report},
};
use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    output::Progress,
    settings::Global,
};

/// Options of `grants diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each difference comes with a call that one file allows and the other refuses. The calls are found by a \
search along the bounds of both files, and the verifier decides each of them, so every example is real. \
If no call is found, the report states whether it is proven that there is none.

With `--json`, `only_first` and `only_second` list the differences, and `at` of an example is its time \
where the time matters.

Example:
  bailiwick grants diff old.toml new.toml")]
pub(crate) struct DiffArgs {
    /// The first grants, TOML or JSON
    #[arg(value_name = "FILE|-")]
    first: Input,
    /// The second grants, TOML or JSON
    #[arg(value_name = "FILE|-")]
    second: Input,
    /// Try at most this many calls in each direction
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    calls: u64,
}

impl DiffArgs {
    /// Searches in both directions, and prints one report.
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let (first, second) = (input::grants(&self.first)?, input::grants(&self.second)?);
        let now = clock::now()?;
        let mut progress = Progress::new("calls tried");
        let mut judge = Judge::new([&first, &second], now)?;
        let mut direction = |(allowing, refusing): (&Grants, &Grants),
                             order: [usize; 2]|
         -> Result<Found, Failure> {
            search(allowing, refusing, now, self.calls, |call| {
                progress.at(judge.tried());
                judge.judge(call, order)
            })
        };
        let only_first = direction((&first, &second), [0, 1])?;
        let only_second = direction((&second, &first), [1, 0])?;
        drop(progress);
        let shows_time = [&first, &second]
            .into_iter()
            .flatten()
            .any(|grant| grant.when.is_some());
        let mut described = |found: Found, grants, order: [usize; 2]| {
            Direction::new(found, grants, shows_time, |call| judge.refusal(call, order))
        };
        let report = Report {
            files: [&self.first, &self.second],
            directions: [
                described(only_first, &first, [0, 1])?,
                described(only_second, &second, [1, 0])?,
            ],
        };
        global.format().print(&report, &report)?;
        Ok(Exit::Done)
    }
}
