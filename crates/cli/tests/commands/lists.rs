//! Lists on terminals of 80 and 120 columns, in a pipe, and without colours.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

const AGENT: &str = "agent:invoice-checker-of-the-northern-region";

/// A home with something in every list, including names that are too long for any terminal.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        let grants = "[[grant]]\nservice = \"erp\"\naction = \"purchase_order:read\"\n";
        home.file("grants.toml", grants);
        home.run("init --issuer https://issuer.example");
        home.file("home/profiles.toml", PROFILES);
        for (agent, principal) in [
            ("agent:buyer", "team:procurement"),
            ("agent:buyer", "team:procurement"),
            (
                AGENT,
                "user:a-principal-with-quite-a-long-name@corp.example",
            ),
        ] {
            home.run(&format!(
                "token mint --agent {agent} --principal {principal} --ttl 15m --grants grants.toml --out token"
            ));
        }
        home.command("token revoke token --yes --reason")
            .arg("the agent followed an instruction that it had found in a supplier's invoice")
            .output()
            .unwrap();
        home.run("token attenuate token --ttl 5m --out narrowed");
        home.run("token revoke narrowed --block 1 --yes --reason gone");
        home.run(&format!(
            "revocations add --agent {AGENT} --yes --reason fooled"
        ));
        home.run("client add buyer-7 --principal team:procurement --profile buyer --out secret");
        home.run(
            "client add a-client-with-quite-a-long-name --principal team:procurement \
             --profile buyer --profile treasurer --out secret",
        );
        home.run("client disable buyer-7 --yes");
        home
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .env("BAILIWICK_HOME", "home")
            .env("BAILIWICK_PASSPHRASE", "a passphrase for lists only")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "CI"] {
            command.env_remove(variable);
        }
        command
    }

    /// The output in a pipe.
    fn run(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

const PROFILES: &str = r#"
[[profile]]
name = "buyer"
description = "Purchasing agents of the northern region, for orders of up to ten thousand"
[profile.match.agent]
source = "client"
[profile.token]
agent = "agent:buyer"
principal = "team:procurement"
ttl = { default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:*"
"#;

/// Runs a command on a terminal with `columns` columns, and returns its output.
fn on_terminal(columns: u16, command: Command) -> String {
    on_terminal_of(24, columns, command)
}

fn on_terminal_of(rows: u16, columns: u16, mut command: Command) -> String {
    let (terminal, side) = terminal(rows, columns);
    command.stdout(side).stderr(Stdio::piped());
    let (said, is_success) = said(terminal, command);
    assert!(is_success, "{said}");
    said
}

/// Runs a command whose errors and hints are on a terminal, and returns these.
fn messages_on_terminal(columns: u16, mut command: Command) -> String {
    let (terminal, side) = terminal(24, columns);
    command.stdout(Stdio::null()).stderr(side);
    said(terminal, command).0
}

/// A terminal of this size, and the side of it that a program writes to.
fn terminal(rows: u16, columns: u16) -> (OwnedFd, OwnedFd) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let side: OwnedFd = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&side, size).unwrap();
    (terminal, side)
}

