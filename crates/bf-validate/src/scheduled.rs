//! The table compared with the rows of its schedule, key by key within each date: as many games as planned may be
//! other games, or the right ones with their teams the wrong way round.

use std::collections::BTreeSet;

use bf_contract::Level;
use bf_warehouse::{
    DatedTable, Engine, Ident, Listing, Plan, Side, TableName, Value, WarehouseError,
};

use crate::columns::Columns;
use crate::condition::Condition;
use crate::expected::Expectation;
use crate::needs::{Needs, Planned};
use crate::pairs::Pairs;
use crate::scan::{Planner, Scan};
use crate::suite::{Kind, Scheduled, Suite};

/// A schedule that is a table, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleTable {
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
    /// What the checks ask of it.
    pub asked: Vec<Asked>,
    /// What was measured.
    pub plan: Plan,
    /// What was read.
    pub scan: Scan,
}

/// What one check asks of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    check: String,
    /// How the schedule calls the first column of the key, which names what is scheduled (a game).
    id: Option<Ident>,
    /// How it calls the others, or the one that it does not have.
    others: Result<Vec<Ident>, Ident>,
    /// The measures of the whole key, one for each way round, and of its first column alone.
    whole: Vec<usize>,
    first: Option<usize>,
}

impl Asked {
    /// The measures of a comparison with the table's: of the ids alone, and of the whole key.
    #[must_use]
    pub fn comparisons(
        suite: &Suite,
        planned: &Planned,
        asked: &[Self],
    ) -> Vec<(usize, Vec<usize>)> {
        let checks = suite.checks.iter().zip(&planned.needs);
        let both = checks.filter_map(|(check, needs)| {
            let asked = asked.iter().find(|asked| asked.check == check.name)?;
            match needs {
                Needs::Measures(ours) => Some((ours, asked)),
                _ => None,
            }
        });
        both.flat_map(|(ours, asked)| {
            let first = asked.first.map(|first| (ours[1], vec![first]));
            let whole = (asked.whole.len() > 1
                || asked.others.as_ref().is_ok_and(|list| !list.is_empty()))
            .then(|| (ours[0], asked.whole.clone()));
            first.into_iter().chain(whole)
        })
        .collect()
    }

    /// Plans what the checks of a suite ask of a schedule, whose rows that count meet `filter`.
    #[must_use]
    pub fn plan(
        suite: &Suite,
        columns: &Columns,
        is_schedule: bool,
        filter: Option<&Condition>,
        planner: &mut Planner,
    ) -> Vec<Self> {
        let asking = suite
            .checks
            .iter()
            .filter(|check| is_schedule && check.level != Level::Off);
        asking
            .filter_map(|check| match &check.kind {
                Kind::Scheduled(keys) => Some((check, keys)),
                _ => None,
            })
            .map(|(check, keys)| {
                let mut names = names_of(keys, columns).into_iter();
                let id = names.next().and_then(Result::ok);
                let others: Result<Vec<Ident>, Ident> = names.collect();
                let whole = match (&id, &others) {
                    (Some(id), Ok(others)) => ways(id, others, keys.either_side),
                    _ => Vec::new(),
                };
                let mut measure =
                    |columns: &[Ident]| planner.keys(filter, columns, None).position();
                Self {
                    check: check.name.clone(),
                    whole: whole.iter().map(|columns| measure(columns)).collect(),
                    first: id.as_ref().map(|id| measure(std::slice::from_ref(id))),
                    id,
                    others,
                }
            })
            .collect()
    }
}

/// The key, and the same with its last two columns the other way round if both sides of a game are one.
fn ways(id: &Ident, others: &[Ident], either_side: bool) -> Vec<Vec<Ident>> {
    let key: Vec<Ident> = std::iter::once(id).chain(others).cloned().collect();
    with_other_side(key, either_side)
}

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

/// How the schedule calls each column of a key; an error for one that it does not have.
pub fn names_of(keys: &Scheduled, columns: &Columns) -> Vec<Result<Ident, Ident>> {
    keys.names()
        .map(|names| {
            let known = names.iter().find(|name| columns.get(name).is_some());
            known.cloned().ok_or_else(|| names[0].clone())
        })
        .collect()
}

/// A check's rows, compared with the schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Day by day, with the columns that were compared here and there.
    Pairs(Pairs, Vec<Ident>, Vec<Ident>),
    /// The schedule does not say; with the reason.
    Unanswered(String),
    /// The warehouse did not answer, or there are ids that nothing can be compared with.
    Failed(String),
}

