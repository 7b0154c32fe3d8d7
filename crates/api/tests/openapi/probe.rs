//! A probe that asks serde for the names that a type reads, without needing a value of the type.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
    forward_to_deserialize_any,
};

/// A deserializer that records the names that it is asked for, and yields no value.
struct Probe<'a>(&'a mut Option<&'static [&'static str]>);

/// The error that ends a probe, because it has no value.
#[derive(Debug)]
struct NoValue;

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}

impl std::error::Error for NoValue {}

impl Error for NoValue {
    fn custom<T: fmt::Display>(_: T) -> NoValue {
        NoValue
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = Some(fields);
        Err(NoValue)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = Some(variants);
        Err(NoValue)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn names<'de, T: Deserialize<'de>>() -> Option<&'static [&'static str]> {
    let mut names = None;
    let _ = T::deserialize(Probe(&mut names));
    names
}

/// The members that a struct reads; `None` for a struct with flattened members, whose names depend on the
/// input.
pub(crate) fn fields<'de, T: Deserialize<'de>>() -> Option<BTreeSet<String>> {
    names::<T>().map(|names| names.iter().map(ToString::to_string).collect())
}

/// The values of an enum, in order.
pub(crate) fn variants<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    names::<T>().unwrap().to_vec()
}
