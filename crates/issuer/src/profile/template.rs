//! Templates: grants with places that parameters fill.
//!
//! The grants are typed from the start. A parameter becomes one typed value in its place, and the resulting
//! grants are checked again, like all grants.

mod hole;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_token::{
    grant::{Bound, Grant, Grants},
    value::Value,
};

use self::{
    hole::{ArgumentHole, Hole, HolePlace},
    read::TemplateReader,
};
use super::{
    error::ProfileFault,
    param::{Param, ParamType, ParamValues},
    text::kind_of,
};

/// The grants of a profile, with holes for parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    /// The grants without the values that fill the holes.
    grants: Grants,
    holes: Vec<Hole>,
}

impl Template {
    /// Reads the list `grant` of the profile at `path`.
    pub(super) fn read(
        path: &str,
        grants: &Value,
        params: &BTreeMap<String, Param>,
    ) -> Result<Template, ProfileFault> {
        let read = TemplateReader::read(grants, params);
        let (fixed, holes) = read.map_err(|fault| below(path, fault))?;
        let file = Value::Object(BTreeMap::from([("grant".to_owned(), fixed)]));
        let template = Template {
            grants: Grants::from_value(&file)
                .map_err(|error| ProfileFault::of_grants(path, error))?,
            holes,
        };
        template.check(params).map_err(|fault| below(path, fault))?;
        Ok(template)
    }

    /// Returns the names of the parameters that are used.
    pub(super) fn params(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for hole in &self.holes {
            match &hole.place {
                HolePlace::Resource(resource) => {
                    for segment in &resource.segments {
                        segment.params(&mut names);
                    }
                }
                HolePlace::Argument(_, condition) => condition.params(&mut names),
            }
        }
        names
    }

    /// Returns the services for which the template has grants.
    pub(super) fn services(&self) -> BTreeSet<&str> {
        let services = self.grants.iter().map(|grant| grant.service.as_str());
        services.collect()
    }

    /// Fills in the values, and returns the grants.
    ///
    /// # Errors
    /// The path of the part that becomes malformed with these values, and its fault.
    pub(super) fn fill(&self, values: &ParamValues) -> Result<Grants, (String, &'static str)> {
        self.fill_where(values, |_| true)
    }

    fn fill_where(
        &self,
        values: &ParamValues,
        wanted: impl Fn(&HolePlace) -> bool,
    ) -> Result<Grants, (String, &'static str)> {
        let mut grants: Vec<Grant> = self.grants.iter().cloned().collect();
        for hole in self.holes.iter().filter(|hole| wanted(&hole.place)) {
            let filled = match (grants.get_mut(hole.grant), &hole.place) {
                (None, _) => None,
                (Some(grant), HolePlace::Resource(resource)) => {
                    resource.fill(values).map(|pattern| {
                        grant.resource = Some(pattern);
                    })
                }
                (Some(grant), HolePlace::Argument(name, condition)) => {
                    let args = grant.args.get_or_insert_default();
                    condition.fill(args.entry(name.clone()).or_default(), values)
                }
            };
            let fault = match &hole.place {
                HolePlace::Resource(_) => "is too long, or cannot be compared exactly",
                HolePlace::Argument(_, condition) => condition.fault(),
            };
            filled.ok_or_else(|| (hole.path.clone(), fault))?;
        }
        Grants::new(grants).map_err(|error| (error.path, "is an empty range, or too long"))
    }

    /// Checks that the grants are well formed when sample values of the right types fill them. Bounds are
    /// compared only by type, because a sample could exceed a fixed bound.
    fn check(&self, params: &BTreeMap<String, Param>) -> Result<(), ProfileFault> {
        let is_date = |bound: Bound| matches!(bound, Bound::Date(_));
        let mut dates: BTreeMap<(usize, &str), BTreeSet<bool>> = BTreeMap::new();
        for (index, grant) in self.grants.iter().enumerate() {
            for (name, constraint) in grant.args.iter().flatten() {
                let bounds = [constraint.min, constraint.max].into_iter().flatten();
                let kinds = dates.entry((index, name)).or_default();
                kinds.extend(bounds.map(is_date));
            }
        }
        for hole in &self.holes {
            let HolePlace::Argument(name, ArgumentHole::Min(param) | ArgumentHole::Max(param)) =
                &hole.place
            else {
                continue;
            };
            let kind = kind_of(param, params).map_err(|why| ProfileFault::at(&hole.path, why))?;
            let kinds = dates.entry((hole.grant, name)).or_default();
            kinds.insert(kind == ParamType::Date);
            if kinds.len() > 1 {
                return Err(ProfileFault::at(
                    &hole.path,
                    "`min` and `max` have different types; write two numbers or two dates",
                ));
            }
        }
        let samples = params
            .iter()
            .map(|(name, param)| (name.clone(), param.kind.sample()))
            .collect();
        let takes_a_sample = |place: &HolePlace| match place {
            HolePlace::Resource(_) => true,
            HolePlace::Argument(_, condition) => !condition.takes_no_sample(),
        };
        let filled = self.fill_where(&samples, takes_a_sample);
        filled.map(|_| ()).map_err(|(path, _)| {
            ProfileFault::at(path, "is not well formed, whatever its parameters are")
        })
    }
}

fn below(path: &str, fault: ProfileFault) -> ProfileFault {
    ProfileFault {
        path: format!("{path}.{}", fault.path),
        ..fault
    }
}
