//! The writer and the reader of a backup file, line by line.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
};

use bailiwick_token::{
    dsse::{Envelope, EnvelopeError},
    json,
    key::PublicKey,
    revocation::Digest,
    timestamp::Timestamp,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::{
    line,
    store::{ColumnKind, SqlValue, Table},
};

/// The version of the format. Only this version is written and read.
const FORMAT: u32 = 1;

/// The `payloadType` of the last line.
const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.backup.v1+json";

/// The bytes with which every backup begins.
const BEGINNING: &[u8] = b"{\"backup\":";

/// Maximum length of a line, in bytes. The largest possible keyset, as JSON inside JSON, still fits.
const MAX_LINE: u64 = 16 << 20;

/// Maximum size of the rows that are returned together, in bytes.
const MAX_ROWS: usize = 16 << 20;

/// The first line of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begin {
    backup: u32,
    pub(super) issuer: String,
    pub(super) made_at: Timestamp,
    files: BTreeMap<String, String>,
}

impl Begin {
    pub(super) fn new(issuer: &str, made_at: Timestamp, files: BTreeMap<String, Vec<u8>>) -> Begin {
        let encoded = files
            .into_iter()
            .map(|(name, content)| (name, STANDARD.encode(content)));
        Begin {
            backup: FORMAT,
            issuer: issuer.to_owned(),
            made_at,
            files: encoded.collect(),
        }
    }

    /// Decodes the files of the home.
    pub(super) fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, BackupFileError> {
        let decode = |(name, text): (&String, &String)| {
            let content = STANDARD.decode(text).map_err(|_| malformed(1, "a file"))?;
            Ok((name.clone(), content))
        };
        self.files.iter().map(decode).collect()
    }
}

/// The payload of the last line of a backup.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    issuer: String,
    made_at: Timestamp,
    rows: u64,
    /// The digest of all bytes before the last line.
    digest: Digest,
}

/// The lines after the first one.
#[derive(Deserialize)]
#[serde(untagged)]
enum BackupLine {
    Row(Vec<Json>),
    Table { table: String, columns: Vec<String> },
    End(Envelope),
}

/// Writes the lines of a backup.
pub(super) struct BackupWriter<'a> {
    out: &'a mut (dyn Write + Send),
    digest: Sha256,
    rows: u64,
    bytes: u64,
}

impl<'a> BackupWriter<'a> {
    pub(super) fn begin(
        out: &'a mut (dyn Write + Send),
        begin: &Begin,
    ) -> io::Result<BackupWriter<'a>> {
        let mut writer = BackupWriter {
            out,
            digest: Sha256::new(),
            rows: 0,
            bytes: 0,
        };
        writer.line(&json!(begin))?;
        Ok(writer)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn table(&mut self, table: &Table) -> io::Result<()> {
        self.line(&json!({ "table": table.name, "columns": table.names() }))
    }

    pub(super) fn row(&mut self, row: &[SqlValue]) -> io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        let row: Json = row.iter().map(to_json).collect();
        self.line(&row)
    }

    /// Signs everything written so far, and returns the length of the file in bytes.
    pub(super) fn end(
        mut self,
        issuer: &str,
        made_at: Timestamp,
        signer: &SigningKey,
    ) -> io::Result<u64> {
        let end = json!(End {
            issuer: issuer.to_owned(),
            made_at,
            rows: self.rows,
            digest: Digest::from_bytes(self.digest.clone().finalize().into()),
        });
        let envelope = Envelope::sign(PAYLOAD_TYPE, end.to_string().into_bytes(), signer);
        self.write(&format!("{}\n", envelope.to_json()))?;
        self.out.flush()?;
        Ok(self.bytes)
    }

    fn line(&mut self, line: &Json) -> io::Result<()> {
        self.write(&format!("{line}\n"))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        if line.len() as u64 > MAX_LINE {
            let error = "a file of the home, or a row, is too large for it";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
        }
        self.digest.update(line);
        self.bytes = self.bytes.saturating_add(line.len() as u64);
        self.out.write_all(line.as_bytes())
    }
}

