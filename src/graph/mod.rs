//! What is around indicators: their neighbours by relation, for going from one to the next.
//!
//! A graph is what the dossiers of the opened objects say, joined: an object that several name is one node, and what two
//! say of each other is one edge. [`RELATIONS`] is the table of what relates; all else follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::lookup::{self, Context, LookupError};
use crate::store::{Snapshot, StoreError};
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::Judge;

mod neighbour;
mod registered;
mod relations;
mod thing;
mod wanted;

use neighbour::{Found, Neighbour};
pub use relations::{RELATIONS, Relation};
pub use thing::Thing;
pub use wanted::{LIMIT, LIMIT_MAX, OPENED_MAX, Wanted};

/// The most nodes of a graph: what would be more is counted.
pub const NODES_MAX: usize = 1_000;

/// What is around the opened objects.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Graph {
    /// The id of the node that was asked of.
    pub of: String,
    /// The moment.
    pub at: Timestamp,
    /// The ids of the opened nodes, in the order of the question.
    pub opened: Vec<String>,
    /// Those of them of which nothing is known; other nodes can name them all the same.
    pub unknown: Vec<String>,
    /// The opened nodes and their neighbours, at most [`NODES_MAX`]; by id.
    pub nodes: Vec<Node>,
    /// What relates them, each once, whoever says so; by the ids of both ends.
    pub edges: Vec<Edge>,
    /// Of which relations there is more than is shown.
    pub more: Vec<More>,
}

/// An object, or an intelligence report.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = GraphNode)]
pub struct Node {
    /// Its kind and its normal form, `domain:example.com`: what `of` and `open` take. A file has the best known of its
    /// hashes, a web address has no private data.
    pub id: String,
    /// `domain`, `ip`, `url`, `hash` or `report`.
    pub kind: &'static str,
    /// For people: defanged; of a report its title.
    pub label: String,
    /// Its zone; a report has none.
    pub zone: Option<Zone>,
    /// Its score, where it is known without opening it.
    pub score: Option<ThreatScore>,
    /// The path of its own page in this service.
    pub href: String,
    /// Whether its neighbours are in the graph.
    pub opened: bool,
}

/// A relation between two nodes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = GraphEdge)]
pub struct Edge {
    /// The id of the node where it begins; of a mutual relation the lesser id.
    pub from: String,
    /// The id of the node where it ends.
    pub to: String,
    /// What relates them.
    #[schema(value_type = String, example = "resolves_to")]
    pub relation: &'static str,
    /// When that was first seen.
    pub first: Option<Timestamp>,
    /// When it was last seen.
    pub last: Option<Timestamp>,
    /// How often it was seen; null where that is not counted.
    pub hits: Option<u64>,
    /// What it goes by: a certificate, a registrant, the technique of an imitation, the type of a report.
    pub detail: Option<String>,
}

/// On which side of a relation a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = GraphSide)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The relation begins at it, or is mutual.
    From,
    /// The relation ends at it.
    To,
}

/// A relation of an opened node of which not all is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = GraphMore)]
pub struct More {
    /// The id of the opened node.
    pub of: String,
    /// The relation.
    #[schema(value_type = String, example = "resolves_to")]
    pub relation: &'static str,
    /// Where the opened node stands in it.
    pub side: Side,
    /// How many neighbours are shown.
    pub shown: u64,
    /// How many there are, at the least.
    pub all: u64,
}

