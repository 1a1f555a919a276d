//! The dialects that a log may be in: those that bf ships, and those of a config.

use std::sync::{Arc, OnceLock};

use bf_cli::Failure;
use bf_config::Dialect;

use crate::dialect::check_samples;
use crate::dialect::rules::Rules;

/// One file for each dialect that bf ships: its name and its text. Made by build.rs of `src/dialects`.
pub(crate) const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/dialects.rs"));

/// The dialects that a log may be in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dialects {
    /// The family's, those of the config, and the others that bf ships.
    all: Arc<[Arc<Rules>]>,
    /// How many of them the config describes.
    own: usize,
    only: Option<Only>,
}

/// The dialects that count, whatever others understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    /// All that bf ships.
    BuiltIn,
    /// The one at this place.
    One(usize),
}

/// The name of the dialects that bf ships, taken together.
pub const BUILT_IN: &str = "built-in";
/// The dialect that is tried first, whose summaries tell the form of the run instead of its name.
const FAMILY: &str = "family";

/// The shipped dialects, compiled once in a process, the family's first.
fn shipped() -> &'static [Arc<Rules>] {
    static COMPILED: OnceLock<Vec<Arc<Rules>>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let mut all: Vec<_> = SHIPPED
            .iter()
            .filter_map(|(name, text)| {
                // A test reads them all: a file that is wrong never leaves the workshop.
                let dialect: Dialect = bf_config::parse_yaml(text, name).ok()?;
                Rules::of(&dialect).ok().map(Arc::new)
            })
            .collect();
        all.sort_by_key(|rules| rules.name != FAMILY);
        all
    })
}

impl Default for Dialects {
    fn default() -> Self {
        Self {
            all: shipped().into(),
            own: 0,
            only: None,
        }
    }
}

impl Dialects {
    /// The dialects that bf ships.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// The dialects of a config, and those that bf ships. Of two with one name, the config's is meant by it.
    ///
    /// # Errors
    /// A dialect that could report nothing, one whose name the config has twice, a regular expression that is
    /// not valid, or a sample that is read otherwise: usage (exit 2).
    pub fn with(described: &[Dialect]) -> Result<Self, Failure> {
        let mut own: Vec<Arc<Rules>> = Vec::with_capacity(described.len());
        for dialect in described {
            if own.iter().any(|other| other.name == dialect.name) {
                return Err(Failure::usage(format!(
                    "the config has two dialects named {:?}",
                    dialect.name
                )));
            }
            let rules = Rules::of(dialect)?;
            rules.check_patterns()?;
            check_samples(dialect, &rules)?;
            own.push(Arc::new(rules));
        }
        let (family, others) = shipped().split_at(1.min(shipped().len()));
        Ok(Self {
            own: own.len(),
            all: family
                .iter()
                .cloned()
                .chain(own)
                .chain(others.iter().cloned())
                .collect(),
            only: None,
        })
    }

    /// The places of the dialects of the config, and after them those that bf ships.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let own = 1..=self.own;
        own.chain(std::iter::once(0))
            .chain(self.own + 1..self.all.len())
    }

    /// The same dialects, of which only the named one counts: [`BUILT_IN`] for all that bf ships, or one. What
    /// a log says in another one then says nothing.
    ///
    /// # Errors
    /// No dialect has that name: usage (exit 2), naming those that there are.
    pub fn only(mut self, name: &str) -> Result<Self, Failure> {
        let place = self.places().find(|at| self.all[*at].name == name);
        self.only = Some(match place {
            Some(at) => Only::One(at),
            None if name == BUILT_IN => Only::BuiltIn,
            None => {
                let names: Vec<&str> = std::iter::once(BUILT_IN).chain(self.names()).collect();
                return Err(Failure::usage(format!(
                    "there is no dialect {name:?} (there are {})",
                    names.join(", ")
                ))
                .hint("dialects: in the config describes a log of another form"));
            }
        });
        Ok(self)
    }

    /// The name of the dialect that counts alone, if one was named.
    pub(crate) fn named(&self) -> Option<&str> {
        match self.only? {
            Only::BuiltIn => Some(BUILT_IN),
            Only::One(at) => self.all.get(at).map(|rules| rules.name.as_str()),
        }
    }

    /// The places of the dialects that are tried.
    pub(crate) fn tried(&self) -> Vec<usize> {
        match self.only {
            None => (0..self.all.len()).collect(),
            Some(Only::BuiltIn) => self.places().skip(self.own).collect(),
            Some(Only::One(at)) => vec![at],
        }
    }

    /// The name of a dialect, unless it is the one whose runs tell their form.
    pub(crate) fn name(&self, place: usize) -> Option<&str> {
        let rules = self.all.get(place).filter(|_| place > 0);
        rules.map(|rules| rules.name.as_str())
    }

    /// One line for each dialect, for a person.
    pub(crate) fn list(&self) -> String {
        let mut list = format!("{BUILT_IN:<16} every dialect that bf ships\n");
        for at in self.places() {
            let rules = &self.all[at];
            let about = match &rules.description {
                Some(about) => about.as_str(),
                None if (1..=self.own).contains(&at) => "of the config",
                None => "",
            };
            list.push_str(&format!("{:<16} {about}\n", rules.name));
        }
        list
    }

    /// All of them, the one that is tried first at place 0.
    pub(crate) fn all(&self) -> &[Arc<Rules>] {
        &self.all
    }

    /// The names of all dialects, those of the config first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places().map(|at| self.all[at].name.as_str())
    }

    /// The names of the dialects of the config.
    pub(crate) fn own_names(&self) -> impl Iterator<Item = &str> {
        self.names().take(self.own)
    }
}

#[cfg(test)]
mod tests {
    use bf_config::Dialect;

    use super::SHIPPED;
    use crate::dialect::check_samples;
    use crate::dialect::rules::Rules;

    #[test]
    fn every_shipped_dialect_reads_its_samples() {
        assert!(!SHIPPED.is_empty());
        for (name, text) in SHIPPED {
            let dialect: Dialect = bf_config::parse_yaml(text, name).expect(name);
            assert_eq!(dialect.name, *name, "a file has the name of its dialect");
            assert!(!dialect.samples.is_empty(), "{name} has samples");
            let rules = Rules::of(&dialect).expect(name);
            if let Err(failure) = check_samples(&dialect, &rules) {
                panic!("{failure:?}");
            }
        }
    }
}
