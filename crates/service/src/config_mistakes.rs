//! The check that finds all mistakes in `service.toml`, where the service itself stops at the first.

use toml::{Table, Value};

use crate::config::{Config, ConfigError};

impl Config {
    /// Like [`Config::parse`], but continues after a mistake: returns the readable parts, and an error for each
    /// mistake. Whatever depends on an unreadable part is not checked.
    #[must_use]
    pub fn parse_all(text: &str) -> (Config, Vec<ConfigError>) {
        let malformed = match Config::read(text) {
            Ok(config) => {
                let faults = config.faults();
                return (config, faults);
            }
            Err(error) => error,
        };
        let Ok(table) = text.parse::<Table>() else {
            return (Config::default(), vec![malformed]);
        };
        let (table, mut faults) = readable(table);
        let config: Config = Value::Table(table).try_into().unwrap_or_default();
        // The parser reports a single mistake best, because it shows the line.
        if faults.len() < 2 {
            faults = vec![malformed];
        }
        faults.extend(config.faults());
        (config, faults)
    }
}

/// Splits a file into its readable parts, and errors for the others. A part is a member, a limit or a provider.
fn readable(table: Table) -> (Table, Vec<ConfigError>) {
    let mut kept = Table::new();
    let mut faults = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(limits) if name == "limits" => {
                let mut good = Table::new();
                for (limit, value) in limits {
                    let alone = Value::Table(Table::from_iter([(limit.clone(), value.clone())]));
                    let path = format!("limits.{limit}");
                    if reads(&mut faults, &path, "limits", alone) {
                        good.insert(limit, value);
                    }
                }
                kept.insert(name, Value::Table(good));
            }
            Value::Array(providers) if name == "provider" => {
                let mut good = Vec::new();
                for (index, provider) in providers.into_iter().enumerate() {
                    let path = format!("provider[{index}]");
                    let alone = Value::Array(vec![provider.clone()]);
                    if reads(&mut faults, &path, "provider", alone) {
                        good.push(provider);
                    }
                }
                kept.insert(name, Value::Array(good));
            }
            value => {
                if reads(&mut faults, &name, &name, value.clone()) {
                    kept.insert(name, value);
                }
            }
        }
    }
    (kept, faults)
}

/// Returns true if a file with only this member can be read. Otherwise adds an error, which names `path`.
fn reads(faults: &mut Vec<ConfigError>, path: &str, name: &str, value: Value) -> bool {
    let alone = Value::Table(Table::from_iter([(name.to_owned(), value)]));
    let read: Result<Config, toml::de::Error> = alone.try_into();
    match read {
        Ok(_) => true,
        Err(error) => {
            let message = format!("`{}`: {}", path.escape_debug(), error.message());
            faults.push(ConfigError::Malformed(message));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = "[[provider]]\nname = \"corp\"\nissuer = \"https://idp.example\"\naudience = \"bailiwick\"\n";

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let text = format!(
            "listen = \"0.0.0.0:8420\"\nlisten_too = 1\n[limits]\nrequests = 0\nrequets = 1\n{}{PROVIDER}colour = 1\n",
            PROVIDER.replace("https", "http"),
        );
        let (config, faults) = Config::parse_all(&text);
        assert_eq!(config.providers.len(), 1);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 6, "{told:#?}");
        for says in [
            "`listen_too`: unknown field",
            "`limits.requets`: unknown field",
            "`provider[1]`: unknown field `colour`",
            "unencrypted to 0.0.0.0:8420",
            "`limits.requests` is 0",
            "neither HTTPS nor HTTP to this machine",
        ] {
            assert!(
                told.iter().any(|told| told.contains(says)),
                "{says}: {told:#?}"
            );
        }
    }

    #[test]
    fn one_mistake_is_reported_with_its_line() {
        let (config, faults) = Config::parse_all("plain_http = true\nlisten = 1\n");
        assert!(config.plain_http);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told.iter().all(|told| told.contains("line 2")), "{told:?}");
        let (_, faults) = Config::parse_all("listen = ");
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}
