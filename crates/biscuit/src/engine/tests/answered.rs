//! Tests of predicates whose facts the host answers one by one.

use std::cell::RefCell;

use super::*;

/// A host that answers `is(name)`. The fact holds for names that begin with `y`, and each answer costs `price`.
#[derive(Debug)]
struct Host {
    holds: Vec<bool>,
    price: u64,
    asked: RefCell<Vec<usize>>,
}

impl Host {
    fn of(program: &Program, price: u64) -> Host {
        let holds = program.questions();
        Host {
            holds: holds
                .map(|question| question.terms[0].starts_with('y'))
                .collect(),
            price,
            asked: RefCell::default(),
        }
    }
}

impl Answers for Host {
    fn holds(&self, question: usize, units: &mut u64) -> Option<bool> {
        self.asked.borrow_mut().push(question);
        *units = units.checked_sub(self.price)?;
        Some(self.holds[question])
    }
}

const CALL: Known = Known {
    name: "call",
    arity: 1,
};

const IS: Known = Known {
    name: "is",
    arity: 1,
};

fn base(authorizer: &str) -> Result<Base, Error> {
    Base::new(&Authorizer::parse(authorizer).unwrap(), &[CALL], &[IS])
}

fn compiled(blocks: &[&str], authorizer: &str) -> Result<Program, Error> {
    let blocks: Vec<Block> = blocks.iter().map(|code| block(code)).collect();
    base(authorizer)?.program(&Code::from_blocks(&blocks), Keep::Wanted)
}

/// The outcome, the questions asked, and the fuel spent.
fn answered(blocks: &[&str], authorizer: &str, price: u64) -> (Outcome, Vec<usize>, u64) {
    const FUEL: u64 = 10_000;
    let program = compiled(blocks, authorizer).unwrap();
    let host = Host::of(&program, price);
    let externs = Externs::default();
    let mut world = World::new(&program, &externs, FUEL.into()).answered_by(&host);
    let outcome = world.state(0, |world| Ok([world.string("call")?]));
    outcome.unwrap();
    let outcome = world.authorize();
    let left = world.fuel_left();
    (outcome, host.asked.take(), FUEL.saturating_sub(left))
}

fn is_allowed(blocks: &[&str], authorizer: &str) -> bool {
    let (outcome, ..) = answered(blocks, authorizer, 0);
    matches!(outcome, Outcome::Allow { .. })
}

#[test]
fn a_body_matches_what_the_host_answers() {
    let allow = "allow if true;";
    for (code, allowed) in [
        ("check if is(\"yes\");", true),
        ("check if is(\"no\");", false),
        ("check if is(\"no\") or is(\"yes\");", true),
        ("check if is(\"yes\"), is(\"no\");", false),
        ("check if is(\"no\"), is(\"yes\");", false),
        ("check if call($c), is(\"yes\"), $c === \"call\";", true),
        ("check if call($c), is(\"yes\"), $c === \"other\";", false),
        ("check all is(\"yes\");", true),
        ("check all is(\"no\");", false),
        ("reject if is(\"yes\");", false),
        ("reject if is(\"no\");", true),
        ("f(1) <- is(\"yes\"); check if f(1);", true),
        ("f(1) <- is(\"no\"); check if f(1);", false),
    ] {
        assert_eq!(is_allowed(&[code], allow), allowed, "{code}");
        // The same code in an appended block, and in the host's own Datalog.
        assert_eq!(is_allowed(&["", code], allow), allowed, "appended: {code}");
        assert_eq!(
            is_allowed(&[], &format!("{code} {allow}")),
            allowed,
            "own: {code}"
        );
    }
    assert!(!is_allowed(&[], "deny if is(\"yes\"); allow if true;"));
    assert!(is_allowed(&[], "deny if is(\"no\"); allow if true;"));
}

/// Rules that derive facts from derived facts run in rounds. An answer holds in every round.
#[test]
fn recursive_rules_ask_in_every_round() {
    let rules = "
        edge(1, 2); edge(2, 3); edge(3, 4);
        reach($a, $b) <- edge($a, $b), is(\"yes\");
        reach($a, $c) <- reach($a, $b), is(\"yes\"), edge($b, $c);
        check if reach(1, 4);
    ";
    assert!(is_allowed(&[rules], "allow if true;"));
    let denied = rules.replacen("yes", "no", 1);
    assert!(!is_allowed(&[&denied], "allow if true;"));
}

#[test]
fn only_what_a_body_comes_to_is_asked() {
    let code = "check if call(\"other\"), is(\"yes\") or call(\"call\"), is(\"y2\") or is(\"y3\");";
    let (outcome, asked, _) = answered(&[code], "allow if true;", 0);
    assert!(matches!(outcome, Outcome::Allow { .. }));
    assert_eq!(asked, [1]);
}

#[test]
fn an_answer_is_charged() {
    let code = "check if is(\"yes\");";
    let (_, _, free) = answered(&[code], "allow if true;", 0);
    let (_, _, dear) = answered(&[code], "allow if true;", 1_000);
    assert_eq!(dear - free, 1_000);
    let (outcome, asked, burnt) = answered(&[code], "allow if true;", 10_001);
    assert_eq!(
        (outcome, asked.len(), burnt),
        (Outcome::OutOfFuel, 1, 10_000)
    );
}

/// The host's own questions have the same numbers in every program.
#[test]
fn questions_of_the_host_come_first() {
    let own = "check if is(\"y1\"); deny if is(\"n2\"); allow if true;";
    let program = compiled(&["check if is(\"y3\"); check if is(\"y1\");"], own).unwrap();
    let names = |program: &Program| -> Vec<String> {
        program
            .questions()
            .map(|question| question.terms.concat())
            .collect()
    };
    assert_eq!(names(&program), ["y1", "n2", "y3", "y1"]);
    assert_eq!(names(base(own).unwrap().own()), ["y1", "n2"]);
}

/// Questions that the host cannot answer are refused at compilation: without an answer, `reject if` and `deny if` would
/// permit the call.
#[test]
fn questions_without_an_answer_are_refused() {
    for code in [
        "check if is($x);",
        "check if call($x), is($x);",
        "check if is(1);",
        "check if is({\"yes\"});",
        "check if is(\"yes\", \"yes\");",
        "check if call($x), is($x, \"yes\");",
        "is(\"yes\");",
        "is(\"yes\", 1);",
        "is($x) <- call($x);",
        "is($x, 1) <- call($x);",
    ] {
        let refused = Fault::Answered("is".to_owned());
        let own = compiled(&[], &format!("{code} allow if true;"));
        for compiled in [
            compiled(&[code], "allow if true;"),
            compiled(&["", code], ""),
            own,
        ] {
            match compiled {
                Err(Error::Compile { fault, .. }) => assert_eq!(fault, refused, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
        }
    }
}

/// Without a host that answers, no fact of the predicate holds.
#[test]
fn silence_is_no() {
    let program = compiled(&["check if is(\"yes\");"], "allow if true;").unwrap();
    let externs = Externs::default();
    let outcome = World::new(&program, &externs, 1_000.into()).authorize();
    assert!(matches!(outcome, Outcome::Deny { .. }));
}
