//! Conditions as SQL. Must say of every row what `crate::condition::eval` says of it.

use chrono::NaiveDate;

use super::Flavor;
use crate::{ColumnKind, Columns, Condition, Ident, Literal, Operator, Param, Test};

/// How values and conditions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Values are parameters.
    Named,
    /// Values are literals.
    Literals,
    /// Literals, and conditions as a person would write them: `x IS NULL`.
    Plain,
}

/// The values that a piece of SQL needs, and the flavor that it is written in.
pub(crate) struct Params<'f> {
    flavor: &'f dyn Flavor,
    form: Form,
    list: Vec<(String, Param)>,
}

impl<'f> Params<'f> {
    const fn new(flavor: &'f dyn Flavor, form: Form) -> Self {
        Self {
            flavor,
            form,
            list: Vec::new(),
        }
    }

    /// For a query that is sent.
    pub(crate) const fn named(flavor: &'f dyn Flavor) -> Self {
        Self::new(flavor, Form::Named)
    }

    /// For a query without parameters.
    pub(crate) const fn literals(flavor: &'f dyn Flavor) -> Self {
        Self::new(flavor, Form::Literals)
    }

    /// For a query that a person reads and changes. It may find fewer rows: those that hold a value of another kind
    /// than their column.
    pub(crate) const fn plain(flavor: &'f dyn Flavor) -> Self {
        Self::new(flavor, Form::Plain)
    }

    /// The engine that the SQL is for.
    pub(crate) const fn flavor(&self) -> &'f dyn Flavor {
        self.flavor
    }

    /// Whether the SQL is one that a person would write.
    pub(crate) fn is_plain(&self) -> bool {
        self.form == Form::Plain
    }

    /// The parameters, once the SQL is written.
    pub(crate) fn into_list(self) -> Vec<(String, Param)> {
        self.list
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) -> String {
        if self.form == Form::Named {
            return self.add(None, Param::Text(text.to_owned()));
        }
        self.flavor.text(text)
    }

    /// A day under a name of its own: `@start`.
    pub(crate) fn date(&mut self, name: &str, date: NaiveDate) -> String {
        if self.form == Form::Named {
            return self.add(Some(name), Param::Date(date));
        }
        self.flavor.date(date)
    }

    fn add(&mut self, name: Option<&str>, param: Param) -> String {
        let same = self
            .list
            .iter()
            .find(|(known, other)| *other == param && name.is_none_or(|name| name == known));
        if let Some((name, _)) = same {
            return format!("@{name}");
        }
        let name = name.map_or_else(|| format!("p{}", self.list.len()), str::to_owned);
        let sql = format!("@{name}");
        self.list.push((name, param));
        sql
    }
}

/// The condition as an SQL expression, in parentheses if it needs them.
pub(crate) fn render(condition: &Condition, columns: &Columns, params: &mut Params<'_>) -> String {
    match condition {
        Condition::All(parts) => join(parts, " AND ", columns, params),
        Condition::Any(parts) => join(parts, " OR ", columns, params),
        Condition::Not(part) => match (part.as_ref(), params.is_plain()) {
            (Condition::Test { column, test }, true) if is_about_a_value(test) => {
                plain_value(column, test, true, params)
            }
            _ => format!("(NOT {})", render(part, columns, params)),
        },
        Condition::Test { column, test } if params.is_plain() && is_about_a_value(test) => {
            plain_value(column, test, false, params)
        }
        Condition::Test { column, test } => {
            let kind = columns.kind(column);
            render_test(column, kind, test, params)
        }
    }
}

/// Rows of which the condition does not surely hold.
pub(crate) fn render_lacking(
    condition: &Condition,
    columns: &Columns,
    params: &mut Params<'_>,
) -> String {
    match condition {
        Condition::Test { column, test } if params.is_plain() && is_about_a_value(test) => {
            plain_value(column, test, true, params)
        }
        _ => format!("{} IS NOT TRUE", render(condition, columns, params)),
    }
}

