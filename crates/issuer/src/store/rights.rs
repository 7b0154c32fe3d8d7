//! The rights in a PostgreSQL database that a running issuer needs. `docs/deploy/postgres.sql` grants them.

use super::{StoreError, Tx};

/// A right on a table, or on one of its columns if the column is not empty.
type Right = (&'static str, &'static str, &'static str);

/// The tables that an issuer reads.
const READ: [&str; 14] = [
    "_sqlx_migrations",
    "assertion",
    "audit",
    "checkpoint",
    "client",
    "client_secret",
    "feed_head",
    "issuer",
    "keyset",
    "revocation",
    "root_key",
    "sealed_key",
    "token",
    "verifier",
];

/// The rights to write.
const WRITE: [Right; 30] = [
    ("INSERT", "assertion", ""),
    ("INSERT", "audit", ""),
    ("INSERT", "checkpoint", ""),
    ("INSERT", "client", ""),
    ("INSERT", "client_secret", ""),
    ("INSERT", "feed_head", ""),
    ("INSERT", "keyset", ""),
    ("INSERT", "revocation", ""),
    ("INSERT", "root_key", ""),
    ("INSERT", "sealed_key", ""),
    ("INSERT", "token", ""),
    ("INSERT", "verifier", ""),
    ("UPDATE", "root_key", ""),
    ("UPDATE", "verifier", ""),
    ("UPDATE", "client", "disabled_at"),
    ("UPDATE", "client", "public_keys"),
    ("UPDATE", "client_secret", "expires"),
    ("UPDATE", "revocation", "superseded"),
    ("UPDATE", "issuer", "audit_seq"),
    ("UPDATE", "issuer", "audit_hash"),
    ("UPDATE", "issuer", "token_seq"),
    ("UPDATE", "issuer", "feed_seq"),
    ("UPDATE", "issuer", "feed_digest"),
    ("UPDATE", "issuer", "revocation_url"),
    ("DELETE", "assertion", ""),
    ("DELETE", "client_secret", ""),
    ("DELETE", "feed_head", ""),
    ("DELETE", "keyset", ""),
    ("DELETE", "sealed_key", ""),
    ("DELETE", "verifier", ""),
];

impl Tx {
    /// Returns the rights that the role of this PostgreSQL session lacks, such as `INSERT on audit`, sorted.
    pub(crate) async fn missing_rights(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = self.fetch("right", statement(), vec![]).await?;
        let missing = rows.iter().map(|row| row.text("missing"));
        Ok(missing.collect::<Result<_, _>>()?)
    }
}

/// One statement for all rights. It has no parameters: everything in it comes from the constants above.
fn statement() -> String {
    let needed: Vec<String> = needed()
        .map(|(right, table, column)| format!("('{right}', '{table}', '{column}')"))
        .collect();
    format!(
        "SELECT needed.name || ' on ' || needed.tab
             || CASE WHEN needed.col = '' THEN '' ELSE ' (' || needed.col || ')' END AS missing
         FROM (VALUES {}) AS needed (name, tab, col)
         WHERE NOT CASE WHEN needed.col = '' THEN has_table_privilege(needed.tab, needed.name)
             ELSE has_column_privilege(needed.tab, needed.col, needed.name) END
         ORDER BY missing",
        needed.join(", ")
    )
}

fn needed() -> impl Iterator<Item = Right> {
    READ.into_iter()
        .map(|table| ("SELECT", table, ""))
        .chain(WRITE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SCRIPT: &str = include_str!("../../../../docs/deploy/postgres.sql");

    /// The rights to write that the script grants.
    fn granted() -> BTreeSet<(String, String, String)> {
        let lines: Vec<&str> = SCRIPT
            .lines()
            .filter(|line| !line.starts_with("--") && !line.starts_with('\\'))
            .collect();
        let mut rights = BTreeSet::new();
        for statement in lines.join(" ").split(';') {
            let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let Some((grant, _)) = words
                .strip_prefix("GRANT ")
                .and_then(|it| it.split_once(" TO "))
            else {
                continue;
            };
            let (what, tables) = grant.split_once(" ON ").unwrap();
            let (right, columns) = what.split_once(" (").unwrap_or((what, ""));
            if !["INSERT", "UPDATE", "DELETE"].contains(&right) {
                continue;
            }
            for table in tables.split(", ") {
                for column in columns.trim_end_matches(')').split(", ") {
                    rights.insert((right.to_owned(), table.to_owned(), column.to_owned()));
                }
            }
        }
        rights
    }

    #[test]
    fn the_script_grants_what_is_needed() {
        let owned =
            |(right, table, column): Right| (right.to_owned(), table.to_owned(), column.to_owned());
        let needed: BTreeSet<_> = WRITE.into_iter().map(owned).collect();
        assert_eq!(granted(), needed);
        assert!(SCRIPT.contains("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bailiwick;"));
    }

    #[test]
    fn every_table_is_read() {
        let migrations = [
            include_str!("../../migrations/postgres/0001_issuer.sql"),
            include_str!("../../migrations/postgres/0002_token.sql"),
            include_str!("../../migrations/postgres/0003_client_keys.sql"),
            include_str!("../../migrations/postgres/0004_token_agent.sql"),
        ];
        let tables = migrations.iter().flat_map(|it| it.lines());
        let tables = tables.filter_map(|line| line.strip_prefix("CREATE TABLE "));
        let mut tables: BTreeSet<&str> = tables.map(|it| it.trim_end_matches(" (")).collect();
        // The table of the library that applies migrations.
        tables.insert("_sqlx_migrations");
        assert_eq!(tables, READ.into_iter().collect());
    }
}
