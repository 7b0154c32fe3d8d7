//! The implementers' page shows the code that is tested, and the vectors' README names every file.

use std::{fs, path::PathBuf};

use super::file;

#[test]
fn the_page_shows_the_tested_code() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/guides/implementers.md")).expect("the page");
    for (language, files) in [
        (
            "python",
            ["keyset.py", "hand_on.py", "narrow.py", "read.py"],
        ),
        (
            "javascript",
            ["keyset.mjs", "hand_on.mjs", "narrow.mjs", "read.mjs"],
        ),
    ] {
        for file in files {
            let path = root.join("examples").join(language).join(file);
            let code = fs::read_to_string(path).expect("code");
            let fence = format!("```{language}\n{code}```\n");
            assert!(
                page.contains(&fence),
                "the page does not show {language}/{file} as it is"
            );
        }
    }
}

#[test]
fn the_readme_names_every_file() {
    let readme = fs::read_to_string(file::folder().join("README.md")).expect("the README");
    let mut count = 0;
    for entry in fs::read_dir(file::folder()).expect("the folder") {
        let name = entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("a name of ours");
        if name != "README.md" {
            assert!(
                readme.contains(&format!("`{name}`")),
                "{name} is not in the README"
            );
            count += 1;
        }
    }
    assert_eq!(count, 4);
}
