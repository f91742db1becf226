//! JSON fields whose type the writer does not always keep: a number as text, one element for a list of one, `null`.
//!
//! What is of a wrong type is taken as absent, so that it costs the field and not the record.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text, a number or a truth value as text; anything else, and an empty text, is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Option<String>);

impl Text {
    /// The text, trimmed; never empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether it says yes: `true`, `1`.
    pub(super) fn is_true(&self) -> bool {
        self.get().is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(AnyText(|text: Option<&str>| Text(text.map(str::to_owned))))
    }
}

/// Gives a function whatever there is as text: `None` for `null`, a list or an object.
pub(super) struct AnyText<F>(pub(super) F);

impl<'de, R, F: FnOnce(Option<&str>) -> R> Visitor<'de> for AnyText<F> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<R, E> {
        Ok(self.0(Some(text)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<R, E> {
        Ok(self.0(Some(if value { "true" } else { "false" })))
    }

    fn visit_u64<E>(self, value: u64) -> Result<R, E> {
        Ok(self.0(Some(&value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<R, E> {
        Ok(self.0(Some(&value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<R, E> {
        Ok(self.0(Some(&value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<R, E> {
        Ok(self.0(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<R, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.0(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<R, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0(None))
    }
}

/// The objects of a list, or the one object that stands where a list should; anything else is passed over.
#[derive(Clone, Debug)]
pub(super) struct Objects<T>(pub(super) Vec<T>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Objects(Vec::new())
    }
}

impl<T> Objects<T> {
    /// The objects in order.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The first object.
    pub(super) fn first(&self) -> Option<&T> {
        self.0.first()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Objects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Objects<T>, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Objects(mut inner)) = seq.next_element::<Objects<T>>()? {
                    all.append(&mut inner);
                }
                Ok(all)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
            }

            fn visit_str<E>(self, _: &str) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_unit<E>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }
        }
        deserializer.deserialize_any(Any(PhantomData)).map(Objects)
    }
}

/// The texts of a list, or the one text that stands where a list should; anything else is passed over.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// The texts in order, trimmed; none is empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
                Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = seq.next_element::<Text>()? {
                    all.extend(text.get().map(str::to_owned));
                }
                Ok(all)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<String>, A::Error> {
                AnyText(|_: Option<&str>| Vec::new()).visit_map(map)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }

            fn visit_unit<E>(self) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }
        }
        deserializer.deserialize_any(Any).map(Texts)
    }
}

/// The entries of an object in order; anything else has none.
#[derive(Clone, Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<T>, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Vec<(String, T)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(all)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }
        }
        deserializer.deserialize_any(Any(PhantomData)).map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Record {
        text: Text,
        list: Objects<Record>,
    }

    #[test]
    fn a_wrong_type_costs_the_field_only() {
        for (json, text) in
            [("\" a \"", Some("a")), ("12", Some("12")), ("true", Some("true")), ("null", None)]
        {
            let record: Record = serde_json::from_str(&format!("{{\"text\":{json}}}")).unwrap();
            assert_eq!(record.text.get(), text, "{json}");
        }
        for json in ["[1,[2]]", "{\"a\":{\"b\":1}}", "\" \""] {
            let record: Record = serde_json::from_str(&format!("{{\"text\":{json},\"list\":{{}}}}")).unwrap();
            assert_eq!((record.text.get(), record.list.0.len()), (None, 1), "{json}");
        }
        for (json, count) in
            [("[{},{},null,3,\"x\",[{}]]", 3), ("{}", 1), ("null", 0), ("7", 0), ("\"x\"", 0)]
        {
            let record: Record = serde_json::from_str(&format!("{{\"list\":{json}}}")).unwrap();
            assert_eq!(record.list.0.len(), count, "{json}");
        }
    }
}
