//! Conditions as SQL of either engine. Must say of every row what [`super::eval`] says of it.

use bf_warehouse::{ColumnKind, Ident, Param, SqlDialect};
use chrono::NaiveDate;

use super::{Condition, Literal, Operator, Test};
use crate::columns::Columns;

/// The values that a piece of SQL needs: as parameters of a query that is sent, or as literals of one that a
/// person pastes into a console.
#[derive(Debug)]
pub struct Params {
    dialect: SqlDialect,
    as_literals: bool,
    is_plain: bool,
    list: Vec<(String, Param)>,
}

impl Params {
    /// For a query that is sent.
    #[must_use]
    pub fn named(dialect: SqlDialect) -> Self {
        Self {
            dialect,
            as_literals: false,
            is_plain: false,
            list: Vec::new(),
        }
    }

    /// For a query that a person reads: a value is taken for what it looks like.
    #[must_use]
    pub fn plain(dialect: SqlDialect) -> Self {
        Self {
            is_plain: true,
            ..Self::literals(dialect)
        }
    }

    /// Whether a person is to read it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// For a query that a person pastes into a console.
    #[must_use]
    pub fn literals(dialect: SqlDialect) -> Self {
        Self {
            dialect,
            as_literals: true,
            is_plain: false,
            list: Vec::new(),
        }
    }

