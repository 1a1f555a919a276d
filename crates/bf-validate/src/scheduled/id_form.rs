//! Ids that are made of what a schedule has in other columns: `20250115_LAL_PHI` of a date and two teams. A schedule that
//! writes its own ids otherwise can so tell that a game's teams are the wrong way round, or that a day has another
//! day's games.

use std::collections::{BTreeMap, BTreeSet};

use bf_contract::DateRange;
use bf_warehouse::{Condition, DatedTable, Engine, Ident, Listing, Value, WarehouseError};
use chrono::NaiveDate;
use serde::Deserialize;

/// The most ids that are compared.
const MOST_IDS: u32 = 500_000;

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
    pub column: Ident,
    /// How many ids of a date were compared.
    pub asked: BTreeMap<NaiveDate, u64>,
    /// The ids of a date that the schedule does not make.
    pub wrong: Vec<(NaiveDate, String)>,
}

impl IdForm {
    /// Compares the table's ids with those that the schedule makes; `None` if the schedule lacks a column, or the ids of
    /// the table are not of this form either.
    pub(super) fn compare(
        &self,
        (table, column): (&DatedTable, &Ident),
        (schedule, filter): (&DatedTable, Option<&Condition>),
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
        let theirs = list(schedule, filter, &columns)?;
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
        let form_of = |text: &str| form(&Value::Text(text.to_owned()));
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

/// How an id is written: its runs of digits and letters with their lengths, and the signs between them.
pub(super) fn form(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        value => value.to_string(),
    };
    let mut form = String::new();
    let mut run: Option<(char, usize)> = None;
    let class = |sign: char| match sign {
        '0'..='9' => '9',
        sign if sign.is_alphabetic() => 'a',
        sign => sign,
    };
    for sign in text.trim().chars().map(class).chain(['\n']) {
        match &mut run {
            Some((known, length)) if *known == sign => *length += 1,
            _ => {
                if let Some((known, length)) = run {
                    form.push_str(&format!("{known}{length}"));
                }
                run = Some((sign, 1));
            }
        }
    }
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        form(&Value::Text(text.to_owned())).expect("a form")
    }

    #[test]
    fn ids_of_one_form_differ_in_their_letters_and_digits_alone() {
        assert_eq!(of("20241205_PHI_UTA"), of("20241204_UTA_PHI"));
        assert_eq!(of("0022400561"), of("0042400101"));
        assert_ne!(of("20241205_PHI_UTA"), of("0022400561"));
        assert_eq!(form(&Value::Null), None);
        assert_eq!(form(&Value::Int(17)), form(&Value::Text("23".to_owned())));
    }

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
