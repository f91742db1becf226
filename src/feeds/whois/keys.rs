//! What the keys and headings of WHOIS answers mean. Letters compare without case.

/// A field of the registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Domain,
    Created,
    Updated,
    Expires,
    /// When the answer was given.
    Observed,
    NameServer,
    Status,
    Registrar,
    RegistrarIanaId,
    /// Any address of the registrar.
    RegistrarEmail,
    /// The one for complaints, which counts more.
    RegistrarAbuseEmail,
    /// Part of the contact with this role.
    Contact(Role, Part),
    /// Part of the contact that the block is of.
    Block(Part),
    /// A contact with this role: by a handle, else by name.
    Person(Role),
    /// A contact with this role by its handle.
    Handle(Role),
    /// Known, and of something else.
    Ignored,
}

/// What a contact is for, in the order of a registration's contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Registrant,
    Administrative,
    Technical,
    Billing,
    Abuse,
    /// The answer does not say.
    #[default]
    Unsaid,
}

impl Role {
    /// The word of a registration's contact.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Role::Registrant => Some("registrant"),
            Role::Administrative => Some("administrative"),
            Role::Technical => Some("technical"),
            Role::Billing => Some("billing"),
            Role::Abuse => Some("abuse"),
            Role::Unsaid => None,
        }
    }
}

/// A field of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Organization,
    Address,
    City,
    State,
    PostalCode,
    Country,
    Phone,
    Fax,
    Email,
    Handle,
}

/// What the lines after a heading, or after the first line of a block, are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Section {
    /// No heading: what is said is said of the domain.
    #[default]
    None,
    Domain,
    Registrar,
    NameServers,
    Status,
    Contact(Role),
    /// A block that is referred to by its handle.
    Block,
    Other,
}

/// Keys of the domain. Without a top-level domain: the form that ICANN prescribes, and many countries follow.
const DOMAIN_KEYS: &[(&str, Field)] = &[
    ("domain name", Field::Domain),
    ("domain", Field::Domain),
    ("ドメイン名", Field::Domain), // co.jp
    ("domainname", Field::Domain), // lu
    ("creation date", Field::Created),
    ("created", Field::Created),    // cz, fr, nu, pl, ru, si, it
    ("created on", Field::Created), // jp
    ("created date", Field::Created),
    ("registered", Field::Created),      // be, cz, ee
    ("registered on", Field::Created),   // uk
    ("registered date", Field::Created), // kr, jp
    ("registration date", Field::Created),
    ("registration time", Field::Created), // cn
    ("assigned", Field::Created),          // il
    ("登録年月日", Field::Created),        // jp
    ("updated date", Field::Updated),
    ("updated", Field::Updated),
    ("changed", Field::Updated),           // cz, ee, br
    ("modified", Field::Updated),          // nu, se, ua
    ("last modified", Field::Updated),     // pl
    ("last-update", Field::Updated),       // fr
    ("last update", Field::Updated),       // it, jp
    ("last-updated", Field::Updated),      // ir
    ("last updated", Field::Updated),      // uk, jp
    ("last updated date", Field::Updated), // kr
    ("last updated on", Field::Updated),   // mx
    ("最終更新", Field::Updated),          // jp
    ("registry expiry date", Field::Expires),
    ("registrar registration expiration date", Field::Expires),
    ("expiration date", Field::Expires),
    ("expiration time", Field::Expires), // cn
    ("expiry date", Field::Expires),     // fr, uk
    ("expire", Field::Expires),          // cz, ee, si
    ("expires", Field::Expires),         // nu, se, br
    ("expires on", Field::Expires),      // jp
    ("expire date", Field::Expires),     // it
    ("expire-date", Field::Expires),     // ir
    ("renewal date", Field::Expires),    // pl
    ("paid-till", Field::Expires),       // ru
    ("valid until", Field::Expires),     // sk
    ("validity", Field::Expires),        // il
    ("有効期限", Field::Expires),        // jp
    ("last update of whois database", Field::Observed),
    ("timestamp", Field::Observed), // cz, in a comment
    ("name server", Field::NameServer),
    ("nserver", Field::NameServer),      // cz, fr, ir, nu, ru, ua
    ("nameserver", Field::NameServer),   // si
    ("nameservers", Field::NameServer),  // pl
    ("host name", Field::NameServer),    // kr
    ("dns", Field::NameServer),          // mx
    ("ネームサーバ", Field::NameServer), // co.jp
    ("domain status", Field::Status),
    ("epp status", Field::Status), // sk
    ("status", Field::Status),
    ("state", Field::Status), // nu, ru, co.jp
    ("状態", Field::Status),  // jp
    ("registrar", Field::Registrar),
    ("registrar name", Field::Registrar),                // ae
    ("sponsoring registrar", Field::Registrar),          // cn, ma
    ("authorized agency", Field::Registrar),             // kr
    ("registration service provider", Field::Registrar), // tw
    ("registrar iana id", Field::RegistrarIanaId),
    ("sponsoring registrar iana id", Field::RegistrarIanaId),
    ("registrar abuse contact email", Field::RegistrarAbuseEmail),
    ("registrar abuse email", Field::RegistrarAbuseEmail), // ua
    ("registrar email", Field::RegistrarEmail),
    ("registrar customer service email", Field::RegistrarEmail), // do
    ("owner", Field::Person(Role::Registrant)),                  // br
    ("holder-c", Field::Handle(Role::Registrant)),               // fr, ir
    ("owner-c", Field::Handle(Role::Registrant)),                // br
    ("admin-c", Field::Handle(Role::Administrative)),
    ("tech-c", Field::Handle(Role::Technical)),
    ("billing-c", Field::Handle(Role::Billing)), // nu, se
    ("bill-c", Field::Handle(Role::Billing)),    // ir
    ("administrative contact(ac)", Field::Contact(Role::Administrative, Part::Name)), // kr
    ("org", Field::Contact(Role::Registrant, Part::Organization)), // ru
    ("organization", Field::Contact(Role::Registrant, Part::Organization)), // co.jp
    ("person", Field::Contact(Role::Registrant, Part::Name)), // ru
];

