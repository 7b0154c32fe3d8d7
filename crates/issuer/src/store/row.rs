//! Columns to values and back.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use sqlx::{Row, sqlite::SqliteRow};

/// A column holds what was never written there; names the thing that is damaged.
#[derive(Debug)]
pub(crate) struct NotStored(pub(crate) &'static str);

/// A row of a table whose rows are each one `what`.
pub(super) struct Columns<'r> {
    pub(super) row: &'r SqliteRow,
    pub(super) what: &'static str,
}

impl Columns<'_> {
    fn damaged<E>(&self) -> impl FnOnce(E) -> NotStored + use<E> {
        let what = self.what;
        move |_| NotStored(what)
    }

    pub(super) fn number(&self, column: &str) -> Result<u64, NotStored> {
        let number: i64 = self.row.try_get(column).map_err(self.damaged())?;
        u64::try_from(number).map_err(self.damaged())
    }

    pub(super) fn text(&self, column: &str) -> Result<String, NotStored> {
        self.row.try_get(column).map_err(self.damaged())
    }

    pub(super) fn optional_text(&self, column: &str) -> Result<Option<String>, NotStored> {
        self.row.try_get(column).map_err(self.damaged())
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, NotStored> {
        self.row.try_get(column).map_err(self.damaged())
    }

    pub(super) fn hash(&self, column: &str) -> Result<[u8; 32], NotStored> {
        self.bytes(column)?.try_into().map_err(self.damaged())
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, NotStored> {
        Timestamp::from_unix(self.number(column)?).ok_or(NotStored(self.what))
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, NotStored> {
        match self
            .row
            .try_get::<Option<i64>, _>(column)
            .map_err(self.damaged())?
        {
            None => Ok(None),
            Some(_) => self.time(column).map(Some),
        }
    }

    pub(super) fn key_id(&self, column: &str) -> Result<KeyId, NotStored> {
        let id = u32::try_from(self.number(column)?).map_err(self.damaged())?;
        Ok(KeyId::from_u32(id))
    }

    pub(super) fn public_key(&self, column: &str) -> Result<PublicKey, NotStored> {
        PublicKey::from_bytes(&self.bytes(column)?).map_err(self.damaged())
    }
}

/// A number as SQLite holds it. Times and options lie far below the limit, counters never reach it.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn seconds(time: Timestamp) -> i64 {
    int(time.unix())
}

pub(super) fn id(id: KeyId) -> i64 {
    i64::from(id.as_u32())
}
