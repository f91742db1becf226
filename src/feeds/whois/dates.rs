//! Dates as registries write them.

use jiff::fmt::strtime::BrokenDownTime;

use crate::value::Timestamp;

/// Spellings beside ISO 8601, in jiff's `strptime`; the hours that the clock is ahead of UTC where the spelling names a
/// zone that has no offset; a top-level domain that writes so. Local times that name no zone are read as UTC.
const SPELLINGS: &[(&str, i64, &str)] = &[
    ("%Y.%m.%d %H:%M:%S", 0, "pl"),
    ("%Y.%m.%d", 0, "pl, ru before 2016"),
    ("%d.%m.%Y %H:%M:%S", 0, "cz"),
    ("%d.%m.%Y %H:%M:%S (EET)", 2, "fi: the moment of the answer"),
    ("%d.%m.%Y", 0, "cz, fi"),
    ("%Y/%m/%d %H:%M:%S (JST)", 9, "jp"),
    ("%Y/%m/%d (JST)", 9, "jp"),
    ("%Y/%m/%d %H:%M:%S", 0, "ir"),
    ("%Y/%m/%d", 0, "jp"),
    ("%a %b %d %Y", 0, "be"),
    ("%a %b %e %H:%M:%S %Y", 0, "cz: the moment of the answer"),
    ("%d-%b-%Y %H:%M:%S", 0, "com before 2017, by registrar"),
    ("%d-%b-%Y", 0, "uk, uz"),
    ("%Y-%b-%d.", 0, "tr"),
    ("%d-%m-%Y", 0, "il"),
    ("%d %b %Y", 0, "by registrar"),
    ("%d %B %Y", 0, "by registrar"),
    ("%B %d %Y", 0, "by registrar"),
    ("%d/%m/%Y", 0, "fr before 2018"),
    ("%Y%m%d %H:%M:%S", 0, "at"),
    ("%Y%m%d", 0, "br"),
    ("%Y. %m. %d.", 0, "kr"),
    ("%a, %d %b %Y %H:%M:%S %z", 0, "uz: the moment of the answer"),
    ("%a, %d %b %Y %H:%M:%S", 0, "com before 2017: the moment of the answer, without its GMT"),
];

/// Reads a date or a moment; `None` where it is none, or one that no registration has, so that the record is kept without it.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    // .br puts a number after the date.
    let text = text.split(" #").next().unwrap_or(text).trim();
    let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")).unwrap_or(text);
    let read =
        iso(text).or_else(|| SPELLINGS.iter().find_map(|(form, ahead_h, _)| spelled(text, form, *ahead_h)));
    read.filter(|read| (Timestamp::RECORD_MIN..=Timestamp::RECORD_MAX).contains(read))
}

/// ISO 8601, also with a space before the offset (.ee) or something after it (.fr); where that is a zone (.cl), the day.
fn iso(text: &str) -> Option<Timestamp> {
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let first = text.split_whitespace().next()?;
    let whole = text.replace(" +", "+").replace(" -", "-");
    Timestamp::parse(&whole).or_else(|_| Timestamp::parse(first)).ok()
}

fn spelled(text: &str, form: &str, ahead_h: i64) -> Option<Timestamp> {
    let read = BrokenDownTime::parse(form, text).ok()?;
    if let Ok(moment) = read.to_timestamp() {
        return Some(Timestamp(moment.as_second()));
    }
    let local = jiff::tz::Offset::UTC.to_timestamp(read.to_datetime().ok()?).ok()?;
    Some(Timestamp(local.as_second() - ahead_h * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_registries() {
        for (text, expected) in [
            ("2024-05-28T07:03:09Z", "2024-05-28T07:03:09Z"),
            ("2024-05-28T00:03:09-0700", "2024-05-28T07:03:09Z"),
            ("2024-05-28T07:03:09.0Z", "2024-05-28T07:03:09Z"),
            ("2024-05-28 10:03:09 +03:00", "2024-05-28T07:03:09Z"),
            ("2024-05-28 07:03:09", "2024-05-28T07:03:09Z"),
            ("2024-05-28T07:03:09Z nic@example.com", "2024-05-28T07:03:09Z"),
            ("2024-05-28", "2024-05-28T00:00:00Z"),
            ("2024.05.28 07:03:09", "2024-05-28T07:03:09Z"),
            ("2024.05.28", "2024-05-28T00:00:00Z"),
            ("28.05.2024 07:03:09", "2024-05-28T07:03:09Z"),
            ("28.5.2024", "2024-05-28T00:00:00Z"),
            ("2024/05/28 16:03:09 (JST)", "2024-05-28T07:03:09Z"),
            ("2024/05/28", "2024-05-28T00:00:00Z"),
            ("Tue May 28 2024", "2024-05-28T00:00:00Z"),
            ("Tue May 28 07:03:09 2024", "2024-05-28T07:03:09Z"),
            ("28-May-2024 07:03:09 UTC", "2024-05-28T07:03:09Z"),
            ("28-may-2024", "2024-05-28T00:00:00Z"),
            ("28-May-2024 07:03:09 GMT", "2024-05-28T07:03:09Z"),
            ("2024-05-28 07:03:09 CLST", "2024-05-28T00:00:00Z"),
            ("2024-05-28 07:03:09+02", "2024-05-28T05:03:09Z"),
            ("28.5.2024 9:03:09 (EET)", "2024-05-28T07:03:09Z"),
            ("2024-May-28.", "2024-05-28T00:00:00Z"),
            ("28-05-2024", "2024-05-28T00:00:00Z"),
            ("20240528 07:03:09", "2024-05-28T07:03:09Z"),
            ("28/05/2024", "2024-05-28T00:00:00Z"),
            ("20240528 #1234567", "2024-05-28T00:00:00Z"),
            ("2024. 05. 28.", "2024-05-28T00:00:00Z"),
            ("Tue, 28 May 2024 12:03:09 +0500", "2024-05-28T07:03:09Z"),
            ("Tue, 28 May 2024 07:03:09 GMT", "2024-05-28T07:03:09Z"),
        ] {
            assert_eq!(parse(text).map(Timestamp::rfc3339).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "before Aug-1996",
            "-",
            "2024",
            "1716879789",
            "2024-13-01",
            "32.01.2024",
            "Not Disclosed",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
