//! Reports of the results, as the tables of `docs/reference/benchmarks.md` and as lines of JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    biscuit, hostile,
    memory::Memory,
    rounds::Measured,
    signature,
    table::{Table, three_digits},
    targets::{self, Target},
    threads::Threads,
};

pub(crate) struct Report {
    pub(crate) decisions: Vec<Measured>,
    pub(crate) refusals: Vec<Measured>,
    pub(crate) memory: Memory,
    pub(crate) threads: Vec<Threads>,
}

impl Report {
    /// The tables, each below its heading in `docs/reference/benchmarks.md`.
    pub(crate) fn markdown(&self) -> String {
        let sections = [
            ("Decisions", self.decisions_table()),
            ("Refusals", self.refusals_table()),
            ("Threads", self.threads_table()),
            ("Memory", self.memory_table()),
            ("Targets", self.targets_table()),
        ];
        sections.iter().fold(String::new(), |mut text, section| {
            let between = if text.is_empty() { "" } else { "\n" };
            let (heading, table) = section;
            write!(text, "{between}### {heading}\n\n{table}").expect("a string takes all");
            text
        })
    }

    /// One JSON object per line for each row of each table, with all digits.
    pub(crate) fn json_lines(&self) -> String {
        let decisions = self.decisions.iter().map(|found| self.decision(found));
        let refusals = self.attacks().map(refusal);
        let threads = self.threads.iter().map(|found| {
            json!({
                "kind": "threads", "what": found.what, "one_per_second": found.one,
                "two_per_second": found.two, "ratio": found.ratio.median,
                "ratio_p10": found.ratio.p10, "ratio_p90": found.ratio.p90,
            })
        });
        let memory = json!({
            "kind": "memory", "tokens": self.memory.tokens, "ids": self.memory.ids,
            "verifier_bytes": self.memory.verifier, "token_bytes": self.memory.token,
            "cached_bytes": self.memory.cached, "revoked_bytes": self.memory.revoked,
        });
        let targets = targets::all(self).into_iter().map(|target| {
            json!({
                "kind": "target", "what": target.what, "unit": target.unit,
                "most": target.bound.most(), "least": target.bound.least(),
                "found": target.found, "met": target.met(),
            })
        });
        let lines = decisions.chain(refusals).chain(threads).chain([memory]);
        lines
            .chain(targets)
            .map(|line| format!("{line}\n"))
            .collect()
    }

    pub(crate) fn micros(&self, peer: &str, path: &str, blocks: usize) -> f64 {
        self.found(peer, path, blocks).micros.median
    }

    pub(crate) fn allocations(&self, peer: &str, path: &str, blocks: usize) -> f64 {
        self.found(peer, path, blocks).allocations
    }

    pub(crate) fn signature(&self) -> f64 {
        let found = self.decisions.iter();
        let mut signatures = found.filter(|found| found.peer == signature::NAME);
        signatures
            .next()
            .expect("it is always measured")
            .micros
            .median
    }

    /// Time of biscuit-auth's whole path with a token of this many appended blocks.
    pub(crate) fn biscuit(&self, blocks: usize) -> f64 {
        self.micros(biscuit::NAME, biscuit::WHOLE, blocks)
    }

    /// Each attack, with the honest token for comparison.
    pub(crate) fn attacks(&self) -> impl Iterator<Item = (&Measured, &Measured)> {
        let refused = self.refusals.iter();
        let refused = refused.filter(|found| found.peer == hostile::NAME);
        refused.map(|refused| {
            let mut honest = self.refusals.iter();
            let honest =
                honest.find(|found| found.peer == hostile::HONEST && found.path == refused.path);
            (refused, honest.expect("they are measured in pairs"))
        })
    }

    fn found(&self, peer: &str, path: &str, blocks: usize) -> &Measured {
        let mut all = self.decisions.iter();
        let found =
            all.find(|found| (found.peer, found.path, found.blocks) == (peer, path, blocks));
        found.expect("what the report speaks of is always measured")
    }

