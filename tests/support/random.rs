//! Random grants and calls, from vocabularies that are small enough for frequent matches.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_token::{
    grant::{Bound, Constraint, Grant, Grants, Pattern},
    timestamp::Timestamp,
    value::{Scalar, Value},
};
use proptest::{collection, option, prelude::*, sample::select};

mod native;
mod values;

pub use values::value;
use values::{leaf, list, micros, non_empty, text};

const NAMES: [&str; 9] = [
    "amount",
    "vendor",
    "note",
    "address",
    "address.city",
    "lines",
    "lines.*.price",
    "tags",
    "tags.*",
];

fn bound() -> impl Strategy<Value = Bound> {
    const DATES: [u64; 3] = [1_767_225_600, 1_780_272_000, 1_795_000_000];
    prop_oneof![
        4 => micros().prop_map(Bound::Number),
        1 => select(&DATES[..]).prop_map(|unix| Bound::Date(Timestamp::from_unix(unix).expect("a date"))),
    ]
}

fn scalars() -> impl Strategy<Value = BTreeSet<Scalar>> {
    let scalar = prop_oneof![
        text().prop_map(Scalar::String),
        any::<bool>().prop_map(Scalar::Bool),
        select(&[0, 1, 5][..]).prop_map(Scalar::Integer),
    ];
    collection::btree_set(scalar, 1..4)
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let any = || Just(Constraint::default());
    prop_oneof![
        any(),
        leaf().prop_map(Constraint::exact),
        value().prop_map(Constraint::exact),
        list().prop_map(Constraint::one_of),
        list().prop_map(Constraint::not_one_of),
        (option::of(bound()), option::of(bound())).prop_map(|(min, max)| Constraint {
            min,
            max,
            ..Constraint::default()
        }),
        (
            option::of(non_empty()),
            option::of(non_empty()),
            option::of(non_empty()),
            option::of(0u32..6)
        )
            .prop_map(|(prefix, suffix, contains, max_len)| Constraint {
                prefix,
                suffix,
                contains,
                max_len,
                ..Constraint::default()
            }),
        scalars().prop_map(|set| Constraint {
            all_of_in: Some(set),
            ..Constraint::default()
        }),
        (scalars(), list(), bound(), 0u32..4).prop_map(|(set, list, max, length)| Constraint {
            all_of_in: Some(set),
            not_one_of: Some(list),
            max: Some(max),
            max_len: Some(length),
            ..Constraint::default()
        }),
        (list(), bound()).prop_map(|(list, min)| Constraint {
            one_of: Some(list),
            min: Some(min),
            ..Constraint::default()
        }),
        native::constraint(),
        native::constraint(),
        native::constraint(),
    ]
}

fn action() -> impl Strategy<Value = Pattern> {
    select(&["order:create", "order:read", "order:*", "*", "contact:read"][..])
        .prop_map(Pattern::from)
}

fn grant() -> impl Strategy<Value = Grant> {
    let args = collection::btree_map(
        select(&NAMES[..]).prop_map(str::to_owned),
        constraint(),
        0..4,
    );
    let resource = select(&["eu/1", "eu/*", "us/*", "e*"][..]).prop_map(Pattern::from);
    (
        select(&["erp", "erp", "erp", "crm"][..]),
        action(),
        option::weighted(0.3, resource),
        option::weighted(0.8, args),
        option::weighted(0.15, native::window()),
    )
        .prop_map(|(service, action, resource, args, when)| Grant {
            service: service.to_owned(),
            action,
            resource,
            args,
            when,
        })
}

/// Well-formed grants.
pub fn grants() -> impl Strategy<Value = Grants> {
    collection::vec(grant(), 1..5).prop_filter_map("grants that are well formed", |grants| {
        // Checked one by one, so that a malformed grant does not cost the others.
        let whole: Vec<Grant> = grants
            .into_iter()
            .filter(|grant| Grants::new(vec![grant.clone()]).is_ok())
            .collect();
        Grants::new(whole).ok()
    })
}

fn argument() -> impl Strategy<Value = (String, Value)> {
    const TOP: [&str; 4] = ["amount", "vendor", "note", "tags"];
    let city = leaf().prop_map(|value| Value::Object(BTreeMap::from([("city".to_owned(), value)])));
    let line = || leaf().prop_map(|value| Value::Object([("price".to_owned(), value)].into()));
    let lines = collection::vec(line(), 0..3).prop_map(Value::Array);
    prop_oneof![
        (select(&TOP[..]), leaf()).prop_map(|(name, value)| (name.to_owned(), value)),
        (select(&TOP[..]), value()).prop_map(|(name, value)| (name.to_owned(), value)),
        (Just("address".to_owned()), city),
        (Just("lines".to_owned()), lines),
    ]
}

