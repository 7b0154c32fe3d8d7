//! A provider, a service that trusts it, and a client of that service.

use serde_json::{Value, json};

use super::{Service, Setup};
use crate::provider::{Provider, Signer};

/// A provider, a service that trusts it, and the secret of the service's client `assistant-1`.
pub struct Scene {
    pub provider: Provider,
    pub signer: Signer,
    pub service: Service,
    pub secret: String,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(Signer::es256("first"), "").await
    }

    /// Starts a scene with another key, and further configuration.
    pub async fn with(signer: Signer, config: &str) -> Scene {
        let provider = Provider::start(&[&signer]).await;
        let scene = Scene::of(provider, signer, config).await;
        let name = "bailiwick_issuer_providers_without_keys";
        scene.service.wait_for(name, "0").await;
        scene
    }

    /// Starts a scene with a provider that may misbehave.
    pub async fn of(provider: Provider, signer: Signer, config: &str) -> Scene {
        Scene::with_profiles(provider, signer, config, &["assistant"]).await
    }

    /// Starts a scene with a client that may use these profiles.
    pub async fn with_profiles(
        provider: Provider,
        signer: Signer,
        config: &str,
        profiles: &[&str],
    ) -> Scene {
        let config = format!("{}{config}", provider.config());
        let service = Setup::with_providers(&config).start().await;
        let secret = service.client("assistant-1", profiles).await;
        Scene {
            provider,
            signer,
            service,
            secret,
        }
    }

    /// The claims of a valid token, with these members added or replaced; null removes one.
    pub fn claims(&self, members: &Value) -> Value {
        let now = self.service.now().unix();
        let mut claims = json!({
            "iss": self.provider.issuer,
            "aud": "bailiwick",
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "groups": ["staff", "buyers"],
        });
        let object = claims.as_object_mut().unwrap();
        object.extend(members.as_object().unwrap().clone());
        object.retain(|_, value| !value.is_null());
        claims
    }

    pub fn jwt(&self, members: &Value) -> String {
        self.signer.sign(&self.claims(members))
    }
}
