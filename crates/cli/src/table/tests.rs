#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use super::*;

const COLUMNS: [Column; 4] = [
    Column::whole("ID"),
    Column::names("AGENT"),
    Column::whole("STATE"),
    Column::text("REASON"),
];

/// A list like those of the commands: an id that must be whole, a long name, and a long reason.
fn list() -> Table<4> {
    let row = |id: &str, agent: &str, state, tone, reason: &str| {
        [
            Cell::new(id),
            Cell::new(agent),
            Cell::new(state).toned(tone),
            Cell::new(reason),
        ]
    };
    let reason = "the agent followed an instruction that it had found in a supplier's invoice";
    Table::new(
        COLUMNS,
        [
            row("0a1b2c3d", "agent:buyer", "active", Tone::Good, "-"),
            row(
                "4e5f6a7b",
                "agent:invoice-checker-of-the-northern-region",
                "revoked",
                Tone::Bad,
                reason,
            ),
        ],
    )
}

/// Text without the sequences of styles.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_pipe_gets_a_line_for_each_row() {
    assert_eq!(
        list().lines(),
        "ID\tAGENT\tSTATE\tREASON\n\
         0a1b2c3d\tagent:buyer\tactive\t-\n\
         4e5f6a7b\tagent:invoice-checker-of-the-northern-region\trevoked\tthe agent followed an \
         instruction that it had found in a supplier's invoice\n"
    );
}

#[test]
fn a_terminal_gets_a_table_of_its_width() {
    let shown = list().fitted(80);
    assert!(shown.is_shortened);
    let below = " ".repeat(51);
    assert_eq!(
        plain(&shown.text),
        format!(
            "\
ID        AGENT                           STATE    REASON
0a1b2c3d  agent:buyer                     active   -
4e5f6a7b  agent:invoice-checker-of-the-…  revoked  the agent followed an
{below}instruction that it had found
{below}in a supplier's invoice
"
        )
    );
    let shown = list().fitted(160);
    assert!(!shown.is_shortened);
    assert_eq!(shown.text.lines().count(), 3, "{}", shown.text);
}

/// If the columns do not fit side by side, the texts of a row stand below it, so that the rest of the row is one
/// line.
#[test]
fn texts_stand_below_rows_of_a_narrow_terminal() {
    let shown = list().fitted(46);
    assert!(shown.is_shortened);
    assert_eq!(
        plain(&shown.text),
        "\
ID        AGENT                        STATE
0a1b2c3d  agent:buyer                  active
4e5f6a7b  agent:invoice-checker-of-t…  revoked
  REASON  the agent followed an instruction
          that it had found in a supplier's
          invoice
"
    );
}

/// The id of a token is never cut: without its end nobody can revoke the token.
#[test]
fn ids_are_whole_at_every_width() {
    let id = "6f0c9d1e5b7a4c3f8e2d0b9a7c6f5e4d";
    let columns = [
        Column::whole("ROW"),
        Column::whole("TIME"),
        Column::whole("EVENT"),
        Column::text("ABOUT"),
        Column::names("BY"),
    ];
    let about = format!("agent:buyer for team:procurement, token {id}, key 0a1b2c3d");
    let by = format!("operator:operator:on-call ({id})");
    let row = ["117", "2026-11-30T20:52:28Z", "mint", &about, &by];
    let table = Table::new(columns, [row.map(Cell::new)]);
    for width in 20..200 {
        let text = plain(&table.fitted(width).text);
        assert!(text.contains(id), "{width}:\n{text}");
        if width >= 60 {
            for line in text.lines() {
                assert!(text::width(line) <= usize::from(width), "{width}:\n{text}");
            }
        }
    }
}