    fn decisions_table(&self) -> Table {
        let mut table = Table::new(
            1,
            [
                "",
                "blocks",
                "µs",
                "p10–p90",
                "characters",
                "allocations",
                "bytes allocated",
                "× biscuit-auth",
                "× signature",
            ],
        );
        for found in &self.decisions {
            let lone = found.peer == signature::NAME;
            let unless_lone = |text: String| if lone { String::new() } else { text };
            table.row([
                format!("{}: {}", found.peer, found.path),
                unless_lone(found.blocks.to_string()),
                three_digits(found.micros.median),
                format!(
                    "{}–{}",
                    three_digits(found.micros.p10),
                    three_digits(found.micros.p90)
                ),
                unless_lone(found.wire.to_string()),
                format!("{:.0}", found.allocations),
                format!("{:.0}", found.allocated_bytes),
                unless_lone(three_digits(
                    found.micros.median / self.biscuit(found.blocks),
                )),
                three_digits(found.micros.median / self.signature()),
            ]);
        }
        table
    }

    fn refusals_table(&self) -> Table {
        let mut table = Table::new(
            1,
            [
                "",
                "µs",
                "p10–p90",
                "characters",
                "honest, µs",
                "honest, characters",
                "× honest",
            ],
        );
        for (refused, honest) in self.attacks() {
            let micros = refused.micros;
            table.row([
                refused.path.to_owned(),
                three_digits(micros.median),
                format!("{}–{}", three_digits(micros.p10), three_digits(micros.p90)),
                refused.wire.to_string(),
                three_digits(honest.micros.median),
                honest.wire.to_string(),
                three_digits(micros.median / honest.micros.median),
            ]);
        }
        table
    }

    fn threads_table(&self) -> Table {
        let head = [
            "",
            "one thread, a second",
            "two threads, a second",
            "ratio",
            "p10–p90",
        ];
        let mut table = Table::new(1, head);
        for found in &self.threads {
            table.row([
                found.what.to_owned(),
                format!("{:.0}", found.one),
                format!("{:.0}", found.two),
                format!("{:.2}", found.ratio.median),
                format!("{:.2}–{:.2}", found.ratio.p10, found.ratio.p90),
            ]);
        }
        table
    }

    fn memory_table(&self) -> Table {
        let memory = &self.memory;
        let mut table = Table::new(1, ["", "bytes", "× the token"]);
        let of_token = |bytes: f64| format!("{:.2}", bytes / memory.token);
        let mut row = |what: String, bytes: f64, share: String| {
            table.row([what, format!("{bytes:.0}"), share]);
        };
        row(
            "a token with 3 appended blocks, decoded from its text".to_owned(),
            memory.token,
            of_token(memory.token),
        );
        row(
            format!(
                "what a verifier grows by for each such token seen ({} of them)",
                memory.tokens
            ),
            memory.cached,
            of_token(memory.cached),
        );
        row(
            "a verifier that has seen nothing".to_owned(),
            memory.verifier,
            String::new(),
        );
        row(
            format!(
                "what trust grows by for each id revoked ({} of them)",
                memory.ids
            ),
            memory.revoked,
            String::new(),
        );
        table
    }

    fn targets_table(&self) -> Table {
        let mut table = Table::new(2, ["", "in", "target", "found", ""]);
        for target in targets::all(self) {
            table.row([
                target.what.clone(),
                target.unit.to_owned(),
                target.bound.to_string(),
                three_digits(target.found),
                verdict(&target).to_owned(),
            ]);
        }
        table
    }

    fn decision(&self, found: &Measured) -> Value {
        let micros = found.micros;
        json!({
            "kind": "decision", "peer": found.peer, "path": found.path, "blocks": found.blocks,
            "median_us": micros.median, "p10_us": micros.p10, "p90_us": micros.p90,
            "characters": found.wire, "allocations": found.allocations,
            "allocated_bytes": found.allocated_bytes,
            "of_biscuit_auth": micros.median / self.biscuit(found.blocks),
            "of_signature": micros.median / self.signature(),
        })
    }
}

fn refusal((refused, honest): (&Measured, &Measured)) -> Value {
    let micros = refused.micros;
    json!({
        "kind": "refusal", "what": refused.path, "median_us": micros.median,
        "p10_us": micros.p10, "p90_us": micros.p90, "characters": refused.wire,
        "allocations": refused.allocations, "allocated_bytes": refused.allocated_bytes,
        "honest_us": honest.micros.median, "honest_characters": honest.wire,
        "of_honest": micros.median / honest.micros.median,
    })
}

fn verdict(target: &Target) -> &'static str {
    if target.met() { "met" } else { "missed" }
}
