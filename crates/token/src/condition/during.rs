//! Windows of time: days of the week and hours of the day, in a time zone.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{
    civil::Weekday,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::text::UnknownCondition;
use crate::{timestamp::Timestamp, value::Value};

/// Maximum length of the text of a window in bytes. The longest name of a zone has 32.
const MAX_TEXT: usize = 256;

/// A window of time that recurs each week: certain days, from one time of the day to another.
///
/// The time-zone database is the one that this program was built with. A machine's own database is never read, so that
/// all machines decide alike.
#[derive(Debug, Clone)]
pub struct During {
    days: Days,
    from: TimeOfDay,
    to: TimeOfDay,
    zone: TimeZone,
    name: String,
}

/// The error of a window that is never open, never closed, or in no known zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DuringError {
    /// There is no day.
    #[error("the list of days is empty; write days such as \"mon-fri\", or leave it out")]
    NoDay,
    /// The window ends before it begins.
    #[error(
        "`from` is not before `to`; write a night as two grants, one up to \"24:00\" and one from \"00:00\""
    )]
    Crossed,
    /// The window is always open.
    #[error("the window is always open; leave `when` out, or write `days`, `from` or `to`")]
    Always,
    /// The zone is unknown.
    #[error(
        "the time zone `{0}` is not known; write its name in the IANA database exactly, such as \"Europe/Berlin\""
    )]
    Zone(String),
}

impl During {
    /// Makes a window. `from` is included, `to` is not. `zone` is a name in the IANA time-zone database, spelled
    /// exactly.
    ///
    /// # Errors
    /// [`DuringError`] if the window is never or always open, or the zone is not known.
    pub fn new(
        days: Days,
        from: TimeOfDay,
        to: TimeOfDay,
        zone: &str,
    ) -> Result<During, DuringError> {
        if days.is_empty() {
            return Err(DuringError::NoDay);
        }
        if from >= to {
            return Err(DuringError::Crossed);
        }
        if days == Days::ALL && from == TimeOfDay::MIDNIGHT && to == TimeOfDay::END {
            return Err(DuringError::Always);
        }
        let found = TimeZoneDatabase::bundled().get(zone).ok();
        // The database ignores the case of names, and has a name for the unknown zone. Both are refused here.
        let found = found.filter(|found| found.iana_name() == Some(zone) && !found.is_unknown());
        Ok(During {
            days,
            from,
            to,
            zone: found.ok_or_else(|| DuringError::Zone(zone.chars().take(64).collect()))?,
            name: zone.to_owned(),
        })
    }

    /// The days.
    #[must_use]
    pub fn days(&self) -> Days {
        self.days
    }

    /// The first minute of each day.
    #[must_use]
    pub fn start(&self) -> TimeOfDay {
        self.from
    }

    /// The minute of each day at which the window closes.
    #[must_use]
    pub fn end(&self) -> TimeOfDay {
        self.to
    }

    /// The name of the time zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.name
    }

    /// Returns true if the window is open at this time.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let seconds = i64::try_from(now.unix()).ok();
        let Some(now) = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        else {
            return false;
        };
        let local = self.zone.to_datetime(now);
        let minute = TimeOfDay::at(local.hour(), local.minute());
        self.days.contains(local.weekday()) && self.from <= minute && minute < self.to
    }

    /// Reads a window from the only term of `during`.
    ///
    /// # Errors
    /// [`UnknownCondition`] unless the text is exactly what [`During::text`] writes.
    pub fn parse(text: &str) -> Result<During, UnknownCondition> {
        let window = read(text).ok_or(UnknownCondition)?;
        match window.text() == text {
            true => Ok(window),
            false => Err(UnknownCondition),
        }
    }

    /// The only term of `during`: canonical JSON that names every default.
    #[must_use]
    pub fn text(&self) -> String {
        let days = self.days.names().map(Value::from).collect();
        let members = [
            ("days", Value::Array(days)),
            ("from", Value::from(self.from.to_string())),
            ("to", Value::from(self.to.to_string())),
            ("zone", Value::from(self.name.as_str())),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Value::Object(BTreeMap::from(members)).to_string()
    }

    /// Returns true if `wide` is open whenever this window is. False may only mean that no proof was found.
    pub(crate) fn is_within(&self, wide: &During) -> bool {
        self.name == wide.name
            && self.days.is_subset(wide.days)
            && self.from >= wide.from
            && self.to <= wide.to
    }

    /// The window in which both are open: `Err` if no single window expresses it, and `Ok(None)` if they are never open
    /// together.
    pub(crate) fn both(&self, other: &During) -> Result<Option<During>, Apart> {
        if self.name != other.name {
            return Err(Apart);
        }
        let both = During {
            days: self.days.both(other.days),
            from: self.from.max(other.from),
            to: self.to.min(other.to),
            ..self.clone()
        };
        Ok((!both.days.is_empty() && both.from < both.to).then_some(both))
    }
}