/// At every width, no line is longer than the terminal, no word is cut, and ids and states are whole.
#[test]
fn every_width_is_kept() {
    let words: Vec<String> = (list().rows.iter())
        .flat_map(|row| row.iter().flat_map(|cell| cell.text.split(' ')))
        .map(str::to_owned)
        .collect();
    for width in 42..200 {
        let shown = list().fitted(width);
        let text = plain(&shown.text);
        assert_eq!(shown.is_shortened, text.contains('…'), "{width}:\n{text}");
        for line in text.lines() {
            assert!(text::width(line) <= usize::from(width), "{width}:\n{text}");
        }
        let shown = text.lines().skip(1).flat_map(str::split_whitespace);
        for word in shown.filter(|word| *word != "REASON") {
            let begun = word.strip_suffix('…');
            assert!(
                words.iter().any(|whole| match begun {
                    Some(begun) => whole.starts_with(begun),
                    None => whole == word,
                }),
                "`{word}` at {width}:\n{text}"
            );
        }
        for whole in ["0a1b2c3d", "4e5f6a7b", "active", "revoked"] {
            assert!(text.contains(whole), "{width}:\n{text}");
        }
    }
}

#[test]
fn a_narrow_terminal_gets_a_line_for_each_value() {
    let shown = list().fitted(20);
    assert!(!shown.is_shortened);
    assert_eq!(
        plain(&shown.text),
        "\
ID      0a1b2c3d
AGENT   agent:buyer
STATE   active
REASON  -

ID      4e5f6a7b
AGENT   agent:invoice-checker-of-the-northern-region
STATE   revoked
REASON  the agent followed an instruction that it had found in a supplier's invoice
"
    );
}

#[test]
fn only_states_are_coloured() {
    let text = list().fitted(80).text;
    assert!(text.contains(&format!("{GREEN}active{GREEN:#}")), "{text}");
    assert!(text.contains(&format!("{RED}revoked{RED:#}")), "{text}");
    let header = text.lines().next().unwrap();
    assert!(header.starts_with(&BOLD.to_string()), "{text}");
    assert_eq!(text.matches('\u{1b}').count(), styles(), "{text}");
    assert!(!list().lines().contains('\u{1b}'));
    assert!(!text.contains(END));
}

/// Number of escape characters of a header and two styled states.
fn styles() -> usize {
    let of = |style: Style| format!("{style}{style:#}").matches('\u{1b}').count();
    of(BOLD) + of(GREEN) + of(RED)
}

/// A name cannot end a line or a column, set a style, or be taken for one of the characters that stand for a style.
#[test]
fn values_cannot_change_the_table() {
    let hostile = "a\tb\nc\u{1b}[2J\u{2061}\u{2060}\u{202e}d";
    let table = Table::new(
        [Column::names("NAME"), Column::whole("STATE")],
        [[Cell::new(hostile), Cell::new("good").toned(Tone::Good)]],
    );
    let escaped = "a\\tb\\nc\\u001b[2J\\u2061\\u2060\\u202ed";
    assert_eq!(table.lines(), format!("NAME\tSTATE\n{escaped}\tgood\n"));
    for width in [20, 80] {
        let text = table.fitted(width).text;
        assert!(
            !text.contains(['\u{2060}', '\u{2061}', '\u{202e}', '\t']),
            "{text}"
        );
        assert!(!text.contains("\u{1b}[2J"), "{text}");
    }
    let gap = escaped.len() + 2 - "NAME".len();
    assert_eq!(
        plain(&table.fitted(80).text),
        format!("NAME{:gap$}STATE\n{escaped}  good\n", "")
    );
}

/// A wider terminal never shows less of a long word, such as the signature of a revoked block.
#[test]
fn wider_terminals_show_no_less() {
    let signature = "0123456789abcdef".repeat(8);
    let columns = [
        Column::whole("REVOKED AT"),
        Column::text("REVOKED"),
        Column::whole("ENDS"),
        Column::text("REASON"),
    ];
    let time = "2026-11-30T20:52:28Z";
    let revoked = format!("block {signature}");
    let row = [time, &revoked, time, "handed to the wrong agent"];
    let table = Table::new(columns, [row.map(Cell::new)]);
    let shown = |width| {
        let text = plain(&table.fitted(width).text);
        let words = text
            .split_whitespace()
            .map(|word| word.trim_end_matches('…'));
        let begun = words.filter(|word| word.len() > 16 && signature.starts_with(word));
        begun.map(str::len).max().unwrap()
    };
    for width in 60..300 {
        assert!(shown(width) <= shown(width + 1), "{width}");
    }
    assert!(shown(120) > shown(80));
    assert_eq!(shown(299), 128);
}
