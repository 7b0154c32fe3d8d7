//! Profiles for the clients of a service.

/// The profiles for most tests: one each for a client, for other clients, for a client with a rate limit, for a
/// client and a person, for a workload, and for a workload and a person.
pub const PROFILES: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "team:procurement"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:*"
[[profile.grant]]
service = "crm"
action = "contact:read"

[[profile]]
name = "treasurer"
[profile.match.agent]
source = "client"
claims.department = "treasury"
[profile.token]
agent = "agent:treasurer"
principal = "team:treasury"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "bank"
action = "payment:create"

[[profile]]
name = "seldom"
[profile.match.agent]
source = "client"
[profile.token]
agent = "agent:seldom"
principal = "team:procurement"
ttl = { min = "1m", default = "10m", max = "1h" }
rate = { per_minute = 1, burst = 2 }
[[profile.grant]]
service = "erp"
action = "report:read"
"#;

/// The profiles that need the provider `corp`.
pub const OF_PROVIDER: &str = r#"
[[profile]]
name = "assistant"
[profile.match.agent]
source = "client"
[profile.match.principal]
source = "corp"
claims.groups = "buyers"
[profile.params]
sub = { claim = "principal.sub", type = "string" }
[profile.token]
agent = "agent:assistant"
principal = "user:${sub}"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"

[[profile]]
name = "workload"
[profile.match.agent]
source = "corp"
[profile.params]
sub = { claim = "agent.sub", type = "string" }
[profile.token]
agent = "agent:${sub}"
principal = "team:platform"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:read"

[[profile]]
name = "deputy"
[profile.match.agent]
source = "corp"
[profile.match.principal]
source = "corp"
[profile.params]
agent = { claim = "agent.sub", type = "string" }
sub = { claim = "principal.sub", type = "string" }
[profile.token]
agent = "agent:${agent}"
principal = "user:${sub}"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;

/// A single profile for all clients, whose tokens are valid for at most `ttl` seconds.
pub fn brief(ttl: u64) -> String {
    format!(
        r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = {{ claim = "agent.client", type = "string" }}
[profile.token]
agent = "agent:${{client}}"
principal = "team:procurement"
ttl = {{ min = "1s", default = "{ttl}s", max = "{ttl}s" }}
[[profile.grant]]
service = "erp"
action = "order:read"
"#
    )
}
