//! The table compared with the rows of its schedule, key by key within each date: as many games as planned may be
//! other games, or the right ones with their teams the wrong way round.

mod id_form;

use std::collections::BTreeSet;

use bf_warehouse::{
    Columns, Condition, DatedTable, Engine, Ident, Keys, Listing, Measure, Pairs, Plan, Planner,
    Scan, Side, TableName, WarehouseError,
};
use serde::Deserialize;

use id_form::form;

pub(crate) use id_form::{IdComparison, IdForm};

/// A schedule that is a table, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScheduleTable {
    /// The table.
    pub table: TableName,
    /// The column with the day.
    pub date_column: Ident,
    /// Its columns.
    pub columns: Columns,
    /// Its rows that count.
    pub filter: Option<Condition>,
    /// Whether it marks rows as played, or has no rule for that.
    pub marks_played: bool,
    /// What is asked of it, in the order of the requests.
    pub(crate) asked: Vec<ScheduleKeys>,
    /// What was measured.
    pub plan: Plan,
    /// What was read.
    pub scan: Scan,
}

/// Which keys of the table must be in the schedule, as a suite writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeysToFind {
    /// The rows that are compared with it; all if it is not given.
    pub of: Option<Condition>,
    /// The columns of a key. The first names what is scheduled (a game): if the schedule has none of its values, it
    /// calls them otherwise.
    pub columns: Vec<Ident>,
    /// For each of them the names that the schedule may have for it; the same if it is not given.
    pub schedule_columns: Option<Vec<Vec<Ident>>>,
    /// Whether the last two columns may also be the other way round: a row of either side of a game.
    #[serde(default)]
    pub either_side: bool,
    /// How ids are made that the schedule writes otherwise: `"{date}_{away_team_tricode}_{home_team_tricode}"`.
    pub id_form: Option<IdForm>,
}

impl KeysToFind {
    /// For each column the names that the schedule may have for it.
    fn names(&self) -> impl Iterator<Item = &[Ident]> {
        (0..self.columns.len()).map(|at| match &self.schedule_columns {
            Some(names) => names[at].as_slice(),
            None => std::slice::from_ref(&self.columns[at]),
        })
    }
}

/// Keys that are compared with those of the schedule.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleRequest {
    pub keys: KeysToFind,
    /// The rows that are compared.
    pub rows: Option<Condition>,
    pub whole: Measure<Keys>,
    /// The ids alone, of all rows.
    pub first: Measure<Keys>,
}

/// The keys of a schedule that are compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScheduleKeys {
    /// How the schedule calls the first column of the key, which names what is scheduled (a game).
    id: Option<Ident>,
    /// How it calls the others, or the one that it does not have.
    others: Result<Vec<Ident>, Ident>,
    /// The whole key, one for each way round, and its first column alone.
    whole: Vec<Measure<Keys>>,
    first: Option<Measure<Keys>>,
}

/// Keys here, and the ways in which the schedule may have them.
pub(crate) type KeyComparison = (Measure<Keys>, Vec<Measure<Keys>>);

impl ScheduleKeys {
    /// The comparisons with the table's keys: of the ids alone, and of the whole key.
    pub(crate) fn comparisons(asked: &[Self], requests: &[ScheduleRequest]) -> Vec<KeyComparison> {
        let both = requests.iter().zip(asked);
        both.flat_map(|(request, asked)| {
            let first = asked.first.map(|first| (request.first, vec![first]));
            let others = asked.others.as_ref();
            let is_more = asked.whole.len() > 1 || others.is_ok_and(|list| !list.is_empty());
            let whole = is_more.then(|| (request.whole, asked.whole.clone()));
            first.into_iter().chain(whole)
        })
        .collect()
    }

    /// Plans what is asked of a schedule, whose rows that count meet `filter`.
    pub(crate) fn plan(
        requests: &[ScheduleRequest],
        columns: &Columns,
        filter: Option<&Condition>,
        planner: &mut Planner,
    ) -> Vec<Self> {
        let requests = requests.iter().map(|request| {
            let keys = &request.keys;
            let mut names = keys.names().map(|names| {
                let known = names.iter().find(|name| columns.get(name).is_some());
                known.cloned().ok_or_else(|| names[0].clone())
            });
            let id = names.next().and_then(Result::ok);
            let others: Result<Vec<Ident>, Ident> = names.collect();
            let whole = match (&id, &others) {
                (Some(id), Ok(others)) => {
                    let key = std::iter::once(id).chain(others).cloned().collect();
                    with_other_side(key, keys.either_side)
                }
                _ => Vec::new(),
            };
            let mut measure = |columns: &[Ident]| planner.keys(filter, columns, None);
            Self {
                whole: whole.iter().map(|columns| measure(columns)).collect(),
                first: id.as_ref().map(|id| measure(std::slice::from_ref(id))),
                id,
                others,
            }
        });
        requests.collect()
    }
}

