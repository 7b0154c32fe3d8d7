//! The examples of the reference: each grant is read, and each call is decided as the page says.

use std::path::Path;

use super::meaning::{allow, call, monday};
use crate::grant::Grants;

/// The blocks of a page in a language, each with the number of its first line.
fn blocks(page: &str) -> Vec<(usize, &str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (line, text) in page.lines().enumerate() {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some((line.saturating_add(1), language, String::new()))
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some((_, _, block)), _) => {
                block.push_str(text);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn examples_decide_as_the_page_says() {
    let page = page("conditions.md");
    let mut grants: Option<Grants> = None;
    let (mut allowed, mut denied) = (0, 0);
    for (line, language, block) in blocks(&page) {
        match language {
            "toml" => {
                let read = Grants::from_toml(&block);
                let read = read.unwrap_or_else(|error| panic!("block at line {line}: {error}"));
                assert_eq!(
                    Grants::from_toml(&read.to_toml()),
                    Ok(read.clone()),
                    "line {line}"
                );
                grants = Some(read);
            }
            "text" => {
                let grants = grants.as_ref().unwrap();
                for text in block.lines() {
                    let (word, args) = text.split_once(' ').unwrap();
                    let expected = match word {
                        "allow" => true,
                        "deny" => false,
                        other => panic!("{other} in the block at line {line}"),
                    };
                    *(if expected { &mut allowed } else { &mut denied }) += 1;
                    assert_eq!(
                        allow(grants, &call(args.trim()), monday()),
                        expected,
                        "line {line}: {text}"
                    );
                }
            }
            other => panic!("a block of {other} at line {line}"),
        }
    }
    assert!(
        allowed > 25 && denied > 70,
        "{allowed} allowed, {denied} denied"
    );
}

#[test]
fn the_page_names_each_condition() {
    let page = page("conditions.md");
    let format = page_of_format();
    for text in super::corpus::CONSTRAINTS {
        let grants = super::corpus::grants(text);
        for test in grants.iter().flat_map(crate::grant::Grant::tests) {
            let kind = test.condition.kind();
            assert!(
                format.contains(&format!("`{kind}`")),
                "the token format does not name `{kind}`"
            );
        }
    }
    for key in [
        "present",
        "optional",
        "min",
        "max",
        "scale",
        "positive",
        "as = \"decimal\"",
        "after",
        "before",
        "matches",
        "ignore_case",
        "one_line",
        "links",
        "email",
        "domain_in",
        "domain_under",
        "tag = \"none\"",
        "url",
        "host_in",
        "host_under",
        "scheme",
        "port",
        "path_under",
        "query",
        "path",
        "chars = \"any\"",
        "ip",
        "count",
        "sum",
        "equals_sum",
        "negative = true",
        "equals_arg",
        "differs_from_arg",
        "members",
        "when",
        "from",
        "to",
        "days",
    ] {
        assert!(
            page.contains(&format!("`{key}")),
            "the page does not name `{key}`"
        );
    }
}

fn page_of_format() -> String {
    page("token-format.md")
}