/// Reads a backup. Its content must not be trusted before [`BackupReader::end`] has returned successfully.
pub(super) struct BackupReader<'a> {
    input: &'a mut (dyn BufRead + Send),
    digest: Sha256,
    number: u64,
    rows: u64,
    shape: Option<Shape>,
    end: Option<Envelope>,
}

/// The table and columns of the rows that follow.
struct Shape {
    table: &'static Table,
    columns: Vec<(&'static str, ColumnKind)>,
}

/// Rows of one table, with their columns.
pub(super) struct Rows {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<SqlValue>>,
}

impl<'a> BackupReader<'a> {
    pub(super) fn begin(
        input: &'a mut (dyn BufRead + Send),
    ) -> Result<(BackupReader<'a>, Begin), BackupFileError> {
        #[derive(Deserialize)]
        struct Format {
            backup: u32,
        }
        let mut reader = BackupReader {
            input,
            digest: Sha256::new(),
            number: 0,
            rows: 0,
            shape: None,
            end: None,
        };
        let line = reader.first_line()?;
        let format: Format = json::from_slice(&line).map_err(|_| BackupFileError::Other)?;
        if format.backup != FORMAT {
            return Err(BackupFileError::Newer(format.backup));
        }
        let begin = json::from_slice(&line).map_err(|_| BackupFileError::Other)?;
        reader.digest.update(&line);
        Ok((reader, begin))
    }

    /// Reads the first line. Only a file that begins like a backup is reported as cut off. Any other file is reported
    /// as not being a backup.
    fn first_line(&mut self) -> Result<Vec<u8>, BackupFileError> {
        let mut line = Vec::new();
        self.number = 1;
        let read = line::read(self.input, MAX_LINE, &mut line)?;
        match read {
            line::Line::Whole => Ok(line),
            line::Line::End => Err(BackupFileError::Torn),
            line::Line::TooLong if line.starts_with(BEGINNING) => Err(malformed(1, "a line")),
            _ if BEGINNING.starts_with(&line) || line.starts_with(BEGINNING) => {
                Err(BackupFileError::Torn)
            }
            _ => Err(BackupFileError::Other),
        }
    }

    /// Returns the next rows, at most `most` and all from one table; `None` after the last.
    pub(super) fn rows(&mut self, most: usize) -> Result<Option<Rows>, BackupFileError> {
        let mut found: Option<Rows> = None;
        let mut bytes = 0_usize;
        while self.end.is_none() {
            // Stops at the end of a table too, so that all rows have the same columns.
            let full = |found: &Rows| found.rows.len() >= most || bytes >= MAX_ROWS;
            if found.as_ref().is_some_and(full) {
                return Ok(found);
            }
            let line = self.line()?.ok_or(BackupFileError::Torn)?;
            bytes = bytes.saturating_add(line.len());
            let read = json::from_slice(&line);
            match read.map_err(|_| malformed(self.number, "a line"))? {
                BackupLine::End(envelope) => self.end = Some(envelope),
                BackupLine::Table { table, columns } => {
                    self.digest.update(&line);
                    self.shape = Some(self.known(&table, &columns)?);
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                BackupLine::Row(row) => {
                    self.digest.update(&line);
                    self.rows = self.rows.saturating_add(1);
                    let row = self.row(row)?;
                    let Some(shape) = &self.shape else {
                        return Err(malformed(self.number, "a row"));
                    };
                    let rows = found.get_or_insert_with(|| Rows {
                        table: shape.table,
                        columns: shape.columns.iter().map(|(name, _)| *name).collect(),
                        rows: Vec::new(),
                    });
                    rows.rows.push(row);
                }
            }
        }
        Ok(found)
    }

    /// Verifies that `key` signed everything that was read, and that nothing follows the signature.
    pub(super) fn end(mut self, begin: &Begin, key: &PublicKey) -> Result<(), BackupFileError> {
        let (Some(envelope), None) = (self.end.take(), self.line()?) else {
            return Err(BackupFileError::Torn);
        };
        let signed = envelope.open(PAYLOAD_TYPE, key)?;
        let digest = Digest::from_bytes(self.digest.finalize().into());
        let read = End {
            issuer: begin.issuer.clone(),
            made_at: begin.made_at,
            rows: self.rows,
            digest,
        };
        match json::from_slice::<End>(signed) {
            Ok(signed) if signed == read => Ok(()),
            _ => Err(BackupFileError::Changed),
        }
    }

    /// Reads a line with its line feed; `None` at the end.
    fn line(&mut self) -> Result<Option<Vec<u8>>, BackupFileError> {
        let mut line = Vec::new();
        self.number = self.number.saturating_add(1);
        match line::read(self.input, MAX_LINE, &mut line)? {
            line::Line::Whole => Ok(Some(line)),
            line::Line::Torn => Err(BackupFileError::Torn),
            line::Line::TooLong => Err(malformed(self.number, "a line")),
            line::Line::End => Ok(None),
        }
    }

    fn known(&self, table: &str, columns: &[String]) -> Result<Shape, BackupFileError> {
        let unknown = || BackupFileError::Unknown(self.number);
        let table = Table::named(table).ok_or_else(unknown)?;
        let column = |name: &String| {
            let known = table.columns.iter().find(|(known, _)| known == name);
            known.copied().ok_or_else(unknown)
        };
        let columns = columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Shape { table, columns })
    }

