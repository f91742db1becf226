//! The page of a graph: nodes and edges as tables, whose links open and close; a script draws them, too.

use askama::Template;

use super::cell::Cell;
use super::{Badge, Frame, escaped, thousands};
use crate::graph::{Graph, LIMIT, Node, OPENED_MAX, RELATIONS, Side, Wanted};
use crate::store::StoreError;
use crate::value::Timestamp;

/// How many neighbours of a relation can be chosen.
const LIMITS: [usize; 4] = [10, LIMIT, 50, 100];

/// The page.
#[derive(Template)]
#[template(path = "graph.html")]
pub struct GraphPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The graph; `None`: nothing was asked of yet.
    pub drawn: Option<Drawn>,
}

/// A graph as it is shown.
pub struct Drawn {
    /// What was asked of, defanged.
    pub subject: String,
    /// Its id.
    pub of: String,
    /// What is opened besides, by id.
    pub opened: Vec<String>,
    /// The nodes, the worst first.
    pub nodes: Vec<NodeRow>,
    /// What relates them.
    pub edges: Vec<EdgeRow>,
    /// What is not shown, in words.
    pub notes: Vec<String>,
    /// The relations, and whether each is shown.
    pub relations: Vec<(&'static str, &'static str, bool)>,
    /// How many neighbours of a relation can be chosen, and whether it is so many.
    pub limits: Vec<(usize, bool)>,
    /// The past moment as asked for; empty: now.
    pub as_of: String,
    /// The day up to which a past day can be chosen.
    pub today: String,
    /// The same as JSON, for the script.
    pub data: String,
    /// The path that answers the same as JSON.
    pub api: String,
}

/// A node as a row.
pub struct NodeRow {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// Defanged.
    pub label: String,
    /// Its zone.
    pub badge: Option<Badge>,
    /// Its score; empty: not known.
    pub score: String,
    /// Its own page.
    pub href: String,
    /// Whether it is opened.
    pub is_opened: bool,
    /// The path of the graph with it opened, or closed; empty: neither can be.
    pub turn: String,
}

/// An edge as a row.
pub struct EdgeRow {
    /// Where it begins: label and page.
    pub from: (String, String),
    /// What relates them.
    pub said: &'static str,
    /// Where it ends.
    pub to: (String, String),
    /// What it goes by.
    pub detail: String,
    /// First.
    pub first: Cell,
    /// Last.
    pub last: Cell,
    /// How often.
    pub hits: Cell,
}

/// A graph of which the page shows a state: what does not change by opening and closing.
struct State<'a> {
    graph: &'a Graph,
    /// `&relation=…&limit=…&as_of=…`
    rest: String,
}

impl State<'_> {
    /// The query of the graph with these opened, what was asked of first.
    fn query<'b>(&self, opened: impl Iterator<Item = &'b String>) -> String {
        let open: String =
            opened.filter(|id| **id != self.graph.of).map(|id| format!("&open={}", escaped(id))).collect();
        format!("?of={}{open}{}", escaped(&self.graph.of), self.rest)
    }

    /// The path with one node turned.
    fn turned(&self, node: &Node) -> String {
        let opened = self.graph.opened.iter();
        if node.opened {
            if node.id == self.graph.of {
                return String::new();
            }
            return format!("/graph{}", self.query(opened.filter(|id| **id != node.id)));
        }
        if self.graph.opened.len() >= OPENED_MAX {
            return String::new();
        }
        format!("/graph{}", self.query(opened.chain([&node.id])))
    }
}