/// A call in a form that both the oracle and the verifier accept.
#[derive(Debug, Clone)]
pub struct RandomCall {
    pub action: String,
    pub resource: Option<String>,
    pub args: BTreeMap<String, Value>,
}

impl RandomCall {
    pub fn request(&self) -> bailiwick_verifier::Call {
        let request = bailiwick_verifier::Call::new(&self.action);
        let request = match &self.resource {
            Some(resource) => request.resource(resource),
            None => request,
        };
        self.args.iter().fold(request, |request, (name, value)| {
            request.arg(name, value.clone())
        })
    }

    pub fn is_allowed_by(&self, grants: &Grants) -> bool {
        let args = Value::Object(self.args.clone());
        let call = super::oracle::Call {
            service: bailiwick_testkit::SERVICE,
            action: &self.action,
            resource: self.resource.as_deref(),
            args: &args,
            now: bailiwick_testkit::now(),
        };
        grants
            .iter()
            .any(|grant| super::oracle::allows(grant, &call))
    }
}

/// Calls that can be stated.
pub fn call() -> impl Strategy<Value = RandomCall> {
    let action = select(&["order:create", "order:read", "contact:read", "other"][..]);
    let resource = option::weighted(0.5, select(&["eu/1", "eu/2/3", "us/1"][..]));
    (action, resource, collection::vec(argument(), 0..4)).prop_map(|(action, resource, args)| {
        RandomCall {
            action: action.to_owned(),
            resource: resource.map(str::to_owned),
            args: args.into_iter().collect(),
        }
    })
}

/// A call that fits a grant wherever that is easy, so that many calls are allowed.
pub fn call_for(grants: Grants) -> impl Strategy<Value = RandomCall> {
    let count = grants.len();
    (0..count, call(), any::<prop::sample::Index>()).prop_map(move |(index, random, pick)| {
        let grant = grants.iter().nth(index).expect("an index in range");
        let action = match &grant.action {
            Pattern::Exact(action) => action.clone(),
            Pattern::Prefix(prefix) => format!("{prefix}read"),
        };
        let resource = grant.resource.as_ref().map(|resource| match resource {
            Pattern::Exact(resource) => resource.clone(),
            Pattern::Prefix(_) => "eu/1".to_owned(),
        });
        let mut args = BTreeMap::new();
        for (path, constraint) in grant.args.iter().flatten() {
            let value = fitting(constraint, pick);
            match path.as_str() {
                "address.city" => args.insert(
                    "address".to_owned(),
                    Value::Object([("city".to_owned(), value)].into()),
                ),
                "lines.*.price" => {
                    let line = Value::Object([("price".to_owned(), value)].into());
                    let lines = vec![line; pick.index(2) + 1];
                    args.insert("lines".to_owned(), Value::Array(lines))
                }
                "tags.*" => args.insert("tags".to_owned(), Value::Array(vec![value])),
                name => args.insert(name.to_owned(), value),
            };
        }
        match pick.index(6) {
            0 => random,
            // One deviation: another argument, or an argument with another value.
            1 => {
                args.extend(random.args);
                RandomCall {
                    action,
                    resource,
                    args,
                }
            }
            _ => RandomCall {
                action,
                resource,
                args,
            },
        }
    })
}

/// Two lists of grants, and calls that fit one of them except for some values. The second list is made from
/// parts of the first, so it is often the wider one.
pub fn neighbours() -> impl Strategy<Value = (Grants, Grants, Vec<RandomCall>)> {
    let others = collection::vec(constraint_of_all(), 4);
    let pair = (grant(), grant(), others, any::<u64>()).prop_filter_map(
        "grants that are well formed",
        |(grant, other, constraints, bits)| {
            let neighbour = mixed_grant(&grant, &other, &constraints, bits);
            Some((
                Grants::new(vec![grant]).ok()?,
                Grants::new(vec![neighbour]).ok()?,
            ))
        },
    );
    pair.prop_flat_map(|(grant, neighbour)| {
        let fitting = prop_oneof![call_for(grant.clone()), call_for(neighbour.clone())];
        let call = (fitting, collection::vec(option::of(leaf()), 3)).prop_map(|(call, values)| {
            let args = call.args.into_iter().zip(values.into_iter().chain([None]));
            let args = args.map(|((name, value), other)| (name, other.unwrap_or(value)));
            RandomCall {
                args: args.collect(),
                ..call
            }
        });
        (Just(grant), Just(neighbour), collection::vec(call, 8))
    })
}

