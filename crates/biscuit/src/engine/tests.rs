//! Tests of the engine's results, and of the fuel that its work costs.

use std::time::{Duration, Instant};

use super::*;
use crate::datalog::{self, Binary, Block, Code, Op, Scope};

mod answered;

/// Makes a block from text. biscuit-auth's parser reads the text, as it reads the host's own Datalog.
fn block(code: &str) -> Block {
    let (scopes, code) = match code.strip_prefix("trusting previous;") {
        Some(code) => (vec![Scope::Previous], code),
        None => (Vec::new(), code),
    };
    Block {
        scopes,
        ..Source::read(code).unwrap().statements
    }
}

fn program(blocks: &[&str], authorizer: &str) -> Program {
    let blocks: Vec<Block> = blocks.iter().map(|code| block(code)).collect();
    let code = Code::from_blocks(&blocks);
    Program::compile(&code, &Authorizer::parse(authorizer).unwrap()).unwrap()
}

fn run(blocks: &[&str], authorizer: &str) -> Outcome {
    let fuel = 1_000_000;
    let program = program(blocks, authorizer);
    program.evaluate(&Externs::default(), fuel).outcome
}

/// The result of a check whose only condition is this expression.
fn check(expression: &str) -> Result<bool, Error> {
    match run(&[&format!("check if {expression};")], "allow if true;") {
        Outcome::Allow { .. } => Ok(true),
        Outcome::Deny { .. } => Ok(false),
        Outcome::Error(error) => Err(error),
        Outcome::OutOfFuel | Outcome::OutOfMemory => panic!("{expression} is no hard work"),
    }
}

fn fault(code: &str) -> Fault {
    let blocks = Code::from_blocks(&[block(code)]);
    match Program::compile(&blocks, &Authorizer::default()) {
        Err(Error::Compile { fault, .. }) => fault,
        other => panic!("{code}: {other:?}"),
    }
}

#[test]
fn expressions() {
    for (expression, expected) in [
        ("1 + 2 * 3 - 4 / 2 === 5", Ok(true)),
        ("(7 & 12) === 4, (7 | 8) === 15, (7 ^ 2) === 5", Ok(true)),
        ("-7 / 2 === -3", Ok(true)),
        ("1 / 0 === 1", Err(Error::DivideByZero)),
        ("-9223372036854775808 / -1 === 1", Err(Error::Overflow)),
        ("9223372036854775807 + 1 === 1", Err(Error::Overflow)),
        ("9223372036854775807 * 2 === 1", Err(Error::Overflow)),
        ("1 === \"1\"", Err(Error::InvalidType)),
        ("1 == \"1\"", Ok(false)),
        ("1 != \"1\"", Ok(true)),
        ("null === null", Ok(true)),
        ("{1, 2} === {2, 1}", Ok(true)),
        ("1", Err(Error::InvalidType)),
        ("\"héllo\".length() === 6", Ok(true)),
        ("\"ab\" + \"cd\" === \"abcd\"", Ok(true)),
        (
            "\"abcd\".contains(\"bc\"), \"abcd\".starts_with(\"ab\"), \"abcd\".ends_with(\"cd\")",
            Ok(true),
        ),
        (
            "[1, 2, 3].starts_with([1, 2]), [1, 2, 3].ends_with([2, 3])",
            Ok(true),
        ),
        (
            "[1].starts_with([1, 2]) || [2, 1].ends_with([2])",
            Ok(false),
        ),
        ("[[1, {\"a\": [2]}]].contains([1, {\"a\": [2]}])", Ok(true)),
        ("[[1, {\"a\": [2]}]].contains([1, {\"a\": [3]}])", Ok(false)),
        (
            "{\"a\": 1, 2: \"b\"}.get(\"a\") === 1, {\"a\": 1}.get(\"b\") === null",
            Ok(true),
        ),
        (
            "{\"a\": 1}.contains(\"a\"), [5].get(0) === 5, [5].get(-1) === null",
            Ok(true),
        ),
        (
            "{1, 2, 3}.contains({1, 3}), !{1, 2}.contains({1, 4})",
            Ok(true),
        ),
        ("{1, 2}.union({2, 3}) === {1, 2, 3}", Ok(true)),
        ("{1, 2}.intersection({2, 3}) === {2}", Ok(true)),
        ("{1, 2}.intersection({3}).length() === 0", Ok(true)),
        (
            "[1, 2].all($x -> $x < 3), [1, 2].any($x -> $x === 2)",
            Ok(true),
        ),
        (
            "{\"a\": 1}.any($e -> $e.get(1) === 1), {\"a\": 1}.all($e -> $e.get(0) === \"a\")",
            Ok(true),
        ),
        ("[].all($x -> false), ![].any($x -> true)", Ok(true)),
        ("[[1], [2, 3]].all($x -> $x.any($y -> $y < 3))", Ok(true)),
        ("false && 1 / 0 === 1", Ok(false)),
        ("true || 1 / 0 === 1", Ok(true)),
        ("(1 / 0 === 1).try_or(true)", Ok(true)),
        ("true.try_or(1 / 0 === 1)", Err(Error::DivideByZero)),
        (
            "[1, 0].all($x -> (1 / $x === 1).try_or($x === 0))",
            Ok(true),
        ),
        (
            "(([1].all($x -> $x / 0 === 1)).try_or(1 === \"\")).try_or(true)",
            Ok(true),
        ),
        (
            "\"abc\".matches(\"^a.c$\"), !\"abc\".matches(\"[\")",
            Ok(true),
        ),
        ("\"a\".matches(\"(a{1000}){1000}\")", Err(Error::Regex)),
        (
            "1.type() === \"integer\", null.type() === \"null\", {1: 2}.type() === \"map\"",
            Ok(true),
        ),
    ] {
        assert_eq!(check(expression), expected, "{expression}");
    }
}

