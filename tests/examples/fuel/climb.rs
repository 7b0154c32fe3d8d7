//! The search for the slowest program of an operation.

use std::{fmt, hint::black_box, time::Instant};

use bailiwick_biscuit::engine::{Authorizer, Budget, Externs, Outcome, Program};
use bailiwick_token::token::Token;
use biscuit_auth::{Biscuit, KeyPair, builder::BlockBuilder};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::operations::Operation;
use crate::{MEMORY, engine::externs};

/// Number of programs to draw at random, and number of rounds in which each choice of the slowest program is
/// varied.
const DRAWN: usize = 60;
const ROUNDS: usize = 2;

/// Number of runs in the final measurement. The fastest run of the program counts, and the fastest verification
/// of a signature.
const TURNS: usize = 25;

/// A source of choices from short lists, determined by the digits of one program.
pub struct Choices<'c> {
    digits: &'c [usize],
    next: usize,
    taken: Vec<String>,
}

pub const DIGITS: usize = 8;
const BASE: usize = 840;

impl Choices<'_> {
    /// Chooses one of these values. The same digits choose the same value.
    pub fn of<T: Copy + fmt::Display>(&mut self, name: &str, from: &[T]) -> T {
        let digit = self.digits.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        let chosen = from[digit % from.len()];
        self.taken.push(format!("{name} {chosen}"));
        chosen
    }
}

/// The slowest program found, and its measurements.
pub struct Found {
    name: &'static str,
    shape: String,
    nanos: f64,
    signature: f64,
    fuel: u64,
    bytes: usize,
    counted: usize,
    /// Nanoseconds and bytes for reading and compiling the token, per byte of the token.
    read: (f64, f64),
}

impl Found {
    fn per_unit(&self) -> f64 {
        self.nanos / self.fuel as f64
    }

    /// The time of 1,000 units, in signatures.
    pub fn signatures(&self) -> f64 {
        1000.0 * self.per_unit() / self.signature
    }

    fn bytes_per_unit(&self) -> f64 {
        self.bytes as f64 / self.fuel as f64
    }

    pub fn row(&self) -> String {
        format!(
            "| {} | {:.1} | {:.0} | {:.1} | {:.1} | {} |\n",
            self.name,
            self.per_unit(),
            1000.0 / self.signatures(),
            self.bytes_per_unit(),
            self.counted as f64 / self.fuel as f64,
            self.shape.replace('|', "\\|")
        )
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.row().trim_end())
    }
}

/// A sentence about the maximum time and memory for reading a token, per byte.
pub fn worst_of_reading(found: &[Found]) -> String {
    let dearest = |by: fn(&Found) -> f64| {
        let dearest = found.iter().max_by(|a, b| by(a).total_cmp(&by(b)));
        dearest
            .map(|found| (found.name, by(found)))
            .expect("operations")
    };
    let (slow, nanos) = dearest(|found| found.read.0);
    let (large, bytes) = dearest(|found| found.read.1);
    format!(
        "To decode and compile the blocks of these programs takes at most {nanos:.0} ns ({slow}) and {bytes:.0} bytes ({large})\nfor each byte of the token.\n\n"
    )
}

struct Compiled {
    program: Program,
    read: (f64, f64),
}

/// Separates the blocks of a program.
pub const BLOCK: &str = "\n---\n";

/// A fact that needs the newest version of Datalog. Without it, the reference declares too old a version for a
/// block whose only newer feature is an array inside another, and such a block is refused.
const NEWEST: &str = "newest(null);";

