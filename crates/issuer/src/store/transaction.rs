//! A transaction: statements with their parameters, and rows.

use std::fmt::Write;

use super::{
    database::{Connection, Sql},
    error::StoreError,
    row::{Row, SqlValue},
};

/// A transaction. Dropped before [`Tx::commit`], it leaves nothing.
pub(crate) struct Tx(pub(super) Box<dyn Connection>);

impl Tx {
    /// Makes it last.
    ///
    /// # Errors
    /// [`StoreError`]. Where the connection broke, it may have lasted all the same.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await
    }

    pub(super) async fn execute(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<SqlValue>,
    ) -> Result<u64, StoreError> {
        self.0.execute(sql.into(), fit(values)?).await
    }

    /// Rows that are each one `what`.
    pub(super) async fn fetch(
        &mut self,
        what: &'static str,
        sql: impl Into<Sql>,
        values: Vec<SqlValue>,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.fetch(sql.into(), fit(values)?).await?;
        Ok(rows.into_iter().map(|row| Row { row, what }).collect())
    }

    pub(super) async fn fetch_one(
        &mut self,
        what: &'static str,
        sql: impl Into<Sql>,
        values: Vec<SqlValue>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(what, sql, values).await?.into_iter().next())
    }

    /// Inserts rows of `columns`, many with one statement: each costs a round trip.
    pub(super) async fn insert_all(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<Vec<SqlValue>>,
    ) -> Result<(), StoreError> {
        self.put_all(table, columns, rows, "").await
    }

    /// The same, and `otherwise` says what becomes of a row that is there.
    pub(super) async fn put_all(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<Vec<SqlValue>>,
        otherwise: &'static str,
    ) -> Result<(), StoreError> {
        /// Below the number of parameters that either database takes.
        const AT_A_TIME: usize = 128;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<Vec<SqlValue>> = rows.by_ref().take(AT_A_TIME).collect();
            let mut sql = format!("INSERT INTO {table} ({}) VALUES", columns.join(", "));
            let values: Vec<SqlValue> = chunk.into_iter().flatten().collect();
            for place in 0..values.len() {
                let before = match place.checked_rem(columns.len()) {
                    Some(0) if place == 0 => " (",
                    Some(0) => "), (",
                    _ => ", ",
                };
                // Writing to a string does not fail.
                let _ = write!(sql, "{before}${}", place.saturating_add(1));
            }
            sql.push_str(") ");
            sql.push_str(otherwise);
            self.execute(sql, values).await?;
        }
        Ok(())
    }
}

/// Parameters that either database takes: PostgreSQL has no NUL in its texts. SQLite has, and what it
/// keeps could not be moved to the other.
fn fit(values: Vec<SqlValue>) -> Result<Vec<SqlValue>, StoreError> {
    let has_nul =
        |value: &SqlValue| matches!(value, SqlValue::Text(Some(text)) if text.contains('\0'));
    match values.iter().any(has_nul) {
        true => Err(StoreError::Nul),
        false => Ok(values),
    }
}