/// How keys begin that are of one contact: `Registry Admin ID`, `Admin Contact Name`, `AC E-Mail`. Alone such a key
/// gives the contact's name or handle.
const ROLES: &[(&str, Role)] = &[
    ("registrant", Role::Registrant),
    ("holder", Role::Registrant), // fi, nu, se
    ("administrative", Role::Administrative),
    ("admin", Role::Administrative),
    ("ac", Role::Administrative), // kr
    ("technical", Role::Technical),
    ("tech", Role::Technical),
    ("billing", Role::Billing),
];

/// Keys within a contact: after a role, under a heading and in blocks.
const CONTACT_KEYS: &[(&str, Part)] = &[
    ("name", Part::Name),
    ("person", Part::Name),     // br, ua
    ("person-loc", Part::Name), // ua
    ("personname", Part::Name), // at
    ("organization", Part::Organization),
    ("organisation", Part::Organization),      // ae, be
    ("organization-loc", Part::Organization),  // ua
    ("organization name", Part::Organization), // tr
    ("org", Part::Organization),               // cz, ir
    ("street", Part::Address),
    ("address", Part::Address),
    ("address-loc", Part::Address),    // ua
    ("postal address", Part::Address), // jp
    ("street address", Part::Address), // at
    ("city", Part::City),
    ("city-loc", Part::City), // ua
    ("state/province", Part::State),
    ("state", Part::State),
    ("postal code", Part::PostalCode),
    ("postal-code", Part::PostalCode),
    ("postalcode", Part::PostalCode),      // de
    ("postal-code-loc", Part::PostalCode), // ua
    ("zip code", Part::PostalCode),        // kr
    ("郵便番号", Part::PostalCode),        // jp
    ("country", Part::Country),
    ("country-loc", Part::Country),  // ua
    ("country code", Part::Country), // sk
    ("countrycode", Part::Country),  // de
    ("phone", Part::Phone),
    ("phone number", Part::Phone), // kr
    ("電話番号", Part::Phone),     // jp
    ("fax", Part::Fax),
    ("fax-no", Part::Fax),  // fr, ir
    ("fax番号", Part::Fax), // jp
    ("email", Part::Email),
    ("e-mail", Part::Email), // fr, ir
    ("id", Part::Handle),
    ("nic-hdl", Part::Handle),    // at, il: not the first of its block
    ("nic handle", Part::Handle), // tr
];

/// Keys within a registrar's section or block.
const REGISTRAR_KEYS: &[(&str, Field)] = &[
    ("registrar", Field::Registrar),
    ("name", Field::Registrar),                  // be, ee
    ("organization", Field::Registrar),          // it, ua
    ("abuse-email", Field::RegistrarAbuseEmail), // ua
    ("e-mail", Field::RegistrarEmail),           // fr
    ("email", Field::RegistrarEmail),
];

