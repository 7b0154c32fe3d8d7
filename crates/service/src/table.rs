//! Pairs of the interface's routes and their handlers.

use axum::{
    handler::Handler,
    routing::{self, MethodRouter},
};
use bailiwick_api::{Method, Route};

use crate::state::ServiceState;

/// The method and path of a route, and its handler.
pub(crate) struct Served {
    /// The method. Only a test reads it, because the handler knows its method.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares it"))]
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<ServiceState>,
}

/// Pairs a route with its handler.
pub(crate) fn serve<Q, A, T: 'static>(
    route: Route<Q, A>,
    handler: impl Handler<T, ServiceState>,
) -> Served {
    let method = route.method();
    Served {
        method,
        path: route.path(),
        handler: match method {
            Method::Get => routing::get(handler),
            Method::Post => routing::post(handler),
            Method::Delete => routing::delete(handler),
        },
    }
}
