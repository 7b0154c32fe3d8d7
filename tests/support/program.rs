//! A generator of meaningful Datalog, driven by the choices of a random generator or a fuzzer.
//!
//! The generator avoids the known differences between the engine and biscuit-auth, which
//! `tests/differential.rs` lists.

use super::reference::Case;

/// A source of choices.
pub trait Choices {
    /// Chooses a number below `count`, which is not zero.
    fn below(&mut self, count: usize) -> usize;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Str,
    Bool,
    Ints,
    Strs,
    List,
    Date,
    Bytes,
    Map,
}

const TYPES: [Type; 9] = [
    Type::Int,
    Type::Str,
    Type::Bool,
    Type::Ints,
    Type::Strs,
    Type::List,
    Type::Date,
    Type::Bytes,
    Type::Map,
];

/// Generates Datalog from choices.
pub struct Writer<C> {
    pub choices: C,
    /// True if operations may meet values of wrong types. Then each predicate has one fact, because the order of
    /// evaluation decides which of several facts raises an error first.
    pub wrong: bool,
    /// Number of closure parameters so far, so that no parameter shadows another.
    pub params: usize,
    /// The key of the third party that signs blocks, in Datalog's notation.
    pub key: String,
}

type Variables = Vec<(String, Type)>;

impl<C: Choices> Writer<C> {
    fn below(&mut self, count: usize) -> usize {
        self.choices.below(count)
    }

    fn between(&mut self, least: usize, end: usize) -> usize {
        least + self.below(end - least)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        let place = self.below(items.len());
        items[place].clone()
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        self.one_of(items)
    }

    fn value(&mut self, kind: Type) -> String {
        match kind {
            Type::Int if self.wrong && self.one_in(8) => self
                .pick(&[
                    "9223372036854775807",
                    "-9223372036854775807",
                    "4611686018427387904",
                ])
                .to_owned(),
            Type::Int => self.below(4).to_string(),
            Type::Str => self
                .pick(&["\"\"", "\"a\"", "\"b\"", "\"ab\"", "\"abc\""])
                .to_owned(),
            Type::Bool => self.pick(&["true", "false"]).to_owned(),
            Type::Ints => self.pick(&["{,}", "{1}", "{1, 2}", "{0, 2, 3}"]).to_owned(),
            Type::Strs => self
                .pick(&["{\"a\"}", "{\"b\", \"ab\"}", "{\"abc\", \"b\", \"a\"}"])
                .to_owned(),
            Type::List => self.pick(&["[]", "[1]", "[1, 2]", "[3, 1, 2]"]).to_owned(),
            Type::Date => self
                .pick(&[
                    "2026-01-01T00:00:00Z",
                    "2026-11-23T12:00:00Z",
                    "1970-01-01T00:00:00Z",
                ])
                .to_owned(),
            Type::Bytes => self.pick(&["hex:ff", "hex:00", "hex:0102"]).to_owned(),
            Type::Map => self
                .pick(&[
                    "{\"b\": 0}",
                    "{\"a\": 1}",
                    "{\"a\": 1, 2: [1]}",
                    "{1: {\"b\": null}}",
                ])
                .to_owned(),
        }
    }

    fn expression(&mut self, wanted: Type, depth: u32, variables: &Variables) -> String {
        let mut kind = wanted;
        if self.wrong && self.one_in(12) {
            kind = self.one_of(&TYPES);
        }
        self.typed(kind, depth, variables)
    }

    fn typed(&mut self, kind: Type, depth: u32, variables: &Variables) -> String {
        let known: Vec<&str> = variables
            .iter()
            .filter(|(_, of)| *of == kind)
            .map(|(name, _)| name.as_str())
            .collect();
        if !known.is_empty() && self.one_in(2) {
            return self.pick(&known).to_owned();
        }
        if depth == 0 {
            return self.value(kind);
        }
        let depth = depth - 1;
        let of = |writer: &mut Writer<C>, kind| writer.expression(kind, depth, variables);
        match kind {
            Type::Int => match self.below(4) {
                0 => {
                    let operator = self.pick(&["+", "-", "*", "&", "|", "^"]);
                    format!(
                        "({} {operator} {})",
                        of(self, Type::Int),
                        of(self, Type::Int)
                    )
                }
                1 => {
                    let container = self.one_of(&[
                        Type::Str,
                        Type::Ints,
                        Type::Strs,
                        Type::List,
                        Type::Bytes,
                        Type::Map,
                    ]);
                    format!("({}).length()", of(self, container))
                }
                2 if self.wrong => format!("({} / {})", of(self, Type::Int), of(self, Type::Int)),
                _ => self.value(Type::Int),
            },
            Type::Str => match self.below(3) {
                0 => format!("({} + {})", of(self, Type::Str), of(self, Type::Str)),
                1 => {
                    let kind = self.one_of(&TYPES);
                    format!("({}).type()", of(self, kind))
                }
                _ => self.value(Type::Str),
            },
            Type::Ints | Type::Strs => match self.below(2) {
                0 => {
                    let operator = self.pick(&["union", "intersection"]);
                    format!("({}).{operator}({})", of(self, kind), of(self, kind))
                }
                _ => self.value(kind),
            },
            Type::List | Type::Date | Type::Bytes | Type::Map => self.value(kind),
            Type::Bool => self.condition(depth, variables),
        }
    }

