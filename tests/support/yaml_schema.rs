//! The JSON Schema of a YAML file, as its own parser tells it: the parser is asked key by key what it takes, so that no
//! second list of keys can differ from it. Part of the unit tests of each crate that reads such a file.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value, json};

/// A key that no parser knows.
const UNKNOWN: &str = "zzz_no_key";
/// Texts of the forms that some parser takes.
const TEXTS: [&str; 8] = [
    "{date}",
    "10m",
    "2024-01-05",
    "a.b",
    "a",
    "140d",
    "UTC",
    "2024-01-05 2024-01-06",
];

/// Fails if the file under docs/schema is not what the parser takes; writes it with `BF_WRITE_SCHEMAS=1`.
#[allow(dead_code)] // a file may be read by two types
pub(crate) fn assert_current<T: DeserializeOwned>(name: &str) {
    assert_parser(name, &|tracer| T::deserialize(tracer).map(drop));
}

/// As [`assert_current`], for a file that is read by more than one type.
pub(crate) fn assert_parser(name: &str, parse: Parse<'_>) {
    let mut explorer = Explorer {
        parse,
        definitions: BTreeMap::new(),
        known: Vec::new(),
    };
    let root = explorer.value(&[]);
    let Some(root) = root["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    else {
        panic!("{name}: the file is not a map");
    };
    let mut schema = explorer.definitions.remove(root).expect("the root");
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(format!("bf {name}"));
    schema["definitions"] = json!(explorer.definitions);
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    let path = folder.join(format!("{name}.json"));
    if std::env::var_os("BF_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, text).expect("a file");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "{} is not what the parser takes: run the test with BF_WRITE_SCHEMAS=1",
        path.display()
    );
}

/// A parser that is led along a path.
type Parse<'p> = &'p dyn Fn(Tracer<'_>) -> Result<(), Stop>;

/// What a parser asks its reader for.
#[derive(Debug, Clone)]
enum Ask {
    Any,
    Ignored,
    Option,
    Bool,
    Number,
    Text,
    List,
    Map,
    Fields(&'static [&'static str]),
    Variants(&'static [&'static str]),
}

/// A step from the top of the file to the value that is of interest.
#[derive(Debug, Clone)]
enum Step {
    Inside,
    Item,
    Key(String),
    Give(Scalar),
}

#[derive(Debug, Clone)]
enum Scalar {
    Null,
    Bool,
    Whole(i64),
    Fraction(f64),
    Text(&'static str),
}

/// Why a parser stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The value of interest is reached.
    Asked,
    /// A key or a word is not known; these are.
    Known(Vec<String>),
    Other(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked"),
            Self::Known(names) => write!(f, "expected one of {}", names.join(", ")),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Stop {}

impl Stop {
    fn known(names: &[&str]) -> Self {
        Self::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        match message.split_once("expected one of ") {
            Some((_, known)) => {
                let names = known
                    .split(", ")
                    .map(|name| name.trim_matches('`').to_owned());
                Self::Known(names.collect())
            }
            None => Self::Other(message),
        }
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::known(known)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::known(known)
    }
}

/// What a walk along a path found.
#[derive(Default)]
struct Seen {
    ask: Option<Ask>,
    is_accepted: bool,
}

/// A reader that leads a parser along a path and notes what it asks for at its end.
#[derive(Clone, Copy)]
pub(crate) struct Tracer<'a> {
    path: &'a [Step],
    seen: &'a RefCell<Seen>,
}

impl<'a> Tracer<'a> {
    /// Whether the path leads to this key of the file.
    #[allow(dead_code)] // see [`assert_parser`]
    pub(crate) fn is_at(&self, name: &str) -> bool {
        matches!(self.path.first(), Some(Step::Key(key)) if key == name)
    }

