//! A whole name below another domain: `example.com.evil.net`.

/// The shortest label of such a name: shorter ones are machines, countries and languages.
const LABEL_BYTES_MIN: usize = 3;

/// The registrable names that stand whole in a host, before its own registrable domain: `example.com` of
/// `www.example.com.evil.net`. Only suffixes of the ICANN section of the Public Suffix List end one.
pub fn whole_names(host: &str) -> Vec<&str> {
    let own = psl::domain_str(host).unwrap_or(host);
    let Some(below) = host.strip_suffix(own).and_then(|below| below.strip_suffix('.')) else {
        return Vec::new();
    };
    let ends = below.match_indices('.').map(|(at, _)| at).skip(1).chain([below.len()]);
    let mut found: Vec<&str> = Vec::new();
    for part in ends.map(|end| &below[..end]) {
        let is_public = psl::suffix(part.as_bytes())
            .is_some_and(|suffix| suffix.is_known() && suffix.typ() == Some(psl::Type::Icann));
        let name = is_public.then(|| psl::domain_str(part)).flatten();
        let is_name = |name: &&str| *name != own && name.find('.').is_some_and(|dot| dot >= LABEL_BYTES_MIN);
        // `example.co.uk` is not `example.co` too.
        if let Some(name) = name.filter(is_name) {
            found.retain(|shorter| !name.starts_with(*shorter));
            found.push(name);
        }
    }
    found
}
