//! Two readers of one condition: the rows that are counted in memory and the rows that SQLite's own WHERE
//! finds must be the same, whatever a column contains.

use super::{Sqlite, SqliteFlavor};
use crate::condition::Compiled;
use crate::sql::{Params, render};
use crate::{
    Condition, Engine, Ident, Literal, Operator, Options, Query, Record, Selection, Sink,
    TableName, Test,
};

/// What may stand in a column without a declared type, as SQL.
const VALUES: [&str; 66] = [
    "NULL",
    "0",
    "1",
    "2",
    "-3",
    "9007199254740993",
    "0.0",
    "2.0",
    "2.5",
    "-0.5",
    "9e999",
    "-9e999",
    "''",
    "' '",
    "'abc'",
    "'b'",
    "'2'",
    "'2.5'",
    "'1e3'",
    "'32:15'",
    "'N/A'",
    "'nan'",
    "'inf'",
    "'2024-01-02'",
    "'1.2.3'",
    "'1e'",
    "'e5'",
    "'+7'",
    "'-.5'",
    "'5.'",
    "'--1'",
    "'1e999'",
    "'1-2'",
    "x'32'",
    "'é'",
    "' 2'",
    "'true'",
    "'FALSE'",
    "'0'",
    "'[]'",
    "'[\"a\"]'",
    "'[\"b\", \"a\"]'",
    "'[\"ab\", 1, null]'",
    "'{\"x\": \"a\"}'",
    "'\"a\"'",
    "'a, b'",
    "x'61'",
    "'BOS '",
    "' BOS'",
    "'bos'",
    "'   '",
    "'[[\"a\"]]'",
    "'[{\"code\": \"a\"}]'",
    "'[{\"a\": \"code\"}]'",
    "'{\"list\": [{\"element\": \"b\"}, {\"element\": \"a\"}]}'",
    "'[\"[\\\"a\\\"]\", \"c\"]'",
    "'[\"a \", {\"a\": 1}]'",
    "'{\"a\" : [\"b\"]}'",
    "'[ \"a\" , \"c\" ]'",
    "'[''a'', ''c'']'",
    "'a'",
    "'ab, c_a'",
    "'x,a;'",
    "'[\"ab'",
    "'[\"b\", \"it''s\"]'",
    "'[\"why?*[\"]'",
];

fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::IsNull,
        Test::IsPresent,
        Test::IsNumber,
        Test::IsTrue,
        Test::IsTrimmed,
        Test::IsUpper,
        Test::IsLower,
        Test::In(vec![
            Literal::Text("abc".into()),
            Literal::Number(2.0),
            Literal::Bool(true),
        ]),
        Test::In(vec![Literal::Text("b".into())]),
        Test::ContainsAny(vec!["a".into()]),
        Test::ContainsAny(vec!["x".into(), "b".into()]),
        Test::ContainsAny(vec!["it's".into()]),
        Test::ContainsAny(vec!["why?*[".into()]),
        Test::StartsWith(vec!["2".into(), "[".into()]),
    ];
    let literals = [
        Literal::Number(2.0),
        Literal::Number(-0.5),
        Literal::Text("abc".into()),
        Literal::Text(String::new()),
        Literal::Bool(true),
        Literal::Bool(false),
    ];
    for literal in literals {
        for operator in [
            Operator::Equals,
            Operator::Differs,
            Operator::Below,
            Operator::AtMost,
            Operator::Above,
            Operator::AtLeast,
        ] {
            tests.push(Test::Compare(operator, literal.clone()));
        }
    }
    tests
}

/// A warehouse with every value in column `a`, each beside as many others in column `b`.
fn warehouse(folder: &std::path::Path, others: usize) -> Sqlite {
    let database = rusqlite::Connection::open(folder.join("d.db")).expect("a database");
    let values: Vec<String> = VALUES.iter().map(|value| format!("({value})")).collect();
    database
        .execute_batch(&format!(
            "CREATE TABLE v (x); INSERT INTO v VALUES {};
             CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);
             INSERT INTO t (a, b) SELECT l.x, r.x FROM v AS l, v AS r WHERE r.rowid <= {others}
             ORDER BY l.rowid, r.rowid;",
            values.join(", ")
        ))
        .expect("a table");
    Sqlite::open(folder.to_owned(), Options::default()).expect("a warehouse")
}

/// The ids of the rows of which a condition holds.
struct Held(Compiled, Vec<u64>);

impl Sink for Held {
    fn take(&mut self, row: Record<'_>) {
        if self.0.holds(row) {
            self.1.extend(row.values()[0].as_count());
        }
    }
}

/// The first row that the two readers disagree about.
fn disagreement(condition: &Condition, others: usize, warehouse: &mut Sqlite) -> Option<String> {
    let table: TableName = "d.t".parse().expect("a table");
    let columns = warehouse.columns(&table).expect("columns");
    let mut params = Params::named(&SqliteFlavor);
    let sql = render(condition, &columns, &mut params);
    let found = Query {
        sql: format!("SELECT id FROM d.t WHERE {sql} ORDER BY id"),
        params: params.into_list(),
    };
    let by_sqlite = warehouse.query(&[&table], &found).expect("valid SQL");
    let by_sqlite: Vec<u64> = by_sqlite
        .rows
        .iter()
        .filter_map(|row| row[0].as_count())
        .collect();

    let names = ["id", "a", "b"].map(|name| Ident::new(name).expect("a name"));
    let compiled = Compiled::new(condition, &names).expect("the columns are there");
    let all = Selection {
        table,
        columns: names.to_vec(),
        conditions: vec!["TRUE".to_owned()],
        params: Vec::new(),
    };
    let parts = warehouse
        .scan(&all, &|| Held(compiled.clone(), Vec::new()))
        .expect("rows");
    let here: Vec<u64> = parts.into_iter().flat_map(|part| part.1).collect();
    let id = by_sqlite
        .iter()
        .find(|id| !here.contains(id))
        .or_else(|| here.iter().find(|id| !by_sqlite.contains(id)))?;
    let width = others as u64;
    let (a, b) = ((id - 1) / width, (id - 1) % width);
    Some(format!(
        "{condition:?}\n{sql}\na = {}, b = {}: SQLite says {}",
        VALUES[usize::try_from(a).expect("small")],
        VALUES[usize::try_from(b).expect("small")],
        by_sqlite.contains(id)
    ))
}

#[test]
fn a_condition_holds_of_the_same_rows_in_memory_and_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut warehouse = warehouse(folder.path(), 1);
    let a = Ident::new("a").expect("a name");
    for test in tests() {
        let plain = Condition::test(&a, test);
        let turned = Condition::Not(Box::new(plain.clone()));
        for condition in [plain, turned] {
            assert_eq!(disagreement(&condition, 1, &mut warehouse), None);
        }
    }
}

#[test]
fn and_or_and_not_know_three_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut warehouse = warehouse(folder.path(), VALUES.len());
    let (a, b) = (
        Ident::new("a").expect("a name"),
        Ident::new("b").expect("a name"),
    );
    let left = Condition::test(&a, Test::Compare(Operator::AtLeast, Literal::Number(2.0)));
    let right = Condition::test(&b, Test::IsTrue);
    for parts in [vec![left.clone(), right.clone()], vec![right, left]] {
        for group in [Condition::All(parts.clone()), Condition::Any(parts)] {
            let turned = Condition::Not(Box::new(group.clone()));
            for condition in [group, turned] {
                assert_eq!(disagreement(&condition, VALUES.len(), &mut warehouse), None);
            }
        }
    }
}