/// The graph of what is wanted.
///
/// # Errors
///
/// [`LookupError::Unknown`] where nothing is known of the first of the opened, [`LookupError::BadRequest`] where it is a
/// report that is not there, [`LookupError::Store`] where the store cannot answer.
pub fn graph(context: &Context<'_>, wanted: &Wanted) -> Result<Graph, LookupError> {
    let snapshot = context.snapshot()?;
    let mut made = Making::default();
    for (at, thing) in wanted.opened.iter().enumerate() {
        let is_known = match thing {
            Thing::Object(_) => open_object(&snapshot, context, thing, wanted, &mut made),
            Thing::Report(id) => open_report(&snapshot, context, id, wanted, &mut made),
        };
        match is_known {
            Ok(()) => {}
            Err(LookupError::Unknown(_) | LookupError::BadRequest(_)) if at > 0 => {
                let id = thing.id();
                made.unknown.push(id.clone());
                made.opened.push(id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(made.finish(wanted.as_of.unwrap_or(context.now)))
}

fn open_object(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    thing: &Thing,
    wanted: &Wanted,
    made: &mut Making,
) -> Result<(), LookupError> {
    let Thing::Object(indicator) = thing else { return Ok(()) };
    let request = lookup::Request { as_of: wanted.as_of, ..lookup::Request::default() };
    lookup::about(snapshot, context, indicator, &request, |about| {
        let verdict = &about.common().verdict;
        let own = Thing::of(about);
        let id = made.open(&own, None, Some(verdict.zone), Some(verdict.score));
        for relation in wanted.relations() {
            for (side, find) in [(Side::From, relation.begins), (Side::To, relation.ends)] {
                made.add(&id, relation, side, find(about, wanted.limit)?);
            }
        }
        Ok(())
    })
}

/// A report has no dossier: what it names is all its neighbours.
fn open_report(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    report: &str,
    wanted: &Wanted,
    made: &mut Making,
) -> Result<(), LookupError> {
    let view = snapshot.view(wanted.as_of);
    let judge = Judge::new(&view, context.policy, wanted.as_of.unwrap_or(context.now));
    let Some(publication) = crate::publications::find(&view, report)? else {
        let detail = format!("there is no report {report:?}: /api/v1/reports lists those that there are");
        return Err(LookupError::BadRequest(detail));
    };
    let thing = Thing::Report(report.to_owned());
    let id = made.open(&thing, Some(&publication.title), None, None);
    for relation in wanted.relations().filter(|relation| relation.is_of_reports()) {
        made.add(&id, relation, Side::To, relations::named(&judge, &publication, wanted.limit)?);
    }
    Ok(())
}

/// Both ends and the name of an edge.
type EdgeKey = (String, String, &'static str);

/// A graph being made.
#[derive(Default)]
struct Making {
    opened: Vec<String>,
    unknown: Vec<String>,
    nodes: BTreeMap<String, Node>,
    edges: BTreeMap<EdgeKey, Edge>,
    more: Vec<More>,
}

impl Making {
    /// Opens a node, which may be a neighbour already; its own verdict counts. Its id.
    fn open(
        &mut self,
        thing: &Thing,
        title: Option<&str>,
        zone: Option<Zone>,
        score: Option<ThreatScore>,
    ) -> String {
        let node = Node { opened: true, ..thing.node(title, zone, score) };
        let id = node.id.clone();
        self.opened.push(id.clone());
        self.nodes.insert(id.clone(), node);
        id
    }

    /// Adds what was found of a relation of an opened node.
    fn add(&mut self, id: &str, relation: &Relation, side: Side, found: Found) {
        let mut shown = BTreeSet::new();
        for neighbour in found.neighbours {
            let other = neighbour.thing.id();
            if other == id {
                continue;
            }
            if !self.nodes.contains_key(&other) {
                if self.nodes.len() >= NODES_MAX {
                    continue;
                }
                let Neighbour { thing, title, zone, score, .. } = &neighbour;
                self.nodes.insert(other.clone(), thing.node(title.as_deref(), *zone, *score));
            }
            self.join(id, &other, relation, side, &neighbour);
            shown.insert(other);
        }
        let shown = shown.len() as u64;
        if found.all > shown {
            self.more.push(More { of: id.to_owned(), relation: relation.name, side, shown, all: found.all });
        }
    }

    fn join(&mut self, id: &str, other: &str, relation: &Relation, side: Side, neighbour: &Neighbour) {
        let is_turned = match side {
            Side::From => relation.is_mutual && other < id,
            Side::To => true,
        };
        let (from, to) = if is_turned { (other, id) } else { (id, other) };
        let edge = Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            relation: relation.name,
            first: neighbour.first,
            last: neighbour.last,
            hits: neighbour.hits,
            detail: neighbour.detail.clone(),
        };
        let key = (edge.from.clone(), edge.to.clone(), edge.relation);
        match self.edges.get_mut(&key) {
            Some(known) => known.take(edge),
            None => drop(self.edges.insert(key, edge)),
        }
    }

    fn finish(self, at: Timestamp) -> Graph {
        Graph {
            of: self.opened.first().cloned().unwrap_or_default(),
            at,
            opened: self.opened,
            unknown: self.unknown,
            nodes: self.nodes.into_values().collect(),
            edges: self.edges.into_values().collect(),
            more: self.more,
        }
    }
}

impl Edge {
    /// Takes in what the other end says of the same relation: it may know more of it, never something else.
    fn take(&mut self, other: Edge) {
        let either = |a: Option<Timestamp>, b: Option<Timestamp>, first: bool| match (a, b) {
            (Some(a), Some(b)) => Some(if first { a.min(b) } else { a.max(b) }),
            (a, b) => a.or(b),
        };
        self.first = either(self.first, other.first, true);
        self.last = either(self.last, other.last, false);
        self.hits = self.hits.max(other.hits);
        self.detail = self.detail.take().or(other.detail);
    }
}

/// What the neighbours of a relation are found by.
type Find = fn(&crate::sections::About<'_>, usize) -> Result<Found, StoreError>;
