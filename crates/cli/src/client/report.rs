//! Output of clients as text.

use bailiwick_api::{ClientKeyInfo, RegisteredClient};
use bailiwick_token::escape::name;

/// Describes a client on one line of a list.
pub(super) fn line(client: &RegisteredClient) -> String {
    let state = match client.disabled_at {
        None => format!("{} secrets", client.secrets.len()),
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
    let count = |number: usize, one: &str| match number {
        1 => format!("1 good {one}"),
        _ => format!("{number} good {one}s"),
    };
    let secrets = count(client.secrets.len(), "secret");
    match client.keys.len() {
        0 => secrets,
        keys => format!("{secrets} and {}", count(keys, "key")),
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
