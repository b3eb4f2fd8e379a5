//! Who may ask. Whoever can reach the port is trusted for now, so a page of another site must not be able to use a
//! browser on this machine: the Host must be ours (against DNS rebinding), and so must the Origin when there is one.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::app::App;
use super::problem::Problem;

/// Lets a request through that was meant for us.
///
/// # Errors
/// 403 for another, or no, Host; 403 for the Origin of another site.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let host = check_host(&app, request.headers(), request.uri().authority())?;
    check_origin(request.headers(), &host)?;
    Ok(next.run(request).await)
}

fn check_host(app: &App, headers: &HeaderMap, authority: Option<&Authority>) -> Result<String, Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
    let host = first.unwrap_or_default();
    let elsewhere = authority.is_some_and(|authority| authority.as_str() != host);
    if second.is_none() && !elsewhere && is_ours(app, host) {
        return Ok(host.to_ascii_lowercase());
    }
    let message = "this Host is not served: use the address that the server printed";
    let expected = format!("localhost:{}", app.listen().port());
    let problem = Problem::http(StatusCode::FORBIDDEN, "forbidden_host", message);
    Err(problem.facts(expected, kithdb::base::ids::shorten(host)))
}

fn is_ours(app: &App, host: &str) -> bool {
    let listen = app.listen();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    let own = if listen.is_ipv6() { format!("[{}]", listen.ip()) } else { listen.ip().to_string() };
    let names = ["localhost", "127.0.0.1", "[::1]", &own];
    port == Some(listen.port()) && names.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    if origin.strip_prefix("http://").is_some_and(|from| from.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    let message = "pages of other sites may not use this server";
    let problem = Problem::http(StatusCode::FORBIDDEN, "forbidden_origin", message);
    Err(problem.facts(format!("http://{host}"), kithdb::base::ids::shorten(origin)))
}
