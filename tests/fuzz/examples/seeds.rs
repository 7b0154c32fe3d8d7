//! Writes the seed corpus of each fuzz target: `cargo run --example seeds`.
//!
//! The files are the same on every run, and all are made here: honest tokens, calls, grants and keysets, and a
//! few near misses.

use std::{collections::BTreeMap, fs, path::Path};

use bailiwick_fuzz::{
    ISSUER, Root,
    forge::{AUTHORITY, Forge, block},
    now,
};
use bailiwick_token::{
    claims::TokenId,
    dsse::Envelope,
    key::KeyId,
    keyset::Tombstone,
    revocation::{
        Digest, Epoch, Head, Party, Position, Revocation, SnapshotBase, Target, Watermark,
    },
};
use biscuit_auth::{datalog::SymbolTable, format::schema};
use prost::Message;
use serde_json::{Value, json};

/// Blocks that together use every part of the language.
const BLOCKS: [&str; 16] = [
    "check if action(\"order\");",
    "check if time($t), $t < 2026-11-23T12:05:00Z; delegate(\"agent:buyer\"); task(\"match invoice 4711\");",
    "check if service(\"erp\"), action(\"order\"), args($n), {\"\", \"amount\"}.contains($n), num(\"amount\", $a), $a >= 10000, $a <= 42000000 or service(\"erp\"), action($x), $x.starts_with(\"order:\");",
    "check if arg(\"tags\", $v), $v.all($p -> [\"a\", \"b\"].contains($p)), $v.length() <= 5;",
    "check if arg(\"vendor\", $v), {\"acme\", \"globex\"}.contains($v), $v.ends_with(\"e\"), !{\"x\"}.contains($v), $v.type() === \"string\";",
    "check if depth($d), $d <= 3; check all action($a), $a === \"order\"; reject if action(\"other\");",
    "f({1, 2}, [1, \"a\", null, true, hex:00ff, [1, {\"a\": 1, 2: [3]}]], {,}); check all f($x, $y), $x.length() > 0;",
    "check if true && (1 + 2 * 3 / 4 - 5 | 6 & 7 ^ 8) == 3, \"a\" + \"b\" != \"c\", [1].get(0) == 1, (true || false).try_or(true), \"x\".extern::f(1);",
    "g($x) <- f($x), f($y), $x < $y trusting previous; g($y) <- g($x), f($y); check if f(2026-11-23T12:00:00Z) trusting authority;",
    "f(4); f(5); f(6); check if f($a), f($b), f($c), $a + $b === $c or f($a), f($b), $a > $b;",
    "check if [1, 2, 3].any($p -> [4, 5].all($q -> $p < $q && $p !== 3)), {1, 2}.union({3}).intersection({2}).length() === 1;",
    "check if \"abc\".matches(\"^[a-c]+$\"), \"aXbXc\".matches(\"\\\\w{3}\");",
    "check if {\"a\": 1, \"b\": 2}.get(\"a\") === 1, [1, 2].starts_with([1]), {\"a\": 1}.any($e -> $e.get(0) === \"a\");",
    "n(0); n(1); m($x, $y) <- n($x), n($y), $x + $y < 2; m($y, $x) <- m($x, $y); check if m(1, $z);",
    "check if 1 / 0 === 1 or 9223372036854775807 + 1 > 0; check if (1 / 0 === 1).try_or(true);",
    "trusting previous, ed25519/8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c; check if f($x);",
];

const CALLS: [&str; 12] = [
    r#"{"action":"order"}"#,
    r#"{"action":"order","resource":"eu/4711","args":{"amount":42.5,"currency":"EUR","vendor":"acme","note":null}}"#,
    r#"{"action":"order","args":{"a":["x",1,true,null],"n":[]}}"#,
    r#"{"action":"order","args":{"a":{"b":5.000000,"c":[{"d":"2026-12-01T00:00:00Z"}]}}}"#,
    r#"{"action":"order","args":{"a":1e2,"b":-0.0,"c":9223372036854775807,"d":0.0000001,"e":1E-6,"f":123456789012345678901234567890}}"#,
    r#"{"action":"order","args":{"when":"2026-11-23T14:00:00+02:00","not":"2026-11-23T23:59:60Z","nor":"2026-11-23 12:00:00Z"}}"#,
    r#"{"action":"or\u0064er","args":{"\u00e9":"\ud83d\ude00","t":"\u0000\n\"\\"}}"#,
    r#"{"action":"order","args":{"a":[[[[[[[1]]]]]]]}}"#,
    r#"{"action":"order","args":{"a":1,"a":2}}"#,
    r#"{"action":"order","args":{"a.b":1}}"#,
    r#"{"action":"order","args":null}"#,
    r#"{"unknown":[1],"action":"order","resource":"a/../b"}"#,
];

