//! Values of registrations that only say that there is none: in WHOIS and RDAP alike.

/// How a value begins that stands where one was withheld or never given; letters compare without case.
const PLACEHOLDERS: &[&str] = &[
    // Registries and registrars under ICANN's temporary specification of 2018 (GDPR).
    "redacted",
    "data redacted",
    "data protected",
    "gdpr redacted",
    "gdpr masked",
    "non-public data",
    "nonpublic data",
    "not public",
    "statutory masking enabled",
    "withheld for privacy purposes",
    "not available from registry",
    "please query the ",
    "please contact the registrar listed above",
    "select request email form at ",
    // Country-code registries.
    "not disclosed",            // .ee, .si
    "not shown, please visit ", // .be
    "visit whois.",             // .ae
    "visit www.",               // .eu
    "hidden upon user request", // .eu, .lt
    "private person",           // .ru
    // Nothing.
    "n/a",
    "not applicable",
    "not available",
    "not provided",
    "not.defined", // .uz
    "<no value>",  // .uz
    "<data not disclosed>",
];

/// Values that are placeholders only when they are all there is.
const WHOLE: &[&str] =
    &["-", "--", ".", "none", "null", "unknown", "undisclosed", "hidden", "private", "unset"];

/// The longest value that is taken: a longer one is somebody's terms of use.
const VALUE_BYTES_MAX: usize = 1000;

/// The value without white space around it; `None` where it says that there is none.
pub(super) fn said(value: &str) -> Option<&str> {
    let value = value.trim();
    let is = |placeholder: &&str| value.eq_ignore_ascii_case(placeholder);
    let begins = |placeholder: &&str| {
        value.get(..placeholder.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(placeholder))
    };
    let absent = value.is_empty()
        || value.len() > VALUE_BYTES_MAX
        || WHOLE.iter().any(is)
        || PLACEHOLDERS.iter().any(begins);
    (!absent).then_some(value)
}

/// An e-mail address; `None` where a form or a sentence stands in its place.
pub(super) fn email(value: &str) -> Option<&str> {
    said(value)
        .filter(|value| value.contains('@') && !value.contains("://") && !value.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_absent() {
        for value in [
            "",
            " ",
            "-",
            "REDACTED FOR PRIVACY",
            "Redacted | Registry Policy",
            "NOT DISCLOSED",
            "n/a",
            "None",
        ] {
            assert_eq!(said(value), None, "{value}");
        }
        for value in ["Google LLC", "Nonesuch Ltd", "None of Your Business Ltd", "NA"] {
            assert_eq!(said(value), Some(value));
        }
        assert_eq!(email("https://whois.nic.vg/contact/example.vg/admin"), None);
        assert_eq!(email("Visit whois.example for mail@example.com"), None);
        assert_eq!(email("a@example.com"), Some("a@example.com"));
    }
}