fn is_about_a_value(test: &Test) -> bool {
    matches!(test, Test::IsNull | Test::IsPresent | Test::IsNumber)
}

fn plain_value(column: &Ident, test: &Test, turned: bool, params: &Params<'_>) -> String {
    let name = params.flavor.quote(column.as_str());
    let word = if (*test == Test::IsNull) == turned {
        "IS NOT NULL"
    } else {
        "IS NULL"
    };
    format!("{name} {word}")
}

fn join(parts: &[Condition], word: &str, columns: &Columns, params: &mut Params<'_>) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| render(part, columns, params))
        .collect();
    format!("({})", parts.join(word))
}

fn render_test(column: &Ident, kind: ColumnKind, test: &Test, params: &mut Params<'_>) -> String {
    let flavor = params.flavor;
    let name = flavor.quote(column.as_str());
    match test {
        Test::IsNull => flavor.is_null(&name, kind),
        Test::IsPresent => flavor.is_present(&name, kind),
        Test::IsNumber => format!("({} IS NOT NULL)", flavor.number(&name, kind)),
        Test::IsTrue if params.is_plain() => format!("{name} = {}", flavor.boolean(true)),
        Test::IsTrue => flavor.truth(&name, kind),
        Test::IsTrimmed => flavor.of_text(&name, &|text| flavor.is_trimmed(text)),
        Test::IsUpper => flavor.of_text(&name, &|text| flavor.has_none_of(text, "a-z")),
        Test::IsLower => flavor.of_text(&name, &|text| flavor.has_none_of(text, "A-Z")),
        Test::Compare(operator, literal) => compare(&name, kind, *operator, literal, params),
        Test::In(literals) if literals.iter().all(|one| matches!(one, Literal::Text(_))) => {
            let texts = literals.iter().filter_map(|literal| match literal {
                Literal::Text(text) => Some(params.text(text)),
                _ => None,
            });
            let texts = format!("({})", texts.collect::<Vec<_>>().join(", "));
            if params.is_plain() {
                return format!("{name} IN {texts}");
            }
            flavor.compare_text(&name, kind, "IN", &texts)
        }
        Test::In(literals) => {
            let parts: Vec<String> = literals
                .iter()
                .map(|literal| compare(&name, kind, Operator::Equals, literal, params))
                .collect();
            format!("({})", parts.join(" OR "))
        }
        Test::StartsWith(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| params.text(text)).collect();
            flavor.starts_with(&name, &texts)
        }
        Test::ContainsAny(texts) => {
            let parts: Vec<String> = texts
                .iter()
                .map(|text| flavor.contains(&name, kind, text, &mut |text| params.text(text)))
                .collect();
            format!("({})", parts.join(" OR "))
        }
    }
}

fn compare(
    name: &str,
    kind: ColumnKind,
    operator: Operator,
    literal: &Literal,
    params: &mut Params<'_>,
) -> String {
    let flavor = params.flavor;
    let sign = match operator {
        Operator::Equals => "=",
        Operator::Differs => "<>",
        Operator::Below => "<",
        Operator::AtMost => "<=",
        Operator::Above => ">",
        Operator::AtLeast => ">=",
    };
    match literal {
        Literal::Number(wanted) if params.is_plain() => format!("{name} {sign} {wanted}"),
        Literal::Number(wanted) => format!("({} {sign} {wanted:?})", flavor.number(name, kind)),
        Literal::Bool(wanted) if params.is_plain() => {
            format!("{name} {sign} {}", flavor.boolean(*wanted))
        }
        Literal::Bool(wanted) => {
            let wanted = flavor.boolean(*wanted);
            format!("({} {sign} {wanted})", flavor.truth(name, kind))
        }
        Literal::Text(wanted) => {
            let wanted = params.text(wanted);
            if params.is_plain() {
                return format!("{name} {sign} {wanted}");
            }
            flavor.compare_text(name, kind, sign, &wanted)
        }
    }
}