/// The engine follows the specification in each case where biscuit-auth 6.0.0 does not.
#[test]
fn the_specification_where_biscuit_auth_differs() {
    for (expression, expected) in [
        // biscuit-auth raises an error on elements of these types.
        ("{1, 2}.contains(null)", Ok(false)),
        ("{1, 2}.contains([1])", Ok(false)),
        ("{null, null}.contains(null)", Ok(true)),
        ("{1}.contains({\"a\": 1})", Ok(false)),
        // biscuit-auth returns a value for any right side.
        ("(false || 1) === 1", Err(Error::InvalidType)),
        ("(true && 1) === 1", Err(Error::InvalidType)),
        // biscuit-auth calls this overflow a division by zero.
        ("-9223372036854775808 / -1 === 0", Err(Error::Overflow)),
    ] {
        assert_eq!(check(expression), expected, "{expression}");
    }
    // biscuit-auth lets this pass if one query has no match.
    let reject = "reject if f(1) or f(2);";
    let failed = vec![FailedCheck {
        place: Place::Block(0),
        check: 0,
    }];
    for fact in ["f(1);", "f(2);"] {
        let policy = Some(Matched::Allow(0));
        let failed = failed.clone();
        assert_eq!(
            run(&[reject], &format!("{fact} allow if true;")),
            Outcome::Deny { policy, failed }
        );
    }
    assert_eq!(
        run(&[reject], "f(3); allow if true;"),
        Outcome::Allow { policy: 0 }
    );
}

