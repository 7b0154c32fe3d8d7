//! Parameters and rows, for both databases.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

/// A parameter of a statement. A NULL has a type too, because PostgreSQL requires one.
#[derive(Debug, Clone)]
pub(crate) enum SqlValue {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($type:ty, $variant:ident, $convert:expr;)*) => {$(
        impl From<$type> for SqlValue {
            fn from(value: $type) -> SqlValue {
                SqlValue::$variant(Some($convert(value)))
            }
        }

        impl From<Option<$type>> for SqlValue {
            fn from(value: Option<$type>) -> SqlValue {
                SqlValue::$variant(value.map($convert))
            }
        }
    )*};
}

value_from! {
    // Counters and times are far below the limit.
    u64, Int, |number| i64::try_from(number).unwrap_or(i64::MAX);
    i64, Int, |number| number;
    Timestamp, Int, |time: Timestamp| i64::try_from(time.unix()).unwrap_or(i64::MAX);
    KeyId, Int, |id: KeyId| i64::from(id.as_u32());
    &str, Text, |text: &str| text.to_owned();
    String, Text, |text| text;
    &String, Text, |text: &String| text.clone();
    &[u8], Bytes, |bytes: &[u8]| bytes.to_vec();
    Vec<u8>, Bytes, |bytes| bytes;
    &[u8; 32], Bytes, |bytes: &[u8; 32]| bytes.to_vec();
}

/// The parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::store::row::SqlValue::from($value)),*]
    };
}

pub(super) use values;

/// A row from either database.
pub(super) enum AnyRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The error of a column whose value this program never writes. It names the kind of row that is damaged.
#[derive(Debug)]
pub(crate) struct NotStored(pub(crate) &'static str);

/// A row of a query. `what` names the kind of row in errors.
pub(super) struct Row {
    pub(super) row: AnyRow,
    pub(super) what: &'static str,
}

macro_rules! optional {
    ($name:ident, $type:ty) => {
        pub(super) fn $name(&self, column: &str) -> Result<Option<$type>, NotStored> {
            let value = match &self.row {
                AnyRow::Sqlite(row) => row.try_get(column),
                AnyRow::Postgres(row) => row.try_get(column),
            };
            value.map_err(self.damaged())
        }
    };
}

impl Row {
    optional!(optional_int, i64);
    optional!(optional_text, String);
    optional!(optional_bytes, Vec<u8>);

    fn damaged<E>(&self) -> impl FnOnce(E) -> NotStored + use<E> {
        let what = self.what;
        move |_| NotStored(what)
    }

    fn there<T>(&self, value: Option<T>) -> Result<T, NotStored> {
        value.ok_or(NotStored(self.what))
    }

    pub(super) fn number(&self, column: &str) -> Result<u64, NotStored> {
        let number = self.there(self.optional_int(column)?)?;
        u64::try_from(number).map_err(self.damaged())
    }

    pub(super) fn optional_number(&self, column: &str) -> Result<Option<u64>, NotStored> {
        // Only NULL is absent. A negative number is damage, which `number` refuses.
        match self.optional_int(column)? {
            None => Ok(None),
            Some(_) => self.number(column).map(Some),
        }
    }

    pub(super) fn text(&self, column: &str) -> Result<String, NotStored> {
        self.there(self.optional_text(column)?)
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, NotStored> {
        self.there(self.optional_bytes(column)?)
    }

    pub(super) fn hash(&self, column: &str) -> Result<[u8; 32], NotStored> {
        self.bytes(column)?.try_into().map_err(self.damaged())
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, NotStored> {
        self.there(Timestamp::from_unix(self.number(column)?))
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, NotStored> {
        // Only NULL is absent. A time out of range is damage, which `time` refuses.
        match self.optional_int(column)? {
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
