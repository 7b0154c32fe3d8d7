//! Numbers, days and points in time near bounds.

use jiff::{Span, Timestamp, civil::Date};

use crate::{condition::Range, value::Micros};

/// Steps from a bound, in millionths: first those that read well.
const STEPS: [i64; 7] = [0, 1_000_000, -1_000_000, 10_000, -10_000, 1, -1];

/// Numbers at the bounds, just beyond them, within them, and with more decimals than allowed.
pub(super) fn around(range: &Range) -> Vec<Micros> {
    let edges = [range.max, range.min].into_iter().flatten();
    let mut near: Vec<i64> = edges
        .flat_map(|edge| STEPS.map(|step| edge.0.saturating_add(step)))
        .collect();
    if let (Some(min), Some(max)) = (range.min, range.max) {
        let middle = min.0.saturating_add(max.0.saturating_sub(min.0) / 2);
        near.extend([middle, middle.saturating_sub(middle % 1_000_000)]);
    }
    let inner = range.min.or(range.max).unwrap_or(Micros(1_000_000)).0;
    if let Some(scale) = range.scale {
        // Steps of the smallest unit that is allowed, and of a tenth of it.
        let unit = 10_i64
            .checked_pow(6_u32.saturating_sub(u32::from(scale)))
            .unwrap_or(1);
        let steps = [unit, unit / 10];
        near.extend(
            steps
                .into_iter()
                .flat_map(|step| [inner.saturating_add(step), inner.saturating_sub(step), step]),
        );
    }
    near.extend([1_000_000, 0, -1_000_000, -500_000_000_000, 99_999_000]);
    near.into_iter().map(Micros).collect()
}

/// The same numbers as text.
pub(super) fn decimals(range: &Range) -> Vec<String> {
    let written = around(range).into_iter().map(|micros| micros.to_string());
    let mut texts: Vec<String> = written.collect();
    let more: Vec<String> = texts
        .iter()
        .take(4)
        .flat_map(|text| {
            let point = if text.contains('.') { "" } else { "." };
            [
                format!("{text}{point}0"),
                format!("{text}{point}000"),
                format!("0{text}"),
            ]
        })
        .collect();
    texts.extend(more);
    texts.extend(["-0", "+1", "1e3", " 1", "1,5"].map(str::to_owned));
    texts
}

/// Days at the bounds and beside them, and texts that look like days.
pub(super) fn days(min: Option<String>, max: Option<String>) -> Vec<String> {
    let mut texts = Vec::new();
    for edge in [max, min].into_iter().flatten() {
        let Ok(day) = edge.parse::<Date>() else {
            continue;
        };
        let beside = [day.tomorrow(), day.yesterday()].into_iter().flatten();
        texts.extend(
            std::iter::once(day)
                .chain(beside)
                .map(|day| day.to_string()),
        );
        texts.push(format!("{edge}T00:00:00Z"));
        texts.push(format!("{edge}-evil"));
    }
    texts.extend(["1970-01-01", "9999-12-31", "2026-02-30", "2026-2-3"].map(str::to_owned));
    texts
}

/// Points in time at the bounds and beside them, with and without decimals and offsets.
pub(super) fn date_times(min: Option<String>, max: Option<String>) -> Vec<String> {
    let mut texts = Vec::new();
    for edge in [max, min].into_iter().flatten() {
        let Ok(time) = edge.parse::<Timestamp>() else {
            continue;
        };
        let steps = [0, 1000, -1000, 1, -1].map(|step| Span::new().milliseconds(step));
        for step in steps {
            let near = time.checked_add(step).ok();
            texts.extend(near.map(|near| near.to_string()));
        }
        texts.push(edge.replace('Z', "+00:00"));
        texts.push(edge.split('T').next().unwrap_or_default().to_owned());
    }
    texts.extend(["1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z"].map(str::to_owned));
    texts
}
