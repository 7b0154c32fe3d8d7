//! Output of clients as text.

use bailiwick_api::{ClientKeyInfo, RegisteredClient};
use bailiwick_token::{escape::name, text::counted};

/// Describes a client in a sentence of one line.
pub(super) fn line(client: &RegisteredClient) -> String {
    let profiles: Vec<String> = (client.profiles.iter())
        .map(|profile| name(profile).to_string())
        .collect();
    let noun = if profiles.len() == 1 {
        "profile"
    } else {
        "profiles"
    };
    let keys: Vec<String> = client.keys.iter().map(key).collect();
    let keys = match keys.is_empty() {
        true => String::new(),
        false => format!(": {}", keys.join(", ")),
    };
    let state = match client.disabled_at {
        None => format!("with {}{keys}", credentials(client)),
        Some(at) => format!("disabled at {at}"),
    };
    format!(
        "client {} for {}, {noun} {}, {state}\n",
        name(&client.name),
        name(&client.principal),
        profiles.join(", ")
    )
}

/// Counts the valid credentials of a client.
pub(super) fn credentials(client: &RegisteredClient) -> String {
    let secrets = counted(client.secrets.len(), "good secret");
    let keys = counted(client.keys.len(), "good key");
    match (client.secrets.len(), client.keys.len()) {
        (_, 0) => secrets.to_string(),
        (0, _) => keys.to_string(),
        _ => format!("{secrets} and {keys}"),
    }
}

/// Says when a client's old secrets expire. Its newest secret never expires.
pub(super) fn former_secrets(client: &RegisteredClient) -> String {
    let ends = client.secrets.iter().filter_map(|secret| secret.expires);
    match (ends.clone().count(), ends.max()) {
        (1, Some(end)) => format!("the old secret is valid until {end}"),
        (_, Some(end)) => format!("the last old secret to expire is valid until {end}"),
        (_, None) => "no old secret is valid any more".to_owned(),
    }
}

/// The id of a key, and the `kid` by which assertions refer to it.
fn key(key: &ClientKeyInfo) -> String {
    let kid = key.jwk.get("kid").and_then(serde_json::Value::as_str);
    match kid {
        None => name(&key.id).to_string(),
        Some(kid) => format!("{} ({})", name(&key.id), name(kid)),
    }
}