#[test]
fn faults_are_found_before_evaluation() {
    let name = |name: &str| name.to_owned();
    assert_eq!(
        fault("check if false && $x;"),
        Fault::UnboundVariable(name("x"))
    );
    assert_eq!(
        fault("check if f($x), false, $x.all($x -> true);"),
        Fault::ShadowedVariable(name("x"))
    );
    assert_eq!(
        fault("check if [].any($p -> [].any($p -> true));"),
        Fault::ShadowedVariable(name("p"))
    );
    // After its closure a parameter is unbound, and its name can be used again.
    assert_eq!(check("[1].any($p -> true), [1].any($p -> true)"), Ok(true));
    assert_eq!(
        fault("check if [1].any($p -> true), $p;"),
        Fault::UnboundVariable(name("p"))
    );
    let mut rule = block("f($x) <- g($x);");
    rule.rules.first_mut().unwrap().query.body.clear();
    let compiled = Program::compile(&Code::from_blocks(&[rule]), &Authorizer::default());
    assert!(
        matches!(&compiled, Err(error) if error.is_rule()),
        "{compiled:?}"
    );
    let blocks = vec![block(""); MAX_BLOCKS + 1];
    assert!(
        Program::compile(
            &Code::from_blocks(&blocks[..MAX_BLOCKS]),
            &Authorizer::default()
        )
        .is_ok()
    );
    assert!(Program::compile(&Code::from_blocks(&blocks), &Authorizer::default()).is_err());
}

#[test]
fn rules_reach_their_fixpoint() {
    let edges: String = (0..30).map(|n| format!("edge({n}, {});", n + 1)).collect();
    let rules = "path($a, $b) <- edge($a, $b); path($a, $c) <- path($a, $b), edge($b, $c);";
    let twice = "path($a, $c) <- path($a, $b), path($b, $c);";
    for rules in [rules.to_owned(), format!("{rules}{twice}")] {
        let program = program(
            &[&format!("{edges}{rules}check if path(0, 30);")],
            "allow if true;",
        );
        let evaluation = program.evaluate(&Externs::default(), 10_000_000);
        assert_eq!(evaluation.outcome, Outcome::Allow { policy: 0 });
        let paths = evaluation
            .facts
            .iter()
            .filter(|(_, fact)| fact.name.starts_with("path"));
        assert_eq!(paths.count(), 30 * 31 / 2);
    }
}

#[test]
fn scopes_hide_what_they_do_not_name() {
    let secret = "secret(1);";
    for (blocks, allowed) in [
        (&["check if secret(1);", secret][..], false),
        (&[secret, "check if secret(1);"], true),
        (&["", secret, "check if secret(1);"], false),
        (&["", secret, "check if secret(1) trusting previous;"], true),
        (
            &["", secret, "check if secret(1) trusting authority;"],
            false,
        ),
        (
            &["", secret, "trusting previous; check if secret(1);"],
            true,
        ),
        (
            &["", "check if secret(1) trusting previous;", secret],
            false,
        ),
        (&["", "public($x) <- secret($x);", secret], true),
    ] {
        let outcome = run(blocks, "allow if true;");
        assert_eq!(
            matches!(outcome, Outcome::Allow { .. }),
            allowed,
            "{blocks:?}: {outcome:?}"
        );
    }
    assert!(matches!(
        run(&["", secret], "allow if secret(1);"),
        Outcome::Deny { policy: None, .. }
    ));
    assert_eq!(
        run(&[secret], "deny if secret(2); allow if secret(1);"),
        Outcome::Allow { policy: 1 }
    );
}

