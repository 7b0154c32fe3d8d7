//! Comparisons that report unmet conditions, for explanations.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::{Code, code::Query};
use bailiwick_token::{
    datalog::{self, names},
    grant::{Grant, Listed},
};

use super::{
    alternative::{Alternative, Requirement},
    comparison::{Comparison, PER_ALTERNATIVE},
    missed::{native_condition, unknown},
    requirement::{Fault, length},
    steps::{Spent, Steps},
    unmet::{Unmet, Verdict},
};
use crate::{
    call::Stated,
    excerpt::{Excerpt, MAX_SHOWN_NAME, MAX_VALUE, beginning},
    explain::{UnmetCondition, Wanted},
};

/// Number of steps for an excerpt, which writes text and allocates memory.
const PER_EXCERPT: usize = 32;
/// Number of steps for reading the conditions of a body in Datalog, and for each unit of the body's weight.
const PER_READING: usize = 96;
const PER_WEIGHT: usize = 2;

/// Number of bytes of a constraint that are copied in one step.
const BYTES_COPIED: usize = 8;

/// Number of native conditions that are compared with another in one step.
const NATIVES_COMPARED: usize = 2;

/// The result of comparing a call with an alternative, for explanations.
pub(crate) enum ExplainedVerdict {
    /// The call meets all conditions that can be read.
    Met,
    /// The alternative does not cover this service or action.
    Elsewhere,
    /// The call does not meet this condition.
    Unmet(UnmetCondition),
    /// The alternative is Datalog that does not correspond to a grant.
    Datalog,
}

/// A comparison that reports unmet conditions. The excerpt of an argument is made once for all
/// alternatives.
pub(crate) struct Explainer<'c> {
    comparison: Comparison<'c>,
    pub(crate) steps: Steps,
    excerpts: BTreeMap<String, Excerpt>,
}

