//! Tests of issuers that are down, silent, or answer with bodies that are too large.

use super::{issuer::Mode, *};
use crate::refresh::{http::Http, transport::is_admissible};

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_is_asked_less_and_less_often() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.asked();
    scene.issuer.set(Mode::Down);
    let mut heads = 0;
    for _ in 0..600 {
        scene.pass(1).await;
        let asked = scene.asked();
        heads += asked.iter().filter(|path| *path == "/revocations").count();
    }
    // 120 polls would be due in ten minutes. There are a few at first, then one every 24 to 30 seconds.
    assert!((20..=32).contains(&heads), "{heads}");
    let status = scene.status();
    assert!(status.failures >= heads as u64);
    assert_eq!(status.rollbacks, 0);
    assert!(status.last_error.unwrap().1.contains("cannot be reached"));
    let now = scene.issuer.state().now;
    assert_eq!(scene.seq(), Some(3));
    assert_eq!(scene.status().head_age(now), Some(600));
    assert!(!scene.is_ready(&Staleness::default(), now));

    // A verifier that still admits short-lived tokens is ready until the head expires.
    let lenient = Staleness::default().admit_short_lived(Duration::from_secs(300));
    let ready = |at| scene.is_ready(&lenient, at);
    assert!(ready(now) && ready(now.plus(2_999)) && !ready(now.plus(3_000)));
    // No verifier is ready if its clock was set back.
    assert!(!ready(now.minus(661)) && ready(now.minus(660)));

    scene.issuer.set(Mode::Up);
    scene.issuer.revoke(9);
    scene.pass(30).await;
    assert_eq!(scene.seq(), Some(4));
    assert!(scene.is_ready(&Staleness::default(), now.plus(30)));
    scene.asked();
    scene.pass(5).await;
    assert_eq!(scene.asked(), ["/revocations"]);
}

#[tokio::test(start_paused = true)]
async fn silent_servers_are_abandoned() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.issuer.set(Mode::Silent);
    scene.pass(5).await;
    let (_, error) = scene.status().last_error.unwrap();
    assert!(
        error.contains("did not answer within 10 seconds"),
        "{error}"
    );
    assert_eq!(scene.seq(), Some(3));
}

/// A panic counts as a failure: the interval between requests grows, and the issuer is followed again as soon
/// as it answers.
#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.asked();
    scene.issuer.set(Mode::Panicking);
    let mut heads = 0;
    for _ in 0..600 {
        scene.pass(1).await;
        let asked = scene.asked();
        heads += asked.iter().filter(|path| *path == "/revocations").count();
    }
    // A panic while fetching the keyset postpones the head to the next poll.
    assert!((10..=40).contains(&heads), "{heads}");
    let status = scene.status();
    assert!(status.panics >= heads as u64 && status.failures >= status.panics);
    assert_eq!(status.last_error.unwrap().1, "the refresh panicked");
    assert_eq!(scene.seq(), Some(3));
    scene.issuer.set(Mode::Up);
    scene.issuer.revoke(9);
    scene.pass(30).await;
    assert_eq!(scene.seq(), Some(4));
}

/// A clock that panics neither denies calls nor ends the refresher.
#[tokio::test(start_paused = true)]
async fn a_clock_that_panics_is_survived() {
    let issuer = Issuer::new(3);
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clock: Clock = {
        let (right, broken) = (issuer.clock(), Arc::clone(&broken));
        Arc::new(move || {
            assert!(!broken.load(std::sync::atomic::Ordering::SeqCst));
            right()
        })
    };
    let refresher = Refresher::start(options(&issuer), issuer.clone(), clock).await;
    let refresher = refresher.unwrap();
    let verifier = Arc::new(Verifier::new("erp", refresher.trust()).unwrap());
    let mut scene = Scene {
        issuer,
        refresher,
        verifier,
    };
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    scene.issuer.revoke(9);
    scene.pass(40).await;
    assert!(scene.status().panics > 0);
    broken.store(false, std::sync::atomic::Ordering::SeqCst);
    scene.pass(40).await;
    assert_eq!(scene.seq(), Some(4));
}

