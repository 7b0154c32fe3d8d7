//! Conditions and honest values for each, from `samples.json`, and changes to them, from `pieces.json`.

use std::collections::BTreeMap;

use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use serde::Deserialize;
use serde_json::{Value, json};

/// A condition, and values near its edge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    pub(super) path: String,
    /// An object with the member of the condition's text that names its kind.
    pub(super) condition: BTreeMap<String, Value>,
    /// Parts of a text. One choice from each makes up the text, which is then changed and becomes the argument `a`.
    text: Option<Vec<Part>>,
    /// Parts of the arguments in JSON. One choice from each makes up the text.
    args: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    OneOf(Vec<String>),
    AnyCharacter(AnyCharacter),
}

#[derive(Deserialize)]
enum AnyCharacter {
    #[serde(rename = "any character")]
    Any,
}

/// Texts that parsers of URLs, addresses, paths, times and lines are known to disagree about.
pub(super) struct Pieces(Vec<String>);

impl Sample {
    pub(super) fn all() -> Vec<Sample> {
        serde_json::from_str(include_str!("samples.json")).expect("samples")
    }

    /// Makes the arguments of a call.
    pub(super) fn args(&self, pieces: &Pieces, random: &mut StdRng) -> String {
        let Some(text) = &self.text else {
            return joined(self.args.as_deref().expect("text or arguments"), random);
        };
        let text = joined(text, random);
        let value = match random.gen_range(0..40) {
            0 => json!([text]),
            1 => json!(4711),
            2 => Value::Null,
            _ => json!(pieces.change(text, random)),
        };
        json!({ "a": value }).to_string()
    }
}

fn joined(parts: &[Part], random: &mut StdRng) -> String {
    let one = |part: &Part| match part {
        Part::OneOf(texts) => texts.choose(random).expect("a text").clone(),
        Part::AnyCharacter(AnyCharacter::Any) => any_character(random).to_string(),
    };
    parts.iter().map(one).collect()
}

/// A random character of the Basic Multilingual Plane. Low code points are more frequent.
fn any_character(random: &mut StdRng) -> char {
    let ends = [0x80, 0x250, 0x800, 0x2100, 0x3000, 0xffff];
    let end = *ends.choose(random).expect("an end");
    loop {
        if let Some(c) = char::from_u32(random.gen_range(0..=end)) {
            return c;
        }
    }
}

impl Pieces {
    pub(super) fn all() -> Pieces {
        let groups: BTreeMap<String, Vec<String>> =
            serde_json::from_str(include_str!("pieces.json")).expect("pieces");
        Pieces(groups.into_values().flatten().collect())
    }

    /// Makes up to three changes, often none.
    fn change(&self, text: String, random: &mut StdRng) -> String {
        let changes = [0, 0, 0, 1, 1, 1, 2, 3].choose(random).expect("a number");
        (0..*changes).fold(text, |text, _| self.changed(&text, random))
    }

    fn changed(&self, text: &str, random: &mut StdRng) -> String {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        let at = random.gen_range(0..=chars.len());
        let piece = self.0.choose(random).expect("a piece").clone();
        match (random.gen_range(0..14), chars.get_mut(at)) {
            (0, Some(_)) => drop(chars.remove(at)),
            (1, Some(c)) => *c = piece,
            (2, Some(c)) => *c = c.repeat(2),
            (3, Some(c)) => *c = other_case(c),
            (4, Some(c)) => *c = encoded(c),
            (5, Some(c)) => *c = full_width(c),
            (6, Some(_)) => chars.truncate(at),
            (7, _) => return other_case(text),
            (8, _) => return format!("{piece}{text}"),
            (9, _) => return format!("{text}{piece}"),
            (10, _) => return format!("{text}{piece}{text}"),
            _ => chars.insert(at, piece),
        }
        chars.concat()
    }
}

fn other_case(text: &str) -> String {
    if text.chars().any(char::is_lowercase) {
        text.to_uppercase()
    } else {
        text.to_lowercase()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn full_width(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).expect("a character"),
        _ => c,
    };
    text.chars().map(wide).collect()
}