const GRANTS: [&str; 6] = [
    "[[grant]]\nservice = \"erp\"\naction = \"order\"\n",
    "[[grant]]\nservice = \"erp\"\naction = \"order:create\"\n[grant.args]\namount = { min = \"0.01\", max = \"10000\" }\ncurrency = \"EUR\"\nvendor = { one_of = [\"acme\", \"globex\"] }\nnote = \"*\"\n\n[[grant]]\nservice = \"crm\"\naction = \"contact:*\"\nresource = \"eu/*\"\n",
    "[[grant]]\nservice = \"erp\"\naction = \"*\"\nargs = { tags = { all_of_in = [\"a\", 1, true], max_len = 5 }, when = { min = \"2026-01-01T00:00:00Z\" }, name = { prefix = \"a\", suffix = \"b\", contains = \"c\" } }\n",
    "[[grant]]\nservice = \"erp\"\naction = \"x\"\nargs = { \"address.city\" = { not_one_of = [\"Berlin\"] }, n = { one_of = [1, 2.5] }, b = { not_one_of = [true] }, e = { exact = { a = [1, { b = \"*\" }] } }, l = [1, \"a\"], star = { exact = \"*\" } }\n",
    "[[grant]]\nservice = \"\"\naction = \"a*b\"\n",
    "grant = [{ service = \"erp\", action = \"x\", args = {} }]\n",
];

/// Profiles, each with a caller that gets a token or just fails to.
const PROFILES: [(&str, &str); 3] = [
    (
        "[[profile]]\nname = \"a\"\nmatch.agent.source = \"client\"\n[profile.token]\nagent = \"a\"\nprincipal = \"p\"\nttl = { default = \"1m\", max = \"1h\" }\n[[profile.grant]]\nservice = \"erp\"\naction = \"x\"\n",
        r#"{"agent":{"source":"client","claims":{"profiles":["a"]}}}"#,
    ),
    (
        "[[profile]]\nname = \"b\"\n[profile.match.agent]\nsource = \"client\"\nclaims.d = { one_of = [\"x\", 5, true] }\nclaims.o.n = { prefix = \"t:\" }\n[profile.match.principal]\nsource = \"corp\"\nclaims.g = \"b\"\n[profile.params]\na = { claim = \"principal.r\", type = \"segment\" }\nl = { claim = [\"principal\", \"l\", \"m\"], type = \"decimal\" }\nv = { claim = \"principal.v\", type = \"strings\" }\ns = { claim = \"principal.s\", type = \"string\" }\ni = { claim = \"agent.i\", type = \"integer\" }\nu = { claim = \"agent.u\", type = \"date\" }\n[profile.token]\nagent = \"a:${i}\"\nprincipal = \"u:${a}/${s}\"\nclaims = { c = \"${a}\" }\nttl = { min = \"1s\", default = \"15m\", max = \"1h\" }\nmax_depth = 3\nrate = { per_minute = 60, burst = 10 }\n[[profile.grant]]\nservice = \"erp\"\naction = \"o:*\"\nresource = \"${a}/o/*\"\n[profile.grant.args]\nm = { min = 0, max = \"${l}\" }\nv = { one_of = \"${v}\" }\ns = \"${s}\"\nu = { max = \"${u}\" }\np = { prefix = \"/h/${a}/\" }\nt = { all_of_in = [\"e\", \"${a}\"] }\nn = \"*\"\n",
        r#"{"agent":{"source":"client","claims":{"profiles":["b"],"d":["x"],"o":{"n":"t:e"},"i":7,"u":1795000000}},"principal":{"source":"corp","claims":{"g":"b","r":"eu","l":{"m":98.7},"v":["*","a"],"s":"*"}}}"#,
    ),
    (
        "[[profile]]\nname = \"c\"\nmatch.agent = { source = \"ci\", claims.r = \"x\" }\nparams = { n = { claim = \"agent.n\", type = \"integer\" } }\ntoken = { agent = \"c:${n}\", principal = \"p\", ttl = { default = \"1m\", max = \"1m\" } }\ngrant = [{ service = \"s\", action = \"x\", args = { n = \"${n}\", \"a.b\" = { exact = \"${n}\" }, l = { one_of = [1, \"${n}\"] } } }]\n",
        r#"{"agent":{"source":"ci","claims":{"r":"x","n":"9223372036854775807"}}}"#,
    ),
];