/// The error of two windows in different zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Apart;

fn read(text: &str) -> Option<During> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let Value::Object(members) = Value::parse(text).ok()? else {
        return None;
    };
    let text = |name: &str| match members.get(name) {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(Value::Array(names)) = members.get("days") else {
        return None;
    };
    let mut days = Days::NONE;
    for name in names {
        let Value::String(name) = name else {
            return None;
        };
        days = days.with(name.parse().ok()?);
    }
    let (from, to) = (text("from")?.parse().ok()?, text("to")?.parse().ok()?);
    During::new(days, from, to, text("zone")?).ok()
}

impl PartialEq for During {
    fn eq(&self, other: &During) -> bool {
        // The name stands for the zone, since all zones come from one database.
        (self.days, self.from, self.to, &self.name)
            == (other.days, other.from, other.to, &other.name)
    }
}

impl Eq for During {}

/// Writes the window in words: `on mon-fri from 08:00 to 18:00 (Europe/Berlin)`.
impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.days.ranges().join(", ");
        write!(
            f,
            "on {ranges} from {} to {} ({})",
            self.from, self.to, self.name
        )
    }
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Days(u8);

/// The names of days in the order of a week.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The error of a text that is neither a day nor a range of days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day; write mon, tue, wed, thu, fri, sat or sun, or a range such as \"mon-fri\"")]
pub struct DaysError;

impl Days {
    /// All days.
    pub const ALL: Days = Days(0b111_1111);

    /// No day.
    pub const NONE: Days = Days(0);

    /// These days and others.
    #[must_use]
    pub fn with(self, other: Days) -> Days {
        Days(self.0 | other.0)
    }

    /// Returns true if there is no day.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn both(self, other: Days) -> Days {
        Days(self.0 & other.0)
    }

    fn is_subset(self, other: Days) -> bool {
        self.both(other) == self
    }

    fn contains(self, day: Weekday) -> bool {
        let place = usize::try_from(day.to_monday_zero_offset());
        place.is_ok_and(|place| self.has(place))
    }

    fn has(self, place: usize) -> bool {
        Days::one(place).is_subset(self) && place < NAMES.len()
    }

    fn one(place: usize) -> Days {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        Days(1_u8.checked_shl(place).unwrap_or(0))
    }

    /// The names of the days in the order of a week.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = NAMES.into_iter().enumerate();
        names
            .filter(move |(place, _)| self.has(*place))
            .map(|(_, name)| name)
    }

    /// The days as ranges, such as `mon-fri`.
    #[must_use]
    pub fn ranges(self) -> Vec<String> {
        let mut ranges: Vec<(&str, &str)> = Vec::new();
        let mut last_is_open = false;
        for (place, name) in NAMES.into_iter().enumerate() {
            let is_in = self.has(place);
            match ranges.last_mut().filter(|_| last_is_open) {
                Some((_, end)) if is_in => *end = name,
                _ if is_in => ranges.push((name, name)),
                _ => {}
            }
            last_is_open = is_in;
        }
        let ranges = ranges.into_iter().map(|(first, last)| match first == last {
            true => first.to_owned(),
            false => format!("{first}-{last}"),
        });
        ranges.collect()
    }
}

impl FromStr for Days {
    type Err = DaysError;

    /// Reads a day, or a range of days within a week.
    fn from_str(text: &str) -> Result<Days, DaysError> {
        let place = |name| {
            NAMES
                .iter()
                .position(|known| *known == name)
                .ok_or(DaysError)
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (place(first)?, place(last)?),
            None => (place(text)?, place(text)?),
        };
        let days = (first..=last).map(Days::one).fold(Days::NONE, Days::with);
        match days.is_empty() {
            false => Ok(days),
            true => Err(DaysError),
        }
    }
}

/// A time of the day, in minutes: `00:00` to `24:00`, the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// The error of a text that is not a time of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the day; write one from \"00:00\" to \"24:00\"")]
pub struct TimeOfDayError;

impl TimeOfDay {
    /// The beginning of the day, `00:00`.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay(0);

    /// The end of the day, `24:00`.
    pub const END: TimeOfDay = TimeOfDay(24 * 60);

    fn at(hour: i8, minute: i8) -> TimeOfDay {
        let (hour, minute) = (
            u16::try_from(hour).unwrap_or(0),
            u16::try_from(minute).unwrap_or(0),
        );
        TimeOfDay(hour.saturating_mul(60).saturating_add(minute))
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<TimeOfDay, TimeOfDayError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeOfDayError)?;
        let number = |digits: &str| {
            let is_number = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_digit());
            is_number
                .then(|| digits.parse::<i8>().ok())
                .flatten()
                .ok_or(TimeOfDayError)
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        let time = TimeOfDay::at(hour, minute);
        match minute < 60 && time <= TimeOfDay::END {
            true => Ok(time),
            false => Err(TimeOfDayError),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
