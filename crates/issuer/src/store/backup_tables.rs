//! All tables, row by row, as backups contain them.

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};

/// Number of rows that are read or written at a time.
pub(crate) const PAGE: usize = 1_000;

/// A table with its columns. The first column is its key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, ColumnKind)],
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Int,
    Text,
    Bytes,
}

use ColumnKind::{Bytes, Int, Text};

/// Every table except `feed_head`, which is signed again after a restore. Each table comes after those
/// that it refers to.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "issuer",
        columns: &[
            ("one", Int),
            ("name", Text),
            ("refresh_hint", Int),
            ("max_token_ttl", Int),
            ("keyset_life", Int),
            ("revocation_url", Text),
            ("keyset_public", Bytes),
            ("recipient", Text),
            ("audit_seq", Int),
            ("audit_hash", Bytes),
            ("feed_epoch", Text),
            ("feed_seq", Int),
            ("feed_digest", Bytes),
            ("restored_at", Int),
            ("token_seq", Int),
        ],
    },
    Table {
        name: "root_key",
        columns: &[
            ("id", Int),
            ("public", Bytes),
            ("state", Text),
            ("published_version", Int),
            ("staged_at", Int),
            ("activated_at", Int),
            ("retiring_at", Int),
            ("retired_at", Int),
            ("revoked_at", Int),
            ("reason", Text),
        ],
    },
    Table {
        name: "sealed_key",
        columns: &[("name", Text), ("sealed", Bytes)],
    },
    Table {
        name: "keyset",
        columns: &[
            ("version", Int),
            ("issued_at", Int),
            ("expires", Int),
            ("envelope", Text),
        ],
    },
    Table {
        name: "revocation",
        columns: &[
            ("seq", Int),
            ("kind", Text),
            ("target", Bytes),
            ("issued_before", Int),
            ("revoked_at", Int),
            ("expires", Int),
            ("reason", Text),
            ("line", Text),
            ("superseded", Int),
        ],
    },
    Table {
        name: "audit",
        columns: &[
            ("seq", Int),
            ("time", Int),
            ("actor", Text),
            ("event", Text),
            ("agent", Text),
            ("principal", Text),
            ("token", Text),
            ("key", Text),
            ("detail", Text),
            ("prev", Bytes),
            ("hash", Bytes),
        ],
    },
    Table {
        name: "token",
        columns: &[
            ("id", Bytes),
            ("key", Int),
            ("agent", Text),
            ("principal", Text),
            ("tenant", Text),
            ("actor", Text),
            ("issued_at", Int),
            ("expires", Int),
            ("audit_seq", Int),
        ],
    },
    Table {
        name: "checkpoint",
        columns: &[("seq", Int), ("time", Int), ("envelope", Text)],
    },
    Table {
        name: "client",
        columns: &[
            ("name", Text),
            ("principal", Text),
            ("profiles", Text),
            ("claims", Text),
            ("created_at", Int),
            ("disabled_at", Int),
            ("public_keys", Text),
        ],
    },
    Table {
        name: "client_secret",
        columns: &[
            ("id", Text),
            ("client", Text),
            ("hash", Text),
            ("created_at", Int),
            ("expires", Int),
        ],
    },
    Table {
        name: "assertion",
        columns: &[("id", Bytes), ("expires", Int)],
    },
    Table {
        name: "verifier",
        columns: &[
            ("name", Text),
            ("service", Text),
            ("keyset_version", Int),
            ("feed_epoch", Text),
            ("feed_seq", Int),
            ("seen_at", Int),
        ],
    },
];

impl Table {
    /// Returns the table with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// Returns the names of the columns.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }
}

impl Tx {
    /// Returns a page of a table's rows after the row with this key, sorted by key. The page is empty if there
    /// are no more.
    pub(crate) async fn rows_after(
        &mut self,
        table: &Table,
        key: Option<SqlValue>,
    ) -> Result<Vec<Vec<SqlValue>>, StoreError> {
        let Some((first, _)) = table.columns.first() else {
            return Ok(Vec::new());
        };
        // These names are constants of this file, so they can be part of the SQL text. A backup that is read back
        // names its tables and columns too, but only `Table::named` decides which tables are used.
        let (columns, name) = (table.names().join(", "), table.name);
        let (condition, values) = match key {
            None => (String::new(), values![]),
            Some(key) => (format!("WHERE {first} > $1"), vec![key]),
        };
        // Pages begin after a key rather than at an offset, because the database would have to count rows up to the
        // offset for each page.
        let sql = format!("SELECT {columns} FROM {name} {condition} ORDER BY {first} LIMIT {PAGE}");
        let rows = self.fetch(table.name, sql, values).await?;
        // Every column may be NULL here, whatever the schema says: the database into which the rows are restored
        // checks its own constraints.
        let all = |row: &Row| -> Result<Vec<SqlValue>, NotStored> {
            table
                .columns
                .iter()
                .map(|(name, kind)| {
                    Ok(match kind {
                        Int => row.optional_int(name)?.into(),
                        Text => row.optional_text(name)?.into(),
                        Bytes => row.optional_bytes(name)?.into(),
                    })
                })
                .collect()
        };
        Ok(rows.iter().map(all).collect::<Result<_, _>>()?)
    }

    /// Inserts rows with these columns into a table.
    pub(crate) async fn put_rows(
        &mut self,
        table: &'static Table,
        columns: &[&'static str],
        rows: Vec<Vec<SqlValue>>,
    ) -> Result<(), StoreError> {
        self.insert_all(table.name, columns, rows).await
    }

    /// Returns the columns of every table in the database.
    #[cfg(test)]
    pub(crate) async fn schema(&mut self, on_postgres: bool) -> Result<Vec<String>, StoreError> {
        let sql = if on_postgres {
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns
             WHERE table_schema = current_schema()"
        } else {
            "SELECT t.name || '.' || c.name AS name
             FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        };
        let rows = self.fetch("schema", sql, vec![]).await?;
        Ok(rows
            .iter()
            .map(|row| row.text("name"))
            .collect::<Result<_, _>>()?)
    }
}
