//! Pages as shell scripts: every `sh` block, in order. A `toml` block is written to the file that the line above it
//! names, as in "Write it to `grants.toml`:".

use std::path::Path;

/// A shell script of the commands and files of pages.
pub(super) fn script(pages: &[&str]) -> String {
    let mut script = String::new();
    for page in pages {
        let text = page_text(page);
        let (mut file, mut block) = (None, None);
        for line in text.lines() {
            match (block, line) {
                (None, "```sh") => block = Some("sh"),
                (None, "```toml") if file.is_some() => {
                    script.push_str(&format!(
                        "cat > {} <<'TOML'\n",
                        file.take().expect("a name")
                    ));
                    block = Some("toml");
                }
                (None, line) if line.starts_with("```") => block = Some("skipped"),
                (Some(kind), "```") => {
                    script.push_str(if kind == "toml" { "TOML\n" } else { "" });
                    block = None;
                }
                (Some("sh" | "toml"), line) => script.push_str(&format!("{line}\n")),
                (None, line) if !line.is_empty() => file = named_file(line),
                _ => {}
            }
        }
        assert_eq!(block, None, "{page} ends inside a block");
    }
    script
}

/// The number of commands in the `sh` blocks of a page. A command may continue on the next line, and `&&` joins two
/// commands.
pub(super) fn commands(page: &str) -> usize {
    let text = page_text(page);
    let blocks = text.split("```sh\n").skip(1);
    let commands: String = blocks
        .filter_map(|block| block.split("```").next())
        .collect();
    commands
        .replace("\\\n", " ")
        .replace("|\n", "| ")
        .lines()
        .flat_map(|line| line.split(" && "))
        .filter(|command| !command.trim().is_empty())
        .count()
}

/// The output that a page shows for its commands: its only `text` block.
pub(super) fn shown(page: &str) -> String {
    let text = page_text(page);
    let block = text.split("```text\n").nth(1).expect("a block");
    block.split("```").next().expect("its end").to_owned()
}

/// The name in a line that ends in a name in backquotes and a colon.
fn named_file(line: &str) -> Option<String> {
    let name = line.strip_suffix("`:")?.rsplit('`').next()?;
    name.contains('.').then(|| name.to_owned())
}

fn page_text(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    std::fs::read_to_string(&path).expect("a page")
}