/// Each of these programs ran for seconds in biscuit-auth, or filled its memory.
#[test]
fn growing_evaluations_run_out_of_fuel() {
    let facts: String = (0..60).map(|n| format!("f({n});")).collect();
    let join = format!("{facts} check if f($a), f($b), f($c), f($d), $a + $b + $c + $d < 0;");
    let doubling = format!("check if s($s), {} === \"\";", vec!["$s"; 1000].join(" + "));
    let doubling = format!("s(\"{}\"); {doubling}", "x".repeat(1000));
    let grows = "s($b) <- s($a), [$a + $a].any($x -> true), t($b); s(\"x\"); t(\"y\");";
    let items = |from: usize| {
        let items: Vec<String> = (from..from + 500).map(|n| n.to_string()).collect();
        format!("{{{}}}", items.join(","))
    };
    let unions: String = (0..200)
        .map(|n| format!(".union({})", items(n * 500)))
        .collect();
    let unions = format!("check if {}{unions}.length() === 0;", items(0));
    let origins: Vec<String> = (0..22)
        .map(|_| "f(1); f($x) <- f($x) trusting previous;".to_owned())
        .collect();
    let list: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let list = list.join(",");
    let nested = format!(
        "check if [{list}].all($a -> [{list}].all($b -> [{list}].all($c -> [{list}].all($d -> true))));"
    );
    let long = "x".repeat(4000);
    let regex = format!("check if f($a), \"{long}\".matches(\"y{{50}}\");");
    let cross = "g($a, $b, $c, $d) <- f($a), f($b), f($c), f($d);";
    // Thirty rounds, one after the other.
    let rounds: String = (0..30).map(|n| format!("next({n}, {});", n + 1)).collect();
    let rounds = format!("{rounds} p(0); p($b) <- p($a), next($a, $b);");
    let body = vec!["p($a)"; 400].join(", ");
    let beside: String = (0..5_000).map(|n| format!("beside{n}(1);")).collect();
    let classes = "[\\\\d]".repeat(30);
    let cases: [(&str, Vec<String>); 11] = [
        (
            "many predicates in many rounds",
            vec![format!("{rounds} g($a) <- {body}, nothing($a);")],
        ),
        (
            "many predicates beside many rounds",
            vec![format!("{rounds} {beside}")],
        ),
        (
            "a regular expression of many classes",
            vec![format!("check if \"a\".matches(\"{classes}\");")],
        ),
        ("a self-join of four", vec![join]),
        ("a string that grows", vec![doubling]),
        ("unions", vec![unions]),
        ("origins", origins),
        ("nested closures", vec![nested]),
        (
            "regular expressions for each fact",
            vec![format!("{facts}{regex}")],
        ),
        ("a cross product", vec![format!("{facts}{cross}")]),
        (
            "strings in closures",
            vec![grows.replace("[$a + $a]", &format!("[{list}]"))],
        ),
    ];
    for (name, blocks) in cases {
        let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
        let started = Instant::now();
        let program = program(&blocks, "allow if true;");
        let compiled = started.elapsed();
        let started = Instant::now();
        let evaluation = program.evaluate(&Externs::default(), 100_000);
        let took = started.elapsed();
        println!(
            "{name}: {:?}, compiled in {compiled:?}, {took:?}",
            evaluation.outcome
        );
        if name != "strings in closures" {
            assert_eq!(evaluation.outcome, Outcome::OutOfFuel, "{name}");
            assert_eq!(evaluation.burnt, 100_000);
        }
        assert!(took < Duration::from_secs(1), "{name} took {took:?}");
    }
}

/// The deepest terms that the decoder accepts. Evaluation does not recurse on them.
#[test]
fn depth_is_no_matter() {
    use datalog::Term;
    let mut term = Term::Array(vec![]);
    let mut ops = vec![Op::Value(Term::Bool(true))];
    for _ in 0..48 {
        term = Term::Array(vec![term]);
        ops = vec![
            Op::Value(Term::Bool(true)),
            Op::Closure(Vec::new(), ops),
            Op::Binary(Binary::LazyAnd),
        ];
    }
    let mut deep = block("check if f($x), g($x); f(1);");
    deep.facts.first_mut().unwrap().terms = vec![term.clone()];
    let mut other = deep.facts.first().unwrap().clone();
    other.name = "g".to_owned();
    deep.facts.push(other);
    let check = deep.checks.first_mut().unwrap();
    check.queries.first_mut().unwrap().expressions.push(ops);
    let program = Program::compile(
        &Code::from_blocks(&[deep]),
        &Authorizer::parse("allow if true;").unwrap(),
    )
    .unwrap();
    let mut world = World::new(&program, &NO_EXTERNS, 100_000.into());
    assert_eq!(world.authorize(), Outcome::Allow { policy: 0 });
}

static NO_EXTERNS: std::sync::LazyLock<Externs> = std::sync::LazyLock::new(Externs::default);

#[test]
fn one_outcome_for_one_input() {
    let facts: String = (0..20).map(|n| format!("f(\"{n}\"); f({n});")).collect();
    let blocks = [
        facts.as_str(),
        "check if f($x), $x.starts_with(\"1\"); g($x) <- f($x);",
    ];
    let program = program(&blocks, "allow if true;");
    let first = program.evaluate(&Externs::default(), 100_000);
    for _ in 0..20 {
        assert_eq!(program.evaluate(&Externs::default(), 100_000), first);
    }
}

