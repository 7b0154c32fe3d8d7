//! Tests that the book is consistent: its links lead somewhere, its contents list every page, and the code and tests
//! that it names exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the repository")
}

/// All files with one of these extensions, below these folders of the repository.
fn files(folders: &[&str], extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules", "corpus"].contains(&&*name) {
                let entries = fs::read_dir(&path).expect("a folder");
                left.extend(entries.map(|entry| entry.expect("an entry").path()));
            }
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(&["docs"], &[".md"]);
    pages.extend(files(&["crates"], &["README.md"]));
    pages.extend(["README.md", "CHANGELOG.md"].map(|page| root().join(page)));
    pages
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a page that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The targets of a page's links, except for links to other sites and empty ones, which stand for future pages.
fn links(page: &str) -> Vec<String> {
    let targets = prose(page).flat_map(|line| line.split("](").skip(1));
    targets
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.is_empty() && !target.starts_with("http"))
        .map(str::to_owned)
        .collect()
}

/// The anchors of a page's headings, by GitHub's rule.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter_map(|line| {
        let heading = line.trim_start_matches('#');
        heading.strip_prefix(' ').filter(|_| line.starts_with('#'))
    });
    headings
        .map(|heading| {
            heading
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for link in links(&text(&page)) {
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            let found =
                target.exists() && (anchor.is_empty() || anchors(&text(&target)).contains(anchor));
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn contents_list_every_page() {
    let docs = root().join("docs");
    let contents = links(&text(&docs.join("SUMMARY.md")));
    let decisions = links(&text(&docs.join("decisions/README.md")));
    let decisions = decisions.iter().map(|page| format!("decisions/{page}"));
    let listed: BTreeSet<PathBuf> = contents
        .into_iter()
        .chain(decisions)
        .map(|page| docs.join(page))
        .collect();
    let missing: Vec<_> = files(&["docs"], &[".md"])
        .into_iter()
        .filter(|page| !page.ends_with("SUMMARY.md") && !listed.contains(page))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn code_names_files_of_the_book_that_exist() {
    let mut wrong = Vec::new();
    let folders = [
        ".ci",
        "crates",
        "examples",
        "tests",
        "docs/deploy",
        "install.sh",
    ];
    for file in files(&folders, &["", ".rs"]) {
        let Ok(content) = fs::read_to_string(&file) else {
            continue;
        };
        for rest in content.split("docs/").skip(1) {
            let named = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
            let end = rest.find(|c| !named(c)).unwrap_or(rest.len());
            let name = rest[..end].trim_end_matches('.');
            let is_file = [".md", ".svg", ".sql", ".yaml", ".sh"]
                .iter()
                .any(|extension| name.ends_with(extension));
            if is_file && !root().join("docs").join(name).exists() {
                wrong.push(format!("{}: docs/{name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every test that the page on trials names exists.
#[test]
fn trials_exist() {
    let page = text(&root().join("docs/reference/trials.md"));
    let rows = prose(&page).filter(|line| line.starts_with('|'));
    let tests = rows.filter_map(|row| row.split(" | ").nth(1));
    let paths = tests.flat_map(|test| test.split('`').skip(1).step_by(2));
    let paths: Vec<&str> = paths.filter(|name| name.contains('/')).collect();
    assert!(paths.len() > 50, "{}", paths.len());
    for path in paths {
        assert!(
            root().join(path).exists(),
            "the page on trials names `{path}`, which does not exist"
        );
    }
}

#[test]
fn upgrades_name_every_migration() {
    let upgrades = text(&root().join("docs/guides/upgrade.md"));
    let changes = text(&root().join("CHANGELOG.md"));
    let migrations = files(&["crates/issuer/migrations/sqlite"], &[".sql"]);
    assert!(!migrations.is_empty());
    for migration in migrations {
        let name = migration.file_name().expect("a name").to_string_lossy();
        let number = name
            .split('_')
            .next()
            .and_then(|it| it.parse::<u32>().ok())
            .expect("a number");
        assert!(
            upgrades.contains(&format!("\n| {number} | ")),
            "docs/guides/upgrade.md does not say what migration {number} does"
        );
    }
    let last = migrations_of_both();
    assert!(
        changes.contains(&format!("schema {last}")),
        "CHANGELOG.md does not name schema {last}"
    );
}

/// The number of the last migration, which is the same for both databases.
fn migrations_of_both() -> usize {
    let [sqlite, postgres] = ["sqlite", "postgres"]
        .map(|kind| files(&[&format!("crates/issuer/migrations/{kind}")], &[".sql"]).len());
    assert_eq!(sqlite, postgres);
    sqlite
}