    fn condition(&mut self, depth: u32, variables: &Variables) -> String {
        let of = |writer: &mut Writer<C>, kind| writer.expression(kind, depth, variables);
        match self.below(15) {
            0 => {
                let operator = self.pick(&["<", ">", "<=", ">=", "===", "!=="]);
                format!(
                    "({} {operator} {})",
                    of(self, Type::Int),
                    of(self, Type::Int)
                )
            }
            1 => {
                let kind = self.one_of(&TYPES);
                let operator = self.pick(&["===", "!==", "==", "!="]);
                format!("({} {operator} {})", of(self, kind), of(self, kind))
            }
            2 => {
                let (left, right) = (self.one_of(&TYPES), Type::Int);
                format!("({} == {})", of(self, left), of(self, right))
            }
            3 => {
                let operator = self.pick(&["starts_with", "ends_with", "contains"]);
                let left = of(self, Type::Str);
                // If the left side is a set after all, the searched value is well typed: see below.
                let right = match operator {
                    "contains" => self.value(Type::Str),
                    _ => of(self, Type::Str),
                };
                format!("({left}).{operator}({right})")
            }
            4 => {
                let operator = self.pick(&["starts_with", "ends_with"]);
                format!(
                    "({}).{operator}({})",
                    of(self, Type::List),
                    of(self, Type::List)
                )
            }
            // The searched value is well typed: the two engines differ on sets asked for null, arrays and maps.
            5 => match self.below(4) {
                0 => format!(
                    "({}).contains({})",
                    of(self, Type::Ints),
                    self.value(Type::Int)
                ),
                1 => format!(
                    "({}).contains({})",
                    of(self, Type::Strs),
                    self.value(Type::Str)
                ),
                2 => format!(
                    "({}).contains({})",
                    of(self, Type::Ints),
                    self.value(Type::Ints)
                ),
                _ => format!(
                    "{}.contains({})",
                    self.value(Type::List),
                    of(self, Type::Int)
                ),
            },
            // The right side is a boolean, or raises an error.
            6 => {
                let operator = self.pick(&["&&", "||"]);
                let right = match self.wrong {
                    true => self.value(Type::Bool),
                    false => self.typed(Type::Bool, depth, variables),
                };
                format!("({} {operator} {right})", of(self, Type::Bool))
            }
            7 => {
                let operator = self.pick(&["&&!", "||!"]);
                format!(
                    "({} {operator} {})",
                    of(self, Type::Bool),
                    of(self, Type::Bool)
                )
            }
            8 => {
                let (container, element) = match self.below(3) {
                    0 => (Type::Ints, Type::Int),
                    1 => (Type::Strs, Type::Str),
                    _ => (Type::List, Type::Int),
                };
                self.params += 1;
                let param = format!("$p{}", self.params);
                let operator = self.pick(&["all", "any"]);
                let container = of(self, container);
                let mut inner = variables.clone();
                inner.push((param.clone(), element));
                let body = self.expression(Type::Bool, depth, &inner);
                format!("({container}).{operator}({param} -> {body})")
            }
            9 => format!(
                "({}).try_or({})",
                of(self, Type::Bool),
                of(self, Type::Bool)
            ),
            10 => {
                let operator = self.pick(&["<", ">", "<=", ">=", "===", "!=="]);
                format!(
                    "({} {operator} {})",
                    of(self, Type::Date),
                    of(self, Type::Date)
                )
            }
            11 => {
                let pattern = self.pick(&[
                    "^a",
                    "b$",
                    "a|b",
                    "^[a-b]+$",
                    "^.{2}$",
                    "(",
                    "^\\\\w*$",
                    "(?i)^A",
                    "^\\\\p{L}+$",
                ]);
                format!("({}).matches(\"{pattern}\")", of(self, Type::Str))
            }
            // The value at a key, or null.
            12 => {
                let (container, key) = match self.below(3) {
                    0 => (Type::List, Type::Int),
                    1 => (Type::Map, Type::Str),
                    _ => (Type::Map, Type::Int),
                };
                let wanted = match self.below(3) {
                    0 => "null".to_owned(),
                    1 => self.value(Type::List),
                    _ => self.value(Type::Int),
                };
                format!(
                    "(({}).get({}) == {wanted})",
                    of(self, container),
                    of(self, key)
                )
            }
            13 => {
                let key = self.one_of(&[Type::Str, Type::Int]);
                format!("{}.contains({})", self.value(Type::Map), self.value(key))
            }
            _ => format!("!{}", self.value(Type::Bool)),
        }
    }

