//! The reader of grants with parameters. It takes the parameters out and remembers their places.

use std::collections::BTreeMap;

use bailiwick_token::{
    claims::MAX_TEXT,
    value::{Micros, Value},
};

use super::hole::{ArgumentHole, DomainList, Hole, HolePlace, Item, Items, Resource};
use crate::profile::{
    error::ProfileFault,
    param::{Param, ParamType},
    text::{OPEN, Text, kind_of},
};

/// Takes the place of parameters in grants that are checked before there is a caller.
const SAMPLE: &str = "sample";
const SAMPLE_DOMAIN: &str = "sample.invalid";
const FIRST: &str = "1970-01-01T00:00:00Z";
const LAST: &str = "9999-12-30T00:00:00Z";

const REFUSED: &str = "a parameter cannot be used here; use parameters in `resource`, and in arguments as a value or in `exact`, `one_of`, `all_of_in`, bounds, `prefix`, lists of domains and hosts, and `path.under`";

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
            *constraint = self.nothing(grant, path, name);
            return Ok(());
        }
        let Value::Object(conditions) = constraint else {
            return Ok(());
        };
        let any_case = conditions.contains_key("ignore_case");
        let mut found = Vec::new();
        for (key, value) in &mut *conditions {
            let path = format!("{path}.{key}");
            let at = |why| ProfileFault::at(&path, why);
            if let Some(kept) = self.kept(key, any_case, value).map_err(at)? {
                for condition in kept {
                    self.hole(grant, path.clone(), place(condition));
                }
            } else if let Some(condition) = self.condition(key, value).map_err(at)? {
                self.hole(grant, path, place(condition));
                found.push(key.clone());
            }
        }
        conditions.retain(|key, _| !found.contains(key));
        // If no other condition is left, `optional` would be lost with those that parameters fill.
        if !found.is_empty() && conditions.get("optional") == Some(&Value::from(true)) {
            conditions.remove("optional");
            self.hole(grant, path.to_owned(), place(ArgumentHole::Optional));
        }
        if conditions.is_empty() && !found.is_empty() {
            *constraint = self.nothing(grant, path, name);
        }
        Ok(())
    }

    /// Returns a constraint to put in place of an argument's conditions when parameters fill all of them.
    fn nothing(&mut self, grant: usize, path: &str, name: &str) -> Value {
        if !name.ends_with(".*") {
            return Value::from("*");
        }
        // For elements of an array, `*` would be refused as a mistake.
        let place = HolePlace::Argument(name.to_owned(), ArgumentHole::Present);
        self.hole(grant, path.to_owned(), place);
        Value::Object(BTreeMap::from([("present".to_owned(), Value::from("any"))]))
    }

    /// Reads a condition that stays in the fixed grants, with a sample in place of each parameter; `None` for any
    /// other condition, and for one without a parameter.
    fn kept(
        &self,
        key: &str,
        any_case: bool,
        value: &mut Value,
    ) -> Result<Option<Vec<ArgumentHole>>, String> {
        let mut holes = Vec::new();
        match (key, &mut *value) {
            ("one_of", list) if any_case => {
                if let Some(items) = self.items(list)? {
                    *list = Value::from(vec![SAMPLE]);
                    holes.push(ArgumentHole::OneOfAnyCase(items));
                }
            }
            ("after" | "before", text) => {
                if let Some(name) = with_params(text) {
                    let name = self.time(name)?;
                    *text = Value::from(if key == "after" { FIRST } else { LAST });
                    holes.push(match key {
                        "after" => ArgumentHole::After(name),
                        _ => ArgumentHole::Before(name),
                    });
                }
            }
            ("sum", Value::Object(table)) => {
                for (key, bound) in table {
                    if let Some(text) = with_params(bound) {
                        let name = self.number(text)?;
                        // The smallest and the largest sum.
                        let sample = Micros(if key == "min" { i64::MIN } else { i64::MAX });
                        *bound = Value::from(sample.to_string());
                        holes.push(match key.as_str() {
                            "min" => ArgumentHole::SumMin(name),
                            "max" => ArgumentHole::SumMax(name),
                            _ => return Err(REFUSED.to_owned()),
                        });
                    }
                }
            }
            ("email" | "url" | "links", Value::Object(table)) => {
                let kind = match key {
                    "email" => "email",
                    "url" => "url",
                    _ => "links",
                };
                for (key, value) in table {
                    let list = match key.as_str() {
                        "domain_in" | "host_in" => DomainList::Exactly,
                        "domain_under" | "host_under" => DomainList::Under,
                        _ => continue,
                    };
                    if let Some(items) = self.domains(value)? {
                        holes.push(ArgumentHole::Domains { kind, list, items });
                    }
                }
            }
            ("path", Value::Object(table)) => {
                if let Some(text) = table.get("under").and_then(with_params) {
                    let segments = self.segments(text)?;
                    let sample = segments.iter().map(|segment| match segment {
                        Item::Fixed(Value::String(text)) => text.as_str(),
                        _ => SAMPLE,
                    });
                    let sample = sample.collect::<Vec<_>>().join("/");
                    table.insert("under".to_owned(), Value::from(sample));
                    holes.push(ArgumentHole::Under(segments));
                }
            }
            _ => {}
        }
        Ok((!holes.is_empty()).then_some(holes))
    }

    /// Reads a list of domains, and leaves a sample in place of each parameter; `None` if it contains none.
    fn domains(&self, value: &mut Value) -> Result<Option<Items>, String> {
        let Some(items) = self.items(value)? else {
            return Ok(None);
        };
        let mut sample = Vec::new();
        let listed = match &items {
            Items::List(listed) => listed.as_slice(),
            Items::Param(_) => &[],
        };
        for item in listed {
            match item {
                Item::Fixed(value) => sample.push(value.clone()),
                Item::Param(name) => match kind_of(name, self.params)? {
                    ParamType::String | ParamType::Segment => {}
                    _ => {
                        return Err(format!(
                            "`${{{name}}}` is not the name of a domain; give it the type `string`"
                        ));
                    }
                },
                Item::Text(_) => {
                    return Err(
                        "the parameter is a part of a domain, so that a claim could name another; write it as the whole domain".to_owned(),
                    );
                }
            }
        }
        sample.push(Value::from(SAMPLE_DOMAIN));
        *value = Value::Array(sample);
        Ok(Some(items))
    }

    /// Reads the segments of a path, of which some are parameters as a whole.
    fn segments(&self, text: &str) -> Result<Vec<Item>, String> {
        let segments = text.split('/').map(|segment| {
            if !segment.contains(OPEN) {
                return Ok(Item::Fixed(Value::from(segment)));
            }
            let name = Text::whole(segment).ok_or(
                "the parameter is not a whole segment of the path; write segments such as `/home/${user}`",
            )?;
            match kind_of(name, self.params)? {
                ParamType::Segment | ParamType::Integer => Ok(Item::Param(name.to_owned())),
                _ => Err(format!(
                    "`${{{name}}}` is not a segment; give it the type `segment` or `integer`"
                )),
            }
        });
        segments.collect()
    }

    fn time(&self, text: &str) -> Result<String, String> {
        let name = self.bound(text)?;
        match kind_of(&name, self.params)? {
            ParamType::Date => Ok(name),
            _ => Err(format!(
                "`${{{name}}}` is not a date-time; give it the type `date`"
            )),
        }
    }

    fn number(&self, text: &str) -> Result<String, String> {
        let name = self.bound(text)?;
        match kind_of(&name, self.params)? {
            ParamType::Date => Err(format!(
                "`${{{name}}}` is not a number; give it the type `decimal` or `integer`"
            )),
            _ => Ok(name),
        }
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