fn compile(code: &str) -> Option<Compiled> {
    let mut blocks = code.split(BLOCK).map(|code| format!("{NEWEST} {code}"));
    let authority = blocks.next().unwrap_or_default();
    // The parser bounds the nesting of terms, and refuses some of the drawn programs.
    let builder = Biscuit::builder().code(&authority).ok()?;
    let mut token = builder.build(&KeyPair::new()).expect("a token");
    for block in blocks {
        let block = BlockBuilder::new().code(&block).ok()?;
        token = token.append(block).expect("a block");
    }
    let token = token.to_vec().expect("bytes");
    let bytes = token.len();
    if bytes > 60_000 {
        return None;
    }
    let policies = Authorizer::parse("allow if true;").expect("Datalog");
    let mut best = f64::MAX;
    let mut program = None;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    for _ in 0..3 {
        drop(program.take());
        let input = token.clone();
        let start = Instant::now();
        let token = Token::from_bytes(input).expect("a token");
        program = Some(Program::compile(token.code(), &policies).expect("a program"));
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    let peak = MEMORY.peak_usage().saturating_sub(before);
    // A small token is mostly signatures and keys: its size reveals little about its blocks.
    let size = bytes.max(2000) as f64;
    program.map(|program| Compiled {
        program,
        read: (best / size, peak as f64 / size),
    })
}

fn nanos(program: &Program, externs: &Externs, budget: Budget) -> (f64, u64) {
    let start = Instant::now();
    let burnt = black_box(program.burn(externs, budget));
    let nanos = start.elapsed().as_nanos() as f64;
    // Programs that end in an error before they have repeated their operation are left out.
    match burnt.outcome {
        Outcome::Error(_) => (nanos, 0),
        _ => (nanos, burnt.fuel),
    }
}

/// Measures the program that `digits` select. Returns its nanoseconds per unit of fuel, the compiled program, and a
/// description of the choices. `None` if the program does not compile or uses too little fuel.
fn tried(
    operation: &Operation,
    digits: &[usize],
    externs: &Externs,
) -> Option<(f64, Compiled, String)> {
    let mut choices = Choices {
        digits,
        next: 0,
        taken: Vec::new(),
    };
    let code = (operation.code)(&mut choices);
    let compiled = compile(&code)?;
    let budget = operation.budget();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let (nanos, fuel) = nanos(&compiled.program, externs, budget);
        // Too few units to say anything about a single one.
        if fuel < budget.fuel / 20 {
            return None;
        }
        best = best.min(nanos / fuel as f64);
    }
    Some((best, compiled, choices.taken.join(", ")))
}

/// Searches for the slowest program, and measures it.
pub fn dearest(operation: &Operation) -> Found {
    let mut rng = StdRng::seed_from_u64(1);
    let externs = externs();
    let mut best: Option<(f64, Vec<usize>)> = None;
    let look = |digits: Vec<usize>, best: &mut Option<(f64, Vec<usize>)>| {
        if let Some((nanos, _, _)) = tried(operation, &digits, &externs)
            && best.as_ref().is_none_or(|(least, _)| nanos > *least)
        {
            *best = Some((nanos, digits));
        }
    };
    for _ in 0..DRAWN {
        let digits = (0..DIGITS).map(|_| rng.gen_range(0..BASE)).collect();
        look(digits, &mut best);
    }
    for _ in 0..ROUNDS {
        for place in 0..DIGITS {
            for _ in 0..4 {
                let Some((_, mut digits)) = best.clone() else {
                    continue;
                };
                digits[place] = rng.gen_range(0..BASE);
                look(digits, &mut best);
            }
        }
    }
    let (_, digits) = best.unwrap_or_else(|| panic!("{} burns too little", operation.name));
    measured(operation, &digits, &externs)
}

fn measured(operation: &Operation, digits: &[usize], externs: &Externs) -> Found {
    let (_, compiled, shape) = tried(operation, digits, externs).expect("as before");
    let (program, budget) = (&compiled.program, operation.budget());
    let signature = Signature::new();
    let (mut best, mut reference, mut fuel) = (f64::MAX, f64::MAX, 0);
    for _ in 0..TURNS {
        let (nanos, burnt) = nanos(program, externs, budget);
        (best, fuel) = (best.min(nanos), burnt);
        reference = reference.min(signature.nanos());
    }
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let burnt = program.burn(externs, budget);
    let bytes = MEMORY.peak_usage().saturating_sub(before);
    let of_program = program.burn(externs, 0).memory;
    Found {
        name: operation.name,
        shape,
        nanos: best,
        signature: reference,
        fuel,
        bytes,
        counted: burnt.memory.saturating_sub(of_program),
        read: compiled.read,
    }
}

/// One signature over 500 bytes, as the yardstick.
pub struct Signature {
    key: VerifyingKey,
    message: [u8; 500],
    signature: ed25519_dalek::Signature,
}

impl Signature {
    pub fn new() -> Signature {
        let key = SigningKey::from_bytes(&[7; 32]);
        let message = [7; 500];
        Signature {
            key: key.verifying_key(),
            message,
            signature: key.sign(&message),
        }
    }

    pub fn nanos(&self) -> f64 {
        const TIMES: u32 = 8;
        let start = Instant::now();
        for _ in 0..TIMES {
            let verified = self
                .key
                .verify_strict(black_box(&self.message), &self.signature);
            verified.expect("a signature");
        }
        start.elapsed().as_nanos() as f64 / f64::from(TIMES)
    }
}
