//! HTTP requests to other servers: only over TLS, except to the same machine.
//!
//! [`SafeUrl`] checks the text of an address, and [`Client`] enforces the same rule in the transport. A
//! [`Client`] accepts no other address and follows no redirect. It sends requests for this machine directly: no
//! proxy setting, hosts file or name server can divert them. All other requests use TLS, through a proxy if
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say so; a proxy sees only encrypted bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bailiwick_token::address;
pub use bailiwick_token::address::{SafeUrl, UnsafeUrl};
use reqwest::{
    ClientBuilder, Method, RequestBuilder,
    dns::{Name, Resolve, Resolving},
    redirect::Policy,
};

/// The name of this machine in [`SafeUrl`]s.
const LOCALHOST: &str = address::LOCALHOST;

/// The addresses that `localhost` resolves to. The port comes from the URL.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// An HTTP client that sends requests only to [`SafeUrl`]s.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client for requests to this machine.
    local: reqwest::Client,
    /// The client for all other requests, which uses TLS only.
    remote: reqwest::Client,
}

impl Client {
    /// Makes a client. `configure` sets time-outs, certificates and the like; it cannot change the handling of
    /// redirects, or of proxies for this machine.
    ///
    /// # Errors
    /// [`reqwest::Error`] if the system has no readable certificates.
    #[expect(clippy::disallowed_methods, reason = "all others come here")]
    pub fn new(
        configure: impl Fn(ClientBuilder) -> ClientBuilder,
    ) -> Result<Client, reqwest::Error> {
        let builder = || {
            configure(reqwest::Client::builder())
                .redirect(Policy::none())
                .referer(false)
        };
        // This pin replaces one that `configure` may have set, and takes precedence over every resolver.
        let local = builder().no_proxy().dns_resolver(NoNames);
        let local = local.resolve_to_addrs(LOCALHOST, &LOOPBACK);
        Ok(Client {
            local: local.build()?,
            remote: builder().https_only(true).build()?,
        })
    }

    /// Starts a request, which the caller completes and sends.
    pub fn request(&self, method: Method, url: &SafeUrl) -> RequestBuilder {
        let client = match url.is_local() {
            true => &self.local,
            false => &self.remote,
        };
        client.request(method, url.url().clone())
    }
}

/// A resolver that resolves no names, because the addresses of this machine are pinned.
struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, name: Name) -> Resolving {
        let error = format!("`{}` is not this machine", name.as_str());
        Box::pin(async move { Err(error.into()) })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Proxy, dns::Addrs};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Answers the next request with this status line and these headers.
    fn answer(listener: TcpListener, head: String) {
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.unwrap();
        });
    }

    /// A name server that resolves every name to one address.
    struct Misleading(SocketAddr);

    impl Resolve for Misleading {
        fn resolve(&self, _: Name) -> Resolving {
            let addresses: Addrs = Box::new([self.0].into_iter());
            Box::pin(async move { Ok(addresses) })
        }
    }

    /// A second loopback address stands in for another machine.
    #[tokio::test]
    async fn localhost_is_never_looked_up() {
        let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = here.local_addr().unwrap().port();
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], port));
        answer(here, "204 Here".to_owned());
        answer(
            TcpListener::bind(elsewhere).await.unwrap(),
            "418 Elsewhere".to_owned(),
        );
        let client = Client::new(|builder| {
            let proxy = Proxy::all(format!("http://{elsewhere}")).unwrap();
            builder
                .proxy(proxy)
                .dns_resolver(Misleading(elsewhere))
                .resolve(LOCALHOST, elsewhere)
        });
        let url = SafeUrl::parse(&format!("http://LocalHost:{port}/")).unwrap();
        let answer = client.unwrap().request(Method::GET, &url).send().await;
        assert_eq!(answer.unwrap().status(), 204);
    }

    #[tokio::test]
    async fn loopback_has_one_name() {
        assert!(LOOPBACK.iter().all(|address| address.ip().is_loopback()));
        let resolved = NoNames.resolve("issuer.example".parse().unwrap()).await;
        assert!(resolved.is_err());
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        answer(listener, format!("307 Moved\r\nlocation: {here}/secret"));
        let client = Client::new(|builder| builder).unwrap();
        let url = SafeUrl::parse(&here).unwrap();
        let answer = client.request(Method::GET, &url).send().await.unwrap();
        assert_eq!(answer.status(), 307);
    }
}
