//! Rebuilds the crate when a migration is added, because `sqlx::migrate!` reads the folder at compile time.

#[allow(clippy::print_stdout, reason = "cargo reads build scripts on stdout")]
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
