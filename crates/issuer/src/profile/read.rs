//! The reader of profiles in TOML.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_token::{
    claims::{MAX_CLAIMS, MAX_NAME, MAX_TEXT},
    duration,
    value::{Value, toml::Document},
};

use super::{
    bounds::{Rate, Ttl},
    caller::ClaimSource,
    definition::{Profile, TokenTemplate},
    error::ProfileFault,
    param::{Param, Who},
    party_match::PartyMatch,
    table::TomlTable,
    template::Template,
    text::{Text, is_name},
};

/// Maximum length of a file, in bytes.
pub const MAX_FILE: usize = 1 << 20;

/// Maximum number of faults to report for a file. Nobody reads more, and finding the line of each fault takes a
/// search.
const MAX_FAULTS: usize = 100;

/// Maximum number of parameters of a profile.
const MAX_PARAMS: usize = 64;

/// Maximum `max_depth` of a profile. By default, verifiers accept 16 blocks, including the authority block.
const MAX_DEPTH: u32 = 15;

/// The limits that the issuer sets for profiles. An absent limit is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileLimits {
    /// Maximum lifetime of a token, in seconds.
    pub max_token_ttl: Option<u64>,
    /// The names of the configured identity providers.
    pub providers: Option<BTreeSet<String>>,
}

/// Reads one file and passes each profile to `add`, which may refuse it. Returns the faults of the profiles
/// that cannot be used, at most [`MAX_FAULTS`].
pub(super) fn file(
    text: &str,
    limits: &ProfileLimits,
    mut add: impl FnMut(Profile) -> Result<(), String>,
) -> Vec<ProfileFault> {
    if text.len() > MAX_FILE {
        return vec![ProfileFault::at(
            "profile",
            format!("the text is longer than {MAX_FILE} bytes"),
        )];
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![ProfileFault::from(error)],
    };
    let mut read = |(index, item): (usize, &Value)| {
        let table = TomlTable::new(&format!("profile[{index}]"), item)?;
        let profile = profile(&table, limits)?;
        add(profile).map_err(|why| ProfileFault::at(table.path_of("name"), why))
    };
    let faults: Vec<ProfileFault> = match items(document.value()) {
        Err(fault) => vec![fault],
        Ok(items) => {
            let items = items.iter().enumerate();
            let faults = items.filter_map(|item| read(item).err());
            faults.take(MAX_FAULTS).collect()
        }
    };
    let placed = |fault: ProfileFault| ProfileFault {
        line: document.line(&fault.path),
        ..fault
    };
    faults.into_iter().map(placed).collect()
}

fn items(document: &Value) -> Result<&[Value], ProfileFault> {
    let file = TomlTable::new("", document)?;
    file.only(&["profile"])?;
    match file.get("profile") {
        Some(Value::Array(items)) if !items.is_empty() => Ok(items),
        _ => Err(ProfileFault::at(
            "profile",
            "the file has no profile; write `[[profile]]`",
        )),
    }
}

fn profile(table: &TomlTable<'_>, limits: &ProfileLimits) -> Result<Profile, ProfileFault> {
    table.only(&["name", "description", "match", "params", "token", "grant"])?;
    let name = table.needed_name("name")?.to_owned();
    let description = table.text("description")?;
    if let Some(text) = description {
        plain(&table.path_of("description"), text)?;
    }
    let (agent, principal) = parties(&table.needed_table("match")?, limits)?;
    let params = match table.table("params")? {
        Some(table) => params(&table, principal.is_some())?,
        None => BTreeMap::new(),
    };
    let token = token(&table.needed_table("token")?, &params, limits)?;
    let none = Value::Array(Vec::new());
    let grants = Template::read(&table.path, table.get("grant").unwrap_or(&none), &params)?;
    let texts = [&token.agent, &token.principal].into_iter();
    let texts = texts.chain(&token.tenant).chain(token.claims.values());
    let mut used: BTreeSet<&str> = texts.flat_map(Text::params).collect();
    used.extend(grants.params());
    if let Some(unused) = params.keys().find(|name| !used.contains(name.as_str())) {
        return Err(ProfileFault::at(
            format!("{}.{unused}", table.path_of("params")),
            format!(
                "the parameter is not used; write `${{{unused}}}` where it belongs, or remove the parameter"
            ),
        ));
    }
    Ok(Profile {
        name,
        description: description.map(str::to_owned),
        agent,
        principal,
        params,
        token,
        grants,
    })
}

fn parties(
    table: &TomlTable<'_>,
    limits: &ProfileLimits,
) -> Result<(PartyMatch, Option<PartyMatch>), ProfileFault> {
    table.only(&["agent", "principal"])?;
    let party = |who, table: &TomlTable<'_>| {
        let party = PartyMatch::read(table, who)?;
        if let (ClaimSource::Provider(name), Some(known)) = (party.source(), &limits.providers)
            && !known.contains(name)
        {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let known = match names.as_slice() {
                [] => "add it to `service.toml`".to_owned(),
                names => format!("name one of {}", names.join(", ")),
            };
            return Err(ProfileFault::at(
                table.path_of("source"),
                format!("`{name}` is not a configured identity provider; {known}"),
            ));
        }
        Ok(party)
    };
    let agent = party(Who::Agent, &table.needed_table("agent")?)?;
    let principal = table.table("principal")?;
    let principal = principal.map(|table| party(Who::Principal, &table));
    Ok((agent, principal.transpose()?))
}