/// A key, and the same with its last two columns the other way round if both sides of a game are one.
fn with_other_side(key: Vec<Ident>, either_side: bool) -> Vec<Vec<Ident>> {
    let mut ways = vec![key];
    if either_side && ways[0].len() >= 2 {
        let mut other = ways[0].clone();
        let last = other.len() - 1;
        other.swap(last - 1, last);
        ways.push(other);
    }
    ways
}

/// Rows of the table, compared with the schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ScheduleComparison {
    /// Day by day, with the columns that were compared here and there.
    Pairs(Pairs, Vec<Ident>, Vec<Ident>),
    /// Ids that are made of the schedule's other columns.
    Ids(IdComparison),
    /// The schedule does not say; with the reason.
    Unanswered(String),
    /// The warehouse did not answer, or there are ids that nothing can be compared with.
    Failed(String),
}

/// Compares the table with its schedule for every check that asks.
///
/// # Errors
/// An interrupt, or the deadline.
pub(crate) fn compare(
    (plan, scan): (&Plan, &Scan),
    requests: &[ScheduleRequest],
    schedule: Option<&ScheduleTable>,
    warehouse: &mut dyn Engine,
) -> Result<Vec<ScheduleComparison>, WarehouseError> {
    let Some(schedule) = schedule else {
        return Ok(Vec::new());
    };
    let mut comparer = Comparer {
        plan,
        requests,
        scan,
        schedule,
        ids: Vec::new(),
    };
    let both = requests.iter().zip(&schedule.asked);
    both.map(
        |(request, asked)| match comparer.of(request, asked, warehouse) {
            Err(error) if !error.ends_the_run() => {
                Ok(ScheduleComparison::Failed(error.to_string()))
            }
            found => found,
        },
    )
    .collect()
}

/// The ids of the table beside those of its schedule.
#[derive(Debug, Clone)]
enum Ids {
    /// They are written in the same form, so that those that the schedule does not have are wrong, few or all.
    SameForm(Pairs),
    /// They are written in another form.
    OtherForm,
    /// The schedule has none in the range.
    None,
}

struct Comparer<'a> {
    plan: &'a Plan,
    requests: &'a [ScheduleRequest],
    scan: &'a Scan,
    schedule: &'a ScheduleTable,
    /// What was found of a column of ids, which is asked once.
    ids: Vec<((Ident, Ident), Ids)>,
}

