//! The reader of windows of time.

use super::{
    read::{array, at, string},
    table::Table,
};
use crate::{
    condition::{Days, During, TimeOfDay},
    grant::{GrantsError, mistake::Mistakes},
    value::Value,
};

/// The keys of a window.
const KEYS: [&str; 4] = ["days", "from", "to", "zone"];

pub(super) fn window(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<During> {
    let mut table = Table::open(mistakes, path, value, &KEYS)?;
    let days = table.get("days", days).unwrap_or(Days::ALL);
    let from = table.get("from", time).unwrap_or(TimeOfDay::MIDNIGHT);
    let to = table.get("to", time).unwrap_or(TimeOfDay::END);
    let zone = table.need("zone", string).unwrap_or_default();
    let (days, from, to, zone) = table.finish((days, from, to, zone))?;
    let window = During::new(days, from, to, &zone);
    mistakes.take(window.map_err(|error| at(path, error.to_string())))
}

fn days(path: &str, value: &Value) -> Result<Days, GrantsError> {
    let mut days = Days::NONE;
    for item in array(path, value)? {
        let text = string(path, item)?;
        let read = text.parse::<Days>();
        days = days.with(read.map_err(|error| at(path, format!("`{text}`: {error}")))?);
    }
    Ok(days)
}

fn time(path: &str, value: &Value) -> Result<TimeOfDay, GrantsError> {
    let text = string(path, value)?;
    text.parse()
        .map_err(|error: crate::condition::TimeOfDayError| at(path, error.to_string()))
}
