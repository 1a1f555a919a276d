//! `reference`.

use bf_contract::percentage;
use bf_warehouse::{Ident, PairDay, Probe};
use serde::Deserialize;

use super::planning::{PairsOf, not_empty};
use super::{CheckKind, Context, Figure, Planning, partner};
use crate::figures::{Unit, plural};
use crate::outcome::{Finding, Wrong};
use crate::suite::TableSpec;

/// The share of rows that find their partner of the same day in the partner table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// The columns, named alike in both tables.
    columns: Vec<Ident>,
    worst_date_floor: Option<f64>,
}

impl CheckKind for Reference {
    const KEY: &'static str = "reference";
    const FIGURE: Figure = Figure::Percent;
    const DOC: &'static str = "rows that find their partner of the same day, in percent";
    type Measures = PairsOf;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        partner::needs_partner(suite)?;
        not_empty(&self.columns)
    }

    fn floors(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![("worst_date_floor", self.worst_date_floor)]
    }

    fn columns(&mut self) -> Vec<&mut Ident> {
        self.columns.iter_mut().collect()
    }

    fn columns_of_partner(&self) -> Vec<&Ident> {
        self.columns.iter().collect()
    }

    fn plan(&self, planning: &mut Planning<'_>) -> PairsOf {
        planning.pairs(&self.columns, None)
    }

    fn judge(&self, at: &Context<'_>, pairs: &PairsOf) -> Finding {
        let pairs = match at.pairs(*pairs) {
            Ok(pairs) => pairs,
            Err(finding) => return *finding,
        };
        let of = |day: &PairDay| (day.rows, day.unmatched_rows);
        let (rows, unmatched) = pairs.sum(of);
        let Some(observed) = percentage(rows - unmatched.min(rows), rows) else {
            return at.no_data();
        };
        let mut finding = at.plain(observed, Unit::Percent).of(rows - unmatched, rows);
        if unmatched == 0 {
            return finding;
        }
        let dates = pairs.days_with(|day| day.unmatched_rows);
        finding.message.push_str(&format!(
            "; {} without one on {}",
            plural(unmatched, "record"),
            plural(dates.len() as u64, "date")
        ));
        partner::worst_date(&mut finding, pairs, of, self.worst_date_floor);
        // The row that is not there is one of the partner's; a key that is wrong here lacks its partner, too.
        finding.wrong = Wrong::Either;
        finding.on(dates).probe(Probe::Unmatched {
            filter: at.filter(),
            columns: self.columns.clone(),
            here: true,
        })
    }
}
