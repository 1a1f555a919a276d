//! `unmatched_keys`.

use bf_contract::Comparison;
use bf_warehouse::{Ident, PairDay, Probe};
use serde::Deserialize;

use super::planning::{PairsOf, not_empty};
use super::{CheckKind, Context, Figure, Planning, partner};
use crate::figures::plural;
use crate::outcome::{Finding, Wrong};
use crate::suite::TableSpec;

/// The keys that only one of the two tables has on a day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnmatchedKeys {
    columns: Vec<Ident>,
}

impl CheckKind for UnmatchedKeys {
    const KEY: &'static str = "unmatched_keys";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "keys that only one of the two tables has on a day";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = PairsOf;

    fn verify(&self, suite: &TableSpec) -> Result<(), String> {
        partner::needs_partner(suite)?;
        not_empty(&self.columns)
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
        let (here, there) = pairs.sum(|day| (day.only_here, day.only_there));
        let count = here + there;
        let off = |day: &PairDay| day.only_here + day.only_there;
        let dates = pairs.days_with(off);
        let text = match count {
            0 => "none".to_owned(),
            _ => format!(
                "{here} only here, {there} only in {}, on {}{}",
                at.facts
                    .suite
                    .partner
                    .as_ref()
                    .map_or_else(String::new, |partner| partner.table.to_string()),
                plural(dates.len() as u64, "date"),
                partner::most(pairs, off)
            ),
        };
        let mut finding = at.counted(count, &text);
        if count == 0 {
            return finding;
        }
        finding.wrong = match (here, there) {
            (_, 0) => Wrong::Partner,
            (0, _) => Wrong::Own,
            _ => Wrong::Either,
        };
        finding.on(dates).probe(Probe::Unmatched {
            filter: at.filter(),
            columns: self.columns.clone(),
            here: here >= there,
        })
    }
}
