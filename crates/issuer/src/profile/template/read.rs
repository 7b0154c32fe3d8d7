//! The reader of grants with parameters. It takes the parameters out and remembers their places.

use std::collections::BTreeMap;

use bailiwick_token::{claims::MAX_TEXT, value::Value};

use super::hole::{ArgumentHole, Hole, HolePlace, Item, Items, Resource};
use crate::profile::{
    error::ProfileFault,
    param::{Param, ParamType},
    text::{OPEN, Text, kind_of},
};

pub(super) struct TemplateReader<'p> {
    params: &'p BTreeMap<String, Param>,
    holes: Vec<Hole>,
}

impl<'p> TemplateReader<'p> {
    /// Returns the list of grants without its parameters, and the holes that they fill.
    pub(super) fn read(
        grants: &Value,
        params: &'p BTreeMap<String, Param>,
    ) -> Result<(Value, Vec<Hole>), ProfileFault> {
        let mut reader = TemplateReader {
            params,
            holes: Vec::new(),
        };
        let fixed = match grants {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| reader.grant(index, item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        };
        no_params("grant", &fixed)?;
        Ok((fixed, reader.holes))
    }

    fn grant(&mut self, index: usize, grant: &Value) -> Result<Value, ProfileFault> {
        let Value::Object(members) = grant else {
            return Ok(grant.clone());
        };
        let mut fixed = members.clone();
        let path = format!("grant[{index}]");
        if let Some(text) = members.get("resource").and_then(with_params) {
            let path = format!("{path}.resource");
            let resource = self
                .resource(text)
                .map_err(|why| ProfileFault::at(&path, why))?;
            self.hole(index, path, HolePlace::Resource(resource));
            fixed.remove("resource");
        }
        if let Some(Value::Object(args)) = fixed.get_mut("args") {
            for (name, constraint) in args {
                let path = format!("{path}.args.{name}");
                self.argument(index, &path, name, constraint)?;
            }
        }
        Ok(Value::Object(fixed))
    }

    fn hole(&mut self, grant: usize, path: String, place: HolePlace) {
        self.holes.push(Hole { grant, path, place });
    }

    /// Reads a resource with parameters. A parameter must be a whole segment, so that no claim can extend into
    /// the next segment or be only the beginning of a name.
    fn resource(&self, text: &str) -> Result<Resource, String> {
        let (text, is_prefix) = match text.strip_suffix('*') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let whole = "the parameter is not a whole segment of the resource; write segments such as `${region}/*`";
        let segments = text.split('/').map(|segment| {
            if !segment.contains(OPEN) {
                return Ok(Item::Fixed(Value::from(segment)));
            }
            let name = Text::whole(segment).ok_or(whole)?;
            match kind_of(name, self.params)? {
                ParamType::Segment | ParamType::Integer => Ok(Item::Param(name.to_owned())),
                _ => Err(format!(
                    "`${{{name}}}` is not a segment; give it the type `segment` or `integer`"
                )),
            }
        });
        let segments: Vec<Item> = segments.collect::<Result<_, String>>()?;
        if is_prefix && matches!(segments.last(), Some(Item::Param(_))) {
            return Err(whole.to_owned());
        }
        Ok(Resource {
            segments,
            is_prefix,
        })
    }

    fn argument(
        &mut self,
        grant: usize,
        path: &str,
        name: &str,
        constraint: &mut Value,
    ) -> Result<(), ProfileFault> {
        let place = |condition| HolePlace::Argument(name.to_owned(), condition);
        if let Some(text) = with_params(constraint) {
            let item = self.item(text).map_err(|why| ProfileFault::at(path, why))?;
            self.hole(grant, path.to_owned(), place(ArgumentHole::Exact(item)));
            *constraint = Value::from("*");
            return Ok(());
        }
        let Value::Object(conditions) = constraint else {
            return Ok(());
        };
        let mut found = Vec::new();
        for (key, value) in &*conditions {
            let path = format!("{path}.{key}");
            let condition = self.condition(key, value);
            if let Some(condition) = condition.map_err(|why| ProfileFault::at(&path, why))? {
                self.hole(grant, path, place(condition));
                found.push(key.clone());
            }
        }
        conditions.retain(|key, _| !found.contains(key));
        if conditions.is_empty() && !found.is_empty() {
            *constraint = Value::from("*");
        }
        Ok(())
    }

    /// Reads a condition; `None` if it contains no parameter.
    fn condition(&self, key: &str, value: &Value) -> Result<Option<ArgumentHole>, String> {
        let text = with_params(value);
        Ok(Some(match (key, text) {
            ("exact", Some(text)) => ArgumentHole::Exact(self.item(text)?),
            ("min", Some(text)) => ArgumentHole::Min(self.bound(text)?),
            ("max", Some(text)) => ArgumentHole::Max(self.bound(text)?),
            ("prefix", Some(text)) => {
                let text = Text::parse(text, self.params, MAX_TEXT)?;
                if !text.is_path_prefix(self.params) {
                    return Err("the parameter in this prefix could be filled with the beginning of another value; give it the type `segment` or `integer`, and put a `/` after it".to_owned());
                }
                ArgumentHole::Prefix(text)
            }
            ("one_of" | "all_of_in", _) => {
                let Some(items) = self.items(value)? else {
                    return Ok(None);
                };
                match key {
                    "one_of" => ArgumentHole::OneOf(items),
                    _ => ArgumentHole::AllOfIn(self.without_decimals(items)?),
                }
            }
            _ => return Ok(None),
        }))
    }

    /// Reads a list; `None` if it contains no parameter.
    fn items(&self, value: &Value) -> Result<Option<Items>, String> {
        match value {
            Value::Array(items) if items.iter().any(|item| with_params(item).is_some()) => {
                let items = items.iter().map(|item| match with_params(item) {
                    Some(text) => self.item(text),
                    None => Ok(Item::Fixed(item.clone())),
                });
                Ok(Some(Items::List(items.collect::<Result<_, _>>()?)))
            }
            value => {
                let Some(text) = with_params(value) else {
                    return Ok(None);
                };
                const HINT: &str = "write a list, or one parameter of the type `strings`";
                let name =
                    Text::whole(text).ok_or_else(|| format!("the text is not a list; {HINT}"))?;
                match kind_of(name, self.params)? {
                    ParamType::Strings => Ok(Some(Items::Param(name.to_owned()))),
                    _ => Err(format!("`${{{name}}}` is not a list; {HINT}")),
                }
            }
        }
    }

    fn without_decimals(&self, items: Items) -> Result<Items, String> {
        let list = match &items {
            Items::List(list) => list.as_slice(),
            Items::Param(_) => &[],
        };
        for item in list {
            if let Item::Param(name) = item
                && kind_of(name, self.params)? == ParamType::Decimal
            {
                return Err(format!(
                    "`${{{name}}}` is a decimal, which cannot be compared inside an array; use strings or integers"
                ));
            }
        }
        Ok(items)
    }

    /// Reads a value: either a single parameter, which keeps its type, or a text that contains parameters.
    fn item(&self, text: &str) -> Result<Item, String> {
        let Some(name) = Text::whole(text) else {
            return Text::parse(text, self.params, MAX_TEXT).map(Item::Text);
        };
        match kind_of(name, self.params)? {
            ParamType::Strings => Err(format!(
                "`${{{name}}}` is a list; write `one_of` or `all_of_in`"
            )),
            ParamType::Date => Err(format!(
                "`${{{name}}}` is a date-time, and one point in time can be written in many ways; write `min` and `max`"
            )),
            _ => Ok(Item::Param(name.to_owned())),
        }
    }

    fn bound(&self, text: &str) -> Result<String, String> {
        const HINT: &str = "write one parameter of the type `decimal`, `integer` or `date`";
        let name = Text::whole(text)
            .ok_or_else(|| format!("the bound is not a single parameter; {HINT}"))?;
        match kind_of(name, self.params)? {
            ParamType::Decimal | ParamType::Integer | ParamType::Date => Ok(name.to_owned()),
            _ => Err(format!("`${{{name}}}` is not a bound; {HINT}")),
        }
    }
}

/// Returns the text of a value if it contains a parameter.
fn with_params(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) if text.contains(OPEN) => Some(text),
        _ => None,
    }
}

/// Refuses parameters in all other places: only the operator decides which actions may be called, and which
/// values an argument must not have.
fn no_params(path: &str, value: &Value) -> Result<(), ProfileFault> {
    const REFUSED: &str = "a parameter cannot be used here; use parameters in `resource`, and in arguments as a value or in `exact`, `one_of`, `all_of_in`, `min`, `max` and `prefix`";
    match value {
        Value::String(text) if text.contains(OPEN) => Err(ProfileFault::at(path, REFUSED)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| no_params(&format!("{path}[{index}]"), item)),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            if name.contains(OPEN) {
                return Err(ProfileFault::at(path, REFUSED));
            }
            no_params(&path, value)
        }),
        _ => Ok(()),
    }
}