fn main() {
    containers();
    blocks();
    texts("request", CALLS.iter().map(|call| call.as_bytes().to_vec()));
    grants();
    conditions();
    keysets();
    profiles();
    programs();
}

fn texts(target: &str, inputs: impl Iterator<Item = Vec<u8>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder).expect("a folder");
    for (index, input) in inputs.enumerate() {
        fs::write(folder.join(format!("{index:02}")), input).expect("a file");
    }
}

fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag], bytes].concat()
}

fn containers() {
    let root = Root::fixed();
    let honest = || Forge::honest(&root);
    let generic = Forge::authority(
        &root,
        "right(\"file1\", \"read\"); check if resource($r), right($r, \"read\");",
    );
    let mut forges = vec![
        honest(),
        honest().seal(),
        honest()
            .append(BLOCKS[0])
            .append(BLOCKS[1])
            .append(BLOCKS[2]),
        honest().append(BLOCKS[2]).append(BLOCKS[3]).seal(),
        honest().append_signed(vec![0x18, 6], None),
        honest().changed(|token| token.blocks.push(token.authority.clone())),
        honest().append(BLOCKS[0]).changed(|token| {
            let key = schema::PublicKey {
                algorithm: 1,
                key: vec![2; 33],
            };
            token.blocks[0].external_signature = Some(schema::ExternalSignature {
                signature: vec![3; 64],
                public_key: key.clone(),
            });
            token.blocks[0].next_key = key;
        }),
        honest().changed(|token| token.proof.content = None),
        generic.append(BLOCKS[8]),
    ];
    forges.extend(BLOCKS.iter().map(|code| honest().append(code)));
    let text = forges[2].text().into_bytes();
    texts("container", forges.iter().map(Forge::bytes).chain([text]));
}

fn blocks() {
    let authority = || block(AUTHORITY, &mut SymbolTable::new());
    let mut inputs = vec![tagged(0, &authority().encode_to_vec())];
    let with =
        |code: &str| block(&format!("{AUTHORITY}{code}"), &mut SymbolTable::new()).encode_to_vec();
    inputs.push(tagged(
        0,
        &with("tenant(\"t\"); task(\"x\"); claim(\"a\", \"b\"); check if depth($d), $d <= 3;"),
    ));
    inputs.push(tagged(
        0,
        &with("grant($x) <- service(\"crm\"), action($x), $x.starts_with(\"contact:\");"),
    ));
    let places = (1..5u8).cycle();
    for (code, place) in BLOCKS.iter().zip(places) {
        // The symbols of the blocks that precede this one at its place.
        let mut symbols = SymbolTable::new();
        if place < 4 {
            block(AUTHORITY, &mut symbols);
        }
        if place == 3 {
            block("f(1); check if f($x);", &mut symbols);
        }
        inputs.push(tagged(place, &block(code, &mut symbols).encode_to_vec()));
    }
    inputs.push(tagged(1, &[0x18, 6]));
    texts("block", inputs.into_iter());
}

fn grants() {
    let toml = GRANTS.iter().map(|text| tagged(0, text.as_bytes()));
    let read = GRANTS
        .iter()
        .filter_map(|text| bailiwick_token::grant::Grants::from_toml(text).ok());
    let json = read.map(|grants| tagged(1, grants.to_json().as_bytes()));
    texts("grants", toml.chain(json.collect::<Vec<_>>()));
}

