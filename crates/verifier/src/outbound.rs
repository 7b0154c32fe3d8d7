//! HTTP requests to other servers: only over TLS, except to the same machine.
//!
//! [`SafeUrl`] checks the text of an address, and [`Client`] enforces the same rule in the transport. A
//! [`Client`] accepts no other address and follows no redirect. It sends requests for this machine directly: no
//! proxy setting, hosts file or name server can divert them. All other requests use TLS, through a proxy if
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say so; a proxy sees only encrypted bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{
    ClientBuilder, Method, RequestBuilder, Url,
    dns::{Name, Resolve, Resolving},
    redirect::Policy,
};

/// The only accepted name for this machine (RFC 6761, section 6.3).
const LOCALHOST: &str = "localhost";

/// The addresses that `localhost` resolves to. The port comes from the URL.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// An address to which requests cannot be intercepted: `https`, or `http` with a loopback address or
/// `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeUrl {
    url: Url,
    local: bool,
}

/// The reason why requests with secrets may not be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsafeUrl {
    /// The text is not a URL.
    #[error("is not a URL; write one such as `https://issuer.example`")]
    Malformed,
    /// The address contains a user name or a password, which logs and messages would repeat.
    #[error("holds a name or a password; leave them out")]
    Credentials,
    /// The address is plain HTTP to another machine: anyone on the network path could read and change requests.
    #[error("is neither HTTPS nor HTTP to this machine; use `https`")]
    Open,
}

impl SafeUrl {
    /// Parses an address by the WHATWG URL standard, so `http://127.1` is an address of this machine.
    ///
    /// # Errors
    /// [`UnsafeUrl`].
    pub fn parse(text: &str) -> Result<SafeUrl, UnsafeUrl> {
        let url = Url::parse(text).map_err(|_| UnsafeUrl::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UnsafeUrl::Credentials);
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let loopback = address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
        let local = loopback || host == LOCALHOST;
        match (url.scheme(), local) {
            ("https", _) if !host.is_empty() => Ok(SafeUrl { url, local }),
            ("http", true) => Ok(SafeUrl { url, local }),
            _ => Err(UnsafeUrl::Open),
        }
    }

    /// Returns the address as a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns true if the address has neither a query nor a fragment, so that paths can be appended.
    #[must_use]
    pub fn is_base(&self) -> bool {
        self.url.query().is_none() && self.url.fragment().is_none()
    }
}

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
        let client = match url.local {
            true => &self.local,
            false => &self.remote,
        };
        client.request(method, url.url.clone())
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

    #[test]
    fn addresses_of_this_machine() {
        for text in [
            "http://127.0.0.1",
            "http://127.9.9.9:8080/a?b=c",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://[::1]:8080/revocations",
            "http://[0:0:0:0:0:0:0:1]",
            "http://localhost",
            "HTTP://LocalHost:8420/x",
            "http://l\u{6f}calhost",
            "https://localhost:8420",
            "https://127.0.0.1",
        ] {
            assert!(SafeUrl::parse(text).unwrap().local, "{text}");
        }
    }

    #[test]
    fn addresses_elsewhere_need_tls() {
        for text in [
            "https://issuer.example",
            "https://issuer.example:8443/a/b?c=d",
            "https://0.0.0.0",
            "https://localhost.",
            "https://issuer.localhost",
            "https://[::ffff:127.0.0.1]",
        ] {
            let url = SafeUrl::parse(text).unwrap();
            assert!(!url.local, "{text}");
            let plain = text.replacen("https", "http", 1);
            assert_eq!(SafeUrl::parse(&plain), Err(UnsafeUrl::Open), "{plain}");
        }
    }

    #[test]
    fn misleading_addresses_are_refused() {
        for (text, error) in [
            ("http://127.0.0.1.example", UnsafeUrl::Open),
            ("http://localhost.example", UnsafeUrl::Open),
            ("http://127.0.0.1@issuer.example", UnsafeUrl::Credentials),
            ("http://localhost:80@issuer.example", UnsafeUrl::Credentials),
            ("https://user@issuer.example", UnsafeUrl::Credentials),
            ("https://:secret@issuer.example", UnsafeUrl::Credentials),
            ("http://issuer.example\\@127.0.0.1", UnsafeUrl::Open),
            ("http://issuer.example/@127.0.0.1", UnsafeUrl::Open),
            ("http://issuer.example#@127.0.0.1", UnsafeUrl::Open),
            ("http://0", UnsafeUrl::Open),
            ("http://[::]", UnsafeUrl::Open),
            ("http://169.254.169.254", UnsafeUrl::Open),
            ("http://10.0.0.1", UnsafeUrl::Open),
            ("ftp://127.0.0.1", UnsafeUrl::Open),
            ("unix:/run/issuer.sock", UnsafeUrl::Open),
            ("http+unix://%2Frun%2Fissuer.sock", UnsafeUrl::Open),
            ("file:///etc/passwd", UnsafeUrl::Open),
            ("https://", UnsafeUrl::Malformed),
            ("http://127.0.0.1:x", UnsafeUrl::Malformed),
            ("issuer.example", UnsafeUrl::Malformed),
            ("", UnsafeUrl::Malformed),
        ] {
            assert_eq!(SafeUrl::parse(text).unwrap_err(), error, "{text}");
        }
    }

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

    /// A second loopback address takes the place of another machine.
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
