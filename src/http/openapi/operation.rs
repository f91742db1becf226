//! What is said of a method of a path. What follows from `http/table.rs` (who may, what counts) is not said again.

use std::borrow::Cow;

use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// Operations that belong together.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) operations: &'static [Operation],
}

/// A method of a path.
pub(super) struct Operation {
    /// In lower case.
    pub(super) method: &'static str,
    /// As OpenAPI writes it; a `{name}` that takes the rest of the path looks like any other.
    pub(super) path: &'static str,
    /// What generated clients call it.
    pub(super) id: &'static str,
    /// A line without a full stop.
    pub(super) summary: &'static str,
    /// More, in sentences; may be empty.
    pub(super) about: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The body that it takes, by media type.
    pub(super) body: &'static [(&'static str, Shape)],
    /// What it answers; several rows of a status are several media types.
    pub(super) answers: &'static [Answer],
    /// The problems that are its own; those of every path are added.
    pub(super) problems: &'static [u16],
    /// Its object is taken from the request's line as it stands, which OpenAPI cannot say: tools that only know
    /// the document leave it out.
    pub(super) is_raw: bool,
}

/// An answer that is no problem.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    /// Empty: there is no body.
    pub(super) media_type: &'static str,
    pub(super) shape: Shape,
}

/// How a body looks.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Nothing is said of it: bytes, or text.
    Bytes,
    Text,
    /// As a schema that was written by hand, by its name in the document.
    Written(&'static str),
    /// As a type.
    Of(Type),
    /// A JSON array of a type.
    List(Type),
    /// A line of JSON each.
    Lines(Type),
}

/// A type, by what its derive made of it.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) name: fn() -> Cow<'static, str>,
    pub(super) schema: fn() -> RefOr<Schema>,
    /// Adds the schemas of all types inside.
    pub(super) inside: fn(&mut Vec<(String, RefOr<Schema>)>),
}

pub(super) const fn of<T: ToSchema>() -> Type {
    Type { name: T::name, schema: T::schema, inside: T::schemas }
}

/// A parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) about: &'static str,
    pub(super) is: Is,
    pub(super) example: &'static str,
    pub(super) is_required: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Query,
    Header,
}

/// What a parameter can be.
#[derive(Clone, Copy)]
pub(super) enum Is {
    /// A text, of so many characters at most; where it must be there, of one at least.
    Text(Option<usize>),
    /// Texts: the parameter stands once for each.
    Texts,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A whole number, from and up to.
    Whole(i64, Option<u64>),
    /// A day or a moment: `2024-05-28`, `2024-05-28T07:03Z`.
    Moment,
}

/// A parameter of the query that may be left out.
pub(super) const fn query(
    name: &'static str,
    is: Is,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, place: Place::Query, about, is, example, is_required: false }
}

pub(super) const fn header(
    name: &'static str,
    most: Option<usize>,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { place: Place::Header, ..query(name, Is::Text(most), example, about) }
}

/// A parameter of the query that must be there.
pub(super) const fn needed(
    name: &'static str,
    is: Is,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { is_required: true, ..query(name, is, example, about) }
}

/// An answer with a body.
pub(super) const fn answer(
    status: u16,
    media_type: &'static str,
    shape: Shape,
    about: &'static str,
) -> Answer {
    Answer { status, about, media_type, shape }
}

/// An answer of JSON.
pub(super) const fn json(status: u16, shape: Shape, about: &'static str) -> Answer {
    answer(status, "application/json", shape, about)
}

/// An answer without a body.
pub(super) const fn bare(status: u16, about: &'static str) -> Answer {
    answer(status, "", Shape::Bytes, about)
}

const fn asks(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        about: "",
        parameters: &[],
        body: &[],
        answers: &[],
        problems: &[],
        is_raw: false,
    }
}

pub(super) const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    asks("get", path, id, summary)
}

pub(super) const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    asks("post", path, id, summary)
}

pub(super) const fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    asks("put", path, id, summary)
}

pub(super) const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    asks("patch", path, id, summary)
}

pub(super) const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    asks("delete", path, id, summary)
}

impl Operation {
    pub(super) const fn about(self, about: &'static str) -> Operation {
        Operation { about, ..self }
    }

    pub(super) const fn with(self, parameters: &'static [Parameter]) -> Operation {
        Operation { parameters, ..self }
    }

    pub(super) const fn takes(self, body: &'static [(&'static str, Shape)]) -> Operation {
        Operation { body, ..self }
    }

    pub(super) const fn answers(self, answers: &'static [Answer], problems: &'static [u16]) -> Operation {
        Operation { answers, problems, ..self }
    }

    pub(super) const fn raw(self) -> Operation {
        Operation { is_raw: true, ..self }
    }
}
