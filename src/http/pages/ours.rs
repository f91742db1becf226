//! What is ours alone of a report's page: what people say of the object, and, for who is entitled to it, which clients of ours
//! talked to it.

use crate::access::Caller;
use crate::access::role::Capability;
use crate::contacts;
use crate::indicator::Indicator;
use crate::lookup::{Context, LookupError};
use crate::page::grid::{At, Wanted};
use crate::page::ours::{self, CONTACTS, May, Ours, PEOPLE};
use crate::page::path_of;
use crate::page::report::View;
use crate::people::{self, KINDS};
use crate::value::Timestamp;

/// What these sections are made for.
pub(super) struct Asking {
    may: May,
    sees_contacts: bool,
    csrf: String,
    done: &'static str,
}

impl Asking {
    pub(super) fn new(caller: &Caller, csrf: &str, done: &'static str) -> Asking {
        Asking {
            may: may(caller),
            sees_contacts: caller.may(Capability::Contacts),
            csrf: csrf.to_owned(),
            done,
        }
    }
}

/// What somebody may say.
pub(super) fn may(caller: &Caller) -> May {
    May {
        pin: caller.may(Capability::Pin),
        write: caller.may(Capability::Write),
        is_named: caller.identity.is_some(),
    }
}

/// The sections, as of now or of a past moment.
pub(super) fn sections(
    context: &Context<'_>,
    asking: &Asking,
    indicator: &Indicator,
    view: &View,
    as_of: Option<Timestamp>,
) -> Result<Vec<Ours>, LookupError> {
    let known = context.snapshot()?.view(as_of);
    let path = path_of(indicator.kind(), &indicator.to_string());
    let at = |id: &'static str| {
        let as_of = Some(("as_of", view.as_of.clone())).filter(|(_, as_of)| !as_of.is_empty());
        let keep = [("section", id.to_owned())].into_iter().chain(as_of).collect();
        At { path: path.clone(), keep, id: id.to_owned() }
    };
    let wanted = |id: &str| if view.section == id { view.rows.clone() } else { Wanted::default() };
    let mut records = Vec::new();
    for kind in &KINDS {
        records.extend(people::records_in(&known, kind, indicator, as_of.unwrap_or(context.now))?);
    }
    // Nothing can be said in the past.
    let may = if as_of.is_none() { asking.may } else { May::default() };
    let mut sections = Vec::new();
    if !records.is_empty() || may.pin || may.write {
        let said = ours::people(records, &indicator.tagged(), may, &at(PEOPLE), &wanted(PEOPLE))?;
        sections.push(Ours { csrf: asking.csrf.clone(), done: asking.done, ..said });
    }
    if asking.sees_contacts {
        let found = contacts::contacts(&known, indicator)?;
        if found.total > 0 {
            sections.push(ours::contacts(&found, &at(CONTACTS), &wanted(CONTACTS))?);
        }
    }
    Ok(sections)
}