    /// The engine that the SQL is for.
    #[must_use]
    pub fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    /// The parameters, once the SQL is written.
    #[must_use]
    pub fn into_list(self) -> Vec<(String, Param)> {
        self.list
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> String {
        if self.as_literals {
            return self.dialect.text(text);
        }
        self.add(None, Param::Text(text.to_owned()))
    }

    /// A day under a name of its own: `@start`.
    pub fn date(&mut self, name: &str, date: NaiveDate) -> String {
        match (self.as_literals, self.dialect) {
            (false, _) => self.add(Some(name), Param::Date(date)),
            (true, SqlDialect::Sqlite) => format!("'{date}'"),
            (true, SqlDialect::BigQuery) => format!("DATE '{date}'"),
        }
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

/// The condition as an SQL expression in parentheses where it needs them.
pub fn render(condition: &Condition, columns: &Columns, params: &mut Params) -> String {
    match condition {
        Condition::All(parts) => join(parts, " AND ", columns, params),
        Condition::Any(parts) => join(parts, " OR ", columns, params),
        Condition::Not(part) => format!("(NOT {})", render(part, columns, params)),
        Condition::Test { column, test } => {
            let kind = columns.kind(column);
            render_test(column, kind, test, params)
        }
    }
}

fn join(parts: &[Condition], word: &str, columns: &Columns, params: &mut Params) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| render(part, columns, params))
        .collect();
    format!("({})", parts.join(word))
}

fn render_test(column: &Ident, kind: ColumnKind, test: &Test, params: &mut Params) -> String {
    let dialect = params.dialect;
    let name = dialect.column(column);
    if let Some(plain) = plain(&name, test, params).filter(|_| params.is_plain) {
        return plain;
    }
    match test {
        Test::IsNull => match (dialect, kind) {
            (SqlDialect::Sqlite, _) => format!("({name} IS NULL OR CAST({name} AS TEXT) = '[]')"),
            // A NULL array is stored as an empty one, which IS NULL does not find. Source: "Working with
            // arrays" of BigQuery's documentation.
            (SqlDialect::BigQuery, ColumnKind::Array) => {
                format!("(IFNULL(ARRAY_LENGTH({name}), 0) = 0)")
            }
            (SqlDialect::BigQuery, _) => format!("({name} IS NULL)"),
        },
        Test::IsPresent => match (dialect, kind) {
            (SqlDialect::Sqlite, _) => {
                format!(
                    "({name} IS NOT NULL AND CAST({name} AS TEXT) <> '[]' AND trim(CAST({name} AS TEXT)) <> '' \
                     AND (typeof({name}) <> 'real' OR abs({name}) < 9e999))"
                )
            }
            (SqlDialect::BigQuery, ColumnKind::Array) => {
                format!("(IFNULL(ARRAY_LENGTH({name}), 0) > 0)")
            }
            (SqlDialect::BigQuery, ColumnKind::Number) => {
                format!("({} IS NOT NULL)", number(column, kind, dialect))
            }
            (SqlDialect::BigQuery, ColumnKind::Text) => {
                format!("({name} IS NOT NULL AND TRIM({name}, ' ') <> '')")
            }
            (SqlDialect::BigQuery, _) => format!("({name} IS NOT NULL)"),
        },
        Test::IsNumber => format!("({} IS NOT NULL)", number(column, kind, dialect)),
        Test::IsTrue => truth(column, kind, dialect),
        Test::IsTrimmed => of_text(&name, dialect, |text| match dialect {
            SqlDialect::Sqlite => {
                format!("{text} <> '' AND trim({text}, char(32, 9, 10, 11, 12, 13)) = {text}")
            }
            SqlDialect::BigQuery => {
                format!("{text} <> '' AND NOT REGEXP_CONTAINS({text}, '^[[:space:]]|[[:space:]]$')")
            }
        }),
        Test::IsUpper => of_text(&name, dialect, |text| without_letters(text, dialect, "a-z")),
        Test::IsLower => of_text(&name, dialect, |text| without_letters(text, dialect, "A-Z")),
        Test::Compare(operator, literal) => compare(column, kind, *operator, literal, params),
        Test::In(literals) => {
            let parts: Vec<String> = literals
                .iter()
                .map(|literal| compare(column, kind, Operator::Equals, literal, params))
                .collect();
            format!("({})", parts.join(" OR "))
        }
        Test::StartsWith(texts) => starts_with(&name, texts, params),
        Test::ContainsAny(texts) => contains_any(&name, kind, texts, params),
    }
}

/// A test as a person writes it, if there is such a way.
fn plain(name: &str, test: &Test, params: &Params) -> Option<String> {
    let dialect = params.dialect;
    let value = |literal: &Literal| match (literal, dialect) {
        (Literal::Number(number), _) => format!("{number}"),
        (Literal::Text(text), dialect) => dialect.text(text),
        (Literal::Bool(yes), SqlDialect::Sqlite) => u8::from(*yes).to_string(),
        (Literal::Bool(yes), SqlDialect::BigQuery) => yes.to_string().to_uppercase(),
    };
    Some(match test {
        Test::IsNull => format!("{name} IS NULL"),
        Test::IsPresent | Test::IsNumber => format!("{name} IS NOT NULL"),
        Test::IsTrue if dialect == SqlDialect::Sqlite => format!("{name} = 1"),
        Test::IsTrue => name.to_owned(),
        Test::Compare(operator, literal) => {
            format!("{name} {} {}", sign(*operator), value(literal))
        }
        Test::In(literals) => {
            let values: Vec<String> = literals.iter().map(value).collect();
            format!("{name} IN ({})", values.join(", "))
        }
        _ => return None,
    })
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equals => "=",
        Operator::Differs => "<>",
        Operator::Below => "<",
        Operator::AtMost => "<=",
        Operator::Above => ">",
        Operator::AtLeast => ">=",
    }
}

/// Letters of ASCII alone: UPPER and LOWER of BigQuery know more of them than those of SQLite.
fn without_letters(text: &str, dialect: SqlDialect, letters: &str) -> String {
    match dialect {
        SqlDialect::Sqlite => format!("{text} NOT GLOB '*[{letters}]*'"),
        SqlDialect::BigQuery => format!("NOT REGEXP_CONTAINS({text}, '[{letters}]')"),
    }
}

/// What is asked of a text; it holds of every number, and of NULL nobody knows.
fn of_text(name: &str, dialect: SqlDialect, asked: impl Fn(&str) -> String) -> String {
    match dialect {
        SqlDialect::Sqlite => format!(
            "(CASE WHEN typeof({name}) IN ('text', 'blob') THEN {} WHEN {name} IS NOT NULL THEN 1 END)",
            asked(&format!("CAST({name} AS TEXT)"))
        ),
        SqlDialect::BigQuery => format!("({})", asked(&format!("CAST({name} AS STRING)"))),
    }
}