    fn answer<'de, V: Visitor<'de>>(self, ask: Ask, visitor: V) -> Result<V::Value, Stop> {
        let Some((step, path)) = self.path.split_first() else {
            self.seen.borrow_mut().ask = Some(ask);
            return Err(Stop::Asked);
        };
        let rest = Tracer { path, ..self };
        match step {
            Step::Inside => visitor.visit_some(rest),
            Step::Item => visitor.visit_seq(One {
                key: None,
                rest: Some(rest),
            }),
            Step::Key(key) => visitor.visit_map(One {
                key: Some(key),
                rest: Some(rest),
            }),
            Step::Give(Scalar::Null) => visitor.visit_unit(),
            Step::Give(Scalar::Bool) => visitor.visit_bool(true),
            Step::Give(Scalar::Whole(number)) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Step::Give(Scalar::Fraction(number)) => visitor.visit_f64(*number),
            Step::Give(Scalar::Text(text)) => visitor.visit_str(text),
        }
    }
}

macro_rules! asks {
    ($($method:ident => $ask:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.answer($ask, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    asks! {
        deserialize_any => Ask::Any,
        deserialize_ignored_any => Ask::Ignored,
        deserialize_option => Ask::Option,
        deserialize_bool => Ask::Bool,
        deserialize_i8 => Ask::Number,
        deserialize_i16 => Ask::Number,
        deserialize_i32 => Ask::Number,
        deserialize_i64 => Ask::Number,
        deserialize_u8 => Ask::Number,
        deserialize_u16 => Ask::Number,
        deserialize_u32 => Ask::Number,
        deserialize_u64 => Ask::Number,
        deserialize_f32 => Ask::Number,
        deserialize_f64 => Ask::Number,
        deserialize_char => Ask::Text,
        deserialize_str => Ask::Text,
        deserialize_string => Ask::Text,
        deserialize_identifier => Ask::Text,
        deserialize_bytes => Ask::Any,
        deserialize_byte_buf => Ask::Any,
        deserialize_unit => Ask::Any,
        deserialize_seq => Ask::List,
        deserialize_map => Ask::Map,
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.answer(Ask::Any, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Stop> {
        self.answer(Ask::List, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.answer(Ask::List, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.answer(Ask::Fields(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.answer(Ask::Variants(variants), visitor)
    }
}

/// A map or a list with one entry.
struct One<'a> {
    key: Option<&'a str>,
    rest: Option<Tracer<'a>>,
}

impl One<'_> {
    fn read<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let Some(rest) = self.rest.take() else {
            return Ok(None);
        };
        let value = seed.deserialize(rest)?;
        rest.seen.borrow_mut().is_accepted = true;
        Ok(Some(value))
    }
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        self.read(seed)
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let key = self.key.take();
        key.map(|key| seed.deserialize(StrDeserializer::<Stop>::new(key)))
            .transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        self.read(seed)?
            .ok_or_else(|| Stop::Other("a value that is not there".to_owned()))
    }
}

/// Asks a parser for all that it takes.
struct Explorer<'p> {
    parse: Parse<'p>,
    definitions: BTreeMap<String, Value>,
    /// The keys of each map that is defined, so that a map inside itself is one definition.
    known: Vec<(Vec<String>, String)>,
}

impl Explorer<'_> {
    fn walk(&self, path: &[Step], last: Step) -> (Seen, Option<Stop>) {
        self.follow(&[path, &[last]].concat())
    }

    fn follow(&self, path: &[Step]) -> (Seen, Option<Stop>) {
        let seen = RefCell::new(Seen::default());
        let stop = (self.parse)(Tracer { path, seen: &seen }).err();
        (seen.into_inner(), stop)
    }

    fn accepts(&self, path: &[Step], scalar: Scalar) -> bool {
        self.walk(path, Step::Give(scalar)).0.is_accepted
    }

    fn below(&mut self, path: &[Step], step: Step) -> Value {
        self.value(&[path, &[step]].concat())
    }

    fn value(&mut self, path: &[Step]) -> Value {
        let (seen, stop) = self.follow(path);
        let Some(ask) = seen.ask else {
            let stop = stop.map(|stop| stop.to_string());
            panic!("{path:?}: {stop:?}");
        };
        match ask {
            Ask::Ignored => json!({}),
            Ask::Bool => json!({"type": "boolean"}),
            Ask::Number => self
                .number(path)
                .unwrap_or_else(|| panic!("{path:?}: no number")),
            Ask::Text => self.text(path),
            Ask::Variants(names) => json!({"enum": names}),
            Ask::List => json!({"type": "array", "items": self.below(path, Step::Item)}),
            Ask::Fields(names) => {
                let names = names.iter().map(|name| (*name).to_owned()).collect();
                self.object(path, names)
            }
            Ask::Map => self.map(path).unwrap_or_else(|| panic!("{path:?}: no map")),
            Ask::Option => {
                let value = self.below(path, Step::Inside);
                let nothing = json!({"type": "null"});
                match (value["type"].clone(), value["anyOf"].clone()) {
                    (Value::Array(names), _) => {
                        let names = names.into_iter().chain([json!("null")]);
                        with(&value, "type", names.collect())
                    }
                    (Value::String(name), _) => with(&value, "type", json!([name, "null"])),
                    (_, Value::Array(ways)) => {
                        with(&value, "anyOf", ways.into_iter().chain([nothing]).collect())
                    }
                    _ => json!({"anyOf": [value, nothing]}),
                }
            }
            Ask::Any => self.any(path),
        }
    }

    /// A value whose parser decides by what it gets.
    fn any(&mut self, path: &[Step]) -> Value {
        let mut ways = Vec::new();
        if TEXTS
            .iter()
            .any(|text| self.accepts(path, Scalar::Text(text)))
        {
            ways.push(json!({"type": "string"}));
        }
        ways.extend(self.number(path));
        if self.accepts(path, Scalar::Bool) {
            ways.push(json!({"type": "boolean"}));
        }
        if self.accepts(path, Scalar::Null) {
            ways.push(json!({"type": "null"}));
        }
        if self.walk(path, Step::Item).0.ask.is_some() {
            ways.push(json!({"type": "array", "items": self.below(path, Step::Item)}));
        }
        ways.extend(self.map(path));
        match ways.as_slice() {
            [] => panic!("{path:?}: takes nothing"),
            [only] => only.clone(),
            _ => json!({"anyOf": ways}),
        }
    }

    fn text(&self, path: &[Step]) -> Value {
        match self.walk(path, Step::Give(Scalar::Text(UNKNOWN))).1 {
            Some(Stop::Known(words)) => json!({"enum": words}),
            // YAML gives a number as a text to whoever asks for one.
            _ => json!({"type": ["string", "number", "boolean"]}),
        }
    }

    /// A number and its range, as far as a few probes show it.
    fn number(&self, path: &[Step]) -> Option<Value> {
        let takes_fraction = [0.5, 50.5]
            .iter()
            .any(|number| self.accepts(path, Scalar::Fraction(*number)));
        let is_taken = |number| self.accepts(path, Scalar::Whole(number));
        if !takes_fraction && !is_taken(1) {
            return None;
        }
        let mut schema = json!({"type": if takes_fraction { "number" } else { "integer" }});
        match (is_taken(-1), is_taken(0)) {
            (true, _) => {}
            (false, true) => schema["minimum"] = json!(0),
            (false, false) => schema["exclusiveMinimum"] = json!(0),
        }
        if is_taken(100) && !is_taken(101) {
            schema["maximum"] = json!(100);
        }
        Some(schema)
    }

    fn map(&mut self, path: &[Step]) -> Option<Value> {
        let key = Step::Key(UNKNOWN.to_owned());
        match self.walk(path, key.clone()) {
            // Read only to be refused in better words.
            (
                Seen {
                    ask: Some(Ask::Ignored),
                    ..
                },
                _,
            ) => None,
            (Seen { ask: Some(_), .. }, _) => {
                Some(json!({"type": "object", "additionalProperties": self.below(path, key)}))
            }
            (_, Some(Stop::Known(names))) => Some(self.object(path, names)),
            _ => None,
        }
    }

    /// A map with these keys and no others.
    fn object(&mut self, path: &[Step], names: Vec<String>) -> Value {
        let reference = |name: &str| json!({"$ref": format!("#/definitions/{name}")});
        if let Some((_, name)) = self.known.iter().find(|(known, _)| *known == names) {
            return reference(name);
        }
        let last = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        });
        let last = last.filter(|last| *last != UNKNOWN).unwrap_or("entry");
        let count = self
            .known
            .iter()
            .filter(|(_, name)| name.split('-').next() == Some(last))
            .count();
        let name = if count == 0 {
            last.to_owned()
        } else {
            format!("{last}-{}", count + 1)
        };
        self.known.push((names.clone(), name.clone()));
        let properties: Map<String, Value> = names
            .into_iter()
            .map(|key| {
                let value = self.below(path, Step::Key(key.clone()));
                (key, value)
            })
            .collect();
        let object =
            json!({"type": "object", "properties": properties, "additionalProperties": false});
        self.definitions.insert(name.clone(), object);
        reference(&name)
    }
}

fn with(schema: &Value, key: &str, value: Value) -> Value {
    let mut schema = schema.clone();
    schema[key] = value;
    schema
}