#[test]
fn functions_of_the_host() {
    let double: Extern = std::sync::Arc::new(|left, right| match (left, right) {
        (datalog::Term::Integer(value), None) => Ok(datalog::Term::Integer(value * 2)),
        _ => Err("only one integer".to_owned()),
    });
    let externs = Externs::default().with("double", double);
    let outcome = |check: &str| {
        let program = program(&[&format!("check if {check};")], "allow if true;");
        program.evaluate(&externs, 10_000).outcome
    };
    assert_eq!(
        outcome("4.extern::double() === 8"),
        Outcome::Allow { policy: 0 }
    );
    assert!(matches!(
        outcome("true.extern::double()"),
        Outcome::Error(Error::Extern { .. })
    ));
    let missing = outcome("true.extern::missing()");
    assert_eq!(
        missing,
        Outcome::Error(Error::UndefinedExtern("missing".to_owned()))
    );
    assert_eq!(
        outcome("(true.extern::missing()).try_or(true)"),
        Outcome::Allow { policy: 0 }
    );
}

/// Evaluates a block with the check `left operation right`. The parser no longer makes this form of `&&` and
/// `||`, but tokens of other libraries may contain it.
fn strict(left: Op, binary: Binary, right: Op) -> Outcome {
    let mut block = block("check if true;");
    let check = block.checks.first_mut().unwrap();
    let query = check.queries.first_mut().unwrap();
    query.expressions = vec![vec![left, right, Op::Binary(binary)]];
    let code = Code::from_blocks(&[block]);
    let program = Program::compile(&code, &Authorizer::parse("allow if true;").unwrap()).unwrap();
    program.evaluate(&Externs::default(), 1000).outcome
}

/// In older blocks, `&&` and `||` evaluate both sides.
#[test]
fn strict_and_and_or() {
    let bool = |value: bool| Op::Value(datalog::Term::Bool(value));
    let integer = || Op::Value(datalog::Term::Integer(1));
    for binary in [Binary::And, Binary::Or] {
        for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
            let holds = match binary {
                Binary::And => left && right,
                _ => left || right,
            };
            let outcome = strict(bool(left), binary.clone(), bool(right));
            assert_eq!(
                matches!(outcome, Outcome::Allow { .. }),
                holds,
                "{left} {binary:?} {right}: {outcome:?}"
            );
            for (left, right) in [(bool(left), integer()), (integer(), bool(right))] {
                assert_eq!(
                    strict(left, binary.clone(), right),
                    Outcome::Error(Error::InvalidType)
                );
            }
        }
    }
}

/// The stated size of a program covers everything that it stores.
#[test]
fn the_size_of_a_program_covers_all_it_stores() {
    const TERM: usize = size_of::<Term>();
    let weight = |code: &str| program(&[code], "allow if true;").size();
    let many = |what: &str| vec![what; 1000].join(", ");
    let empty = weight("");
    for (code, least) in [
        (format!("f(\"{}\");", "x".repeat(1000)), 1000),
        (format!("f(hex:{});", "ab".repeat(1000)), 1000),
        (format!("f([{}]);", many("1")), 1000 * TERM),
        ("f(1);".repeat(1000), 1000 * TERM),
        (format!("check if f({});", many("1")), 1000 * TERM),
        (format!("check if {};", many("f($x)")), 1000),
        (format!("check if {};", many("true")), 1000),
        ("check if true;".repeat(1000), 1000),
        ("f(1) <- g(1);".repeat(1000), 1000),
    ] {
        let more = weight(&code).saturating_sub(empty);
        assert!(
            more >= least,
            "{more} bytes: {}",
            &code[..40.min(code.len())]
        );
    }
}

