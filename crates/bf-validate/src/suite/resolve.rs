//! A suite as it fits the table at hand: columns under the names that this table has for them, and the rule in
//! place of a column that it lacks.

use bf_warehouse::{Columns, Condition, Ident};

use super::Suite;

impl Suite {
    /// The suite with the names that the table has.
    #[must_use]
    pub(crate) fn resolved(&self, columns: &Columns) -> Self {
        let has = |name: &Ident| columns.get(name).is_some();
        let renames: Vec<(Ident, Ident)> = self
            .also_called
            .iter()
            .filter(|(name, _)| !has(name))
            .filter_map(|(name, others)| {
                let other = others.iter().find(|other| has(other))?;
                Some((name.clone(), other.clone()))
            })
            .collect();
        let mut suite = self.clone();
        for column in suite.columns_mut() {
            if let Some((_, new)) = renames.iter().find(|(name, _)| name == column) {
                *column = new.clone();
            }
        }
        for check in &mut suite.checks {
            check.kind.resolve(columns);
        }
        suite
    }

    /// Every column of the table that it names.
    pub(super) fn columns_mut(&mut self) -> Vec<&mut Ident> {
        let Self { spec, checks, .. } = self;
        let mut all: Vec<&mut Ident> = vec![&mut spec.date_column];
        all.extend(&mut spec.primary_key);
        all.extend(spec.group.as_mut().map(|group| &mut group.column));
        all.extend(spec.filter.iter_mut().flat_map(Condition::columns_mut));
        all.extend(spec.written_at.as_mut().map(|written| &mut written.column));
        all.extend(&mut spec.sample_columns);
        for check in checks {
            all.extend(
                check
                    .spec
                    .filter
                    .iter_mut()
                    .flat_map(Condition::columns_mut),
            );
            all.extend(check.kind.columns());
        }
        all
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
        let resolved = suite.resolved(&Columns::new(columns.collect()));
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
