//! Construction of the mint request from a profile, a caller and the caller's wishes.

use std::collections::BTreeSet;

use bailiwick_token::{
    claims::MAX_TEXT,
    grant::{Grant, Grants},
};

use super::{
    caller::Caller, definition::Profile, param::ParamValues, refusal::ProfileRefusal, text::Text,
};
use crate::mint::MintRequest;

/// The wishes of a caller. The profile decides whatever is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// The grants, each of which must be within one grant of the profile.
    pub grants: Option<Grants>,
    /// The services for which the token should have grants; if empty, all services of the profile.
    pub services: Vec<String>,
    /// The token's lifetime in seconds.
    pub ttl: Option<u64>,
    /// A description of the task.
    pub task: Option<String>,
    /// Maximum number of blocks that holders may append.
    pub max_depth: Option<u32>,
}

impl Profile {
    /// Returns the mint request for this caller, with exactly the wishes in `ask`. A request that exceeds the
    /// profile is refused, never trimmed to fit.
    ///
    /// # Errors
    /// [`ProfileRefusal`].
    pub fn mint_request(&self, caller: &Caller, ask: &Ask) -> Result<MintRequest, ProfileRefusal> {
        self.match_caller(caller)?;
        let values = self.values(caller)?;
        let text = |path: &str, text: &Text| {
            let filled = text.fill(&values);
            filled.ok_or_else(|| self.unfit(path, "is too long"))
        };
        let form = &self.token;
        let claims = form.claims.iter().map(|(name, template)| {
            let value = text(&format!("token.claims.{name}"), template)?;
            Ok((name.clone(), value))
        });
        Ok(MintRequest {
            agent: text("token.agent", &form.agent)?,
            principal: text("token.principal", &form.principal)?,
            tenant: match &form.tenant {
                Some(template) => Some(text("token.tenant", template)?),
                None => None,
            },
            claims: claims.collect::<Result<_, ProfileRefusal>>()?,
            grants: self.grants(&values, ask)?,
            ttl: self.life(ask.ttl)?,
            task: task(ask.task.as_deref())?,
            max_depth: self.depth(ask.max_depth)?,
            profile: Some(self.name.clone()),
        })
    }

    fn values(&self, caller: &Caller) -> Result<ParamValues, ProfileRefusal> {
        let values = self.params.iter().map(|(name, param)| {
            let value = param.value(caller).map_err(|why| ProfileRefusal::Claim {
                profile: self.name.clone(),
                parameter: name.clone(),
                claim: param.claim.clone(),
                kind: param.kind,
                why,
            })?;
            Ok((name.clone(), value))
        });
        values.collect()
    }

    fn unfit(&self, path: &str, why: &'static str) -> ProfileRefusal {
        ProfileRefusal::Template {
            profile: self.name.clone(),
            path: path.to_owned(),
            why,
        }
    }

    fn grants(&self, values: &ParamValues, ask: &Ask) -> Result<Grants, ProfileRefusal> {
        let filled = self.grants.fill(values);
        let given = filled.map_err(|(path, why)| self.unfit(&path, why))?;
        let known = self.grants.services();
        let mut unknown = ask
            .services
            .iter()
            .filter(|name| !known.contains(name.as_str()));
        if let Some(service) = unknown.next() {
            return Err(ProfileRefusal::service(&self.name, service));
        }
        let services: BTreeSet<&str> = ask.services.iter().map(String::as_str).collect();
        let wanted =
            |grant: &&Grant| services.is_empty() || services.contains(grant.service.as_str());
        if let Some(asked) = &ask.grants {
            let is_given = |grant: &Grant| {
                let mut given = given.iter().filter(wanted);
                given.any(|wider| grant.is_within(wider))
            };
            return match asked.iter().position(|grant| !is_given(grant)) {
                None => Ok(asked.clone()),
                Some(index) => Err(ProfileRefusal::Outside {
                    profile: self.name.clone(),
                    index,
                }),
            };
        }
        if services.is_empty() {
            return Ok(given);
        }
        // The list cannot be empty, because each requested service has a grant. Each grant was already checked.
        let given: Vec<_> = given.iter().filter(wanted).cloned().collect();
        Grants::new(given).map_err(|error| self.unfit(&error.path, "is not well formed"))
    }

    fn life(&self, asked: Option<u64>) -> Result<u64, ProfileRefusal> {
        let ttl = self.token.ttl;
        let asked = asked.unwrap_or(ttl.default);
        if !(ttl.min..=ttl.max).contains(&asked) {
            return Err(ProfileRefusal::Ttl {
                profile: self.name.clone(),
                ttl,
                asked,
            });
        }
        Ok(asked)
    }

    fn depth(&self, asked: Option<u32>) -> Result<Option<u32>, ProfileRefusal> {
        let max = self.token.max_depth;
        match (asked, max) {
            (Some(asked), Some(max)) if asked > max => Err(ProfileRefusal::Depth {
                profile: self.name.clone(),
                max,
                asked,
            }),
            (asked, max) => Ok(asked.or(max)),
        }
    }
}

fn task(task: Option<&str>) -> Result<Option<String>, ProfileRefusal> {
    match task {
        Some(text)
            if text.trim().is_empty()
                || text.len() > MAX_TEXT
                || text.contains(char::is_control) =>
        {
            Err(ProfileRefusal::Task)
        }
        task => Ok(task.map(str::to_owned)),
    }
}