/// The memory of an evaluation is kept for the next one, unless it is large.
#[test]
fn little_memory_is_kept() {
    let program = program(&[""], "allow if true;");
    for (bytes, small) in [(0, true), (1000, true), (1_000_000, false)] {
        let mut world = World::new(&program, &NO_EXTERNS, 1_000_000.into());
        world.string(&"x".repeat(bytes)).unwrap();
        assert_eq!(world.into_scratch().is_small(), small, "{bytes} bytes");
    }
}

/// A value equals itself and no other value of any type, also inside containers.
#[test]
fn values_are_equal_to_themselves_alone() {
    let values = [
        "1",
        "-1",
        "\"a\"",
        "\"b\"",
        "\"\"",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:01Z",
        "hex:00",
        "hex:01",
        "true",
        "false",
        "{1}",
        "{2}",
        "null",
        "[]",
        "[1]",
        "[1, 2]",
        "{\"a\": 1}",
        "{\"a\": 2}",
        "{\"b\": 1}",
    ];
    for (place, left) in values.iter().enumerate() {
        for (other, right) in values.iter().enumerate() {
            for expression in [
                format!("{left} == {right}"),
                format!("[{left}] === [{right}]"),
                format!("[0, [{left}]] === [0, [{right}]]"),
                format!("{{\"k\": {left}}} === {{\"k\": {right}}}"),
                format!("[{left}].contains({right})"),
            ] {
                assert_eq!(check(&expression), Ok(place == other), "{expression}");
            }
        }
    }
}

/// Operands of a host's function are copied, and charged by their size.
#[test]
fn arguments_of_the_host_are_charged() {
    let sees: Extern = std::sync::Arc::new(|_, _| Ok(datalog::Term::Bool(true)));
    let externs = Externs::default().with("sees", sees);
    let burnt = |check: &str| {
        let program = program(&[&format!("check if {check};")], "allow if true;");
        let evaluation = program.evaluate(&externs, 100_000);
        assert_eq!(evaluation.outcome, Outcome::Allow { policy: 0 });
        evaluation.burnt
    };
    let array = format!("[{}]", vec!["1"; 1000].join(", "));
    for (little, much) in [
        ("[1].extern::sees()", format!("{array}.extern::sees()")),
        ("1.extern::sees([1])", format!("1.extern::sees({array})")),
        (
            "\"\".extern::sees()",
            format!("\"{}\".extern::sees()", "x".repeat(8000)),
        ),
    ] {
        let (little, much) = (burnt(little), burnt(&much));
        assert!(little + 900 < much, "{little} and {much}");
    }
}

/// A host that mixes up its predicates gets an error, in every build.
#[test]
fn facts_of_another_place_or_length_are_refused() {
    let known = [Known {
        name: "call",
        arity: 1,
    }];
    let base = Base::new(&Authorizer::parse("allow if true;").unwrap(), &known, &[]).unwrap();
    let code = Code::from_blocks(&[block("f(1); check if f($x), call($y), g($x);")]);
    let program = base.program(&code, Keep::Wanted).unwrap();
    let externs = Externs::default();
    let state = |place, terms: &[Term]| {
        let mut world = World::new(&program, &externs, Budget::default());
        match *terms {
            [one] => world.state(place, |_| Ok([one])),
            [one, two] => world.state(place, |_| Ok([one, two])),
            _ => panic!("one term or two"),
        }
    };
    let one = Term::Integer(1);
    assert_eq!(state(0, &[one]), Ok(()));
    assert_eq!(state(0, &[one, one]), Err(Error::InvalidType.into()));
    // The number of a predicate that only a block uses.
    assert_eq!(state(1, &[one]), Err(Error::InvalidType.into()));
}

#[test]
fn too_many_predicates_of_a_host_are_refused() {
    let known = |count| {
        vec![
            Known {
                name: "k",
                arity: 1
            };
            count
        ]
    };
    let authorizer = Authorizer::default();
    assert!(Base::new(&authorizer, &known(MAX_KNOWN), &[]).is_ok());
    assert!(Base::new(&authorizer, &known(MAX_KNOWN + 1), &[]).is_err());
}