/// Keys that, in a section or block of something else, are that thing's and not the domain's.
const OWN_KEYS: &[&str] = &[
    "admin-c",
    "changed",
    "created",
    "last-update",
    "last update",
    "modified",
    "org",
    "organization",
    "person",
    "registered",
    "registrar",
    "source",
    "state",
    "status",
    "tech-c",
    "type",
    "updated",
];

/// Lines that end with nothing after the colon, or have no colon at all, and head a section.
const HEADINGS: &[(&str, Section)] = &[
    ("domain", Section::Domain),              // ee
    ("domain name", Section::Domain),         // uk
    ("domain information", Section::Domain),  // jp
    ("relevant dates", Section::Domain),      // uk
    ("registration status", Section::Status), // uk
    ("flags", Section::Status),               // be
    ("registrar", Section::Registrar),        // aw, be, ee, it, nl, pl, uk; ua in a comment
    ("name server", Section::NameServers),
    ("name servers", Section::NameServers),                   // ee, uk
    ("nameservers", Section::NameServers),                    // be, it
    ("domain nameservers", Section::NameServers),             // aw, nl
    ("domain servers", Section::NameServers),                 // tr
    ("domain servers in listed order", Section::NameServers), // tw
    ("nservers", Section::NameServers),                       // lv
    ("primary name server", Section::NameServers),            // kr
    ("secondary name server", Section::NameServers),          // kr
    ("registrant", Section::Contact(Role::Registrant)),       // be, ee, it, uk
    ("domain holder", Section::Contact(Role::Registrant)),    // si
    ("holder", Section::Contact(Role::Registrant)),           // fi, lv
    ("administrative contact", Section::Contact(Role::Administrative)), // ee
    ("administrative contacts", Section::Contact(Role::Administrative)), // ua
    ("admin contact", Section::Contact(Role::Administrative)), // it
    ("technical contact", Section::Contact(Role::Technical)), // ee
    ("technical contacts", Section::Contact(Role::Technical)), // it, ua
    ("registrar technical contacts", Section::Contact(Role::Technical)), // be
    ("technical", Section::Contact(Role::Technical)),         // eu
    ("tech", Section::Contact(Role::Technical)),              // si
    ("billing contact", Section::Contact(Role::Billing)),
    ("[holder]", Section::Contact(Role::Registrant)), // de before 2018, likewise:
    ("[admin-c]", Section::Contact(Role::Administrative)),
    ("[tech-c]", Section::Contact(Role::Technical)),
    ("[zone-c]", Section::Other),
    ("abuse contact", Section::Contact(Role::Abuse)), // aw, nl
    ("contact information", Section::Contact(Role::Unsaid)), // jp
    ("keys", Section::Other),                         // be
    ("whois", Section::Other),                        // lv
];

/// Keys that begin a block after a blank line, once the domain is known.
const BLOCKS: &[(&str, Section)] = &[
    ("nic-hdl", Section::Block),       // fr, ir
    ("nic-hdl-br", Section::Block),    // br
    ("contact", Section::Block),       // cz
    ("nsset", Section::NameServers),   // cz
    ("ns-list", Section::NameServers), // fr
    ("keyset", Section::Other),        // cz
    ("person", Section::Block),        // il: the handle follows
    ("personname", Section::Block),    // at: likewise
    ("registrar", Section::Registrar), // fr, where the first block has named it
];

/// How lines begin that say something without a colon.
const PHRASES: &[(&str, Field)] = &[
    ("record created on ", Field::Created), // tw
    ("record expires on ", Field::Expires), // tw
    ("last updated on ", Field::Observed),  // ru
];

/// What an answer says when there is no such domain, or none was looked for; anywhere in a line.
const NO_DATA: &[&str] = &[
    "no match",
    "not found",
    "no data found",
    "no entries found",
    "no object found",
    "nothing found",
    "not registered",
    "no such domain",
    "is free",
    "is available for",
    "limit exceeded",
    "quota exceeded",
    "rate limit",
    "too many ",
    "try again later",
    "access denied",
    "queries per",
    "blacklisted",
    "invalid query",
    "malformed",
];

/// How an answer begins that is nothing else, by which it is recognised.
const NO_DATA_BEGINS: &[&str] = &[
    "no match",
    "not found",
    "no data found",
    "no entries found",
    "no object found",
    "nothing found",
    "domain not found",
    "domain name not found",
    "error:101: no entries found", // cz, in a comment
];

/// Statuses of a name that nobody has.
const FREE: &[&str] = &["free", "available", "no object found", "not registered"];