impl<'c> Explainer<'c> {
    pub(crate) fn new(comparison: Comparison<'c>, steps: Steps) -> Explainer<'c> {
        Explainer {
            comparison,
            steps,
            excerpts: BTreeMap::new(),
        }
    }

    /// Returns true if an alternative covers this service, with any action.
    pub(crate) fn is_for_this_service(&self, alternative: &Alternative) -> bool {
        alternative.service.as_ref() == self.comparison.service
    }

    /// Returns true if a body in Datalog may cover this service. A body that names no service may cover any.
    pub(crate) fn may_be_for_this_service(&self, code: &Code, body: &Query) -> bool {
        !datalog::needs_other(code, body, names::SERVICE, self.comparison.service)
    }

    /// Compares the call with an alternative.
    pub(crate) fn with(&mut self, alternative: &Alternative) -> Result<ExplainedVerdict, Spent> {
        Ok(match self.comparison.with(alternative, &mut self.steps)? {
            Verdict::Met => ExplainedVerdict::Met,
            Verdict::Elsewhere => ExplainedVerdict::Elsewhere,
            Verdict::Unmet(unmet) => ExplainedVerdict::Unmet(self.condition(unmet)?),
        })
    }

    /// Compares the call with the readable conditions of a body in Datalog.
    pub(crate) fn with_body(
        &mut self,
        code: &Code,
        body: &Query,
    ) -> Result<ExplainedVerdict, Spent> {
        self.steps.take(PER_ALTERNATIVE)?;
        let call = self.comparison.call;
        if !self.may_be_for_this_service(code, body)
            || datalog::needs_other(code, body, names::ACTION, call.action)
        {
            return Ok(ExplainedVerdict::Elsewhere);
        }
        // Reading is costly, so only bodies for this service and action are read.
        match self.read(code, body)? {
            Some(grant) => {
                // Each lookup compares a condition with up to all entries of the table.
                let table = self.comparison.answers.table();
                let compared = table.len().saturating_mul(grant.tests().len());
                self.steps.take(compared / NATIVES_COMPARED)?;
                let mut are_known = true;
                let alternative = Alternative::new(grant, |native| {
                    let place = table.find(&native);
                    are_known &= place.is_some();
                    place.unwrap_or(usize::MAX)
                });
                match are_known {
                    true => self.with(&alternative),
                    // The reader found conditions other than those that the engine asked for.
                    false => Ok(ExplainedVerdict::Datalog),
                }
            }
            None => Ok(match unknown(code, body) {
                Some(condition) => ExplainedVerdict::Unmet(condition),
                None => ExplainedVerdict::Datalog,
            }),
        }
    }

    /// Reads the conditions of a body as a grant; `None` if they do not correspond to a grant.
    pub(crate) fn read(&mut self, code: &Code, body: &Query) -> Result<Option<Grant>, Spent> {
        let steps = code.weight(body).saturating_mul(PER_WEIGHT);
        self.steps.take(steps.saturating_add(PER_READING))?;
        Ok(datalog::conditions(code, body))
    }

    fn condition(&mut self, unmet: Unmet<'_>) -> Result<UnmetCondition, Spent> {
        self.steps.take(PER_EXCERPT)?;
        let name = |path: &str| beginning(path, MAX_SHOWN_NAME);
        Ok(match unmet {
            Unmet::Resource { found, needed } => UnmetCondition::Resource {
                found: found.map(|resource| beginning(resource, MAX_VALUE)),
                needed: beginning(needed, MAX_VALUE),
            },
            Unmet::Missing(argument) => {
                // The constraint is rebuilt as a whole, though only its beginning is shown.
                self.steps.take(argument.size() / BYTES_COPIED)?;
                UnmetCondition::Missing {
                    argument: name(&argument.path),
                    needed: beginning(argument.constraint(), MAX_VALUE),
                }
            }
            Unmet::Extra(argument) => UnmetCondition::Extra {
                argument: name(argument),
            },
            Unmet::Argument {
                argument,
                stated,
                requirement,
                fault,
            } => {
                let argument = name(&argument.path);
                match fault {
                    Fault::Type(needed) => UnmetCondition::Type {
                        argument,
                        found: stated.value.kind(),
                        needed,
                    },
                    Fault::Unrepresentable => UnmetCondition::Unrepresentable {
                        argument,
                        found: self.excerpt(stated)?,
                    },
                    Fault::Value => UnmetCondition::Value {
                        argument,
                        found: self.excerpt(stated)?,
                        needed: wanted(requirement, stated),
                    },
                }
            }
            Unmet::Native {
                argument,
                native,
                answer,
            } => {
                // Both the value and the condition are repeated.
                self.steps.take(PER_EXCERPT)?;
                let path = argument.map_or("", |argument| argument.path.as_ref());
                native_condition(path, native, answer, self.comparison.answers.now())
            }
        })
    }

    fn excerpt(&mut self, stated: &Stated<'_>) -> Result<Excerpt, Spent> {
        // Without this, 63 alternatives would each format the same long array.
        if let Some(made) = self.excerpts.get(stated.path()) {
            return Ok(made.clone());
        }
        self.steps.take(PER_EXCERPT)?;
        let made = Excerpt::of(stated.value);
        self.excerpts.insert(stated.path().to_owned(), made.clone());
        Ok(made)
    }
}

/// The value that the requirement demands.
fn wanted(requirement: &Requirement, stated: &Stated<'_>) -> Wanted {
    match requirement {
        Requirement::Exact(exact) => Wanted::Exactly(Excerpt::of(&exact.value)),
        Requirement::OneOf(set) => Wanted::OneOf(Excerpt::list(set)),
        Requirement::NotOneOf(set) => Wanted::NotOneOf(Excerpt::list(set)),
        Requirement::Min(bound) => Wanted::Min(*bound),
        Requirement::Max(bound) => Wanted::Max(*bound),
        Requirement::Prefix(text) => Wanted::Prefix(Excerpt::string(text)),
        Requirement::Suffix(text) => Wanted::Suffix(Excerpt::string(text)),
        Requirement::Contains(text) => Wanted::Contains(Excerpt::string(text)),
        Requirement::AllOfIn(set) => Wanted::AllOfIn(Excerpt::list(Listed(set.as_ref()))),
        Requirement::MaxLen(limit) => Wanted::MaxLen {
            found: length(stated).unwrap_or(0),
            limit: *limit,
        },
    }
}
