use clap::Command;

use super::*;
use crate::usage;

/// Every command with its full name, which begins with the name of the program.
fn commands() -> Vec<(String, Command)> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut all = Vec::new();
    let mut left = vec![("bailiwick".to_owned(), root)];
    while let Some((name, command)) = left.pop() {
        for below in command.get_subcommands() {
            left.push((format!("{name} {}", below.get_name()), below.clone()));
        }
        all.push((name, command));
    }
    all
}

/// The text after the options, as written in the source.
fn after_help(command: &Command) -> String {
    command
        .get_after_help()
        .map_or(String::new(), ToString::to_string)
}

/// The commands of the examples, each on one line.
fn examples(command: &Command) -> Vec<String> {
    let text = after_help(command).replace("\\\n", " ");
    let lines = text.lines().filter(|line| line.starts_with("  "));
    let lines = lines.filter_map(|line| {
        let start = line.find("bailiwick ")?;
        // The command may follow an environment variable.
        let is_command = line
            .get(..start)?
            .trim()
            .split(' ')
            .all(|word| word.is_empty() || word.contains('='));
        is_command.then(|| line.get(start..).unwrap_or_default().to_owned())
    });
    lines.collect()
}

/// Splits a command as a shell does. A public key replaces whatever a shell would expand, and redirections are
/// dropped.
fn words(example: &str) -> Vec<String> {
    const KEY: &str = "ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let mut text = example.replace("$BAILIWICK_KEYSET_KEY", KEY);
    while let Some((before, rest)) = text.split_once("$(") {
        let (_, after) = rest.split_once(')').unwrap();
        text = format!("{before}{KEY}{after}");
    }
    // Everything after a pipe belongs to another program.
    let text = text.split(" | ").next().unwrap();
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let redirection = words.iter().position(|word| word == "<" || word == ">");
    words.truncate(redirection.unwrap_or(words.len()));
    words
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// At 80 columns no line of the help is wider than the terminal.
#[test]
fn help_fits_a_terminal() {
    for (name, command) in commands() {
        let help = command.term_width(80).render_long_help().to_string();
        for line in usage::fitted(&help, Some(80)).lines() {
            assert!(line.chars().count() <= 80, "`{name}`: {line}");
        }
    }
}

/// The help of every command fits the width of the terminal, up to a maximum width.
#[test]
fn help_has_the_width_of_the_terminal() {
    for (terminal, most) in [
        (Some(70), 70),
        (Some(80), 80),
        (Some(200), 100),
        (None, 100),
    ] {
        let help = fitted(terminal)
            .try_get_matches_from(["bailiwick", "key", "revoke", "--help"])
            .unwrap_err();
        let help = usage::fitted(&help.to_string(), terminal);
        // Examples are not wrapped.
        let lines = help.lines().filter(|line| !line.starts_with("  bailiwick"));
        let longest = lines.map(|line| line.chars().count()).max();
        assert!(
            longest.is_some_and(|longest| longest <= most),
            "{terminal:?}:\n{help}"
        );
    }
}

/// Each paragraph of the help is one line in the source, so only the width of the terminal breaks it. Examples are short
/// enough that nothing breaks them.
#[test]
fn help_is_wrapped_once() {
    for (name, command) in commands() {
        let text = after_help(&command);
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let next = lines.peek().copied().unwrap_or_default();
            let indented = |line: &str| line.starts_with(' ');
            assert!(
                line.is_empty() || indented(line) || next.is_empty() || indented(next),
                "`{name}` breaks a line by hand: {line}"
            );
            assert!(
                !indented(line) || line.chars().count() <= 80,
                "`{name}` has a long example: {line}"
            );
        }
    }
}

/// Every command that does something has an example, and the program accepts each example unchanged.
#[test]
fn examples_are_accepted() {
    for (name, command) in commands() {
        let examples = examples(&command);
        assert!(
            command.has_subcommands() || !examples.is_empty() || name == "bailiwick demo",
            "`{name}` has no example"
        );
        for example in examples {
            let words = words(&example);
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "`{name}`: {example}\n{words:?}\n{parsed:?}");
            let called = words.join(" ");
            assert!(
                called.starts_with(&name),
                "`{name}` has an example of another command: {example}"
            );
        }
    }
}
