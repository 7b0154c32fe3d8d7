//! Verifiers that follow a service over HTTP.

use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{
    Call, Decision, Staleness,
    refresh::{Follower, FollowerBuilder, FromIssuer, Monitor},
};

use crate::time::Time;

/// The action of the calls that the verifiers decide.
pub const ACTION: &str = "order:read";

/// A verifier that follows the service until this value is dropped.
pub struct Watch {
    pub name: String,
    pub monitor: Monitor,
    pub time: Time,
    follower: Follower,
}

impl Watch {
    pub async fn start(name: &str, builder: FollowerBuilder<FromIssuer>) -> Watch {
        Watch::with(name, builder, Time::running(), Staleness::default()).await
    }

    pub async fn with(
        name: &str,
        builder: FollowerBuilder<FromIssuer>,
        time: Time,
        staleness: Staleness,
    ) -> Watch {
        let builder = builder.clock(time.clock()).staleness(staleness);
        let follower = builder.start().await.unwrap();
        Watch {
            name: name.to_owned(),
            monitor: follower.monitor(),
            time,
            follower,
        }
    }

    /// Decides a call of [`ACTION`].
    pub fn check(&self, token: &str) -> Decision {
        self.check_at(token, self.time.now())
    }

    pub fn check_at(&self, token: &str, now: Timestamp) -> Decision {
        let verifier = self.follower.verifier();
        verifier.check(token, &Call::new(ACTION), now)
    }
}