impl Comparer<'_> {
    fn of(
        &mut self,
        request: &ScheduleRequest,
        asked: &ScheduleKeys,
        warehouse: &mut dyn Engine,
    ) -> Result<ScheduleComparison, WarehouseError> {
        let unanswered = |reason: String| Ok(ScheduleComparison::Unanswered(reason));
        let table = &self.schedule.table;
        let here = &request.keys.columns;
        let teams = (here.len() > 1).then_some(&asked.others);
        let Some((id, first)) = asked.id.as_ref().zip(asked.first) else {
            return match teams {
                Some(Ok(theirs)) => self.by_teams(request, theirs, warehouse),
                _ => unanswered(format!("{table} has no column {}", here[0])),
            };
        };
        let ids = self.ids((&here[0], id), (request.first, first), warehouse)?;
        match (ids, teams) {
            (Ids::None, _) => unanswered(format!("{table} has no row from {}", self.plan.range)),
            (Ids::SameForm(pairs), None) if request.rows.is_none() => {
                let (ours, theirs) = (here.clone(), vec![id.clone()]);
                Ok(ScheduleComparison::Pairs(pairs, ours, theirs))
            }
            (Ids::SameForm(_), None) => self.whole(request, (asked, id, &[]), warehouse),
            (Ids::SameForm(_), Some(Ok(theirs))) => {
                self.whole(request, (asked, id, theirs), warehouse)
            }
            (Ids::OtherForm, Some(Ok(theirs))) => self.by_teams(request, theirs, warehouse),
            (_, Some(Err(missing))) => unanswered(format!("{table} has no column {missing}")),
            (Ids::OtherForm, None) => self.of_other_form(request, warehouse),
        }
    }

    /// Ids alone that are written otherwise: as the check says that they are made, else what other checks compare.
    fn of_other_form(
        &self,
        request: &ScheduleRequest,
        warehouse: &mut dyn Engine,
    ) -> Result<ScheduleComparison, WarehouseError> {
        let (table, column) = (&self.schedule.table, &request.keys.columns[0]);
        if let Some(form) = &request.keys.id_form {
            let ours = (&self.plan.table, column);
            let schedule = self.schedule;
            let theirs = (&schedule.plan.table, schedule.filter.as_ref());
            let range = self.plan.range;
            if let Some(found) = form.compare(ours, theirs, range, warehouse)? {
                return Ok(ScheduleComparison::Ids(found));
            }
        }
        let both = self.requests.iter().zip(&self.schedule.asked);
        let is_compared_by_teams = both
            .into_iter()
            .any(|(request, asked)| request.keys.columns.len() > 1 && asked.others.is_ok());
        Ok(if is_compared_by_teams {
            ScheduleComparison::Unanswered(format!(
                "the {column} of {table} have another form, so other checks compare the teams"
            ))
        } else {
            ScheduleComparison::Failed(format!(
                "the {column} of {table} have another form, and nothing else can be compared"
            ))
        })
    }

    fn ids(
        &mut self,
        (ours, theirs): (&Ident, &Ident),
        (here, there): (Measure<Keys>, Measure<Keys>),
        warehouse: &mut dyn Engine,
    ) -> Result<Ids, WarehouseError> {
        let names = (ours.clone(), theirs.clone());
        if let Some((_, ids)) = self.ids.iter().find(|(known, _)| *known == names) {
            return Ok(ids.clone());
        }
        let pairs = self.compare(here, &[there], warehouse)?;
        let ids = if pairs.days.values().any(|day| day.both > 0) {
            Ids::SameForm(pairs)
        } else {
            let span = [self.plan.range];
            let mut forms = |table: &DatedTable, filter, value: &Ident| {
                let listing = Listing {
                    table,
                    spans: &span,
                    filter,
                    values: std::slice::from_ref(value),
                    limit: 200,
                };
                let listed = warehouse.list(&listing)?;
                let forms = listed
                    .iter()
                    .filter_map(|(_, values)| form(values.first()?));
                Ok::<BTreeSet<String>, WarehouseError>(forms.collect())
            };
            let here = forms(&self.plan.table, None, ours)?;
            let schedule = self.schedule;
            let there = forms(&schedule.plan.table, schedule.filter.as_ref(), theirs)?;
            if there.is_empty() {
                Ids::None
            } else if here.is_disjoint(&there) {
                Ids::OtherForm
            } else {
                Ids::SameForm(pairs)
            }
        };
        self.ids.push((names, ids.clone()));
        Ok(ids)
    }

    fn whole(
        &self,
        request: &ScheduleRequest,
        (asked, id, others): (&ScheduleKeys, &Ident, &[Ident]),
        warehouse: &mut dyn Engine,
    ) -> Result<ScheduleComparison, WarehouseError> {
        let theirs = std::iter::once(id).chain(others).cloned().collect();
        let pairs = self.compare(request.whole, &asked.whole, warehouse)?;
        let ours = request.keys.columns.clone();
        Ok(ScheduleComparison::Pairs(pairs, ours, theirs))
    }

    /// The teams alone, without the ids.
    fn by_teams(
        &self,
        request: &ScheduleRequest,
        theirs: &[Ident],
        warehouse: &mut dyn Engine,
    ) -> Result<ScheduleComparison, WarehouseError> {
        let ours = &request.keys.columns[1..];
        let range = self.plan.range;
        let mut planner = Planner::new(self.plan.table.clone(), range);
        let here = planner.keys(request.rows.as_ref(), ours, None);
        let here_plan = planner.finish();
        let here_scan = warehouse.measure(&here_plan)?;
        let mut planner = Planner::new(self.schedule.plan.table.clone(), range);
        let filter = self.schedule.filter.as_ref();
        let ways = with_other_side(theirs.to_vec(), request.keys.either_side);
        let there: Vec<_> = ways
            .iter()
            .map(|keys| planner.keys(filter, keys, None))
            .collect();
        let there_plan = planner.finish();
        let there_scan = warehouse.measure(&there_plan)?;
        let sides: Vec<Side<'_>> = there
            .iter()
            .map(|keys| Side::new(&there_plan, &there_scan, *keys))
            .collect();
        let here = Side::new(&here_plan, &here_scan, here);
        let pairs = warehouse.compare(&here, &sides)?;
        let (ours, theirs) = (ours.to_vec(), theirs.to_vec());
        Ok(ScheduleComparison::Pairs(pairs, ours, theirs))
    }

    /// Compares keys that were measured with everything else.
    fn compare(
        &self,
        ours: Measure<Keys>,
        theirs: &[Measure<Keys>],
        warehouse: &mut dyn Engine,
    ) -> Result<Pairs, WarehouseError> {
        let here = Side::new(self.plan, self.scan, ours);
        let (plan, scan) = (&self.schedule.plan, &self.schedule.scan);
        let sides = theirs.iter().map(|keys| Side::new(plan, scan, *keys));
        let sides: Vec<Side<'_>> = sides.collect();
        warehouse.compare(&here, &sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_game_are_one_if_the_check_says_so() {
        let name = |text: &str| Ident::new(text).expect("a name");
        let others = [name("home"), name("away")];
        let key = || [&[name("id")], &others[..]].concat();
        assert_eq!(with_other_side(key(), false).len(), 1);
        let both = with_other_side(key(), true);
        assert_eq!(both[1], [name("id"), name("away"), name("home")]);
    }
}