/// Writes the conditions that a program in Python reads too, each with the next condition and with values for it.
fn conditions() {
    let samples = include_str!("../../interop/conditions/samples.json");
    let samples: Vec<Value> = serde_json::from_str(samples).expect("samples");
    let text = |sample: &Value| {
        let mut condition = sample["condition"]
            .as_object()
            .expect("a condition")
            .clone();
        let parts = sample["path"].as_str().expect("a path").split('.');
        condition.insert("optional".to_owned(), parts.map(|_| false).collect());
        let sorted: BTreeMap<String, Value> = condition.into_iter().collect();
        serde_json::to_string(&sorted).expect("JSON")
    };
    let args = |sample: &Value, index: usize| {
        let parts = [&sample["text"], &sample["args"]];
        let parts = parts.into_iter().find_map(Value::as_array).expect("parts");
        let one = |part: &Value| match part.as_array() {
            Some(texts) => texts[index % texts.len()]
                .as_str()
                .expect("a text")
                .to_owned(),
            None => "é".to_owned(),
        };
        let joined: String = parts.iter().map(one).collect();
        match sample["text"].is_array() {
            true => json!({ "a": joined }).to_string(),
            false => joined,
        }
    };
    let next = samples.iter().cycle().skip(1);
    let inputs = samples.iter().zip(next).flat_map(|(sample, next)| {
        [0, 1].map(|index| {
            let path = sample["path"].as_str().expect("a path");
            format!(
                "{path}\n{}\n{}\n{}",
                text(sample),
                text(next),
                args(sample, index)
            )
        })
    });
    let inputs: Vec<String> = inputs.collect();
    texts("conditions", inputs.into_iter().map(String::into_bytes));
}

fn keysets() {
    let root = Root::fixed();
    let mut retiring = root.keyset();
    retiring.keys[0].state = bailiwick_token::keyset::KeyState::Retiring;
    retiring.keys[0].not_after = Some(now().plus(600));
    retiring.revocation_url = Some("https://issuer.example/revocations".to_owned());
    retiring.tombstones = vec![Tombstone {
        id: KeyId::from_u32(7),
        revoked_at: now(),
        reason: "leaked".to_owned(),
    }];
    let entries = [
        Target::Token(TokenId::from_bytes([1; 16])),
        Target::Block([5; 64]),
        Target::Watermark(Watermark::new(Party::Agent, "agent:\"a\"", now()).expect("a name")),
    ]
    .map(|target| Revocation {
        target,
        expires: Some(now().plus(900)),
    });
    let lines: String = entries.iter().map(|entry| entry.to_line() + "\n").collect();
    let position = Position {
        epoch: Epoch::from_bytes([1; 8]),
        seq: 3,
        digest: Digest::of(b"history"),
    };
    let head = Head {
        issuer: ISSUER.to_owned(),
        epoch: position.epoch,
        seq: position.seq,
        keyset_version: 1,
        issued_at: now(),
        expires: now().plus(60),
        digest: position.digest,
    };
    let base = SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position,
        issued_at: now(),
        expires: now().plus(60),
    };
    let snapshot = |entries: &[Revocation]| {
        let file = base.write(entries.iter().cloned(), &root.keyset_key);
        file.expect("a snapshot").into_bytes()
    };
    let header = snapshot(&entries);
    let header = header
        .split(|byte| *byte == b'\n')
        .next()
        .expect("a header");
    let header = Envelope::parse(header).expect("an envelope").payload;
    let json = |value: Vec<u8>, tag| tagged(tag, &value);
    let inputs = [
        json(serde_json::to_vec(&root.keyset()).expect("JSON"), 0),
        json(serde_json::to_vec(&retiring).expect("JSON"), 0),
        json(serde_json::to_vec(&head).expect("JSON"), 1),
        json(header, 2),
        json(lines.clone().into_bytes(), 3),
        json(entries[2].to_line().into_bytes(), 3),
        json(retiring.sign(&root.keyset_key).to_json().into_bytes(), 4),
        json(head.sign(&root.keyset_key).to_json().into_bytes(), 4),
        json(snapshot(&entries), 4),
        json(snapshot(&[]), 4),
        json(
            b"name=\"erp-1\"; service=\"erp\"; keyset=12; epoch=0123456789abcdef; seq=345".to_vec(),
            4,
        ),
    ];
    texts("keyset", inputs.into_iter());
}

fn profiles() {
    let inputs = PROFILES
        .iter()
        .map(|(toml, json)| format!("{toml}\0{json}"));
    texts("profiles", inputs.map(String::into_bytes));
}

/// Writes seeds for programs. Programs are choices, so any bytes make one; these bytes come from a simple
/// generator without a library.
fn programs() {
    let mut state: u64 = 20_261_123;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let inputs = (0..40u8).map(|index| {
        let choices: Vec<u8> = (0..600).map(|_| byte()).collect();
        tagged(index, &choices)
    });
    texts("differential", inputs.collect::<Vec<_>>().into_iter());
    let inputs = (0..12).map(|_| (0..32).map(|_| byte()).collect());
    texts("decisions", inputs.collect::<Vec<_>>().into_iter());
}
