//! A service with its own certificate, and an operator who uses it over the network.
//!
//! Promised: with the certificate's authority in `--ca`, every command works as over plain HTTP; without it,
//! nothing is sent. SIGHUP loads a renewed certificate without a restart. The service warns about a private key
//! that everybody can read.
//!
//! Signs of failure: a command that fails with `--ca`, or that works without it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{Setup, World},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};

use crate::BAILIWICK;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// An authority, and the path of its certificate.
fn authority(files: &Path, name: &str) -> (Authority, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = files.join(name);
    fs::write(&file, authority.pem()).unwrap();
    (authority, file.to_str().unwrap().to_owned())
}

fn certify(authority: &Authority, files: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    fs::write(files.join("tls.key"), key.serialize_pem()).unwrap();
    fs::write(files.join("tls.pem"), certificate.pem()).unwrap();
}

fn permit(files: &Path, mode: u32) {
    fs::set_permissions(files.join("tls.key"), Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_works_over_tls() {
    let files = tempfile::tempdir().unwrap();
    let files = files.path();
    let (old, old_file) = authority(files, "old.pem");
    let (new, new_file) = authority(files, "new.pem");
    certify(&old, files);
    permit(files, 0o640);
    let tls = format!(
        "[tls]\ncertificate = \"{0}/tls.pem\"\nkey = \"{0}/tls.key\"\n",
        files.display()
    );
    let world = World::with(
        BAILIWICK,
        Setup {
            config: &tls,
            ..Setup::default()
        },
    );
    let serving = world.serve();
    let server = serving.base.replace("http://", "https://");
    let token = world.keep("operator.token", &world.operator);
    let list = |ca: &[&str]| {
        let mut arguments = vec!["key", "list", "--server", &server];
        arguments.extend(["--operator-token-file", &token]);
        arguments.extend(ca);
        world.command(&arguments).output().unwrap()
    };
    let done = list(&["--ca", &old_file]);
    assert!(done.status.success(), "{done:?}");
    let by_variable = world
        .command(&[
            "key",
            "list",
            "--server",
            &server,
            "--operator-token-file",
            &token,
        ])
        .env("BAILIWICK_CA", &old_file)
        .output()
        .unwrap();
    assert!(by_variable.status.success(), "{by_variable:?}");
    for ca in [&["--ca", &new_file][..], &[]] {
        let done = list(ca);
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(6), "{said}");
        assert!(said.contains("certificate"), "{said}");
    }

    certify(&new, files);
    let pid = Pid::from_raw(i32::try_from(serving.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    let patience = std::time::Duration::from_secs(20);
    eventually_within("the new certificate is in use", patience, async || {
        list(&["--ca", &new_file]).status.success()
    })
    .await;
    assert!(!list(&["--ca", &old_file]).status.success());
    serving.stop();

    let told = "can read the TLS private key";
    assert!(!world.said().contains(told));
    permit(files, 0o644);
    world.serve().stop();
    assert!(world.said().contains(told), "{}", world.said());
}