impl Drawn {
    /// A graph as it was wanted.
    ///
    /// # Errors
    ///
    /// None: a graph is texts and numbers.
    pub fn new(graph: &Graph, wanted: &Wanted, as_of: &str, now: Timestamp) -> Result<Drawn, StoreError> {
        let as_of = if wanted.as_of.is_some() { as_of.to_owned() } else { String::new() };
        let mut rest: String = wanted.only.iter().map(|name| format!("&relation={name}")).collect();
        if wanted.limit != LIMIT {
            rest.push_str(&format!("&limit={}", wanted.limit));
        }
        if !as_of.is_empty() {
            rest.push_str(&format!("&as_of={}", escaped(&as_of)));
        }
        let state = State { graph, rest };
        let label = |id: &str| graph.nodes.iter().find(|node| node.id == *id);
        let end = |id: &str| {
            label(id).map_or_else(Default::default, |node| (node.label.clone(), node.href.clone()))
        };
        let mut nodes: Vec<&Node> = graph.nodes.iter().collect();
        // A report has no zone: it stands last.
        nodes.sort_by_key(|node| (node.id != graph.of, node.zone.is_none(), node.zone, !node.opened));
        let time = |at: Option<Timestamp>| at.map_or(Cell::Nothing, |at| Cell::time(&at.to_string()));
        let edges = graph.edges.iter().map(|edge| EdgeRow {
            from: end(&edge.from),
            said: RELATIONS.iter().find(|one| one.name == edge.relation).map_or("", |one| one.said),
            to: end(&edge.to),
            detail: edge.detail.clone().unwrap_or_default(),
            first: time(edge.first),
            last: time(edge.last),
            hits: edge.hits.map_or(Cell::Nothing, |hits| Cell::Number(thousands(hits))),
        });
        let is_shown = |name: &str| wanted.only.is_empty() || wanted.only.contains(&name);
        Ok(Drawn {
            subject: end(&graph.of).0,
            of: graph.of.clone(),
            opened: graph.opened.iter().skip(1).cloned().collect(),
            edges: edges.collect(),
            notes: notes(graph),
            relations: RELATIONS.iter().map(|one| (one.name, one.said, is_shown(one.name))).collect(),
            limits: LIMITS.iter().map(|limit| (*limit, *limit == wanted.limit)).collect(),
            as_of,
            today: now.date(),
            data: serde_json::to_string(graph).map_err(|error| StoreError::Io(error.into()))?,
            api: format!("/api/v1/graph{}", state.query(graph.opened.iter())),
            nodes: nodes.into_iter().map(|node| NodeRow::new(node, state.turned(node))).collect(),
        })
    }
}

impl Drawn {
    /// How many relations are shown, in words.
    pub fn chosen(&self) -> String {
        let (shown, all) =
            (self.relations.iter().filter(|(.., is_shown)| *is_shown).count(), self.relations.len());
        if shown == all { "all".to_owned() } else { format!("{shown} of {all}") }
    }
}

impl NodeRow {
    fn new(node: &Node, turn: String) -> NodeRow {
        NodeRow {
            id: node.id.clone(),
            kind: node.kind,
            label: node.label.clone(),
            badge: node.zone.map(Badge),
            score: node.score.map(|score| score.0.to_string()).unwrap_or_default(),
            href: node.href.clone(),
            is_opened: node.opened,
            turn,
        }
    }
}

/// What is not shown.
fn notes(graph: &Graph) -> Vec<String> {
    let label = |id: &str| {
        let node = graph.nodes.iter().find(|node| node.id == id);
        node.map_or_else(
            || crate::export::defanged(&crate::export::tree::shown(id)),
            |node| node.label.clone(),
        )
    };
    let more = graph.more.iter().map(|more| {
        let (shown, all) = (thousands(more.shown), thousands(more.all));
        let said = RELATIONS.iter().find(|one| one.name == more.relation).map_or("", |one| one.said);
        match more.side {
            Side::From => format!("{} {said} {all}: {shown} are shown.", label(&more.of)),
            Side::To => format!("{all}, of which {shown} are shown: … {said} {}.", label(&more.of)),
        }
    });
    let unknown = graph.unknown.iter().map(|id| format!("Nothing is known of {}.", label(id)));
    unknown.chain(more).collect()
}
