//! The comparison of a call with an alternative, condition by condition.

use bailiwick_token::grant::Pattern;

use super::{
    alternative::{Alternative, Argument},
    requirement::Fault,
    steps::{Spent, Steps},
    unmet::{Unmet, Verdict},
};
use crate::{
    call::{Stated, Statement},
    native::{Answer, CallAnswers},
};

/// Number of steps for an alternative, for an argument that it constrains, and for a name in the call.
pub(super) const PER_ALTERNATIVE: usize = 2;
const PER_ARGUMENT: usize = 4;
const PER_NAME: usize = 4;

/// A call at a service, to be compared with alternatives.
#[derive(Clone, Copy)]
pub(crate) struct Comparison<'c> {
    pub(crate) service: &'c str,
    pub(crate) call: &'c Statement<'c>,
    pub(crate) answers: &'c CallAnswers<'c>,
}

impl<'c> Comparison<'c> {
    /// Position of the first alternative whose conditions the call meets; `None` if there is none.
    pub(crate) fn first_met(
        self,
        alternatives: &[Alternative],
        steps: &mut Steps,
    ) -> Result<Option<usize>, Spent> {
        for (place, alternative) in alternatives.iter().enumerate() {
            if let Verdict::Met = self.with(alternative, steps)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Compares the call with one alternative.
    pub(crate) fn with<'a>(
        self,
        alternative: &'a Alternative,
        steps: &mut Steps,
    ) -> Result<Verdict<'a>, Spent>
    where
        'c: 'a,
    {
        // Charged before the comparison, so that many alternatives for other services are not free.
        steps.take(PER_ALTERNATIVE)?;
        if alternative.service.as_ref() != self.service
            || !alternative.action.matches(self.call.action)
        {
            return Ok(Verdict::Elsewhere);
        }
        let unmet = match self.resource(alternative.resource.as_ref()) {
            Some(unmet) => Some(unmet),
            None => match self.native(None, alternative.when.as_slice(), steps)? {
                Some(unmet) => Some(unmet),
                None => self.arguments(alternative.args.as_deref(), steps)?,
            },
        };
        Ok(unmet.map_or(Verdict::Met, Verdict::Unmet))
    }

    /// The first of these native conditions that does not hold.
    fn native<'a>(
        self,
        argument: Option<&'a Argument>,
        places: &[usize],
        steps: &mut Steps,
    ) -> Result<Option<Unmet<'a>>, Spent>
    where
        'c: 'a,
    {
        for place in places {
            let (native, answer) = self.answers.answer(*place, &mut steps.left).ok_or(Spent)?;
            if answer != Answer::Met {
                return Ok(Some(Unmet::Native {
                    argument,
                    native,
                    answer,
                }));
            }
        }
        Ok(None)
    }

    fn resource<'a>(self, pattern: Option<&'a Pattern>) -> Option<Unmet<'a>>
    where
        'c: 'a,
    {
        let (needed, found) = (pattern?, self.call.resource);
        let matches = found.is_some_and(|resource| needed.matches(resource));
        (!matches).then_some(Unmet::Resource { found, needed })
    }

    fn arguments<'a>(
        self,
        args: Option<&'a [Argument]>,
        steps: &mut Steps,
    ) -> Result<Option<Unmet<'a>>, Spent>
    where
        'c: 'a,
    {
        let Some(args) = args else {
            return Ok(None);
        };
        for argument in args {
            let unmet = self.argument(argument, steps)?;
            if unmet.is_some() {
                return Ok(unmet);
            }
        }
        // Names are distinct, so at least one is extra among one more than the grant allows. No more are examined.
        let looked_at = args.len().saturating_add(1).min(self.call.names().len());
        steps.take(looked_at.saturating_mul(PER_NAME))?;
        let extra = self
            .call
            .names()
            .find(|name| !Alternative::lists(args, name));
        Ok(extra.map(Unmet::Extra))
    }

    fn argument<'a>(
        self,
        argument: &'a Argument,
        steps: &mut Steps,
    ) -> Result<Option<Unmet<'a>>, Spent>
    where
        'c: 'a,
    {
        if !argument.requirements.is_empty() {
            steps.take(PER_ARGUMENT)?;
            let Some(stated) = self.call.get(&argument.path) else {
                return Ok(Some(Unmet::Missing(argument)));
            };
            let unmet = failed(argument, stated, steps)?;
            if unmet.is_some() {
                return Ok(unmet);
            }
        }
        self.native(Some(argument), &argument.tests, steps)
    }
}

/// The requirement that an argument fails: the first with a wrong type, or else the first of any kind.
fn failed<'a>(
    argument: &'a Argument,
    stated: &'a Stated<'a>,
    steps: &mut Steps,
) -> Result<Option<Unmet<'a>>, Spent> {
    let mut first = None;
    for requirement in &argument.requirements {
        steps.take(requirement.steps(stated))?;
        let unmet = requirement
            .fault(stated, steps)?
            .map(|fault| Unmet::Argument {
                argument,
                stated,
                requirement,
                fault,
            });
        match unmet {
            // A wrong type explains more than a wrong value does.
            Some(Unmet::Argument {
                fault: Fault::Type(_) | Fault::Unrepresentable,
                ..
            }) => return Ok(unmet),
            Some(_) if first.is_none() => first = unmet,
            _ => {}
        }
    }
    Ok(first)
}