    fn fact(&mut self, name: usize) -> String {
        match name {
            0 => format!("num({})", self.value(Type::Int)),
            1 => format!("text({})", self.value(Type::Str)),
            2 => format!("pair({}, {})", self.value(Type::Int), self.value(Type::Str)),
            3 => format!("flag({})", self.value(Type::Bool)),
            4 => format!("ints({})", self.value(Type::Ints)),
            5 => format!("list({})", self.value(Type::List)),
            6 => format!("date({})", self.value(Type::Date)),
            7 => format!("bytes({})", self.value(Type::Bytes)),
            _ => format!("map({})", self.value(Type::Map)),
        }
    }

    fn body(&mut self, variables: &mut Variables) -> String {
        let mut parts = Vec::new();
        for _ in 0..self.below(4) {
            let (name, kinds): (&str, &[Type]) = match self.below(10) {
                0 => ("num", &[Type::Int]),
                1 => ("text", &[Type::Str]),
                2 => ("pair", &[Type::Int, Type::Str]),
                3 => ("flag", &[Type::Bool]),
                4 => ("ints", &[Type::Ints]),
                5 => ("list", &[Type::List]),
                6 => ("date", &[Type::Date]),
                7 => ("bytes", &[Type::Bytes]),
                8 => ("map", &[Type::Map]),
                _ => ("derived", &[Type::Int]),
            };
            let mut terms = Vec::new();
            for kind in kinds {
                let known: Vec<String> = variables
                    .iter()
                    .filter(|(_, of)| of == kind)
                    .map(|(name, _)| name.clone())
                    .collect();
                terms.push(match self.below(4) {
                    0 => self.value(*kind),
                    1 if !known.is_empty() => self.one_of(&known),
                    _ => {
                        let variable = format!("$v{}", variables.len());
                        variables.push((variable.clone(), *kind));
                        variable
                    }
                });
            }
            parts.push(format!("{name}({})", terms.join(", ")));
        }
        let expressions = self.between(usize::from(parts.is_empty()), 3);
        for _ in 0..expressions {
            parts.push(self.expression(Type::Bool, 3, variables));
        }
        parts.join(", ")
    }

    fn scope(&mut self) -> String {
        match self.below(8) {
            0 => " trusting previous".to_owned(),
            1 => " trusting authority".to_owned(),
            2 => format!(" trusting {}", self.key),
            3 => format!(" trusting previous, {}", self.key),
            _ => String::new(),
        }
    }

    fn query(&mut self) -> String {
        let body = self.body(&mut Vec::new());
        format!("{body}{}", self.scope())
    }

    fn check(&mut self) -> String {
        // Several queries of a `reject if` are a known difference.
        let kind = self.pick(&["check if", "check if", "check all", "reject if"]);
        let count = if kind == "reject if" {
            1
        } else {
            self.between(1, 4)
        };
        let queries: Vec<String> = (0..count).map(|_| self.query()).collect();
        format!("{kind} {};\n", queries.join(" or "))
    }

    fn rule(&mut self) -> String {
        let mut variables = Vec::new();
        let body = self.body(&mut variables);
        let ints: Vec<String> = variables
            .iter()
            .filter(|(_, kind)| *kind == Type::Int)
            .map(|(name, _)| name.clone())
            .collect();
        let head = match ints.is_empty() {
            false => self.one_of(&ints),
            true => self.value(Type::Int),
        };
        // With several facts of one predicate, errors depend on the order of facts.
        let name = if self.wrong || self.one_in(2) {
            "derived"
        } else {
            "num"
        };
        let texts = variables.iter().filter(|(_, kind)| *kind == Type::Str);
        let texts: Vec<String> = texts.map(|(name, _)| name.clone()).collect();
        if !self.wrong && !texts.is_empty() && self.one_in(3) {
            let text = self.one_of(&texts);
            return format!("pair({head}, {text}) <- {body}{};\n", self.scope());
        }
        format!("{name}({head}) <- {body}{};\n", self.scope())
    }

    fn statements(&mut self, first: bool) -> String {
        let mut code = String::new();
        if self.wrong {
            if first {
                for name in 0..9 {
                    code.push_str(&format!("{};\n", self.fact(name)));
                }
            }
        } else {
            for _ in 0..self.below(6) {
                let name = self.below(9);
                code.push_str(&format!("{};\n", self.fact(name)));
            }
        }
        let rules = if self.wrong {
            usize::from(first)
        } else {
            self.below(3)
        };
        for _ in 0..rules {
            code.push_str(&self.rule());
        }
        for _ in 0..self.below(3) {
            code.push_str(&self.check());
        }
        code
    }

    /// Generates a whole program.
    pub fn case(&mut self) -> Case {
        let blocks = self.between(1, 5);
        let blocks = (0..blocks).map(|index| {
            let external = index > 0 && self.one_in(4);
            (external, self.statements(index == 0))
        });
        let blocks = blocks.collect();
        let mut authorizer = match self.wrong {
            true => String::new(),
            false => self.statements(false),
        };
        for _ in 0..self.below(3) {
            let kind = self.pick(&["allow if", "deny if"]);
            authorizer.push_str(&format!("{kind} {};\n", self.query()));
        }
        authorizer.push_str("allow if true;\n");
        Case { blocks, authorizer }
    }
}
