//! What a kind of check is.

use std::fmt;

use bf_contract::Comparison;
use bf_warehouse::{Columns, Ident, WarehouseError};
use serde::de::DeserializeOwned;

use super::context::Context;
use super::planning::Planning;
use crate::evidence::Sampling;
use crate::outcome::Finding;
use crate::suite::{Calendar, TableSpec};

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// A number of rows, dates, groups.
    Count,
    /// A share, in percent.
    Percent,
    /// In percent of something else: it may be more than 100.
    Ratio,
    /// Any number.
    Number,
}

/// A kind of check.
pub(crate) trait CheckKind: fmt::Debug + Clone + DeserializeOwned + 'static {
    /// Its key in a suite.
    const KEY: &'static str;
    /// What its figure is.
    const FIGURE: Figure;
    /// What it measures, for the reference.
    const DOC: &'static str;
    /// The threshold of a check that gives none; a kind without one must be given one.
    const DEFAULT: Option<(Comparison, f64)> = None;
    /// Whether it judges rows, so that no rows are no data.
    const ABOUT_ROWS: bool = true;
    /// What is measured for it, so that it cannot be mistaken for what another kind measures.
    type Measures: 'static;

    /// What no type can say about its YAML.
    fn verify(&self, _: &TableSpec) -> Result<(), String> {
        Ok(())
    }

    /// Sets what depends on whether the check gives a threshold.
    fn complete(&mut self, _: Option<Comparison>) {}

    /// See [`Self::DEFAULT`].
    fn default_threshold(&self) -> Option<(Comparison, f64)> {
        Self::DEFAULT
    }

    /// Adapts it to the columns that a table has.
    fn resolve(&mut self, _: &Columns) {}

    /// The percentages that its parts must reach, with their keys.
    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        Vec::new()
    }

    /// The columns of the table that it names.
    fn columns(&mut self) -> Vec<&mut Ident> {
        Vec::new()
    }

    /// The columns of the table that it takes from its suite.
    fn columns_of_suite(&self, _: &TableSpec) -> Vec<Ident> {
        Vec::new()
    }

    /// The columns of the partner that it names.
    fn columns_of_partner(&self) -> Vec<&Ident> {
        Vec::new()
    }

    /// The days on which it expects rows, if it says so.
    fn calendar(&self) -> Option<Calendar> {
        None
    }

    /// Whether no rows at all are what it wants.
    fn wants_nothing(_: Option<(Comparison, f64)>) -> bool {
        false
    }

    /// Plans what is measured and compared.
    fn plan(&self, planning: &mut Planning<'_>) -> Self::Measures;

    /// Judges what was measured. Pure.
    fn judge(&self, at: &Context<'_>, measures: &Self::Measures) -> Finding;

    /// Looks further into a finding that is not a pass: names what is wrong. What it finds may only be worse, unless
    /// the table shows that there was nothing.
    fn sample(
        &self,
        _: &Context<'_>,
        finding: Finding,
        _: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        Ok(finding)
    }
}

/// A check's kind, whichever it is.
pub(crate) trait Kind: fmt::Debug {
    fn key(&self) -> &'static str;
    fn figure(&self) -> Figure;
    fn default_threshold(&self) -> Option<(Comparison, f64)>;
    fn is_about_rows(&self) -> bool;
    fn verify(&self, suite: &TableSpec) -> Result<(), String>;
    fn complete(&mut self, given: Option<Comparison>);
    fn resolve(&mut self, columns: &Columns);
    fn floors(&self) -> Vec<(&'static str, Option<f64>)>;
    fn columns(&mut self) -> Vec<&mut Ident>;
    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident>;
    fn columns_of_partner(&self) -> Vec<&Ident>;
    fn calendar(&self) -> Option<Calendar>;
    fn wants_nothing(&self, threshold: Option<(Comparison, f64)>) -> bool;
    fn plan(&self, planning: &mut Planning<'_>) -> Box<dyn Judge>;
    fn boxed(&self) -> Box<dyn Kind>;
}

impl<K: CheckKind> Kind for K {
    fn key(&self) -> &'static str {
        K::KEY
    }

    fn figure(&self) -> Figure {
        K::FIGURE
    }

    fn default_threshold(&self) -> Option<(Comparison, f64)> {
        CheckKind::default_threshold(self)
    }

    fn is_about_rows(&self) -> bool {
        K::ABOUT_ROWS
    }

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        CheckKind::verify(self, suite)
    }

    fn complete(&mut self, given: Option<Comparison>) {
        CheckKind::complete(self, given);
    }

    fn resolve(&mut self, columns: &Columns) {
        CheckKind::resolve(self, columns);
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        CheckKind::floors(self)
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        CheckKind::columns(self)
    }

    fn columns_of_suite(&self, suite: &TableSpec) -> Vec<Ident> {
        CheckKind::columns_of_suite(self, suite)
    }

    fn columns_of_partner(&self) -> Vec<&Ident> {
        CheckKind::columns_of_partner(self)
    }

    fn calendar(&self) -> Option<Calendar> {
        CheckKind::calendar(self)
    }

    fn wants_nothing(&self, threshold: Option<(Comparison, f64)>) -> bool {
        K::wants_nothing(threshold)
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Box<dyn Judge> {
        let measures = CheckKind::plan(self, planning);
        Box::new(Measured {
            kind: self.clone(),
            measures,
        })
    }

    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Kind> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// A kind with what is measured for it.
pub(crate) trait Judge {
    /// See [`CheckKind::judge`].
    fn judge(&self, at: &Context<'_>) -> Finding;

    /// See [`CheckKind::sample`].
    fn sample(
        &self,
        at: &Context<'_>,
        finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError>;
}

struct Measured<K: CheckKind> {
    kind: K,
    measures: K::Measures,
}

impl<K: CheckKind> Judge for Measured<K> {
    fn judge(&self, at: &Context<'_>) -> Finding {
        self.kind.judge(at, &self.measures)
    }

    fn sample(
        &self,
        at: &Context<'_>,
        finding: Finding,
        sampling: &mut Sampling<'_>,
    ) -> Result<Finding, WarehouseError> {
        self.kind.sample(at, finding, sampling)
    }
}