/// Compares the table with its schedule for every check that asks.
///
/// # Errors
/// The run was interrupted, or the deadline passed.
pub fn hold(
    suite: &Suite,
    (planned, scan): (&Planned, &Scan),
    expected: &Expectation,
    warehouse: &mut dyn Engine,
) -> Result<Vec<(String, Held)>, WarehouseError> {
    let Expectation::Known(expected) = expected else {
        return Ok(Vec::new());
    };
    let Some(schedule) = &expected.schedule else {
        return Ok(Vec::new());
    };
    let mut comparison = Comparison {
        suite,
        planned,
        scan,
        schedule,
        ids: Vec::new(),
    };
    let mut held = Vec::new();
    for (check, needs) in suite.checks.iter().zip(&planned.needs) {
        let asked = schedule
            .asked
            .iter()
            .find(|asked| asked.check == check.name);
        let (Kind::Scheduled(keys), Needs::Measures(ours), Some(asked)) =
            (&check.kind, needs, asked)
        else {
            continue;
        };
        let rows = Condition::and(suite.filter_of(check), keys.of.as_ref());
        let found = match comparison.of(keys, rows.as_ref(), (ours, asked), warehouse) {
            Ok(found) => found,
            Err(error) if error.ends_the_run() => return Err(error),
            Err(error) => Held::Failed(error.to_string()),
        };
        held.push((check.name.clone(), found));
    }
    Ok(held)
}

/// The ids of the table beside those of its schedule.
#[derive(Debug, Clone)]
enum Ids {
    /// Some are the same, so that those that are not are wrong.
    Known(Pairs),
    /// None are the same, and they are written in the same form: all are wrong.
    Wrong(Pairs),
    /// They are written in another form.
    OtherForm,
    /// The schedule has none in the range.
    None,
}

struct Comparison<'a> {
    suite: &'a Suite,
    planned: &'a Planned,
    scan: &'a Scan,
    schedule: &'a ScheduleTable,
    /// What was found of a column of ids, which is asked once.
    ids: Vec<((Ident, Ident), Ids)>,
}