/// The meaning of a key in a section.
pub(super) fn field(section: Section, key: &str) -> Option<Field> {
    let own = match section {
        Section::Contact(role) => find(CONTACT_KEYS, key).map(|part| Field::Contact(role, part)),
        // In .fr the name of the one whom the block is of.
        Section::Block if is(key, "contact") => Some(Field::Block(Part::Name)),
        Section::Block => find(CONTACT_KEYS, key).map(Field::Block),
        Section::Registrar => find(REGISTRAR_KEYS, key),
        Section::Domain if is(key, "name") => Some(Field::Domain), // ee
        _ => None,
    };
    let foreign =
        !matches!(section, Section::None | Section::Domain) && OWN_KEYS.iter().any(|known| is(known, key));
    own.or(foreign.then_some(Field::Ignored)).or_else(|| find(DOMAIN_KEYS, key)).or_else(|| of_a_contact(key))
}

/// Whether a key may be that of the domain: a cheap question before the whole one.
pub(super) fn is_domain(key: &str) -> bool {
    find(DOMAIN_KEYS, key) == Some(Field::Domain) || is(key, "name")
}

/// `Registry Admin ID`, `Admin Contact Name`, `Admin`.
fn of_a_contact(key: &str) -> Option<Field> {
    let key = strip(key, "registry ").unwrap_or(key);
    ROLES.iter().find_map(|(word, role)| {
        let rest = strip(key, word)?;
        let rest = strip(rest, " contact").unwrap_or(rest);
        if rest.is_empty() {
            return Some(Field::Person(*role));
        }
        find(CONTACT_KEYS, rest.strip_prefix(' ')?).map(|part| Field::Contact(*role, part))
    })
}

/// Field and value of a line without a colon.
pub(super) fn phrase(line: &str) -> Option<(Field, &str)> {
    PHRASES.iter().find_map(|(begin, field)| strip(line, begin).map(|value| (*field, value)))
}

/// The section that a line without a value heads.
pub(super) fn heading(key: &str) -> Option<Section> {
    find(HEADINGS, key)
}

/// The section that a block with this first key is.
pub(super) fn block(key: &str) -> Option<Section> {
    find(BLOCKS, key)
}

/// The first line that says that there is no data.
pub(super) fn no_data(text: &str) -> Option<&str> {
    text.lines().find(|line| {
        let line = line.to_ascii_lowercase();
        NO_DATA.iter().any(|phrase| line.contains(phrase))
    })
}

/// Whether a text begins as an answer that there is no data.
pub(super) fn begins_no_data(text: &str) -> bool {
    NO_DATA_BEGINS.iter().any(|begin| strip(text, begin).is_some())
}

/// Whether a status is that of a name that nobody has.
pub(super) fn is_free(status: &str) -> bool {
    FREE.iter().any(|free| is(free, status))
}

fn find<T: Copy>(table: &[(&str, T)], key: &str) -> Option<T> {
    table.iter().find(|(known, _)| is(known, key)).map(|(_, meaning)| *meaning)
}

fn is(known: &str, key: &str) -> bool {
    known.eq_ignore_ascii_case(key)
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.get(..prefix.len()).filter(|begin| is(prefix, begin)).map(|_| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_once() {
        fn check<T>(table: &[(&str, T)]) {
            for (at, (key, _)) in table.iter().enumerate() {
                assert!(!table[..at].iter().any(|(other, _)| is(other, key)), "{key} stands twice");
            }
        }
        check(DOMAIN_KEYS);
        check(CONTACT_KEYS);
        check(REGISTRAR_KEYS);
        check(HEADINGS);
        check(BLOCKS);
    }

    #[test]
    fn keys_of_a_contact_are_role_and_part() {
        for (key, expected) in [
            ("Registry Admin ID", Some(Field::Contact(Role::Administrative, Part::Handle))),
            ("Registrant Contact Email", Some(Field::Contact(Role::Registrant, Part::Email))),
            ("Tech State/Province", Some(Field::Contact(Role::Technical, Part::State))),
            ("AC E-Mail", Some(Field::Contact(Role::Administrative, Part::Email))),
            ("Registrant", Some(Field::Person(Role::Registrant))),
            ("Registrant Phone Ext", None),
            ("Registrant type", None),
            ("Registrants", None),
            ("Technician Name", None),
        ] {
            assert_eq!(field(Section::None, key), expected, "{key}");
        }
        assert_eq!(field(Section::Contact(Role::Technical), "changed"), Some(Field::Ignored));
        assert_eq!(field(Section::NameServers, "changed"), Some(Field::Ignored));
        assert_eq!(field(Section::NameServers, "DNSSEC"), None);
    }
}
