//! Transactions: statements with parameters, and the rows that they return.

use std::fmt::Write;

use super::{
    database::{Connection, Sql},
    error::StoreError,
    row::{Row, SqlValue},
};

/// A transaction. It is rolled back if it is dropped before [`Tx::commit`].
pub(crate) struct Tx(pub(super) Box<dyn Connection>);

impl Tx {
    /// Commits the transaction.
    ///
    /// # Errors
    /// [`StoreError`]. If the connection broke, the transaction may have been committed nevertheless.
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

    /// Runs a query. `what` names the kind of row in errors.
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

    /// Inserts rows, many per statement.
    pub(super) async fn insert_all(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<Vec<SqlValue>>,
    ) -> Result<(), StoreError> {
        self.put_all(table, columns, rows, "").await
    }

    /// Like [`Tx::insert_all`], but with a clause such as `ON CONFLICT …` at the end of each statement.
    pub(super) async fn put_all(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<Vec<SqlValue>>,
        otherwise: &'static str,
    ) -> Result<(), StoreError> {
        /// Number of rows per statement. Even for the widest table, the number of values stays below the limit
        /// on parameters of either database.
        const AT_A_TIME: usize = 128;
        // Each statement costs a round trip, and the other writers wait for it too.
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
                // Writing to a string cannot fail.
                let _ = write!(sql, "{before}${}", place.saturating_add(1));
            }
            sql.push_str(") ");
            sql.push_str(otherwise);
            self.execute(sql, values).await?;
        }
        Ok(())
    }
}

/// Refuses parameters that one of the databases cannot store.
fn fit(values: Vec<SqlValue>) -> Result<Vec<SqlValue>, StoreError> {
    // PostgreSQL has no NUL in texts. SQLite has, but a database with one could not be moved to
    // PostgreSQL.
    let has_nul =
        |value: &SqlValue| matches!(value, SqlValue::Text(Some(text)) if text.contains('\0'));
    match values.iter().any(has_nul) {
        true => Err(StoreError::Nul),
        false => Ok(values),
    }
}
