//! Requests written byte by byte, which well-behaved clients would not send.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Service;
use crate::http::PATIENCE;

pub struct Wire(TcpStream);

impl Wire {
    pub async fn connect(address: SocketAddr) -> Wire {
        Wire(TcpStream::connect(address).await.unwrap())
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends to a peer that may already have closed the connection. Returns true if the text was sent.
    pub async fn try_send(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Reads until the other side closes.
    pub async fn rest(&mut self) -> String {
        let mut text = Vec::new();
        let reading = async {
            // A reset counts as closed too.
            let _ = self.0.read_to_end(&mut text).await;
        };
        let closed = tokio::time::timeout(PATIENCE, reading).await;
        assert!(closed.is_ok(), "the connection stayed open");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Reads one answer whose head states the length of its body.
    pub async fn answer(&mut self) -> String {
        let mut text = Vec::new();
        let reading = async {
            loop {
                let mut chunk = [0; 4096];
                let read = self.0.read(&mut chunk).await.unwrap();
                assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&text));
                text.extend_from_slice(&chunk[..read]);
                let so_far = String::from_utf8_lossy(&text);
                if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
                    let head = head.to_lowercase();
                    let length = head.split("content-length: ").nth(1).unwrap();
                    let length = length.split("\r\n").next().unwrap();
                    if body.len() >= length.parse().unwrap() {
                        return so_far.into_owned();
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap()
    }
}

/// An incomplete request, whose rest the service waits for.
pub struct Held(Wire);

const BODY: &str = "grant_type=password";

impl Held {
    /// Sends the head. Returns once the service is processing the request.
    pub async fn begin(service: &Service) -> Held {
        let mut wire = Wire::connect(service.address).await;
        let length = BODY.len();
        wire.send(&format!(
            "POST /v1/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
        service
            .wait_for("bailiwick_issuer_requests_in_flight", "1")
            .await;
        Held(wire)
    }

    /// Sends the rest, and checks that the request gets a regular answer.
    pub async fn finish(mut self) {
        self.0.send(BODY).await;
        let answer = self.0.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("unsupported_grant_type"), "{answer}");
    }
}