fn params(
    table: &TomlTable<'_>,
    has_principal: bool,
) -> Result<BTreeMap<String, Param>, ProfileFault> {
    let mut params = BTreeMap::new();
    for (name, value) in table.members() {
        let path = table.path_of(name);
        if !is_name(name) {
            return Err(ProfileFault::at(
                path,
                "the name of the parameter is not valid; write 1 to 64 lower-case letters, digits and `_`, beginning with a letter",
            ));
        }
        let param = Param::read(&TomlTable::new(&path, value)?)?;
        if param.claim.who() == Who::Principal && !has_principal {
            return Err(ProfileFault::at(
                format!("{path}.claim"),
                "the profile does not match a principal; add `[profile.match.principal]`",
            ));
        }
        params.insert(name.to_owned(), param);
    }
    if params.len() > MAX_PARAMS {
        return Err(ProfileFault::at(
            &table.path,
            format!("there are more than {MAX_PARAMS} parameters; remove some"),
        ));
    }
    Ok(params)
}

fn token(
    table: &TomlTable<'_>,
    params: &BTreeMap<String, Param>,
    limits: &ProfileLimits,
) -> Result<TokenTemplate, ProfileFault> {
    if table.get("holder").is_some() {
        return Err(ProfileFault::at(
            table.path_of("holder"),
            "this version cannot bind tokens to the key of a holder; remove `holder`",
        ));
    }
    table.only(&[
        "agent",
        "principal",
        "tenant",
        "claims",
        "ttl",
        "max_depth",
        "rate",
    ])?;
    let text = |table: &TomlTable<'_>, key: &str, max: usize| {
        let text = table.needed_text(key)?;
        Text::parse(text, params, max).map_err(|why| ProfileFault::at(table.path_of(key), why))
    };
    let name = |key: &str| text(table, key, MAX_NAME);
    let mut claims = BTreeMap::new();
    if let Some(table) = table.table("claims")? {
        for (name, _) in table.members() {
            plain(&table.path_of(name), name)?;
            if name.contains("${") {
                return Err(ProfileFault::at(
                    table.path_of(name),
                    "a parameter cannot be used in the name of a claim; write the name",
                ));
            }
            claims.insert(name.to_owned(), text(&table, name, MAX_TEXT)?);
        }
        if claims.len() > MAX_CLAIMS {
            return Err(ProfileFault::at(
                &table.path,
                format!("there are more than {MAX_CLAIMS} further claims; remove some"),
            ));
        }
    }
    let tenant = table.get("tenant").map(|_| name("tenant"));
    Ok(TokenTemplate {
        agent: name("agent")?,
        principal: name("principal")?,
        tenant: tenant.transpose()?,
        claims,
        ttl: ttl(&table.needed_table("ttl")?, limits)?,
        max_depth: table.whole("max_depth", 0..=MAX_DEPTH)?,
        rate: match table.table("rate")? {
            Some(table) => Some(rate(&table)?),
            None => None,
        },
    })
}

fn ttl(table: &TomlTable<'_>, limits: &ProfileLimits) -> Result<Ttl, ProfileFault> {
    table.only(&["min", "default", "max"])?;
    let seconds = |key: &str| {
        let text = table.needed_text(key)?;
        duration::parse(text).map_err(|why| ProfileFault::at(table.path_of(key), why.to_string()))
    };
    let ttl = Ttl {
        min: match table.get("min") {
            Some(_) => seconds("min")?,
            None => 1,
        },
        default: seconds("default")?,
        max: seconds("max")?,
    };
    if !(ttl.min..=ttl.max).contains(&ttl.default) {
        return Err(ProfileFault::at(
            table.path_of("default"),
            "`default` is not between `min` and `max`; choose a value in that range",
        ));
    }
    match limits.max_token_ttl {
        Some(most) if ttl.max > most => Err(ProfileFault::at(
            table.path_of("max"),
            format!(
                "the tokens of this issuer live at most {}; choose a value in that range",
                duration::show(most)
            ),
        )),
        _ => Ok(ttl),
    }
}

fn rate(table: &TomlTable<'_>) -> Result<Rate, ProfileFault> {
    table.only(&["per_minute", "burst"])?;
    let whole = |key: &str| {
        let number = table.whole(key, 1..=1_000_000)?;
        number.ok_or_else(|| ProfileFault::at(table.path_of(key), "is missing"))
    };
    Ok(Rate {
        per_minute: whole("per_minute")?,
        burst: whole("burst")?,
    })
}

fn plain(path: &str, text: &str) -> Result<(), ProfileFault> {
    if text.is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control) {
        return Err(ProfileFault::at(
            path,
            format!("not a valid text; write 1 to {MAX_TEXT} bytes without control characters"),
        ));
    }
    Ok(())
}