/// A constraint with every condition. Hardly any value meets it.
fn constraint_of_all() -> impl Strategy<Value = Constraint> {
    let texts = (non_empty(), non_empty(), non_empty());
    let sets = (list(), list(), scalars());
    (leaf(), sets, (bound(), bound()), texts, 0u32..6).prop_map(
        |(
            exact,
            (one_of, not_one_of, all_of_in),
            (min, max),
            (prefix, suffix, contains),
            length,
        )| {
            Constraint {
                exact: Some(exact),
                one_of: Some(one_of),
                not_one_of: Some(not_one_of),
                min: Some(min),
                max: Some(max),
                prefix: Some(prefix),
                suffix: Some(suffix),
                contains: Some(contains),
                all_of_in: Some(all_of_in),
                max_len: Some(length),
                meets: None,
            }
        },
    )
}

fn mixed_grant(grant: &Grant, other: &Grant, constraints: &[Constraint], bits: u64) -> Grant {
    let takes_other = |bit: u32| bits.rotate_left(bit).is_multiple_of(8);
    let args = grant.args.iter().flatten().enumerate();
    let args = args.map(|(index, (name, constraint))| {
        let other = constraints.get(index).unwrap_or(constraint);
        let bits = bits.rotate_right(20 * u32::try_from(index).expect("few arguments"));
        (name.clone(), mixed_constraint(constraint, other, bits))
    });
    Grant {
        service: grant.service.clone(),
        action: match takes_other(1) {
            true => other.action.clone(),
            false => grant.action.clone(),
        },
        resource: match takes_other(2) {
            true => other.resource.clone(),
            false => grant.resource.clone(),
        },
        when: match takes_other(4) {
            true => other.when.clone(),
            false => grant.when.clone(),
        },
        args: match takes_other(3) {
            true => other.args.clone(),
            false => grant.args.as_ref().map(|_| args.collect()),
        },
    }
}

/// For each condition, depending on two bits of `bits`: keeps that of `a`, replaces it with that of `b`, or
/// drops it.
fn mixed_constraint(a: &Constraint, b: &Constraint, bits: u64) -> Constraint {
    fn pick<T: Clone>(a: &Option<T>, b: &Option<T>, bits: u64) -> Option<T> {
        match bits % 4 {
            0 | 1 => a.clone(),
            2 if a.is_some() => b.clone(),
            _ => None,
        }
    }
    Constraint {
        exact: pick(&a.exact, &b.exact, bits),
        one_of: pick(&a.one_of, &b.one_of, bits >> 2),
        not_one_of: pick(&a.not_one_of, &b.not_one_of, bits >> 4),
        min: pick(&a.min, &b.min, bits >> 6),
        max: pick(&a.max, &b.max, bits >> 8),
        prefix: pick(&a.prefix, &b.prefix, bits >> 10),
        suffix: pick(&a.suffix, &b.suffix, bits >> 12),
        contains: pick(&a.contains, &b.contains, bits >> 14),
        all_of_in: pick(&a.all_of_in, &b.all_of_in, bits >> 16),
        max_len: pick(&a.max_len, &b.max_len, bits >> 18),
        meets: pick(&a.meets, &b.meets, bits >> 16),
    }
}

fn fitting(constraint: &Constraint, pick: prop::sample::Index) -> Value {
    let meets = constraint.meets.as_ref();
    if let Some(condition) = meets.and_then(|meets| meets.conditions.first()) {
        return native::fitting(condition, pick);
    }
    if let Some(value) = &constraint.exact {
        return value.clone();
    }
    if let Some(list) = &constraint.one_of {
        let values = list.values();
        return values[pick.index(values.len())].clone();
    }
    if let Some(set) = &constraint.all_of_in {
        return Value::Array(
            set.iter()
                .take(pick.index(3))
                .cloned()
                .map(Value::from)
                .collect(),
        );
    }
    match constraint.min.or(constraint.max) {
        Some(Bound::Number(micros)) => Value::Number(micros.into()),
        Some(Bound::Date(date)) => Value::String(date.to_string()),
        None => {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            Value::String(
                part(&constraint.prefix) + &part(&constraint.contains) + &part(&constraint.suffix),
            )
        }
    }
}
