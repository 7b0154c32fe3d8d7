//! Output of clients as text.

use bailiwick_api::{ClientKeyInfo, RegisteredClient};
use bailiwick_token::{escape::name, text::counted};

/// Describes a client on one line of a list.
pub(super) fn line(client: &RegisteredClient) -> String {
    let state = match client.disabled_at {
        None => counted(client.secrets.len(), "secret").to_string(),
        Some(at) => format!("disabled at {at}"),
    };
    let profiles: Vec<String> = (client.profiles.iter())
        .map(|profile| name(profile).to_string())
        .collect();
    let keys: Vec<String> = client.keys.iter().map(key).collect();
    let keys = match keys.is_empty() {
        true => String::new(),
        false => format!(" keys={}", keys.join(",")),
    };
    format!(
        "{} principal={} profiles={} {state}{keys}\n",
        name(&client.name),
        name(&client.principal),
        profiles.join(",")
    )
}

/// Counts the valid credentials of a client.
pub(super) fn credentials(client: &RegisteredClient) -> String {
    let secrets = counted(client.secrets.len(), "good secret");
    match client.keys.len() {
        0 => secrets.to_string(),
        keys => format!("{secrets} and {}", counted(keys, "good key")),
    }
}

/// Says when a client's old secrets expire. Its newest secret never expires.
pub(super) fn former_secrets(client: &RegisteredClient) -> String {
    let ends = client.secrets.iter().filter_map(|secret| secret.expires);
    match (ends.clone().count(), ends.max()) {
        (1, Some(end)) => format!("the old secret is valid until {end}"),
        (_, Some(end)) => format!("the last of the old secrets is valid until {end}"),
        (_, None) => "no old secret is valid any more".to_owned(),
    }
}

/// The id of a key, and the `kid` by which assertions refer to it.
fn key(key: &ClientKeyInfo) -> String {
    let kid = key.jwk.get("kid").and_then(serde_json::Value::as_str);
    match kid {
        None => name(&key.id).to_string(),
        Some(kid) => format!("{}({})", name(&key.id), name(kid)),
    }
}
