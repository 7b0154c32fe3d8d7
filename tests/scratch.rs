//! Scratch.
#![cfg(test)]
mod support;
use std::time::Instant;
use bailiwick_token::{datalog, token::Token, attenuate::Caveat};
use bailiwick_verifier::{Request, Values, Decision};
use biscuit_auth::{builder::{self, Convert}, datalog::SymbolTable, format::{convert, schema}};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};
use support::{Root, now, forge::*};

fn show(name: &str, d: &Decision, t: Instant) {
    let s = d.explain(Values::Shown).join(" | ");
    println!("{name:40} {:>10.3?} {:?} {:.200}", t.elapsed(), d.reason().map(|r| r.code()), s);
}

fn seeds() -> Vec<Vec<u8>> {
    let codes = [
        AUTHORITY,
        "check if action($a), $a.starts_with(\"x\") or arg(\"x\", $v), {\"a\",\"b\"}.contains($v), num(\"y\", $n), $n <= 5, $n !== 3;",
        "f({1,2,3}, [1,\"a\",null,true,hex:00ff,[1,{\"a\":1, 2: [3]}]], {,}, {\"k\": 1}); check all f($x, $y), $x.length() > 0; reject if false;",
        "check if args($n), {\"\",\"a\"}.contains($n), arg(\"a\", $v), $v.all($p -> [1,2,\"x\"].contains($p)), $v.type() === \"array\", $v.length() <= 3;",
        "check if true && (1 + 2 * 3 / 4 - 5 | 6 & 7 ^ 8) == 3, \"a\" + \"b\" != \"c\", [1].get(0) == 1, (true || false).try_or(true), \"x\".extern::foo(1), !false; delegate(\"a\"); task(\"b\");",
        "g($x) <- f($x), h($x, $y), $y > 3 trusting previous; check if f(1) trusting authority;",
        "grant(\"a\") <- service(\"erp\"), action(\"a\"), arg(\"d\", 2026-11-23T12:00:00Z); date(2026-11-23T12:00:00Z);",
    ];
    codes.iter().map(|c| block(c, &mut SymbolTable::new()).encode_to_vec()).collect()
}

fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.gen_range(1..4) {
        if bytes.is_empty() { bytes.push(rng.r#gen()); continue; }
        let at = rng.gen_range(0..bytes.len());
        match rng.gen_range(0..8) {
            0 => bytes[at] ^= 1 << rng.gen_range(0..8),
            1 => bytes[at] = rng.r#gen(),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 => { bytes.remove(at); }
            5 => bytes.insert(at, rng.r#gen()),
            6 => { let n = rng.gen_range(0..40).min(bytes.len() - at); let part = bytes[at..at + n].to_vec(); let to = rng.gen_range(0..=bytes.len()); bytes.splice(to..to, part); }
            _ => { let from = rng.gen_range(0..other.len()); bytes.extend_from_slice(&other[from..]); }
        }
    }
}

fn theirs(m: &schema::Block) -> Option<(Vec<builder::Fact>, Vec<builder::Rule>, Vec<builder::Check>)> {
    let b = convert::proto_block_to_token_block(m, None).ok()?;
    let s = SymbolTable::from(m.symbols.clone()).ok()?;
    Some((
        b.facts.iter().map(|f| builder::Fact::convert_from(f, &s)).collect::<Result<_, _>>().ok()?,
        b.rules.iter().map(|f| builder::Rule::convert_from(f, &s)).collect::<Result<_, _>>().ok()?,
        b.checks.iter().map(|f| builder::Check::convert_from(f, &s)).collect::<Result<_, _>>().ok()?,
    ))
}

#[test]
fn fuzz() {
    let n: usize = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(20000);
    let root = Root::new();
    let v = root.verifier();
    let order = Request::new("order").arg("x", "a").arg("y", 3);
    let honest = Forge::honest(&root);
    let seeds = seeds();
    let mut rng = StdRng::seed_from_u64(std::env::var("SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1));
    let (mut ours_ok, mut theirs_ok, mut both, mut allow) = (0, 0, 0, 0);
    let mut slow: Vec<(std::time::Duration, usize)> = vec![];
    for i in 0..n {
        let mut bytes = seeds[rng.gen_range(0..seeds.len())].clone();
        let other = seeds[rng.gen_range(0..seeds.len())].clone();
        mutate(&mut rng, &mut bytes, &other);
        let ours = datalog::decode(&bytes).ok();
        let theirs = schema::Block::decode(bytes.as_slice()).ok().and_then(|m| theirs(&m));
        ours_ok += ours.is_some() as u32; theirs_ok += theirs.is_some() as u32;
        if let (Some(o), Some(t)) = (&ours, &theirs) {
            both += 1;
            let facts: Vec<_> = t.0.iter().map(|f| f.predicate.clone()).collect();
            assert_eq!(o.facts, facts, "{}", hex::encode(&bytes));
            assert_eq!(o.rules.len(), t.1.len());
            for (a, b) in o.rules.iter().zip(&t.1) {
                assert_eq!(a.head, b.head); assert_eq!(a.query.body, b.body);
                assert_eq!(a.query.expressions, b.expressions.iter().map(|e| e.ops.clone()).collect::<Vec<_>>());
                assert_eq!(a.query.scopes.len(), b.scopes.len());
            }
            for (a, b) in o.checks.iter().zip(&t.2) {
                assert_eq!(format!("{:?}", a.kind), format!("{:?}", b.kind));
                assert_eq!(a.queries.len(), b.queries.len());
                for (a, b) in a.queries.iter().zip(&b.queries) {
                    assert_eq!(a.body, b.body);
                    assert_eq!(a.expressions, b.expressions.iter().map(|e| e.ops.clone()).collect::<Vec<_>>());
                    assert_eq!(a.scopes.len(), b.scopes.len());
                }
            }
        }
        // as authority and as an appended block
        let t = Instant::now();
        let f = if i % 3 == 0 { Forge::authority_bytes(&root, bytes.clone()) } else { honest.clone().append_bytes(bytes.clone()) };
        let d = v.check(&f.text(), &order, now());
        if d.is_allow() { allow += 1; }
        let _ = d.to_json(Values::Shown);
        slow.push((t.elapsed(), i));
        if let Ok(token) = Token::parse(&f.text()) {
            let view = token.inspect();
            let _ = (view.to_string(), serde_json::to_string(&view).unwrap(), view.effective().map(|e| e.to_string()).is_ok());
            let _ = token.attenuate(&Caveat { task: Some("x".into()), ..Caveat::default() });
            let _ = token.seal();
        }
        // whole container
        let mut c = f.bytes(); mutate(&mut rng, &mut c, &bytes);
        if let Ok(token) = Token::from_bytes(c.clone()) {
            let _ = token.attenuate(&Caveat { task: Some("x".into()), ..Caveat::default() });
            let _ = token.seal(); let _ = token.inspect().to_string();
        }
        let _ = v.check(&text(&c), &order, now());
    }
    slow.sort(); 
    println!("ours {ours_ok} theirs {theirs_ok} both {both} allow {allow} slowest {:?}", &slow[slow.len()-3..]);
}

#[test]
fn timing() {
    let root = Root::new();
    let v = root.verifier();
    let order = Request::new("order");
    let h = Forge::honest(&root);
    let run = |name: &str, f: &Forge, r: &Request| {
        let text = f.text();
        let mut best = std::time::Duration::MAX; let mut d = v.check(&text, r, now());
        for _ in 0..5 { let t = Instant::now(); d = v.check(&text, r, now()); best = best.min(t.elapsed()); }
        println!("{name:36} {:>6} B {:>10.3?} {:?} {:.150}", f.bytes().len(), best, d.reason().map(|r| r.code()), d.explain(Values::Shown).join(" | "));
    };
    run("honest", &h, &order);
    let big = (0..7).fold(h.clone(), |f, i| f.append(&format!("check if action(\"order\"), {{{}}}.contains(\"x0\");", (0..120).map(|j| format!("\"x{i}{j}\"")).collect::<Vec<_>>().join(","))));
    run("honest-like 8 KB", &big, &order);
    let items = vec!["1"; 30000].join(",");
    let heavy = Request::from_json(&format!("{{\"action\":\"order\",\"args\":{{\"x\":[{items}]}}}}")).unwrap();
    run("honest, heavy request", &h, &heavy);
    for n in [1, 10, 24] {
        let body: Vec<String> = (0..16).map(|i| format!("arg(\"x\", $a{i})")).collect();
        let body = format!("{}, false", body.join(", "));
        run(&format!("heavy variables {n}"), &h.clone().append(&format!("check if {} or true;", vec![body; n].join(" or "))), &heavy);
    }
    let many: Vec<String> = (0..400).map(|i| format!("$v !== \"{i}\"")).collect();
    run("400 exclusions unsigned", &h.clone().append(&format!("check if service(\"erp\"), action(\"order\"), args($n), {{\"\",\"x\"}}.contains($n), arg(\"x\", $v), {};", many.join(", "))), &order);
    run("250 exclusions", &h.clone().append(&format!("check if service(\"erp\"), action(\"order\"), args($n), {{\"\",\"x\"}}.contains($n), arg(\"x\", $v), {};", many[..250].join(", "))), &order);
    // sets compared
    let set: String = (1000..1080).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let facts: String = (0..15).map(|i| format!("f({i}, {{{set}}});")).collect();
    let join = vec![format!("f($a, {{{set}}})"), format!("f($b, {{{set}}})"), format!("f($c, {{{set}}})")].join(", ");
    run("set constants join", &h.clone().append(&format!("{facts} check if {join}, false or true;")), &order);
    let set: String = (1000..1040).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let facts: String = (0..22).map(|i| format!("f({i}, {{{set}}});")).collect();
    let join = vec![format!("f($a, {{{set}}})"), format!("f($b, {{{set}}})"), format!("f($c, {{{set}}})")].join(", ");
    run("set constants join 22", &h.clone().append(&format!("{facts} check if {join}, false or true;")), &order);
    // joins just within the fuel
    for n in [10, 20, 30, 40, 60] {
        let facts: String = (0..n).map(|i| format!("f({i});")).collect();
        run(&format!("2-way join of {n} x 10"), &h.clone().append(&format!("{facts} check if {} or true;", vec!["f($a), f($b), false"; 10].join(" or "))), &order);
        run(&format!("3-way join of {n}"), &h.clone().append(&format!("{facts} check if f($a), f($b), f($c), false or true;")), &order);
    }
    // parens on a long string, printed when failed
    let long = "\u{1}".repeat(2000);
    let parens = format!("{}\"{long}\"{} === \"x\"", "(".repeat(120), ")".repeat(120));
    run("parens", &h.clone().append(&format!("check if {parens};").repeat(5)), &order);
    // strings doubled
    let doubled = format!("check if ({}) === \"x\" or true;", vec![format!("\"{}\"", "y".repeat(1000)); 60].join(" + "));
    run("string sum", &h.clone().append(&doubled.repeat(3)), &order);
    let typed = (0..60).map(|i| format!("$a.type() === \"s{i}\" || true")).collect::<Vec<_>>();
    let _ = typed;
    // many alternatives x many args
    let args: Vec<String> = (0..1020).map(|i| format!("\"{i:03x}\":{i}")).collect();
    let wide = Request::from_json(&format!("{{\"action\":\"order\",\"args\":{{{}}}}}", args.join(","))).unwrap();
    run("honest, wide request", &h, &wide);
    run("wide request x alternatives", &h.clone().append(&format!("check if {};", vec!["arg($n, $v), num($n, $w), false"; 60].join(" or "))), &wide);
    run("wide request x 1 preds", &h.clone().append(&format!("check if {} or true;", vec!["arg($n, $v), $v === 2000"; 60].join(" or "))), &wide);
    // long path within budget
    let name = "n".repeat(480);
    let members: Vec<String> = (0..1000).map(|i| format!("\"{i:03x}\":1")).collect();
    let r = Request::from_json(&format!("{{\"action\":\"order\",\"args\":{{\"x\":{{\"{name}\":{{{}}}}}}}}}", members.join(","))).unwrap();
    run("honest, long paths", &h, &r);
    // deep arrays
    for depth in [40, 45, 46, 47, 48, 50] {
        run(&format!("deep array {depth}"), &h.clone().append(&format!("f({}1{});", "[".repeat(depth), "]".repeat(depth))), &order);
    }
    // many empty facts
    run("empty facts", &h.clone().append_bytes([&[0x18u8, 6][..], &[0x22u8, 0].repeat(3500)].concat()), &order);
    run("empty checks", &h.clone().append_bytes([&[0x18u8, 6][..], &[0x32u8, 2, 0x0a, 0].repeat(1800)].concat()), &order);
    let all: String = (0..300).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(",");
    run("one_of 300 x checks", &h.clone().append(&format!("check if service(\"erp\"), action(\"order\"), arg(\"x\", $v), {{{all}}}.contains($v);").repeat(3)), &order);
}