    fn row(&self, row: Vec<Json>) -> Result<Vec<SqlValue>, BackupFileError> {
        let bad = || malformed(self.number, "a row");
        let Shape { columns, .. } = self.shape.as_ref().ok_or_else(bad)?;
        if row.len() != columns.len() {
            return Err(bad());
        }
        let values = row.into_iter().zip(columns);
        let values = values.map(|(value, (_, kind))| from_json(value, *kind).ok_or_else(bad));
        values.collect()
    }
}

fn to_json(value: &SqlValue) -> Json {
    match value {
        SqlValue::Int(number) => json!(number),
        SqlValue::Text(text) => json!(text),
        SqlValue::Bytes(bytes) => json!(bytes.as_ref().map(|bytes| STANDARD.encode(bytes))),
    }
}

fn from_json(json: Json, kind: ColumnKind) -> Option<SqlValue> {
    Some(match (kind, json) {
        (ColumnKind::Int, Json::Null) => SqlValue::Int(None),
        (ColumnKind::Int, Json::Number(number)) => SqlValue::Int(Some(number.as_i64()?)),
        (ColumnKind::Text, Json::Null) => SqlValue::Text(None),
        (ColumnKind::Text, Json::String(text)) => SqlValue::Text(Some(text)),
        (ColumnKind::Bytes, Json::Null) => SqlValue::Bytes(None),
        (ColumnKind::Bytes, Json::String(text)) => {
            SqlValue::Bytes(Some(STANDARD.decode(text).ok()?))
        }
        _ => return None,
    })
}

fn malformed(line: u64, what: &'static str) -> BackupFileError {
    BackupFileError::Malformed { line, what }
}

/// The reason why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupFileError {
    /// The file cannot be read.
    #[error("the backup cannot be read ({0}); check the path and permissions of the file")]
    Io(#[from] io::Error),
    /// The file is not a backup.
    #[error("the file is not a backup; give a file that `bailiwick backup` wrote")]
    Other,
    /// The end of the backup is missing, or something follows it.
    #[error("the backup was cut off, or something was written after its end; use another backup")]
    Torn,
    /// The backup has the format of a later version of this program.
    #[error("the backup has format {0}, which a newer version wrote; upgrade this program")]
    Newer(u32),
    /// The backup contains a table or column of a later version of this program.
    #[error("line {0} of the backup was written by a newer version; upgrade this program")]
    Unknown(u64),
    /// A line cannot be read.
    #[error(
        "line {line} of the backup is damaged and contains {what} that cannot be read; use another backup"
    )]
    Malformed {
        /// Line number, counted from 1.
        line: u64,
        /// The part that cannot be read.
        what: &'static str,
    },
    /// The last line is not signed by the issuer.
    #[error("{}", .0.of("backup"))]
    Signature(#[from] EnvelopeError),
    /// The signature covers other content.
    #[error("the backup was modified after it was signed; use another backup")]
    Changed,
}