/// The output of a command on a terminal, and true if it succeeds.
fn said(terminal: OwnedFd, mut command: Command) -> (String, bool) {
    let mut child = command.spawn().unwrap();
    // `command` holds the other side of the terminal. The output ends only when every copy of that side is closed.
    drop(command);
    let (mut output, mut terminal) = (Vec::new(), File::from(terminal));
    let mut buffer = [0; 4096];
    loop {
        match terminal.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => output.extend(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // On Linux, reading fails once the other side is closed.
            Err(_) => break,
        }
    }
    let said = String::from_utf8(output).unwrap().replace("\r\n", "\n");
    (said, child.wait().unwrap().success())
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

const LISTS: [&str; 7] = [
    "audit list",
    "client list",
    "key list",
    "profile list",
    "revocations list",
    "token list",
    "token list --all",
];

#[test]
fn every_list_fits_every_terminal() {
    let home = Home::new();
    for list in LISTS {
        let whole = home.run(list);
        let titles: Vec<&str> = whole.lines().next().unwrap().split('\t').collect();
        let words: Vec<&str> = whole.split_whitespace().collect();
        for columns in [80, 120, 300] {
            let shown = on_terminal(columns, home.command(list));
            let text = plain(&shown);
            let header = text.lines().next().unwrap();
            let shown_titles: Vec<&str> = header.split("  ").filter(|it| !it.is_empty()).collect();
            let shown_titles: Vec<&str> = shown_titles.iter().map(|it| it.trim()).collect();
            // Texts that stand below their rows have their titles there, and not in the header.
            let mut left = titles.iter();
            let in_order = shown_titles
                .iter()
                .all(|shown| left.any(|title| title == shown));
            assert!(in_order, "{list} at {columns}:\n{text}");
            assert!(columns < 300 || shown_titles == titles, "{list}:\n{text}");
            for line in text.lines() {
                let length = line.chars().count();
                assert!(
                    length <= usize::from(columns),
                    "{list} at {columns}:\n{text}"
                );
            }
            // A word is whole, or ends in `…`.
            for word in text.lines().skip(1).flat_map(str::split_whitespace) {
                let is_known = match word.strip_suffix('…') {
                    Some(begin) => words.iter().any(|whole| whole.starts_with(begin)),
                    None => words.contains(&word) || titles.contains(&word),
                };
                assert!(is_known, "`{word}` of {list} at {columns}:\n{text}");
            }
        }
    }
}

/// Ids, which people copy, are whole at 80 columns.
#[test]
fn ids_are_whole() {
    let home = Home::new();
    for (list, column) in [("token list --all", 0), ("key list", 0)] {
        let ids: Vec<String> = (home.run(list).lines().skip(1))
            .map(|line| line.split('\t').nth(column).unwrap().to_owned())
            .collect();
        assert!(ids.len() > 1, "{list}");
        let text = plain(&on_terminal(80, home.command(list)));
        for id in ids {
            assert!(text.contains(&id), "{id} of {list}:\n{text}");
        }
    }
    // These ids share their column with other words.
    let id = |word: &&str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    for list in ["audit list", "revocations list"] {
        let whole = home.run(list).replace(',', " ");
        let ids: Vec<&str> = whole.split_whitespace().filter(id).collect();
        assert!(!ids.is_empty(), "{list}: {whole}");
        let text = plain(&on_terminal(80, home.command(list)));
        for id in ids {
            assert!(text.contains(id), "{id} of {list}:\n{text}");
        }
    }
    // The name of a client is needed for the next command.
    let text = plain(&on_terminal(80, home.command("client list")));
    for whole in ["a-client-with-quite-a-long-name", "team:procurement"] {
        assert!(text.contains(whole), "{text}");
    }
}

/// Reports are wrapped between words, and commands in them are not broken.
#[test]
fn reports_fit_a_terminal() {
    let home = Home::new();
    home.run("keyset export --out keyset.json");
    for report in [
        "status",
        "keyset show keyset.json",
        "audit list --event mint --details",
    ] {
        let text = plain(&on_terminal(80, home.command(report)));
        for line in text.lines() {
            // A key is one word.
            let is_one_word = line.split_whitespace().count() == 1;
            assert!(
                is_one_word || line.chars().count() <= 80,
                "{report}:\n{text}"
            );
        }
        let words = |text: &str| text.split_whitespace().count();
        assert!(
            words(&text) >= words(&home.run(report)),
            "{report}:\n{text}"
        );
    }
}

/// Errors and hints are wrapped on a terminal, and only there. A command to copy stays on one line.
#[test]
fn messages_fit_a_terminal() {
    let home = Home::new();
    let hint = "`bailiwick client list` lists registered clients";
    let arguments = "revocations add --client nosuch --reason x --yes";
    let piped = home.command(arguments).output().unwrap();
    let piped = String::from_utf8(piped.stderr).unwrap();
    assert_eq!(piped.lines().count(), 2, "{piped}");
    assert!(piped.contains(hint), "{piped}");
    let text = plain(&messages_on_terminal(60, home.command(arguments)));
    assert!(text.lines().count() > 2, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 60, "{text}");
    }
    assert!(text.contains("`bailiwick client list`"), "{text}");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&text), words(&piped));
}

#[test]
fn states_have_colours_on_terminals_only() {
    let home = Home::new();
    let green = "\u{1b}[1m\u{1b}[32mactive\u{1b}[0m";
    let on_80 = |arguments: &str| on_terminal(80, home.command(arguments));
    assert!(on_80("key list").contains(green), "{}", on_80("key list"));
    let clients = on_80("client list");
    assert!(
        clients.contains("\u{1b}[1m\u{1b}[31mdisabled\u{1b}[0m"),
        "{clients}"
    );
    assert!(on_80("token list --all").contains("\u{1b}[31mrevoked"));
    let mut command = home.command("key list");
    command.env("NO_COLOR", "1");
    let without = on_terminal(80, command);
    assert_eq!(without, plain(&on_80("key list")));
    for list in LISTS {
        let mut forced = home.command(list);
        forced.env("CLICOLOR_FORCE", "1");
        let output = forced.output().unwrap();
        assert!(!output.stdout.contains(&0x1b), "{list}");
    }
}

/// A terminal that is too narrow for the columns shows each value on a line of its own.
#[test]
fn narrow_terminals_get_no_columns() {
    let home = Home::new();
    let text = plain(&on_terminal(40, home.command("token list --all")));
    let id = text.lines().next().unwrap();
    assert!(id.starts_with("TOKEN"), "{text}");
    assert!(text.contains(AGENT), "{text}");
    assert!(!text.contains('…'), "{text}");
}

/// The examples in the help can be copied from a terminal of 80 columns, because it breaks none of their lines.
#[test]
fn help_is_the_same_text_at_80_columns() {
    let home = Home::new();
    for command in ["", "token mint", "restore", "revocations add", "audit list"] {
        let help = format!("{command} --help");
        let text = plain(&on_terminal(80, home.command(&help)));
        // Some terminals report only their columns.
        assert_eq!(
            text,
            plain(&on_terminal_of(0, 80, home.command(&help))),
            "{help}"
        );
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{help}: {line}");
        }
        let example = |text: &str| {
            let lines = text.lines().skip_while(|line| !line.starts_with("Example"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let examples = example(&text);
        assert!(examples.len() > 1, "{text}");
        assert_eq!(examples, example(&home.run(&help)), "{help}");
    }
}