/// The finite number of a column, else NULL.
#[must_use]
pub fn number(column: &Ident, kind: ColumnKind, dialect: SqlDialect) -> String {
    let name = dialect.column(column);
    match (dialect, kind) {
        (SqlDialect::Sqlite, _) => format!(
            "(CASE WHEN typeof({name}) = 'integer' THEN {name} \
             WHEN typeof({name}) = 'real' THEN CASE WHEN abs({name}) < 9e999 THEN {name} END \
             WHEN {} AND abs(CAST(CAST({name} AS TEXT) AS REAL)) < 9e999 \
             THEN CAST(CAST({name} AS TEXT) AS REAL) END)",
            reads_like_a_number(&name)
        ),
        (SqlDialect::BigQuery, ColumnKind::Number) => {
            let float = format!("CAST({name} AS FLOAT64)");
            format!("IF(IS_NAN({float}) OR IS_INF({float}), NULL, {float})")
        }
        (SqlDialect::BigQuery, _) => {
            let float = format!("SAFE_CAST({name} AS FLOAT64)");
            format!("IF(IS_NAN({float}) OR IS_INF({float}), NULL, {float})")
        }
    }
}

/// Whether a text is written like a decimal number. CAST alone takes `2024-01-02` for 2024.
fn reads_like_a_number(name: &str) -> String {
    let text = format!("CAST({name} AS TEXT)");
    let never = [
        "*[^-+.0-9eE]*",
        "*[0-9.][-+]*",
        "*[-+][-+]*",
        "*.*.*",
        "*[eE]*[eE.]*",
        "[eE]*",
        "[-+.][eE]*",
    ];
    let never = never.map(|pattern| format!(" AND {text} NOT GLOB '{pattern}'"));
    format!(
        "{text} GLOB '*[0-9]*' AND {text} GLOB '*[0-9.]'{}",
        never.concat()
    )
}

fn truth(column: &Ident, kind: ColumnKind, dialect: SqlDialect) -> String {
    let name = dialect.column(column);
    match (dialect, kind) {
        (SqlDialect::Sqlite, _) => format!(
            "(CASE WHEN typeof({name}) IN ('integer', 'real') THEN {name} <> 0 \
             WHEN lower({name}) IN ('true', '1') THEN 1 \
             WHEN lower({name}) IN ('false', '0') THEN 0 END)"
        ),
        (SqlDialect::BigQuery, ColumnKind::Bool) => name,
        (SqlDialect::BigQuery, ColumnKind::Number) => format!("({name} <> 0)"),
        (SqlDialect::BigQuery, _) => format!(
            "(CASE WHEN LOWER({name}) IN ('true', '1') THEN TRUE \
             WHEN LOWER({name}) IN ('false', '0') THEN FALSE END)"
        ),
    }
}

fn compare(
    column: &Ident,
    kind: ColumnKind,
    operator: Operator,
    literal: &Literal,
    params: &mut Params,
) -> String {
    let dialect = params.dialect;
    let sign = sign(operator);
    match literal {
        Literal::Number(wanted) => {
            format!("({} {sign} {wanted:?})", number(column, kind, dialect))
        }
        Literal::Bool(wanted) => {
            let wanted = match (dialect, wanted) {
                (SqlDialect::Sqlite, wanted) => u8::from(*wanted).to_string(),
                (SqlDialect::BigQuery, true) => "TRUE".to_owned(),
                (SqlDialect::BigQuery, false) => "FALSE".to_owned(),
            };
            format!("({} {sign} {wanted})", truth(column, kind, dialect))
        }
        Literal::Text(wanted) => {
            let name = dialect.column(column);
            let wanted = params.text(wanted);
            match dialect {
                SqlDialect::Sqlite => {
                    format!(
                        "(CASE WHEN typeof({name}) IN ('text', 'blob') THEN CAST({name} AS TEXT) {sign} {wanted} END)"
                    )
                }
                SqlDialect::BigQuery if kind == ColumnKind::Text => {
                    format!("({name} {sign} {wanted})")
                }
                SqlDialect::BigQuery => format!("(CAST({name} AS STRING) {sign} {wanted})"),
            }
        }
    }
}