#[tokio::test(start_paused = true)]
async fn too_long_answers_are_abandoned() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.issuer.set(Mode::Flooding);
    scene.pass(5).await;
    let (_, error) = scene.status().last_error.unwrap();
    assert!(error.contains("larger than 4096 bytes"), "{error}");
    let flooding = Issuer::new(3);
    flooding.set(Mode::Flooding);
    let started = Refresher::start(options(&flooding), flooding.clone(), flooding.clock()).await;
    assert!(matches!(started, Err(RefreshError::Fetch { .. })));
}

/// Issuer and verifier share a clock that was a day ahead and is set back. The state that was read before stays in use,
/// and denies calls until the clock catches up with it: to the verifier, the issuer's newer answers look like a replay
/// of old ones. An operator can restart the verifier.
#[tokio::test(start_paused = true)]
async fn one_clock_that_was_ahead() {
    let issuer = Issuer::new(3);
    let right = issuer.state().now;
    let mut scene = Scene::new(issuer.clone()).await;
    issuer.pass(80_000);
    scene.pass(31).await;
    assert_eq!(scene.status().rollbacks, 0);
    issuer.state().now = right;
    issuer.publish(|_| {});
    issuer.revoke(7);
    scene.pass(31).await;
    let now = issuer.state().now;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(3), 1));
    assert!(!scene.is_ready(&Staleness::default(), now));
    let again = Scene::new(issuer).await;
    assert_eq!(again.seq(), Some(4));
    assert!(again.is_ready(&Staleness::default(), now));
}

/// A keyset is needed to start and revocations are not, but no token is admitted before they arrive.
#[tokio::test(start_paused = true)]
async fn a_start_without_revocations() {
    let issuer = Issuer::new(3);
    issuer.forge_answer("/revocations/snapshot", "nonsense");
    let mut scene = Scene::new(issuer).await;
    assert_eq!(scene.seq(), None);
    assert!(!scene.is_ready(&Staleness::default(), scene.issuer.state().now));
    scene.issuer.be_honest();
    scene.pass(5).await;
    // Another snapshot so soon is not fetched.
    assert_eq!(scene.seq(), None);
    scene.pass(30).await;
    assert_eq!(scene.seq(), Some(3));

    let down = Issuer::new(3);
    down.set(Mode::Down);
    let started = Refresher::start(options(&down), down.clone(), down.clock()).await;
    assert!(matches!(started, Err(RefreshError::Fetch { .. })));
}

/// If a cache serves a head older than the snapshot, the refresher waits for a newer one.
#[tokio::test(start_paused = true)]
async fn a_head_behind_the_snapshot_is_not_taken() {
    let issuer = Issuer::new(3);
    issuer.state().shown = Some(2);
    let older = issuer.state().head();
    issuer.state().shown = None;
    issuer.forge_answer("/revocations", older);
    let scene = Scene::new(issuer).await;
    assert_eq!(scene.seq(), None);
    let (_, error) = scene.status().last_error.unwrap();
    assert!(error.contains("still older than the snapshot"), "{error}");
    assert_eq!(scene.status().rollbacks, 0);
}

#[test]
fn addresses() {
    for good in [
        "https://issuer.example",
        "https://issuer.example:8443/a/b",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080/revocations",
    ] {
        assert!(is_admissible::<Http>(good), "{good}");
        assert!(is_admissible::<Issuer>(good), "{good}");
    }
    // A custom transport may resolve the name.
    for name in ["http://localhost", "http://localhost:8080/revocations"] {
        assert!(is_admissible::<Http>(name), "{name}");
        assert!(!is_admissible::<Issuer>(name), "{name}");
    }
    for bad in [
        "",
        "issuer.example",
        "http://issuer.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
        "http://[::]",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "https://",
        "https://user@issuer.example",
        "https://:secret@issuer.example",
        "https://issuer.example?a=b",
        "https://issuer.example#a",
        "file:///etc/passwd",
        "ftp://127.0.0.1",
    ] {
        assert!(!is_admissible::<Http>(bad), "{bad}");
        assert!(!is_admissible::<Issuer>(bad), "{bad}");
    }
}
