//! Ids that are made of what a schedule has in other columns: `20250115_LAL_PHI` of a date and two teams. A schedule that
//! writes its own ids otherwise can so tell that a game's teams are the wrong way round, or that a day has another
//! day's games.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::DateRange;
use bf_warehouse::{
    Condition, DatedTable, Engine, Ident, Listing, Literal, Probe, Test, WarehouseError,
};
use chrono::NaiveDate;
use serde::Deserialize;

use super::{ScheduleTable, form};
use crate::checks::Context;
use crate::expected::Expected;
use crate::figures::{Unit, plural};
use crate::outcome::Finding;

/// The most ids that are compared.
const MOST_IDS: u32 = 500_000;
/// The most wrong ids that are looked for in the table.
const MOST_SHOWN: usize = 100;

/// How an id is made: `"{date}_{away_team_tricode|away_team_abbr}_{home_team_tricode|home_team_abbr}"`. A date is written
/// as 20250115; of several columns the first that the schedule has counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct IdForm(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Date,
    Column(Vec<Ident>),
}

impl TryFrom<String> for IdForm {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("id_form: a { without its }")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match name {
                "date" => Part::Date,
                names => {
                    let names = names.split('|').map(|name| Ident::new(name.trim()));
                    let names = names.collect::<Result<_, _>>();
                    Part::Column(names.map_err(|error| format!("id_form: {error}"))?)
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        match parts.iter().any(|part| matches!(part, Part::Column(_))) {
            true => Ok(Self(parts)),
            false => Err("id_form names no column of the schedule".to_owned()),
        }
    }
}

/// The ids of the table beside those that the schedule makes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IdComparison {
    column: Ident,
    /// How many ids of a date were compared.
    asked: BTreeMap<NaiveDate, u64>,
    /// The ids of a date that the schedule does not make.
    wrong: Vec<(NaiveDate, String)>,
}

impl IdForm {
    /// Compares the table's ids with those that the schedule makes; `None` if the schedule lacks a column, or the ids of
    /// the table are not of this form either.
    pub(super) fn compare(
        &self,
        (table, column): (&DatedTable, &Ident),
        schedule: &ScheduleTable,
        range: DateRange,
        warehouse: &mut dyn Engine,
    ) -> Result<Option<IdComparison>, WarehouseError> {
        let has = |name: &&Ident| schedule.columns.get(name).is_some();
        let columns = self.0.iter().filter_map(|part| match part {
            Part::Column(names) => Some(names.iter().find(has).cloned()),
            _ => None,
        });
        let Some(columns) = columns.collect::<Option<Vec<Ident>>>() else {
            return Ok(None);
        };
        let spans = [range];
        let mut list = |table, filter, values| {
            let limit = MOST_IDS;
            let listing = Listing {
                table,
                spans: &spans,
                filter,
                values,
                limit,
            };
            warehouse.list(&listing)
        };
        let theirs = list(&schedule.plan.table, schedule.filter.as_ref(), &columns)?;
        let made: BTreeSet<(NaiveDate, String)> = theirs
            .into_iter()
            .map(|(date, values)| {
                let mut values = values.into_iter();
                let parts = self.0.iter().map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Date => date.format("%Y%m%d").to_string(),
                    Part::Column(_) => values.next().map_or_else(String::new, |v| v.to_string()),
                });
                (date, parts.collect())
            })
            .collect();
        let form_of = |text: &str| form(&bf_warehouse::Value::Text(text.to_owned()));
        let forms: BTreeSet<_> = made.iter().map(|(_, id)| form_of(id)).collect();
        let mut found = IdComparison {
            column: column.clone(),
            asked: BTreeMap::new(),
            wrong: Vec::new(),
        };
        let mut has_form = false;
        for (date, values) in list(table, None, std::slice::from_ref(column))? {
            let id = values.first().map_or_else(String::new, ToString::to_string);
            has_form |= forms.contains(&form_of(&id));
            *found.asked.entry(date).or_default() += 1;
            let key = (date, id);
            if !made.contains(&key) {
                found.wrong.push(key);
            }
        }
        Ok(has_form.then_some(found))
    }
}

impl IdComparison {
    /// Judges the ids of dates that the schedule knows.
    pub(crate) fn judge(&self, at: &Context<'_>, expected: &Expected) -> Finding {
        let known = self.asked.iter().filter(|(date, _)| expected.knows(**date));
        let asked: u64 = known.map(|(_, ids)| ids).sum();
        let wrong = self.wrong.iter().filter(|(date, _)| expected.knows(*date));
        let wrong: Vec<&(NaiveDate, String)> = wrong.collect();
        let off = wrong.len() as u64;
        let Some(observed) = bf_contract::percentage(asked - off, asked) else {
            let title = &at.check.title;
            return Finding::unanswered(format!(
                "{title}: {} has none of its dates",
                expected.source
            ));
        };
        let mut finding = at.plain(observed, Unit::Percent).of(asked - off, asked);
        let Some((_, first)) = wrong.first() else {
            return finding;
        };
        let dates: BTreeSet<NaiveDate> = wrong.iter().map(|(date, _)| *date).collect();
        finding.message.push_str(&format!(
            "; {} not as {} has its games, on {}, such as {}",
            plural(off, self.column.as_str()),
            expected.source,
            plural(dates.len() as u64, "date"),
            bf_cli::text::printable(first, 60)
        ));
        let ids = wrong.iter().take(MOST_SHOWN);
        let ids = ids.map(|(_, id)| Literal::Text(id.clone())).collect();
        finding
            .on(dates.into_iter().collect())
            .probe(Probe::Matching(
                None,
                Condition::test(&self.column, Test::In(ids)),
            ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_form_is_text_a_date_and_columns() {
        let form = |text: &str| IdForm::try_from(text.to_owned());
        let parts = form("{date}_{away|visitor}_{home}").expect("a form").0;
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[0], Part::Date);
        for text in ["{date}", "plain", "{home", "{a b}"] {
            assert!(form(text).is_err(), "{text}");
        }
    }
}
