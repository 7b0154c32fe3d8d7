//! Tests that the commands of the book run unchanged: every `sh` block of a page, in order, in an empty folder.
//! A `toml` block is written to the file named in the line above it, which ends like this: `grants.toml`:

use std::{path::Path, process::Command};

use bailiwick_testkit::skip::skipped;

/// A single shell script with the commands and files of these pages.
fn script(pages: &[&str]) -> String {
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
                // The binary under test is already on the path.
                (Some("sh"), line) if line.starts_with("cargo install") => {}
                (Some("sh" | "toml"), line) => script.push_str(&format!("{line}\n")),
                (None, line) if !line.is_empty() => file = named_file(line),
                _ => {}
            }
        }
    }
    script
}

/// Returns the file named at the end of a line, in backquotes and followed by a colon.
fn named_file(line: &str) -> Option<String> {
    let name = line.strip_suffix("`:")?.rsplit('`').next()?;
    name.contains('.').then(|| name.to_owned())
}

/// Returns the output that a page shows for its commands: its only `text` block.
fn shown(page: &str) -> String {
    let text = page_text(page);
    let block = text.split("```text\n").nth(1).expect("a block");
    block.split("```").next().expect("its end").to_owned()
}

fn page_text(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    std::fs::read_to_string(&path).expect("a page")
}

fn run(pages: &[&str]) -> String {
    run_script(pages, &script(pages))
}

fn run_script(pages: &[&str], script: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = Path::new(env!("CARGO_BIN_EXE_bailiwick"))
        .parent()
        .expect("its folder");
    let path = format!(
        "{}:{}",
        binary.display(),
        std::env::var("PATH").expect("PATH")
    );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(&folder)
        .env("PATH", path)
        .output()
        .expect("bash");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{pages:?}:\n{text}");
    text
}

#[test]
fn start_here_and_the_orchestrators_guide() {
    let text = run(&["start.md", "guides/orchestrator.md"]);
    assert!(
        text.contains("exit code 3") && text.contains("`amount` is 5000, at most 4200 is allowed"),
        "{text}"
    );
}

#[test]
fn the_operators_guide() {
    let text = run(&["guides/operator.md"]);
    assert!(!text.is_empty());
}

/// The guide's ports are replaced by free ones. Requests are sent with curl, as a newcomer would.
#[test]
fn the_guide_to_the_service() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("the guide to the service", "install curl");
    }
    // Both ports are held until both are known, so they differ.
    let free = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let ports = [free(), free()].map(|listener| {
        let address = listener.local_addr().expect("its address");
        address.port().to_string()
    });
    let page = ["guides/issuer-service.md"];
    let script = script(&page);
    let parts = script.split("8420");
    let parts: Vec<String> = parts.map(|part| part.replace("8421", &ports[1])).collect();
    let script = parts.join(&ports[0]);
    let text = run_script(&page, &script);
    assert!(text.contains("ready"), "{text}");
}

#[test]
fn the_page_on_profiles() {
    let text = run(&["profiles.md"]);
    assert!(
        text.contains("1 profile in 1 file: buyer")
            && text.contains(&shown("profiles.md"))
            && text.contains("exit code 3: longer than the profile allows"),
        "{text}"
    );
}

#[test]
fn the_guide_to_biscuits_of_others() {
    let text = run(&["start.md", "guides/biscuit.md"]);
    assert!(
        text.contains("allow by policy 0")
            && text.contains("\"outcome\":\"deny\"")
            && text.contains("exit code 3: that is more than the token grants"),
        "{text}"
    );
}
