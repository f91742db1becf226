//! The parameters of a lookup as people and clients write them: `sections`, `count`, `as_of`.

use crate::lookup::COUNT_MAX;
use crate::value::Timestamp;

/// Reads a comma list of section names.
///
/// # Errors
///
/// When it names none; for a person.
pub fn sections(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> =
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(
            "sections is empty: name sections, separated by commas, or leave it out for all".to_owned()
        );
    }
    Ok(names)
}

/// Reads the most rows of a section: 1 to [`COUNT_MAX`], more is taken as that.
///
/// # Errors
///
/// Anything else; for a person.
pub fn count(text: &str) -> Result<usize, String> {
    number("count", text, COUNT_MAX)
}

/// Reads the most results of a page of a search: 1 to [`crate::search::LIMIT_MAX`], more is taken as that.
///
/// # Errors
///
/// Anything else; for a person.
pub fn limit(text: &str) -> Result<usize, String> {
    number("limit", text, crate::search::LIMIT_MAX)
}

/// Reads a parameter that is a number from 1 on; what is more than `max` is taken as that.
///
/// # Errors
///
/// Anything else; for a person.
pub fn number(name: &str, text: &str, max: usize) -> Result<usize, String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { digits.parse().unwrap_or(usize::MAX) } else { 0 };
    if number == 0 {
        return Err(format!("{name} is {text:?}: use a number from 1 to {max}"));
    }
    Ok(number.min(max))
}

/// Reads a past moment: `YYYY-MM-DD` (its end) or `YYYY-MM-DDTHH:MMZ`. `None` for today, which means now.
///
/// # Errors
///
/// Anything else, and the future; for a person.
pub fn as_of(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    moment("as_of", text, now)
}

/// Reads a past moment as [`as_of`] does; `name` is the parameter that it is of.
///
/// # Errors
///
/// As [`as_of`].
pub fn moment(name: &str, text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let wrong = || format!("{name} is {text:?}: use a past day as 2024-05-28 or minute as 2024-05-28T07:03Z");
    let has_shape = |shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(byte, shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
    };
    let is_day = has_shape("0000-00-00");
    if !is_day && !has_shape("0000-00-00T00:00Z") {
        return Err(wrong());
    }
    let at = Timestamp::parse(text).map_err(|_| wrong())?;
    if is_day && at.day() == now.day() {
        return Ok(None);
    }
    if at > now {
        return Err(format!("{name} is {text:?}, which is in the future: use a moment up to {now}"));
    }
    Ok(Some(if is_day { at.end_of_day() } else { at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count("1"), Ok(1));
        assert_eq!(count("1000"), Ok(1000));
        assert_eq!(count("99999999999999999999999"), Ok(1000));
        for wrong in ["", "0", "-1", "ten", "1.5", " 1"] {
            assert!(count(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn section_lists() {
        assert_eq!(sections("Zone,FeedMasks").unwrap(), ["Zone", "FeedMasks"]);
        assert!(sections("").is_err());
        assert!(sections(" , ").is_err());
    }

    #[test]
    fn past_moments() {
        let now = Timestamp::parse("2024-05-28T07:03:09Z").unwrap();
        assert_eq!(as_of("2024-05-27", now).unwrap().unwrap().rfc3339(), "2024-05-27T23:59:59Z");
        assert_eq!(as_of("2024-05-28T07:03Z", now).unwrap().unwrap().rfc3339(), "2024-05-28T07:03:00Z");
        assert_eq!(as_of("2024-05-28", now), Ok(None));
        for wrong in ["", "2024-05-29", "2024-05-28T07:04Z", "2024-02-30", "20240527", "1716879789", "x"] {
            assert!(as_of(wrong, now).is_err(), "{wrong:?}");
        }
    }
}
