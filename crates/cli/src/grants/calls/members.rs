//! The members of a recorded call.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Names that other formats use instead of `args`. If such a member were ignored, the call would be decided as one
/// without arguments.
pub(super) const MISNAMED: [&str; 4] = ["arguments", "params", "parameters", "input"];

/// The members of a line. A member that is `null` counts as present, and is refused.
#[derive(Default)]
pub(super) struct CallMembers<'a> {
    pub(super) service: Option<&'a RawValue>,
    pub(super) action: Option<&'a RawValue>,
    pub(super) resource: Option<&'a RawValue>,
    pub(super) args: Option<&'a RawValue>,
    pub(super) expect: Option<&'a RawValue>,
    /// Names of members that no call has.
    pub(super) others: Vec<String>,
}

impl CallMembers<'_> {
    /// Returns the name of the member that takes the place of `args`.
    pub(super) fn misnamed(&self) -> Option<&str> {
        let mut others = self.others.iter().map(String::as_str);
        others.find(|name| self.args.is_none() && MISNAMED.contains(name))
    }
}

impl<'de> Deserialize<'de> for CallMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = CallMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = CallMembers::default();
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    let member = match name.as_ref() {
                        "service" => &mut members.service,
                        "action" => &mut members.action,
                        "resource" => &mut members.resource,
                        "args" => &mut members.args,
                        "expect" => &mut members.expect,
                        _ => {
                            members.others.push(name.into_owned());
                            continue;
                        }
                    };
                    // JSON parsers differ in which of two members with the same name they keep.
                    if member.replace(value).is_some() {
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Read)
    }
}
