//! The purchase-order service of the demonstration, written as its owner would write it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use bailiwick_verifier::{
    Values, Verifier,
    layer::{Authorized, Clock, Protect},
};
use serde::Deserialize;

/// The vendors of the placed orders.
#[derive(Clone, Default)]
pub(super) struct Orders(Arc<Mutex<Vec<String>>>);

impl Orders {
    pub(super) fn vendors(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn place(&self, vendor: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(vendor);
    }
}

#[derive(Deserialize)]
struct Order {
    vendor: String,
}

pub(super) fn app(verifier: Arc<Verifier>, clock: Clock, orders: Orders) -> Router {
    let protect = Protect::new(verifier, clock).explain(Values::Shown);
    let creates = protect.action("purchase_order:create").json_body();
    let reads = protect.action("purchase_order:read").path("id");
    Router::new()
        .route("/orders", post(create).route_layer(creates))
        .route("/orders/{id}", get(read).route_layer(reads))
        .with_state(orders)
}

async fn create(
    Authorized(allow): Authorized,
    State(orders): State<Orders>,
    Json(order): Json<Order>,
) -> (StatusCode, String) {
    orders.place(order.vendor);
    (
        StatusCode::CREATED,
        format!("ordered for {}", allow.identity.principal),
    )
}

async fn read(Path(id): Path<String>) -> String {
    format!("order {id}")
}
