//! A suite as it fits the table at hand: columns under the names that this table has for them, and the rule in
//! place of a column that it lacks.

use std::borrow::Cow;

use bf_warehouse::Ident;

use super::{Kind, Suite};
use crate::columns::Columns;
use crate::condition::Condition;

impl Suite {
    /// The suite with the names that the table has.
    #[must_use]
    pub fn resolved(&self, columns: &Columns) -> Cow<'_, Self> {
        let has = |name: &Ident| columns.get(name).is_some();
        let renamed = |name: &Ident| {
            let others = self.also_called.get(name).filter(|_| !has(name))?;
            others.iter().find(|other| has(other)).cloned()
        };
        let renames: Vec<(Ident, Ident)> = self
            .also_called
            .keys()
            .filter_map(|name| Some((name.clone(), renamed(name)?)))
            .collect();
        let lacks = |condition: &Condition| condition.columns().into_iter().any(|name| !has(name));
        let needs_rule = self.checks.iter().any(|check| match &check.kind {
            Kind::Share(share) => share.otherwise.is_some() && lacks(&share.of),
            _ => false,
        });
        if renames.is_empty() && !needs_rule {
            return Cow::Borrowed(self);
        }
        let mut suite = self.clone();
        for column in suite.columns_mut() {
            if let Some((_, new)) = renames.iter().find(|(name, _)| name == column) {
                *column = new.clone();
            }
        }
        for check in &mut suite.checks {
            if let Kind::Share(share) = &mut check.kind
                && lacks(&share.of)
                && let Some(otherwise) = share.otherwise.take()
            {
                let lacking = share
                    .of
                    .columns()
                    .into_iter()
                    .find(|name| !has(name))
                    .cloned();
                share.of = otherwise;
                share.in_place_of = lacking;
            }
        }
        Cow::Owned(suite)
    }

    /// Every column of the table that it names.
    fn columns_mut(&mut self) -> Vec<&mut Ident> {
        let mut all: Vec<&mut Ident> = vec![&mut self.date_column];
        all.extend(&mut self.primary_key);
        all.extend(self.group.as_mut().map(|group| &mut group.column));
        all.extend(self.filter.iter_mut().flat_map(Condition::columns_mut));
        all.extend(self.written_at.as_mut().map(|written| &mut written.column));
        all.extend(&mut self.sample_columns);
        for check in &mut self.checks {
            all.extend(check.filter.iter_mut().flat_map(Condition::columns_mut));
            all.extend(check.kind.columns_mut());
        }
        all
    }
}

impl Kind {
    /// Every column of the table that it names.
    fn columns_mut(&mut self) -> Vec<&mut Ident> {
        match self {
            Self::RowCount
            | Self::UniqueKey
            | Self::MissingDates(_)
            | Self::MissingGroups
            | Self::UnscheduledGroups
            | Self::Freshness
            | Self::Sql(_) => Vec::new(),
            Self::DistinctCount(list) | Self::UnmatchedKeys(list) => {
                list.columns.iter_mut().collect()
            }
            Self::MatchingRows(matching) => matching.of.columns_mut(),
            Self::Completeness(of) => {
                let groups = of
                    .worst_group
                    .iter_mut()
                    .flat_map(|group| &mut group.columns);
                groups.chain([&mut of.column]).collect()
            }
            Self::Share(share) => {
                let otherwise = share.otherwise.iter_mut().flat_map(Condition::columns_mut);
                otherwise.chain(share.of.columns_mut()).collect()
            }
            Self::Average(of) => vec![&mut of.column],
            Self::Minimum(of) | Self::Maximum(of) | Self::Varies(of) => vec![&mut of.column],
            Self::AcceptedValues(of) => vec![&mut of.column],
            Self::ValueRange(of) => vec![&mut of.column],
            Self::RowsPerGroup(of) => of.columns.iter_mut().collect(),
            Self::Scheduled(of) => {
                let condition = of.of.iter_mut().flat_map(Condition::columns_mut);
                condition.chain(&mut of.columns).collect()
            }
            Self::Change(of) => of.completeness.iter_mut().collect(),
            Self::Reference(of) => of.columns.iter_mut().collect(),
            Self::Sums(of) => of.columns.iter_mut().chain([&mut of.column]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bf_warehouse::{Column, ColumnKind};

    use super::*;

    const SUITE: &str = "suite: a\ntable: b.c\ndate_column: day\nprimary_key: [id]\n\
        also_called: {home_game: [at_home, is_home], tier: [data_tier]}\nchecks:\n  \
        - {name: home, share: {of: {column: home_game, is_true: true}}, exactly: 50}\n  \
        - {name: ready, share: {of: {column: ready, is_true: true}, otherwise: {column: tier, equals: gold}}, at_least: 80}\n";

    fn resolved(names: &[&str]) -> String {
        let columns = names.iter().map(|name| Column {
            name: (*name).to_owned(),
            kind: ColumnKind::Other,
            data_type: String::new(),
        });
        let suite = Suite::parse(SUITE, "a test").expect("a suite");
        let resolved = suite
            .resolved(&Columns::new(columns.collect()))
            .into_owned();
        format!("{:?}", resolved.checks)
    }

    #[test]
    fn a_column_goes_by_the_name_that_the_table_has() {
        let checks = resolved(&["day", "id", "is_home", "ready"]);
        assert!(
            checks.contains("is_home") && !checks.contains("home_game"),
            "{checks}"
        );
        let checks = resolved(&["day", "id", "home_game", "is_home", "ready"]);
        assert!(
            checks.contains("home_game") && !checks.contains("is_home"),
            "{checks}"
        );
    }

    #[test]
    fn a_rule_takes_the_place_of_a_column_that_is_not_there() {
        let checks = resolved(&["day", "id", "home_game", "data_tier"]);
        assert!(
            checks.contains("data_tier") && checks.contains("in_place_of: Some"),
            "{checks}"
        );
        let checks = resolved(&["day", "id", "home_game", "ready"]);
        assert!(!checks.contains("in_place_of: Some"), "{checks}");
    }
}
