//! How the repository is laid out: no file of a crate needs a file that needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path inside its crate; the root is empty.
type Module = Vec<String>;

/// The files of one crate, and which name of a module is another module's (`pub use`).
struct Crate {
    files: BTreeMap<Module, String>,
    exports: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn read(src: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![src.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder of sources") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).expect("a source");
                    files.insert(module_of(src, &path), product(&text));
                }
            }
        }
        let exports = BTreeMap::new();
        let mut read = Self { files, exports };
        for (module, text) in &read.files {
            for statement in statements(text).filter(|(is_export, _)| *is_export) {
                for path in expand(statement.1) {
                    let Some((name, _)) = path.split_last() else {
                        continue;
                    };
                    let target = read.resolve(module, &path);
                    if target.as_ref() != Some(module) {
                        let target = target.unwrap_or_default();
                        read.exports.insert((module.clone(), name.clone()), target);
                    }
                }
            }
        }
        read
    }

    /// The file that a path leads to, seen from `module`; `None` if it leads out of the crate.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut at = match path.first()?.as_str() {
            "crate" => Module::new(),
            "self" => module.clone(),
            "super" => module.clone(),
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                return self
                    .files
                    .contains_key(&child)
                    .then_some(())
                    .and_then(|()| self.descend(child, &path[1..]));
            }
        };
        let mut rest = path;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = after;
        }
        self.descend(at, rest)
    }

    fn descend(&self, mut at: Module, mut rest: &[String]) -> Option<Module> {
        while let Some((first, after)) = rest.split_first() {
            let child = [at.as_slice(), std::slice::from_ref(first)].concat();
            if self.files.contains_key(&child) {
                at = child;
            } else if let Some(target) = self.exports.get(&(at.clone(), first.clone())) {
                return Some(target.clone());
            } else {
                break;
            }
            rest = after;
        }
        Some(at)
    }

    /// Which files each file needs.
    fn needs(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let needs = |(module, text): (_, &String)| {
            let mut needed = BTreeSet::new();
            let uses = statements(text).filter(|(is_export, _)| !is_export);
            let paths = uses.flat_map(|(_, tree)| expand(tree)).chain(inline(text));
            for path in paths {
                let target = self.resolve(module, &path);
                let target = target.and_then(|to| self.files.get_key_value(&to));
                needed.extend(
                    target
                        .map(|(target, _)| target)
                        .filter(|target| *target != module),
                );
            }
            (module, needed)
        };
        self.files.iter().map(needs).collect()
    }

    /// The groups of files that need each other, as the arrows inside each.
    fn circles(&self) -> BTreeSet<Vec<String>> {
        let needs = self.needs();
        let reach = |from: &Module| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(module) = open.pop() {
                for next in &needs[module] {
                    if seen.insert(*next) {
                        open.push(next);
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<_, _> = needs
            .keys()
            .map(|module| (*module, reach(module)))
            .collect();
        let circle = |module: &&Module| {
            let mutual = |other: &&&Module| reached[**other].contains(*module);
            let group: BTreeSet<_> = reached[*module].iter().filter(mutual).copied().collect();
            let arrows = group.iter().flat_map(|from| {
                let inside = needs[*from].iter().filter(|to| group.contains(*to));
                inside.map(|to| format!("{} needs {}", from.join("::"), to.join("::")))
            });
            arrows.collect::<Vec<_>>()
        };
        let circles = reached.keys().map(circle);
        circles.filter(|arrows| !arrows.is_empty()).collect()
    }
}

fn module_of(src: &Path, file: &Path) -> Module {
    let inside = file.strip_prefix(src).expect("inside").with_extension("");
    let parts = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned());
    let mut parts: Module = parts.collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

/// A source without its comments and its unit tests.
fn product(text: &str) -> String {
    let tests = text
        .find("\n#[cfg(test)]\nmod tests {")
        .unwrap_or(text.len());
    let lines = text[..tests]
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The trees of the `use` statements, and whether they export what they name.
fn statements(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split(';').filter_map(|statement| {
        let start = statement.rfind("use ")?;
        let before = statement[..start].trim_end();
        let is_statement =
            before.is_empty() || before.ends_with(['}', ')', ']', '\n']) || before.ends_with("pub");
        let is_export = before
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim_start().starts_with("pub"));
        is_statement.then_some((is_export, &statement[start + 4..]))
    })
}

/// The paths of a tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![
            path.split("::")
                .map(|part| part.trim().to_owned())
                .collect(),
        ];
    };
    let close = tree.rfind('}').unwrap_or(tree.len());
    let lead: Module = tree[..open]
        .split("::")
        .map(|part| part.trim().to_owned())
        .collect();
    let lead = lead
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Module>();
    let (mut depth, mut from, mut parts) = (0, open + 1, Vec::new());
    for (at, byte) in tree.bytes().enumerate().take(close).skip(open + 1) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&tree[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(tree.get(from..close).unwrap_or_default());
    let filled = parts.into_iter().filter(|part| !part.trim().is_empty());
    filled
        .flat_map(expand)
        .map(|path| lead.iter().cloned().chain(path).collect())
        .collect()
}

/// The paths that begin with `crate::` or `super::` outside of `use` statements.
fn inline(text: &str) -> Vec<Module> {
    let starts = ["crate::", "super::"].into_iter();
    let found = starts.flat_map(|start| text.match_indices(start).map(|(at, _)| at));
    let found = found.filter(|at| !text[..*at].ends_with("::") && !text[..*at].ends_with("use "));
    found
        .map(|at| {
            let end = text[at..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = &text[at..end.map_or(text.len(), |end| at + end)];
            path.split("::").map(str::to_owned).collect::<Module>()
        })
        .collect()
}

#[test]
fn no_file_needs_a_file_that_needs_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut circles = Vec::new();
    for entry in fs::read_dir(crates).expect("the crates") {
        let path = entry.expect("a crate").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for circle in Crate::read(&path.join("src")).circles() {
            circles.push(format!("{name}: {}", circle.join("; ")));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}