fn starts_with(name: &str, texts: &[String], params: &mut Params) -> String {
    let dialect = params.dialect;
    let parts: Vec<String> = texts
        .iter()
        .map(|text| {
            let wanted = params.text(text);
            match dialect {
                SqlDialect::Sqlite => {
                    format!("substr(CAST({name} AS TEXT), 1, length({wanted})) = {wanted}")
                }
                SqlDialect::BigQuery => format!("STARTS_WITH(CAST({name} AS STRING), {wanted})"),
            }
        })
        .collect();
    let any = parts.join(" OR ");
    match dialect {
        SqlDialect::Sqlite => {
            format!("(CASE WHEN typeof({name}) IN ('text', 'blob') THEN {any} END)")
        }
        SqlDialect::BigQuery => format!("({any})"),
    }
}

/// See [`super::eval`]: a whole string of a JSON value at any depth, or a whole word of another text.
fn contains_any(name: &str, kind: ColumnKind, texts: &[String], params: &mut Params) -> String {
    let parts: Vec<String> = texts
        .iter()
        .map(|text| match (params.dialect, kind) {
            (SqlDialect::Sqlite, _) => {
                let (wanted, word) = (params.text(text), params.text(&word_glob(text)));
                format!(
                    "(instr(coalesce({value}, ''), {wanted}) > 0 AND CASE WHEN json_valid({value}) \
                     THEN EXISTS (SELECT 1 FROM json_tree({value}) WHERE type = 'text' AND atom = {wanted}) \
                     ELSE ' ' || {value} || ' ' GLOB {word} END)",
                    value = format!("CAST({name} AS TEXT)"),
                )
            }
            (SqlDialect::BigQuery, ColumnKind::Array) => {
                let wanted = params.text(text);
                format!("({wanted} IN UNNEST({name}))")
            }
            (SqlDialect::BigQuery, ColumnKind::Text) => {
                let (string, word) = (string_regex(text), word_regex(text));
                let (string, word) = (params.text(&string), params.text(&word));
                format!(
                    "IFNULL(REGEXP_CONTAINS({name}, IF(SAFE.PARSE_JSON({name}) IS NULL, {word}, {string})), FALSE)"
                )
            }
            // A STRUCT, an array of them, or JSON.
            (SqlDialect::BigQuery, _) => {
                let string = params.text(&string_regex(text));
                format!("IFNULL(REGEXP_CONTAINS(TO_JSON_STRING({name}), {string}), FALSE)")
            }
        })
        .collect();
    format!("({})", parts.join(" OR "))
}

/// A pattern of a whole word, for a text with a space at either end.
fn word_glob(text: &str) -> String {
    let mut word = String::new();
    for character in text.chars() {
        match character {
            '[' | '*' | '?' => word.extend(['[', character, ']']),
            other => word.push(other),
        }
    }
    format!("*[^A-Za-z0-9_]{word}[^A-Za-z0-9_]*")
}

/// A pattern of a whole word.
fn word_regex(text: &str) -> String {
    format!("(^|[^A-Za-z0-9_]){}([^A-Za-z0-9_]|$)", escaped(text))
}

/// A pattern of a string in JSON. A quote within a string has a backslash before it, so no string can hold what the
/// pattern begins with; a key is followed by a colon.
fn string_regex(text: &str) -> String {
    let string = serde_json::Value::from(text).to_string();
    let string = escaped(&string);
    format!("(^|[\\[:,])[ \\t\\r\\n]*{string}[ \\t\\r\\n]*([\\],}}]|$)")
}

/// A text as a regular expression that matches nothing else.
fn escaped(text: &str) -> String {
    let mut regex = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex
}