impl Comparison<'_> {
    fn of(
        &mut self,
        keys: &Scheduled,
        rows: Option<&Condition>,
        (ours, asked): (&[usize], &Asked),
        warehouse: &mut dyn Engine,
    ) -> Result<Held, WarehouseError> {
        let here = &keys.columns;
        let teams = (here.len() > 1).then_some(&asked.others);
        let Some((id, first)) = asked.id.as_ref().zip(asked.first) else {
            return match teams {
                Some(Ok(theirs)) => self.by_teams(keys, rows, theirs, warehouse),
                _ => Ok(Held::Unanswered(format!(
                    "{} has no column {}",
                    self.schedule.table, here[0]
                ))),
            };
        };
        let ids = self.ids((&here[0], id), (ours[1], first), warehouse)?;
        let is_same_form = match &ids {
            Ids::Known(_) | Ids::Wrong(_) => true,
            Ids::OtherForm => false,
            Ids::None => {
                return Ok(Held::Unanswered(format!(
                    "{} has no row from {}",
                    self.schedule.table, self.planned.plan.range
                )));
            }
        };
        match (is_same_form, teams) {
            (true, None) => match ids {
                Ids::Known(pairs) | Ids::Wrong(pairs) if rows.is_none() => {
                    Ok(Held::Pairs(pairs, here.clone(), vec![id.clone()]))
                }
                _ => self.whole(keys, (ours[0], asked, id, &[]), warehouse),
            },
            (true, Some(Ok(theirs))) => self.whole(keys, (ours[0], asked, id, theirs), warehouse),
            (false, Some(Ok(theirs))) => self.by_teams(keys, rows, theirs, warehouse),
            (_, Some(Err(missing))) => Ok(Held::Unanswered(format!(
                "{} has no column {missing}",
                self.schedule.table
            ))),
            (false, None) if self.is_compared_by_teams() => Ok(Held::Unanswered(format!(
                "the {} of {} have another form, so other checks compare the teams",
                here[0], self.schedule.table
            ))),
            (false, None) => Ok(Held::Failed(format!(
                "the {} of {} have another form, and nothing else can be compared",
                here[0], self.schedule.table
            ))),
        }
    }

    /// Whether another check compares more than ids, and can.
    fn is_compared_by_teams(&self) -> bool {
        let checks = self.suite.checks.iter().zip(&self.planned.needs);
        let mut can = checks.filter(|(_, needs)| matches!(needs, Needs::Measures(_)));
        can.any(|(check, _)| {
            let asked = self
                .schedule
                .asked
                .iter()
                .find(|asked| asked.check == check.name);
            matches!(&check.kind, Kind::Scheduled(keys) if keys.columns.len() > 1)
                && asked.is_some_and(|asked| asked.others.is_ok())
        })
    }

    fn ids(
        &mut self,
        (ours, theirs): (&Ident, &Ident),
        places: (usize, usize),
        warehouse: &mut dyn Engine,
    ) -> Result<Ids, WarehouseError> {
        let names = (ours.clone(), theirs.clone());
        if let Some((_, ids)) = self.ids.iter().find(|(known, _)| *known == names) {
            return Ok(ids.clone());
        }
        let pairs = self.compare(places.0, &[places.1], warehouse)?;
        let ids = if pairs.days.values().any(|day| day.both > 0) {
            Ids::Known(pairs)
        } else {
            let span = [self.planned.plan.range];
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
            let here = forms(&self.planned.plan.table, None, ours)?;
            let schedule = self.schedule;
            let there = forms(&schedule.plan.table, schedule.filter.as_ref(), theirs)?;
            if there.is_empty() {
                Ids::None
            } else if here.is_disjoint(&there) {
                Ids::OtherForm
            } else {
                Ids::Wrong(pairs)
            }
        };
        self.ids.push((names, ids.clone()));
        Ok(ids)
    }

    fn whole(
        &self,
        keys: &Scheduled,
        (ours, asked, id, others): (usize, &Asked, &Ident, &[Ident]),
        warehouse: &mut dyn Engine,
    ) -> Result<Held, WarehouseError> {
        let theirs = std::iter::once(id).chain(others).cloned().collect();
        let pairs = self.compare(ours, &asked.whole, warehouse)?;
        Ok(Held::Pairs(pairs, keys.columns.clone(), theirs))
    }

    /// The teams alone, without the ids.
    fn by_teams(
        &self,
        keys: &Scheduled,
        rows: Option<&Condition>,
        theirs: &[Ident],
        warehouse: &mut dyn Engine,
    ) -> Result<Held, WarehouseError> {
        let ours = &keys.columns[1..];
        let range = self.planned.plan.range;
        let mut planner = Planner::new(self.planned.plan.table.clone(), range);
        let here = planner.keys(rows, ours, None);
        let here_plan = planner.finish();
        let here_scan = warehouse.measure(&here_plan)?;
        let mut planner = Planner::new(self.schedule.plan.table.clone(), range);
        let filter = self.schedule.filter.as_ref();
        let ways = with_other_side(theirs.to_vec(), keys.either_side);
        let there: Vec<_> = ways
            .iter()
            .map(|keys| planner.keys(filter, keys, None))
            .collect();
        let there_plan = planner.finish();
        let there_scan = warehouse.measure(&there_plan)?;
        let sides: Vec<Side<'_>> = there
            .iter()
            .map(|keys| Side::new(&there_plan, &there_scan, keys.position()))
            .collect();
        let here = Side::new(&here_plan, &here_scan, here.position());
        let pairs = warehouse.compare(&here, &sides)?;
        Ok(Held::Pairs(pairs, ours.to_vec(), theirs.to_vec()))
    }

    /// Compares keys that were measured with everything else.
    fn compare(
        &self,
        ours: usize,
        theirs: &[usize],
        warehouse: &mut dyn Engine,
    ) -> Result<Pairs, WarehouseError> {
        let here = Side::new(&self.planned.plan, self.scan, ours);
        let sides: Vec<Side<'_>> = theirs
            .iter()
            .map(|keys| Side::new(&self.schedule.plan, &self.schedule.scan, *keys))
            .collect();
        warehouse.compare(&here, &sides)
    }
}

/// How an id is written: its runs of digits and letters with their lengths, and the signs between them.
fn form(value: &Value) -> Option<String> {
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
    fn both_sides_of_a_game_are_one_if_the_check_says_so() {
        let name = |text: &str| Ident::new(text).expect("a name");
        let others = [name("home"), name("away")];
        assert_eq!(ways(&name("id"), &others, false).len(), 1);
        let both = ways(&name("id"), &others, true);
        assert_eq!(both[1], [name("id"), name("away"), name("home")]);
    }
}
