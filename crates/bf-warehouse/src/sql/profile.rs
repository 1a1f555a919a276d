//! What a table holds: a few plain queries that read it from end to end.

use super::{Flavor, Params};
use crate::{ColumnKind, Ident, Profiling, Query};

/// The query of a question about a whole table.
pub(crate) fn query(question: &Profiling<'_>, mut params: Params<'_>) -> Query {
    let flavor = params.flavor();
    let quote = |name: &Ident| flavor.quote(name.as_str());
    let table = flavor.table(question.table());
    let sql = match question {
        Profiling::Figures {
            columns, within, ..
        } => {
            let mut fields = vec!["COUNT(*)".to_owned()];
            for (name, kind) in *columns {
                fields.extend(figures(flavor, &quote(name), *kind));
            }
            // A result has a name for each of its fields.
            let fields = fields.iter().enumerate();
            let fields: Vec<String> = fields
                .map(|(at, field)| format!("{field} AS f{at}"))
                .collect();
            let within = within.map_or_else(String::new, |(name, kind, range)| {
                let (start, end) = (
                    params.date("start", range.start),
                    params.date("end", range.end),
                );
                let within = flavor.within_days(&quote(name), kind, &start, &end);
                format!(" WHERE {within}")
            });
            format!("SELECT {} FROM {table}{within}", fields.join(", "))
        }
        Profiling::Days { column, kind, .. } => {
            let column = quote(column);
            let day = flavor.day_of(&column, *kind);
            format!(
                "SELECT DISTINCT {day} AS day FROM {table} WHERE {column} IS NOT NULL ORDER BY 1"
            )
        }
        Profiling::Values { column, .. } => {
            let column = quote(column);
            format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1")
        }
        Profiling::DistinctSets { sets, .. } => {
            let sets = sets.iter().enumerate().map(|(at, set)| {
                let names: Vec<String> = set.iter().map(quote).collect();
                let names = names.join(", ");
                format!(
                    "(SELECT COUNT(*) FROM (SELECT DISTINCT {names} FROM {table}) AS s) AS f{at}"
                )
            });
            format!("SELECT {}", sets.collect::<Vec<_>>().join(", "))
        }
    };
    Query {
        sql,
        params: params.into_list(),
    }
}

/// The figures of one column: see [`Profiling::Figures`].
fn figures(flavor: &dyn Flavor, column: &str, kind: ColumnKind) -> [String; 7] {
    let (text, number) = (flavor.as_text(column), flavor.stored_number(column, kind));
    [
        flavor.count_if(&format!("{column} IS NOT NULL AND {text} <> ''")),
        flavor.count_if(&format!("{number} IS NOT NULL")),
        flavor.count_if(&flavor.is_day(column, kind)),
        flavor.count_if(&flavor.has_time(column, kind)),
        format!("COUNT(DISTINCT {column})"),
        format!("MIN({number})"),
        format!("MAX({number})"),
    ]
}
