//! A second connection to a dataset that sees the same rows as the first.
//!
//! SQLite hands out one row at a time, so a large table is read faster by two connections. Each has a snapshot of
//! its own; a table that is being written would be read half before and half after a commit without a check.

use std::path::Path;

use rusqlite::Connection;

use crate::Ident;

/// Smaller files hold no table that is worth a second connection, in bytes.
const LEAST_SIZE: u64 = 256 << 10;

/// A connection whose snapshot is not taken yet.
pub(super) struct Candidate {
    connection: Connection,
    name: Ident,
    version: i64,
}

impl Candidate {
    /// Opens it, before the first connection takes its snapshot. `None` if it is not worth it or does not
    /// succeed: then one connection reads all.
    pub(super) fn open(
        path: &Path,
        uri: &str,
        name: &Ident,
        connect: &dyn Fn() -> rusqlite::Result<Connection>,
    ) -> Option<Self> {
        if path.metadata().ok()?.len() < LEAST_SIZE {
            return None;
        }
        let connection = connect().ok()?;
        attach(&connection, uri, name).ok()?;
        let version = version(&connection, name).ok()?;
        Some(Self {
            connection,
            name: name.clone(),
            version,
        })
    }

    /// Takes the snapshot, after the first connection has taken its own; `None` where another connection has committed
    /// since this one was opened, so that the two may differ.
    ///
    /// Source: "Pragma statements", data_version: it stays the same for as long as no other connection
    /// commits.
    pub(super) fn join(self) -> Option<Connection> {
        self.connection.execute_batch("BEGIN").ok()?;
        look(&self.connection, &self.name).ok()?;
        let version = version(&self.connection, &self.name).ok()?;
        (version == self.version).then_some(self.connection)
    }
}

/// Attaches a file under the dataset's name. A scan reads every page once, so that few are worth keeping; new
/// memory for each would take longer than reading it.
pub(super) fn attach(connection: &Connection, uri: &str, name: &Ident) -> rusqlite::Result<()> {
    connection.execute(&format!("ATTACH ?1 AS \"{name}\""), [uri])?;
    connection.execute_batch(&format!("PRAGMA \"{name}\".cache_size = 64"))
}

/// Reads something. ATTACH alone reads nothing; this finds a file that cannot be read, and takes the snapshot.
pub(super) fn look(connection: &Connection, name: &Ident) -> rusqlite::Result<()> {
    let sql = format!("SELECT COUNT(*) FROM \"{name}\".sqlite_master");
    connection.query_row(&sql, [], |_| Ok(()))
}

fn version(connection: &Connection, name: &Ident) -> rusqlite::Result<i64> {
    let sql = format!("PRAGMA \"{name}\".data_version");
    connection.query_row(&sql, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that is worth a second connection, its writer, and a way to open both readers.
    struct Setting {
        folder: tempfile::TempDir,
        writer: Connection,
        name: Ident,
    }

    impl Setting {
        fn new(journal_mode: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let writer = Connection::open(folder.path().join("d.db")).expect("a database");
            writer
                .execute_batch(&format!(
                    "CREATE TABLE t (x INTEGER, filler TEXT);
                     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
                     INSERT INTO t SELECT 1, printf('%400d', 0) FROM n;
                     PRAGMA journal_mode = {journal_mode}"
                ))
                .expect("rows");
            let name = Ident::new("d").expect("a name");
            Self {
                folder,
                writer,
                name,
            }
        }

        fn candidate(&self) -> Candidate {
            let path = self.folder.path().join("d.db");
            let connect = || Connection::open_in_memory();
            Candidate::open(&path, &self.uri(), &self.name, &connect).expect("it is large")
        }

        fn uri(&self) -> String {
            format!("file:{}/d.db?mode=ro", self.folder.path().display())
        }

        /// A connection in a transaction that has read.
        fn first(&self) -> Connection {
            let first = Connection::open_in_memory().expect("a connection");
            first.execute_batch("BEGIN").expect("a transaction");
            attach(&first, &self.uri(), &self.name).expect("the file");
            look(&first, &self.name).expect("readable");
            first
        }
    }

    fn sum(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT SUM(x) FROM d.t", [], |row| row.get(0))
            .expect("a sum")
    }

    #[test]
    fn both_see_the_same_rows_however_much_is_written_later() {
        let setting = Setting::new("wal");
        let candidate = setting.candidate();
        let first = setting.first();
        let second = candidate.join().expect("nothing was written");
        setting
            .writer
            .execute_batch("UPDATE t SET x = 2")
            .expect("readers do not stop a writer");
        assert_eq!((sum(&first), sum(&second)), (4000, 4000));
    }

    #[test]
    fn a_commit_before_or_between_the_two_snapshots_leaves_one_reader() {
        for journal_mode in ["wal", "delete"] {
            let setting = Setting::new(journal_mode);
            let candidate = setting.candidate();
            setting
                .writer
                .execute_batch("UPDATE t SET x = 2")
                .expect("written");
            let _first = setting.first();
            assert!(candidate.join().is_none(), "before, {journal_mode}");
        }
        let setting = Setting::new("wal");
        let candidate = setting.candidate();
        let first = setting.first();
        setting
            .writer
            .execute_batch("UPDATE t SET x = 2")
            .expect("written");
        assert!(candidate.join().is_none(), "between");
        assert_eq!(sum(&first), 4000);
    }

    #[test]
    fn a_small_file_has_one_reader() {
        let setting = Setting::new("wal");
        let small = setting.folder.path().join("small.db");
        std::fs::write(&small, "").expect("a file");
        let connect = || Connection::open_in_memory();
        assert!(Candidate::open(&small, &setting.uri(), &setting.name, &connect).is_none());
    }
}
