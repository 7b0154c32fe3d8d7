//! The native conditions of a token and of the service's policy, without duplicates.

use std::{collections::HashMap, sync::Arc};

use bailiwick_biscuit::engine::{Known, Program, Question};
use bailiwick_token::{
    condition::{Condition, During, Test},
    datalog::names,
};

use super::Native;

/// The predicates that the verifier answers instead of stating their facts.
pub(crate) const ANSWERED: [Known; 2] = [
    Known {
        name: names::MEETS,
        arity: 2,
    },
    Known {
        name: names::DURING,
        arity: 1,
    },
];

/// The native conditions of a token and of the service's policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct NativeTable {
    natives: Box<[Arc<Native>]>,
    /// For each question of the engine's program, the position of its condition; `None` if this version does not know it.
    questions: Box<[Option<usize>]>,
}

impl NativeTable {
    /// The native conditions of a service's own Datalog, without a token.
    pub(crate) fn of_policy(own: &Program) -> NativeTable {
        TableBuilder::new(&NativeTable::default()).build(Some(own))
    }

    pub(crate) fn len(&self) -> usize {
        self.natives.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Native> {
        self.natives.get(place).map(Arc::as_ref)
    }

    /// The position of the condition that a question is about.
    pub(super) fn asked(&self, question: usize) -> Option<usize> {
        self.questions.get(question).copied().flatten()
    }

    /// The position of a condition. The search takes time in proportion to the table.
    pub(crate) fn find(&self, native: &Native) -> Option<usize> {
        let mut natives = self.natives.iter();
        natives.position(|known| known.as_ref() == native)
    }

    /// Approximate memory use in bytes. Conditions of the policy are counted with each token.
    pub(crate) fn size(&self) -> usize {
        let natives = self.natives.iter().map(|native| native.size());
        let own =
            size_of_val(self.natives.as_ref()).saturating_add(size_of_val(self.questions.as_ref()));
        natives.fold(own, usize::saturating_add)
    }
}

impl Native {
    fn size(&self) -> usize {
        // An estimate is enough: it only limits how many tokens the cache keeps. A parsed condition takes a few times
        // the length of its text. A pattern is counted as if it were compiled, which happens after the token has
        // entered the cache.
        const PER_BYTE: usize = 4;
        let (text, compiled) = match self {
            Native::Test(test) => match &test.condition {
                Condition::Matches(_) => (test.text(), bailiwick_token::condition::MAX_COMPILED),
                _ => (test.text(), 0),
            },
            Native::During(window) => (window.text(), 0),
        };
        size_of::<Native>()
            .saturating_add(text.len().saturating_mul(PER_BYTE))
            .saturating_add(compiled)
    }
}

/// A table under construction.
pub(crate) struct TableBuilder {
    natives: Vec<Arc<Native>>,
    places: HashMap<Terms, Option<usize>>,
}

/// The terms of a `meets`, or the single term of a `during`.
#[derive(PartialEq, Eq, Hash)]
enum Terms {
    Meets { path: String, text: String },
    During { text: String },
}

impl TableBuilder {
    /// Begins a table with the conditions of a policy, which keep their positions.
    pub(crate) fn new(policy: &NativeTable) -> TableBuilder {
        let natives = policy.natives.to_vec();
        let places = natives.iter().enumerate();
        TableBuilder {
            places: places
                .map(|(place, native)| (terms(native), Some(place)))
                .collect(),
            natives,
        }
    }

    /// Returns the position of a condition, and adds the condition if it is new.
    pub(crate) fn place(&mut self, native: Native) -> usize {
        let next = self.natives.len();
        let place = self.places.entry(terms(&native)).or_insert(Some(next));
        match *place {
            Some(place) if place < next => place,
            _ => {
                *place = Some(next);
                self.natives.push(Arc::new(native));
                next
            }
        }
    }

    /// Completes the table with the questions of the engine's program, if the engine has one to evaluate.
    pub(crate) fn build(mut self, program: Option<&Program>) -> NativeTable {
        let questions = program.into_iter().flat_map(Program::questions);
        let questions = questions.map(|question| self.asked(&question)).collect();
        NativeTable {
            natives: self.natives.into(),
            questions,
        }
    }

    /// Returns the position of the condition that a question is about; `None` if this version does not know it.
    fn asked(&mut self, question: &Question<'_>) -> Option<usize> {
        let terms = match *question.terms {
            [path, text] => Terms::Meets {
                path: path.to_owned(),
                text: text.to_owned(),
            },
            [text] => Terms::During {
                text: text.to_owned(),
            },
            // No other predicate is in `ANSWERED`.
            _ => return None,
        };
        // Looked up before it is parsed, since blocks often repeat the conditions of those before them.
        if let Some(place) = self.places.get(&terms) {
            return *place;
        }
        let native = match &terms {
            Terms::Meets { path, text } => Test::parse(path, text).ok().map(Native::Test),
            Terms::During { text } => During::parse(text).ok().map(Native::During),
        };
        let place = native.map(|native| {
            self.natives.push(Arc::new(native));
            self.natives.len().saturating_sub(1)
        });
        self.places.insert(terms, place);
        place
    }
}

fn terms(native: &Native) -> Terms {
    match native {
        Native::Test(test) => Terms::Meets {
            path: test.path.to_string(),
            text: test.text(),
        },
        Native::During(window) => Terms::During {
            text: window.text(),
        },
    }
}
