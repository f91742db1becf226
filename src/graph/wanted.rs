//! Which graph is wanted, as people and clients write it.

use super::{RELATIONS, Relation, Thing};
use crate::request;
use crate::value::Timestamp;

/// The most objects that are opened, the one that is asked of included.
pub const OPENED_MAX: usize = 30;

/// The most neighbours of a relation unless another number is asked for.
pub const LIMIT: usize = 25;

/// The most that can be asked for.
pub const LIMIT_MAX: usize = 100;

/// Which graph is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is opened, what was asked of first; never none, and each once.
    pub opened: Vec<Thing>,
    /// The relations; none: all.
    pub only: Vec<&'static str>,
    /// The most neighbours of a relation, 1 to [`LIMIT_MAX`].
    pub limit: usize,
    /// A past moment; `None`: now.
    pub as_of: Option<Timestamp>,
}

impl Wanted {
    /// Reads what was asked of and what else is opened, each an indicator as typed or the id of a node; names of
    /// relations, commas between them; a limit; a past day or moment.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right.
    pub fn parse(
        of: &str,
        open: &[String],
        only: &[String],
        limit: Option<&str>,
        as_of: Option<&str>,
        now: Timestamp,
    ) -> Result<Wanted, String> {
        let mut opened: Vec<Thing> = vec![Thing::parse(of).map_err(|wrong| format!("of: {wrong}"))?];
        for text in open {
            let thing = Thing::parse(text).map_err(|wrong| format!("open: {wrong}"))?;
            if opened.iter().all(|known| known.id() != thing.id()) {
                opened.push(thing);
            }
        }
        if opened.len() > OPENED_MAX {
            let count = opened.len();
            return Err(format!("{count} are opened: open {OPENED_MAX} at most, or ask of another one"));
        }
        let names = only.iter().flat_map(|text| text.split(',')).map(str::trim);
        let only = names.filter(|name| !name.is_empty()).map(named).collect::<Result<_, _>>()?;
        Ok(Wanted {
            opened,
            only,
            limit: limit.map_or(Ok(LIMIT), |text| request::number("limit", text, LIMIT_MAX))?,
            as_of: as_of.map_or(Ok(None), |text| request::as_of(text, now))?,
        })
    }

    /// The relations that are wanted.
    pub fn relations(&self) -> impl Iterator<Item = &'static Relation> {
        RELATIONS.iter().filter(|relation| self.only.is_empty() || self.only.contains(&relation.name))
    }
}

fn named(name: &str) -> Result<&'static str, String> {
    RELATIONS.iter().find(|relation| relation.name == name).map(|relation| relation.name).ok_or_else(|| {
        let known: Vec<&str> = RELATIONS.iter().map(|relation| relation.name).collect();
        format!("relation is {name:?}: use one or more of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(of: &str, open: &[&str], only: &[&str], limit: Option<&str>) -> Result<Wanted, String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let now = Timestamp::parse("2024-06-01T12:00:00Z").unwrap();
        Wanted::parse(of, &texts(open), &texts(only), limit, None, now)
    }

    #[test]
    fn what_is_opened_is_opened_once() {
        let wanted = parse("a.example", &["A.EXAMPLE", "b.example", "domain:b.example"], &[], None).unwrap();
        let ids: Vec<String> = wanted.opened.iter().map(Thing::id).collect();
        assert_eq!(ids, ["domain:a.example", "domain:b.example"]);
        assert_eq!(wanted.limit, LIMIT);
        assert_eq!(wanted.relations().count(), RELATIONS.len());
    }

    #[test]
    fn bounds_and_names() {
        assert_eq!(parse("a.example", &[], &[], Some("1000")).unwrap().limit, LIMIT_MAX);
        for limit in ["0", "-1", "many", ""] {
            assert!(parse("a.example", &[], &[], Some(limit)).unwrap_err().contains("limit"), "{limit}");
        }
        let names: Vec<String> = (0..OPENED_MAX).map(|number| format!("n{number}.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(parse(names[0], &names, &[], None).unwrap().opened.len(), OPENED_MAX);
        assert!(parse("one.more.example", &names, &[], None).unwrap_err().contains("31 are opened"));
        let wanted = parse("a.example", &[], &["hosts,serves", "hosts"], None).unwrap();
        assert_eq!(wanted.relations().map(|relation| relation.name).collect::<Vec<_>>(), ["hosts", "serves"]);
        assert!(parse("a.example", &[], &["likes"], None).unwrap_err().contains("resolves_to"));
        assert!(parse("a b", &[], &[], None).unwrap_err().starts_with("of: "));
        assert!(parse("a.example", &["a b"], &[], None).unwrap_err().starts_with("open: "));
    }
}
