//! Routes that cannot be made without saying what they need: a table of path, method, [`Need`] and handler. What is not
//! in it is not served, and what is in it is checked before its handler sees the request.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::access::authorize;
use super::app::App;
use super::need::Need;
use super::once::once;

/// A route as it was declared.
#[derive(Debug, Clone)]
pub struct Route {
    /// How it is asked; `None`: in every way that no other route of the path is.
    pub method: Option<Method>,
    /// Its path, with variables in braces.
    pub path: String,
    /// What it needs.
    pub need: Need,
}

/// Routes, each with what it needs.
pub struct Table {
    app: App,
    router: Router<App>,
    routes: Vec<Route>,
}

macro_rules! methods {
    ($($name:ident $method:ident),*) => {
        $(
            /// Serves this path with this method.
            ///
            /// # Panics
            /// When it is in the table already, or the need goes by a variable that the path does not have.
            pub fn $name<H: Handler<T, App>, T: 'static>(self, path: &str, need: Need, handler: H) -> Self {
                self.route(Method::$method, MethodFilter::$method, path, need, handler)
            }
        )*
    };
}

impl Table {
    /// An empty one.
    pub fn new(app: App) -> Self {
        Self { app, router: Router::new(), routes: Vec::new() }
    }

    methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

    /// Answers to the other methods of this path, to all where there are none.
    pub fn other<H: Handler<T, App>, T: 'static>(mut self, path: &str, need: Need, handler: H) -> Self {
        let check = from_fn_with_state((self.app.clone(), need), authorize);
        self.router = self.router.route(path, MethodRouter::new().fallback(handler).layer(check));
        self.declare(None, path, need)
    }

    /// With the routes of another.
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.routes.extend(other.routes);
        self
    }

    /// With something around every route that is in it.
    pub fn wrap(mut self, wrapped: impl FnOnce(Router<App>) -> Router<App>) -> Self {
        self.router = wrapped(self.router);
        self
    }

    /// What serves them, and what was declared.
    pub fn build(self) -> (Router<App>, Vec<Route>) {
        (self.router, self.routes)
    }

    fn route<H: Handler<T, App>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &str,
        need: Need,
        handler: H,
    ) -> Self {
        let check = from_fn_with_state((self.app.clone(), need), authorize);
        // Inside the check: what is remembered under a key is answered to nobody who may not ask.
        let once = from_fn_with_state(self.app.clone(), once);
        self.router = self.router.route(path, on(filter, handler).route_layer(once).route_layer(check));
        self.declare(Some(method), path, need)
    }

    fn declare(mut self, method: Option<Method>, path: &str, need: Need) -> Self {
        let route = Route { method, path: path.to_owned(), need };
        route.check();
        self.routes.push(route);
        self
    }
}

impl Route {
    fn check(&self) {
        let Self { method, path, need } = self;
        for variable in need.variables() {
            let method = method.as_ref().map_or("other", Method::as_str);
            assert!(path.contains(&format!("{{{variable}}}")), "{method} {path} has no {variable} to go by");
        }
    }
}
