//! A record of the common shape, read at half the cost of serde_json: a flat object of known fields whose strings have no
//! escapes and whose numbers are whole. Anything else is left to serde_json, which also says what is wrong with it; what is
//! read here is read the same there, as a test checks.

use std::borrow::Cow;

use super::{Answers, Number, Record, Text, Type};

/// The record; None where serde_json has to read it.
pub(super) fn record(text: &str) -> Option<Record<'_>> {
    let mut rest = Rest(text);
    let mut record = Record::default();
    let mut seen = 0u8;
    rest.skip("{")?;
    loop {
        // A field that stands twice is for serde_json to refuse.
        let mut once = |field: u8| (seen & field == 0).then(|| seen |= field);
        if rest.skip("\"rrname\":").is_some() {
            once(1)?;
            record.rrname = Cow::Borrowed(rest.string()?);
        } else if rest.skip("\"rrtype\":").is_some() {
            once(1 << 1)?;
            record.rrtype = Type::read(rest.string()?);
        } else if rest.skip("\"rdata\":").is_some() {
            once(1 << 2)?;
            record.rdata = rest.answers()?;
        } else if rest.skip("\"time_first\":").is_some() {
            once(1 << 3)?;
            record.time_first = rest.number()?;
        } else if rest.skip("\"time_last\":").is_some() {
            once(1 << 4)?;
            record.time_last = rest.number()?;
        } else if rest.skip("\"count\":").is_some() {
            once(1 << 5)?;
            record.count = rest.number()?;
        } else if rest.skip("\"zone_time_first\":").is_some() {
            once(1 << 6)?;
            record.zone_time_first = rest.number()?;
        } else if rest.skip("\"zone_time_last\":").is_some() {
            once(1 << 7)?;
            record.zone_time_last = rest.number()?;
        } else {
            rest.skip("\"bailiwick\":")
                .or_else(|| rest.skip("\"sensor_id\":"))
                .or_else(|| rest.skip("\"origin\":"))?;
            rest.string()?;
        }
        if rest.skip(",").is_none() {
            rest.skip("}")?;
            return rest.0.is_empty().then_some(record);
        }
        rest.skip_space();
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// One space, as many writers put it after a comma or a colon.
    fn skip_space(&mut self) {
        self.0 = self.0.strip_prefix(' ').unwrap_or(self.0);
    }

    fn string(&mut self) -> Option<&'a str> {
        self.skip_space();
        self.skip("\"")?;
        let length = self.0.bytes().position(|byte| ENDS[usize::from(byte)])?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    fn answers(&mut self) -> Option<Answers<'a>> {
        self.skip_space();
        if self.skip("[").is_none() {
            return Some(Answers { first: Some(Cow::Borrowed(self.string()?)), rest: Vec::new() });
        }
        let mut answers = Answers { first: Some(Cow::Borrowed(self.string()?)), rest: Vec::new() };
        while self.skip(",").is_some() {
            answers.rest.push(Text(Cow::Borrowed(self.string()?)));
        }
        self.skip("]")?;
        Some(answers)
    }

    /// Digits, few enough for any number that means something.
    fn number(&mut self) -> Option<Number> {
        self.skip_space();
        let mut number = 0;
        let mut digits = 0;
        for byte in self.0.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = 10 * number + i64::from(digit);
            digits += 1;
            if digits > 15 {
                return None;
            }
        }
        if digits == 0 || (digits > 1 && self.0.starts_with('0')) {
            return None;
        }
        self.0 = self.0.split_at_checked(digits)?.1;
        // A fraction or an exponent leads to neither a comma nor the end.
        Some(Number::Is(number))
    }
}

/// What ends a string or is not plain in it: the quote, the backslash, control characters.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = String> {
        const KNOWN: &[&str] = &[
            "rrname",
            "rrtype",
            "rdata",
            "time_first",
            "time_last",
            "zone_time_first",
            "zone_time_last",
            "count",
            "bailiwick",
            "origin",
        ];
        prop_oneof![9 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-z\"\\\\]{0,3}"]
    }

    fn value() -> impl Strategy<Value = String> {
        let string = || "\"[a-zé.\\\\\"\t]{0,3}\"|\"(A|CNAME|65|70000|[a-z]{1,3})\"";
        prop_oneof![
            4 => string(),
            4 => "[0-9]{1,20}|[1-9][0-9]{0,9}",
            2 => prop::collection::vec(string(), 0..3).prop_map(|list| format!("[{}]", list.join(","))),
            1 => "null|true|-1|1.5|1e3|\\{\\}|\\[1\\]",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_read_here_is_read_the_same_by_serde_json(
            fields in prop::collection::vec((key(), " ?", " ?", value(), " ?"), 1..5),
            end in "}| }|}x|,}|",
        ) {
            let field = |(key, a, b, value, c): &(String, String, String, String, String)| {
                format!("\"{key}\":{b}{value},{a}{c}").trim_end_matches(',').to_owned()
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            let text = format!("{{{}{end}", fields.join(","));
            if let Some(found) = record(&text) {
                let read = serde_json::from_str::<Record<'_>>(&text);
                prop_assert!(read.is_ok(), "{text}");
                prop_assert_eq!(format!("{found:?}"), format!("{:?}", read.unwrap()), "{}", text);
            }
        }
    }

    #[test]
    fn what_servers_write_is_read_here() {
        let lines = include_str!("../../../tests/feeds/cof/circl.in").lines();
        let others: Vec<usize> =
            (1..).zip(lines).filter(|(_, line)| record(line).is_none()).map(|(at, _)| at).collect();
        // Times in strings, an escape, a number for a type, fractions.
        assert_eq!(others, [2, 8, 11, 12]);
    }
}
